/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-following.h"

#include "confab-absentees.h"
#include "confab-pace.h"
#include "confab-wire.h"

struct _ConfabFollowing
{
  gatomicrefcount refs;
  ConfabGeneration *generation;
  SocketioNamespace *namespace;
  ConfabLaggards *laggards; /* not owned: it outlives us */
  GPtrArray *sockets;       /* of SocketioSocket, some of which may be gone */
  GArray *entries;          /* of ConfabEntry, one for each socket */
  ConfabAbsentees *absentees;
  GString *json; /* reused for every delta */
  gboolean started;

  /* What has been told; behind the generation only while an interval passes. */
  guint64 told_seq;
  guint interval_ms;
  ConfabPace pace; /* unused without an interval */
};

ConfabFollowing *
confab_following_ref (ConfabFollowing *self)
{
  g_atomic_ref_count_inc (&self->refs);

  return self;
}

void
confab_following_unref (ConfabFollowing *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;

  confab_pace_clear (&self->pace);
  g_signal_handlers_disconnect_by_data (self->generation, self);
  g_object_unref (self->generation);
  g_object_unref (self->namespace);
  g_ptr_array_unref (self->sockets);
  g_array_unref (self->entries);
  confab_absentees_free (self->absentees);
  g_string_free (self->json, TRUE);
  g_free (self);
}

ConfabGeneration *
confab_following_get_generation (ConfabFollowing *self)
{
  return self->generation;
}

gboolean
confab_following_is_started (ConfabFollowing *self)
{
  return self->started;
}

static void
remove_at (ConfabFollowing *self, guint index)
{
  g_ptr_array_remove_index_fast (self->sockets, index);
  g_array_remove_index_fast (self->entries, index);
}

/* Sends what stands in our buffer to all that can take it. Who has it has everything to @seq. */
static void
emit (ConfabFollowing *self, const char *event, ConfabNoted what, guint64 seq)
{
  guint64 offset = socketio_namespace_emit_json_to (self->namespace, self->sockets, event,
                                                    self->json->str, SOCKETIO_EMIT_UNKEPT);

  confab_absentees_note (self->absentees, what, offset, seq);
}

/* Those that are gone go, and those that fell behind become laggards, from @seq on. */
static void
sort_out (ConfabFollowing *self, guint64 seq)
{
  for (guint i = self->sockets->len; i > 0; i--)
    {
      SocketioSocket *socket = g_ptr_array_index (self->sockets, i - 1);

      if (socketio_socket_is_connected (socket)
          && !confab_laggards_is_behind (self->laggards, socket, self->generation))
        continue;

      if (socketio_socket_is_connected (socket))
        confab_laggards_add (self->laggards, socket, self, seq);
      else
        confab_absentees_add (self->absentees, socket,
                              &g_array_index (self->entries, ConfabEntry, i - 1));
      remove_at (self, i - 1);
    }
}

static void
stretch_cb (ConfabDeltaKind kind,
            guint64 from_seq,
            guint64 seq,
            const char *text,
            gsize length,
            gpointer user_data)
{
  ConfabFollowing *self = user_data;

  g_string_truncate (self->json, 0);
  confab_wire_append_stretch (self->json, self->generation, from_seq, seq, text, length);
  emit (self, confab_wire_delta_event (kind), CONFAB_NOTED_DELTA, seq);
}

static void
tell_up_to_now (ConfabFollowing *self)
{
  guint64 told = self->told_seq;

  confab_pace_clear (&self->pace);
  if (told == confab_generation_get_seq (self->generation))
    return;

  sort_out (self, told);
  self->told_seq = confab_generation_get_seq (self->generation);
  confab_pace_note (&self->pace);
  confab_generation_replay (self->generation, told, stretch_cb, self);
}

static gboolean
interval_cb (gpointer user_data)
{
  tell_up_to_now (user_data);

  return G_SOURCE_REMOVE;
}

/* This runs for every token. */
static void
delta_cb (ConfabGeneration *generation, const ConfabDelta *delta, gpointer user_data)
{
  ConfabFollowing *self = user_data;

  confab_laggards_count (self->laggards, self, delta->length);
  if (self->interval_ms > 0)
    {
      if (confab_pace_ask (&self->pace, self->interval_ms, interval_cb, self))
        tell_up_to_now (self);
      return;
    }

  sort_out (self, self->told_seq);
  self->told_seq = delta->seq;
  if (self->sockets->len == 0)
    return;

  g_string_truncate (self->json, 0);
  confab_wire_append_stretch (self->json, generation, delta->seq, delta->seq, delta->text,
                              delta->length);
  emit (self, confab_wire_delta_event (delta->kind), CONFAB_NOTED_DELTA, delta->seq);
}

/**
 * confab_following_new:
 * @generation: a generation that has not ended
 * @namespace: where the sockets are
 * @laggards: takes those that fall behind
 * @interval_ms: how long at least between two chunks; 0 for no limit
 *
 * Returns: (transfer full): a following without sockets
 */
ConfabFollowing *
confab_following_new (ConfabGeneration *generation,
                      SocketioNamespace *namespace,
                      ConfabLaggards *laggards,
                      guint interval_ms)
{
  ConfabFollowing *self = g_new0 (ConfabFollowing, 1);

  g_atomic_ref_count_init (&self->refs);
  self->generation = g_object_ref (generation);
  self->namespace = g_object_ref (namespace);
  self->laggards = laggards;
  self->interval_ms = interval_ms;
  self->sockets = g_ptr_array_new_with_free_func (g_object_unref);
  self->entries = g_array_new (FALSE, FALSE, sizeof (ConfabEntry));
  self->absentees = confab_absentees_new ();
  self->json = g_string_sized_new (256);
  self->told_seq = confab_generation_get_seq (generation);
  /* one that streams already was told of before anybody followed it here */
  self->started = confab_generation_get_state (generation) == CONFAB_STATE_STREAMING;
  g_signal_connect (generation, "delta", G_CALLBACK (delta_cb), self);

  return self;
}

/**
 * confab_following_add:
 * @self: a following
 * @socket: who hears of all that comes from now on
 */
void
confab_following_add (ConfabFollowing *self, SocketioSocket *socket)
{
  if (g_ptr_array_find (self->sockets, socket, NULL)
      || confab_laggards_has (self->laggards, socket, self->generation))
    return;

  /* a merged chunk must not begin before what a newcomer has */
  tell_up_to_now (self);
  if (confab_laggards_is_behind (self->laggards, socket, self->generation))
    confab_laggards_add (self->laggards, socket, self, self->told_seq);
  else
    {
      ConfabEntry entry = { self->told_seq, self->started };

      g_ptr_array_add (self->sockets, g_object_ref (socket));
      g_array_append_val (self->entries, entry);
    }
}

void
confab_following_remove (ConfabFollowing *self, SocketioSocket *socket)
{
  guint index;

  if (g_ptr_array_find (self->sockets, socket, &index))
    remove_at (self, index);
}

/**
 * confab_following_catch_up:
 * @self: a following
 *
 * Tells now what an interval still gathers, so that what comes next begins where the generation is.
 */
void
confab_following_catch_up (ConfabFollowing *self)
{
  tell_up_to_now (self);
}

/**
 * confab_following_start:
 * @self: a following whose generation was accepted
 *
 * Tells all that it has begun.
 */
void
confab_following_start (ConfabFollowing *self)
{
  if (self->started)
    return;

  sort_out (self, 0);
  self->started = TRUE;
  g_string_truncate (self->json, 0);
  confab_wire_append_started (self->json, self->generation);
  emit (self, "ai:chat:started", CONFAB_NOTED_START, 0);
}

/**
 * confab_following_end:
 * @self: a following whose generation has ended
 *
 * Tells the end; laggards hear of it when they have caught up.
 */
void
confab_following_end (ConfabFollowing *self)
{
  tell_up_to_now (self);
  sort_out (self, self->told_seq);
  if (self->sockets->len > 0)
    confab_generation_mark_told (self->generation);
  g_string_truncate (self->json, 0);
  confab_wire_append_end (self->json, self->generation);
  emit (self, confab_wire_end_event (self->generation), CONFAB_NOTED_END, self->told_seq);

  /* for all we know the connection of each is lost, with that on its way */
  for (guint i = 0; i < self->sockets->len; i++)
    confab_absentees_add (self->absentees, g_ptr_array_index (self->sockets, i),
                          &g_array_index (self->entries, ConfabEntry, i));
  g_ptr_array_set_size (self->sockets, 0);
  g_array_set_size (self->entries, 0);
  confab_laggards_end (self->laggards, self);
}

guint
confab_following_get_n_absent (ConfabFollowing *self)
{
  return confab_absentees_get_length (self->absentees);
}

typedef struct
{
  ConfabFollowing *following;
  SocketioSocket *socket;
} Recovery;

static void
missed_stretch_cb (ConfabDeltaKind kind,
                   guint64 from_seq,
                   guint64 seq,
                   const char *text,
                   gsize length,
                   gpointer user_data)
{
  const Recovery *recovery = user_data;
  GString *json = recovery->following->json;

  g_string_truncate (json, 0);
  confab_wire_append_stretch (json, recovery->following->generation, from_seq, seq, text, length);
  socketio_socket_emit_json (recovery->socket, confab_wire_delta_event (kind), json->str);
}

/**
 * confab_following_recover:
 * @self: a following, whose generation may have ended
 * @socket: a socket that the library has just recovered
 *
 * If it followed before it lost its connection, it is told what it lacks, and follows again.
 */
void
confab_following_recover (ConfabFollowing *self, SocketioSocket *socket)
{
  gboolean ended = confab_generation_is_ended (self->generation);
  Recovery recovery = { self, socket };
  ConfabReach reach;

  if (!ended)
    tell_up_to_now (self);
  sort_out (self, self->told_seq);
  if (!confab_absentees_take (self->absentees, socket, &reach) || reach.ended)
    return;

  if (!reach.started && self->started)
    {
      g_string_truncate (self->json, 0);
      confab_wire_append_started (self->json, self->generation);
      socketio_socket_emit_json (socket, "ai:chat:started", self->json->str);
    }
  if (!reach.known || !confab_generation_can_replay (self->generation, reach.seq))
    {
      confab_laggards_add_lost (self->laggards, socket, self, reach.seq);
      return;
    }

  confab_generation_replay (self->generation, reach.seq, missed_stretch_cb, &recovery);
  if (!ended)
    {
      confab_following_add (self, socket);
      return;
    }
  g_string_truncate (self->json, 0);
  confab_wire_append_end (self->json, self->generation);
  socketio_socket_emit_json (socket, confab_wire_end_event (self->generation), self->json->str);
}

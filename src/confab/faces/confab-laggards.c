/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-laggards.h"

#include "confab-following.h"
#include "confab-wire.h"

struct _ConfabLaggards
{
  SocketioNamespace *namespace;
  ConfabMetrics *metrics;
  GHashTable *by_socket; /* SocketioSocket → Laggard, which owns both */
};

/* What one socket misses of one generation. */
typedef struct
{
  ConfabFollowing *following;
  guint64 seq; /* what it has heard last */
  gsize n_missed;
  gboolean was_started; /* it has heard of the start */
  gboolean resync;      /* it was told to resume, and hears only of the end until it does */
} Missed;

typedef struct
{
  ConfabLaggards *laggards;
  SocketioSocket *socket;
  GPtrArray *missed; /* of Missed, in the order in which they have to be told */
  gulong handlers[2];
} Laggard;

static void
missed_free (gpointer data)
{
  Missed *missed = data;

  confab_following_unref (missed->following);
  g_free (missed);
}

static void
laggard_free (gpointer data)
{
  Laggard *laggard = data;

  for (guint i = 0; i < G_N_ELEMENTS (laggard->handlers); i++)
    g_clear_signal_handler (&laggard->handlers[i], laggard->socket);
  g_ptr_array_unref (laggard->missed);
  g_object_unref (laggard->socket);
  g_free (laggard);
}

ConfabLaggards *
confab_laggards_new (SocketioNamespace *namespace, ConfabMetrics *metrics)
{
  ConfabLaggards *self = g_new0 (ConfabLaggards, 1);

  self->namespace = namespace;
  self->metrics = confab_metrics_ref (metrics);
  self->by_socket = g_hash_table_new_full (NULL, NULL, NULL, laggard_free);

  return self;
}

void
confab_laggards_free (ConfabLaggards *self)
{
  g_hash_table_unref (self->by_socket);
  confab_metrics_unref (self->metrics);
  g_free (self);
}

static gboolean
is_full (SocketioSocket *socket)
{
  return socketio_socket_get_queued_bytes (socket) > CONFAB_BEHIND_BYTES;
}

gboolean
confab_laggards_is_behind (ConfabLaggards *self,
                           SocketioSocket *socket,
                           ConfabGeneration *generation)
{
  const char *module_id = confab_generation_get_module_id (generation);
  Laggard *laggard;

  if (is_full (socket))
    return TRUE;

  laggard = g_hash_table_lookup (self->by_socket, socket);
  for (guint i = 0; laggard != NULL && i < laggard->missed->len; i++)
    {
      Missed *missed = g_ptr_array_index (laggard->missed, i);
      ConfabGeneration *missed_one = confab_following_get_generation (missed->following);

      if (missed_one != generation
          && g_str_equal (confab_generation_get_module_id (missed_one), module_id))
        return TRUE;
    }

  return FALSE;
}

static gboolean
find (Laggard *laggard, ConfabGeneration *generation, guint *index)
{
  for (guint i = 0; laggard != NULL && i < laggard->missed->len; i++)
    {
      Missed *missed = g_ptr_array_index (laggard->missed, i);

      if (confab_following_get_generation (missed->following) == generation)
        {
          *index = i;
          return TRUE;
        }
    }

  return FALSE;
}

gboolean
confab_laggards_has (ConfabLaggards *self, SocketioSocket *socket, ConfabGeneration *generation)
{
  guint index;

  return find (g_hash_table_lookup (self->by_socket, socket), generation, &index);
}

static void
emit (Laggard *laggard, const char *event, GString *json)
{
  socketio_socket_emit_json (laggard->socket, event, json->str);
  g_string_truncate (json, 0);
}

typedef struct
{
  Laggard *laggard;
  ConfabGeneration *generation;
  GString *json;
} Telling;

static void
stretch_cb (ConfabDeltaKind kind,
            guint64 from_seq,
            guint64 seq,
            const char *text,
            gsize length,
            gpointer user_data)
{
  Telling *telling = user_data;

  confab_wire_append_stretch (telling->json, telling->generation, from_seq, seq, text, length);
  emit (telling->laggard, confab_wire_delta_event (kind), telling->json);
  if (from_seq < seq)
    confab_metrics_add (telling->laggard->laggards->metrics, CONFAB_METRIC_MERGES, 1, NULL, NULL,
                        NULL);
}

/* All that @missed lacks by now. */
static void
tell_missed (Laggard *laggard, Missed *missed)
{
  g_autoptr (GString) json = g_string_new (NULL);
  ConfabGeneration *generation = confab_following_get_generation (missed->following);
  Telling telling = { laggard, generation, json };

  if (!missed->was_started && confab_following_is_started (missed->following))
    {
      confab_wire_append_started (json, generation);
      emit (laggard, "ai:chat:started", json);
      missed->was_started = TRUE;
    }
  if (!missed->resync)
    {
      confab_generation_replay (generation, missed->seq, stretch_cb, &telling);
      missed->seq = confab_generation_get_seq (generation);
      missed->n_missed = 0;
    }
  if (confab_generation_is_ended (generation))
    {
      confab_wire_append_end (json, generation);
      emit (laggard, confab_wire_end_event (generation), json);
    }
}

/* Catches up as far as the socket takes it. It is done when it misses nothing any more. */
static void
catch_up (ConfabLaggards *self, Laggard *laggard)
{
  g_autoptr (SocketioSocket) socket = g_object_ref (laggard->socket);

  for (guint i = 0; i < laggard->missed->len && !is_full (socket);)
    {
      Missed *missed = g_ptr_array_index (laggard->missed, i);
      g_autoptr (ConfabFollowing) following = confab_following_ref (missed->following);
      gboolean ended = confab_generation_is_ended (confab_following_get_generation (following));
      gboolean resync = missed->resync;

      tell_missed (laggard, missed);
      /* sending may have closed the connection */
      if (g_hash_table_lookup (self->by_socket, socket) != laggard)
        return;

      if (resync && !ended)
        i++;
      else
        {
          g_ptr_array_remove_index (laggard->missed, i);
          if (!ended)
            confab_following_add (following, socket);
        }
    }

  if (laggard->missed->len == 0)
    g_hash_table_remove (self->by_socket, socket);
  else if (is_full (socket))
    socketio_socket_request_drained (socket);
}

static void
drained_cb (SocketioSocket *socket, gpointer user_data)
{
  Laggard *laggard = user_data;

  catch_up (laggard->laggards, laggard);
}

static void
disconnected_cb (SocketioSocket *socket, const char *reason, gpointer user_data)
{
  Laggard *laggard = user_data;

  confab_metrics_add (laggard->laggards->metrics, CONFAB_METRIC_DROPS, 1, "socket.io", NULL, NULL);
  g_hash_table_remove (laggard->laggards->by_socket, socket);
}

/**
 * confab_laggards_add:
 * @self: the laggards
 * @socket: who cannot be sent anything now
 * @following: what it misses from now on
 * @seq: what it has heard last of that
 */
void
confab_laggards_add (ConfabLaggards *self,
                     SocketioSocket *socket,
                     ConfabFollowing *following,
                     guint64 seq)
{
  Laggard *laggard = g_hash_table_lookup (self->by_socket, socket);
  Missed *missed = g_new0 (Missed, 1);

  /* what it has would be known to nobody if its connection were lost now */
  socketio_socket_set_recoverable (socket, FALSE);
  missed->following = confab_following_ref (following);
  missed->seq = seq;
  missed->was_started = confab_following_is_started (following);

  if (laggard == NULL)
    {
      laggard = g_new0 (Laggard, 1);
      laggard->laggards = self;
      laggard->socket = g_object_ref (socket);
      laggard->missed = g_ptr_array_new_with_free_func (missed_free);
      laggard->handlers[0] = g_signal_connect (socket, "drained", G_CALLBACK (drained_cb), laggard);
      laggard->handlers[1] =
          g_signal_connect (socket, "disconnected", G_CALLBACK (disconnected_cb), laggard);
      g_hash_table_insert (self->by_socket, socket, laggard);
    }
  g_ptr_array_add (laggard->missed, missed);
  socketio_socket_request_drained (socket);
}

/* Nothing of @generation is missed any more: it has it all, or does not want it. */
void
confab_laggards_drop (ConfabLaggards *self, SocketioSocket *socket, ConfabGeneration *generation)
{
  Laggard *laggard = g_hash_table_lookup (self->by_socket, socket);
  guint index;

  if (!find (laggard, generation, &index))
    return;

  g_ptr_array_remove_index (laggard->missed, index);
  if (laggard->missed->len == 0)
    g_hash_table_remove (self->by_socket, socket);
}

static void
tell_to_resume (Laggard *laggard, Missed *missed)
{
  g_autoptr (GString) json = g_string_new (NULL);

  missed->resync = TRUE;
  confab_metrics_add (laggard->laggards->metrics, CONFAB_METRIC_RESYNCS, 1, NULL, NULL, NULL);
  confab_wire_append_resync (json, confab_following_get_generation (missed->following),
                             missed->seq);
  emit (laggard, "ai:chat:resync", json);
}

/**
 * confab_laggards_add_lost:
 * @self: the laggards
 * @socket: who lacks more than can be told
 * @following: of this
 * @seq: what it has at least
 *
 * Tells it to resume; of the rest it hears of the end.
 */
void
confab_laggards_add_lost (ConfabLaggards *self,
                          SocketioSocket *socket,
                          ConfabFollowing *following,
                          guint64 seq)
{
  Laggard *laggard;

  confab_laggards_add (self, socket, following, seq);
  laggard = g_hash_table_lookup (self->by_socket, socket);
  tell_to_resume (laggard, g_ptr_array_index (laggard->missed, laggard->missed->len - 1));
}

/**
 * confab_laggards_count:
 * @self: the laggards
 * @following: whose generation has grown
 * @n_bytes: by how much
 */
void
confab_laggards_count (ConfabLaggards *self, ConfabFollowing *following, gsize n_bytes)
{
  GHashTableIter iter;
  gpointer value;
  guint index;

  g_hash_table_iter_init (&iter, self->by_socket);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      Laggard *laggard = value;
      Missed *missed;

      if (!find (laggard, confab_following_get_generation (following), &index))
        continue;
      missed = g_ptr_array_index (laggard->missed, index);
      missed->n_missed += n_bytes;
      /* with one more small event it stays below what would close it */
      if (missed->n_missed > CONFAB_RESYNC_BYTES && !missed->resync)
        tell_to_resume (laggard, missed);
    }
}

/**
 * confab_laggards_end:
 * @self: the laggards
 * @following: whose generation has ended
 *
 * Tells the end to those who wait for nothing else.
 */
void
confab_laggards_end (ConfabLaggards *self, ConfabFollowing *following)
{
  g_autoptr (GPtrArray) waiting = g_ptr_array_new_with_free_func (g_object_unref);
  GHashTableIter iter;
  gpointer value;
  guint index;

  g_hash_table_iter_init (&iter, self->by_socket);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (find (value, confab_following_get_generation (following), &index)
        && !is_full (((Laggard *) value)->socket))
      g_ptr_array_add (waiting, g_object_ref (((Laggard *) value)->socket));

  for (guint i = 0; i < waiting->len; i++)
    {
      Laggard *laggard = g_hash_table_lookup (self->by_socket, g_ptr_array_index (waiting, i));

      if (laggard != NULL)
        catch_up (self, laggard);
    }
}

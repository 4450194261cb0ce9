/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-change-feed.h"

#include <time.h>

#include "confab-change-log.h"
#include "confab-slow-readers.h"

#define LEAD_US (10 * G_TIME_SPAN_MILLISECOND)
#define REST_US (100 * G_TIME_SPAN_MILLISECOND)

/* At most one part in so many of our time goes into telling: our own, not that of the clock, which
 * others spend as well. */
#define REST_FACTOR 10

/* What one turn of the main loop may take, about a millisecond: a frame is 1, and a socket, whose
 * frames leave in one piece, SOCKET_COST. */
#define TURN_COST 2048
#define SOCKET_COST 16

/* So long a turn is put off, in ms, while others have something to do all the time. */
#define PATIENCE_MS 20

/* A socket on the round. */
typedef struct
{
  SocketioSocket *socket; /* owned; NULL once it is off the round */
  guint64 n_told;
} Listener;

struct _ConfabChangeFeed
{
  ConfabService *service;
  SocketioNamespace *namespace;
  ConfabChangeLog *log;

  GArray *listeners; /* of Listener; NULL while all but the slow have heard everything */
  guint next;        /* whom to visit next */
  guint64 n_told;    /* what all have heard */
  ConfabSlowReaders *slow;
  GSource *expiry; /* while anything is kept for those who are away */

  GSource *turn;      /* the next one */
  GSource *last_call; /* has it now, if the main loop has no time for it */
  gint64 busy_us;     /* of processor time on this round */
  gint64 rests_until; /* monotonic, µs */
};

static void
listener_clear (gpointer data)
{
  g_clear_object (&((Listener *) data)->socket);
}

static void
clear_source (GSource **source)
{
  if (*source != NULL)
    g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

/* One that has heard all; it need not be on the round before there is more. */
static void
add_listener (ConfabChangeFeed *self, SocketioSocket *socket)
{
  Listener listener = { NULL, confab_change_log_get_last (self->log) };

  if (self->listeners == NULL)
    return;

  listener.socket = g_object_ref (socket);
  g_array_append_val (self->listeners, listener);
}

static void
caught_up_cb (SocketioSocket *socket, gpointer user_data)
{
  add_listener (user_data, socket);
}

/* What is kept for those who are away */

static gboolean
expiry_cb (gpointer user_data)
{
  ConfabChangeFeed *self = user_data;

  if (confab_change_log_expire (self->log, !confab_slow_readers_is_empty (self->slow)))
    return G_SOURCE_CONTINUE;

  g_clear_pointer (&self->expiry, g_source_unref);
  return G_SOURCE_REMOVE;
}

static void
expire_later (ConfabChangeFeed *self)
{
  if (self->expiry != NULL)
    return;

  self->expiry = g_timeout_source_new_seconds (CONFAB_REMEMBER_CHANGES_SECONDS / 6);
  g_source_set_static_name (self->expiry, "[confab] changes told");
  g_source_set_callback (self->expiry, expiry_cb, self, NULL);
  g_source_attach (self->expiry, g_main_context_get_thread_default ());
}

/* The round */

static void
begin_round (ConfabChangeFeed *self)
{
  g_autoptr (GPtrArray) sockets = NULL;

  self->next = 0;
  if (self->listeners != NULL)
    return;

  sockets = socketio_namespace_fetch_sockets (self->namespace, NULL);
  self->listeners = g_array_sized_new (FALSE, FALSE, sizeof (Listener), sockets->len);
  g_array_set_clear_func (self->listeners, listener_clear);
  for (guint i = 0; i < sockets->len; i++)
    {
      SocketioSocket *socket = g_ptr_array_index (sockets, i);
      Listener listener = { socket, self->n_told };

      if (confab_slow_readers_contains (self->slow, socket))
        continue;
      g_object_ref (socket);
      g_array_append_val (self->listeners, listener);
    }
}

/* Whether @listener is to be told anything by now. */
static gboolean
needs_visit (ConfabChangeFeed *self, Listener *listener)
{
  if (listener->socket == NULL || listener->n_told == confab_change_log_get_last (self->log))
    return FALSE;
  if (socketio_socket_is_connected (listener->socket))
    return TRUE;

  if (socketio_socket_get_recoverable (listener->socket))
    confab_change_log_miss (self->log, socketio_socket_get_id (listener->socket), listener->n_told);
  g_clear_object (&listener->socket);
  return FALSE;
}

/* Takes the next few that have heard the same, as many as one turn can take.
 * Returns: (transfer full) (element-type SocketioSocket) */
static GPtrArray *
take_batch (ConfabChangeFeed *self, guint64 *n_told)
{
  GPtrArray *batch = g_ptr_array_new_with_free_func (g_object_unref);
  guint cost = 0;

  for (; self->next < self->listeners->len; self->next++)
    {
      Listener *listener = &g_array_index (self->listeners, Listener, self->next);

      if (!needs_visit (self, listener))
        continue;
      if (batch->len == 0)
        {
          *n_told = listener->n_told;
          cost = SOCKET_COST + confab_change_log_count (self->log, *n_told, TURN_COST);
        }
      else if (listener->n_told != *n_told || (batch->len + 1) * cost > TURN_COST)
        break;
      g_ptr_array_add (batch, g_object_ref (listener->socket));
      listener->n_told = confab_change_log_get_last (self->log);
    }

  return batch;
}

/* Whoever is full by now joins the slow ones, and leaves the round. */
static void
sort_out (ConfabChangeFeed *self, GPtrArray *batch, guint64 n_told)
{
  for (guint i = batch->len; i > 0; i--)
    {
      SocketioSocket *socket = g_ptr_array_index (batch, i - 1);

      if (!confab_slow_readers_is_slow (socket))
        continue;
      for (guint j = self->next; j > 0; j--)
        {
          Listener *listener = &g_array_index (self->listeners, Listener, j - 1);

          if (listener->socket != socket)
            continue;
          g_clear_object (&listener->socket);
          break;
        }
      confab_slow_readers_add (self->slow, socket, n_told);
      g_ptr_array_remove_index_fast (batch, i - 1);
    }
}

/* Sends all of @batch what comes after @n_told. Those that are away are told when they are back, so
 * the library need not keep it for them. */
static void
tell (ConfabChangeFeed *self, GPtrArray *batch, guint64 n_told)
{
  guint64 last = confab_change_log_get_last (self->log);
  g_autoptr (GArray) tellings = confab_change_log_collect (self->log, n_told);
  guint64 offset = 0;
  guint64 reached = n_told;

  for (guint i = 0; i < tellings->len; i++)
    {
      const ConfabTelling *telling = &g_array_index (tellings, ConfabTelling, i);

      sort_out (self, batch, reached);
      if (batch->len == 0)
        break;
      offset = socketio_namespace_emit_json_to (self->namespace, batch, telling->event,
                                                telling->json, SOCKETIO_EMIT_UNKEPT);
      reached = telling->number;
    }
  if (batch->len > 0 && offset > 0)
    confab_change_log_note (self->log, n_told, last, offset);
}

/* All who are here have heard of what there was when the round began. */
static void
end_round (ConfabChangeFeed *self)
{
  guint64 last = confab_change_log_get_last (self->log);
  guint n = 0;

  self->n_told = last;
  for (guint i = 0; i < self->listeners->len; i++)
    {
      Listener *listener = &g_array_index (self->listeners, Listener, i);

      if (listener->socket == NULL)
        continue;
      self->n_told = MIN (self->n_told, listener->n_told);
      if (n < i)
        {
          g_array_index (self->listeners, Listener, n) = *listener;
          listener->socket = NULL;
        }
      n++;
    }
  g_array_set_size (self->listeners, n);
  /* the next round begins with the first of those who are left */
  self->next = n;
  if (self->n_told == last)
    g_clear_pointer (&self->listeners, g_array_unref);

  confab_change_log_settle (self->log, self->n_told, !confab_slow_readers_is_empty (self->slow));
  expire_later (self);
  self->rests_until = g_get_monotonic_time () + MAX (REST_US, self->busy_us * REST_FACTOR);
  self->busy_us = 0;
}

static gint64
get_processor_time (void)
{
  struct timespec time;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &time);

  return time.tv_sec * G_USEC_PER_SEC + time.tv_nsec / 1000;
}

/* Returns: whether the round goes on */
static gboolean
take_turn (ConfabChangeFeed *self)
{
  gint64 began_at = get_processor_time ();
  g_autoptr (GPtrArray) batch = NULL;
  guint64 n_told = 0;

  if (self->listeners == NULL || self->next == self->listeners->len)
    begin_round (self);
  batch = take_batch (self, &n_told);
  if (batch->len > 0)
    tell (self, batch, n_told);
  self->busy_us += get_processor_time () - began_at;
  if (self->next < self->listeners->len)
    return TRUE;

  end_round (self);
  return FALSE;
}

static void go_on (ConfabChangeFeed *self);

static gboolean
turn_cb (gpointer user_data)
{
  ConfabChangeFeed *self = user_data;

  clear_source (&self->turn);
  clear_source (&self->last_call);
  if (take_turn (self) || self->n_told < confab_change_log_get_last (self->log))
    go_on (self);

  return G_SOURCE_REMOVE;
}

static GSource *
add_source (ConfabChangeFeed *self, GSource *source, const char *name)
{
  g_source_set_static_name (source, name);
  g_source_set_callback (source, turn_cb, self, NULL);
  g_source_attach (source, g_main_context_get_thread_default ());

  return source;
}

/* In the midst of a round whatever else is to be done comes first, but not for ever. */
static void
go_on (ConfabChangeFeed *self)
{
  gint64 wait_us = MAX (LEAD_US, self->rests_until - g_get_monotonic_time ());

  if (self->turn != NULL)
    return;

  if (self->listeners == NULL || self->next == self->listeners->len)
    {
      self->turn =
          add_source (self, g_timeout_source_new ((guint) (wait_us / G_TIME_SPAN_MILLISECOND)),
                      "[confab] changes");
      return;
    }
  self->turn = add_source (self, g_idle_source_new (), "[confab] more changes");
  self->last_call =
      add_source (self, g_timeout_source_new (PATIENCE_MS), "[confab] changes that waited");
}

/**
 * confab_change_feed_flush:
 * @self: the feed
 *
 * Tells now what is still being gathered.
 */
void
confab_change_feed_flush (ConfabChangeFeed *self)
{
  clear_source (&self->turn);
  clear_source (&self->last_call);
  while (self->n_told < confab_change_log_get_last (self->log))
    take_turn (self);
}

/**
 * confab_change_feed_add:
 * @self: the feed
 * @socket: one that has just connected
 *
 * Tells it of what comes from now on, and, if it was recovered, of what it missed.
 *
 * Returns: %FALSE if it missed more than is known still; it should come back as a new one
 */
gboolean
confab_change_feed_add (ConfabChangeFeed *self, SocketioSocket *socket)
{
  guint64 n_told;

  if (!socketio_socket_is_recovered (socket))
    {
      add_listener (self, socket);
      return TRUE;
    }
  if (!confab_change_log_find (self->log, socketio_socket_get_id (socket),
                               socketio_socket_get_recovered_offset (socket), &n_told))
    return FALSE;

  if (confab_slow_readers_tell (self->slow, socket, n_told))
    add_listener (self, socket);
  return TRUE;
}

static void
session_changed_cb (ConfabService *service,
                    const char *session_id,
                    ConfabSession *session,
                    gpointer user_data)
{
  ConfabChangeFeed *self = user_data;

  confab_change_log_add (self->log, "session:changed", "sessionId", session_id, session);
  go_on (self);
}

static void
module_changed_cb (ConfabService *service,
                   const char *module_id,
                   ConfabModule *module,
                   gpointer user_data)
{
  ConfabChangeFeed *self = user_data;

  confab_change_log_add (self->log, "module:changed", "moduleId", module_id, module);
  go_on (self);
}

/**
 * confab_change_feed_new:
 * @service: whose sessions and modules to tell of
 * @namespace: whose sockets to tell
 *
 * Returns: (transfer full): the feed
 */
ConfabChangeFeed *
confab_change_feed_new (ConfabService *service, SocketioNamespace *namespace)
{
  ConfabChangeFeed *self = g_new0 (ConfabChangeFeed, 1);

  self->service = g_object_ref (service);
  self->namespace = g_object_ref (namespace);
  self->log = confab_change_log_new ();
  self->slow = confab_slow_readers_new (self->log, caught_up_cb, self);
  g_signal_connect (service, "session-changed", G_CALLBACK (session_changed_cb), self);
  g_signal_connect (service, "module-changed", G_CALLBACK (module_changed_cb), self);

  return self;
}

void
confab_change_feed_free (ConfabChangeFeed *self)
{
  g_signal_handlers_disconnect_by_data (self->service, self);
  clear_source (&self->turn);
  clear_source (&self->last_call);
  clear_source (&self->expiry);
  g_clear_pointer (&self->listeners, g_array_unref);
  confab_slow_readers_free (self->slow);
  confab_change_log_free (self->log);
  g_object_unref (self->namespace);
  g_object_unref (self->service);
  g_free (self);
}

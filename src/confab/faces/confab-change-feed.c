/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-change-feed.h"

#include "confab-laggards.h"
#include "confab-wire-objects.h"

#define LEAD_US (10 * G_TIME_SPAN_MILLISECOND)
#define REST_US (100 * G_TIME_SPAN_MILLISECOND)

/* At most one part in so many of our time goes into telling. */
#define REST_FACTOR 10

/* The newest change of one session or module. */
typedef struct
{
  guint64 number;
  const char *event;   /* "session:changed" or "module:changed" */
  const char *id_name; /* "sessionId" or "moduleId" */
  char *id;
  GObject *object; /* a ConfabSession or ConfabModule; NULL if it was deleted */
} Change;

struct _ConfabChangeFeed
{
  ConfabService *service;
  SocketioNamespace *namespace;
  GQueue log;        /* of Change, by number; those that somebody was not told of */
  GHashTable *by_id; /* Change → its link in the log */
  GHashTable *slow;  /* SocketioSocket → SlowReader */
  guint64 n_changes;
  guint64 n_told;     /* to all but the slow ones */
  GSource *source;    /* while there are changes to tell */
  gint64 rests_until; /* monotonic, µs */
};

/* A socket whose queue was too long to be told everything. */
typedef struct
{
  ConfabChangeFeed *feed;
  SocketioSocket *socket;
  guint64 n_told;
  gulong handlers[2];
} SlowReader;

static void
change_free (gpointer data)
{
  Change *change = data;

  g_clear_object (&change->object);
  g_free (change->id);
  g_free (change);
}

static guint
change_hash (gconstpointer key)
{
  const Change *change = key;

  return g_direct_hash (change->event) ^ g_str_hash (change->id);
}

static gboolean
change_equal (gconstpointer a, gconstpointer b)
{
  const Change *one = a;
  const Change *other = b;

  return one->event == other->event && g_str_equal (one->id, other->id);
}

static char *
change_to_json (const Change *change)
{
  if (change->object == NULL)
    return confab_wire_to_string (confab_wire_deleted (change->id_name, change->id));
  if (CONFAB_IS_SESSION (change->object))
    return confab_wire_to_string (confab_wire_session (CONFAB_SESSION (change->object)));

  return confab_wire_to_string (confab_wire_module (CONFAB_MODULE (change->object)));
}

/* The first change after @n_told. */
static GList *
find_untold (ConfabChangeFeed *self, guint64 n_told)
{
  GList *link = self->log.tail;

  while (link != NULL && link->prev != NULL && ((Change *) link->prev->data)->number > n_told)
    link = link->prev;

  return link != NULL && ((Change *) link->data)->number > n_told ? link : NULL;
}

/* Slow readers */

static void
slow_reader_free (gpointer data)
{
  SlowReader *reader = data;

  for (guint i = 0; i < G_N_ELEMENTS (reader->handlers); i++)
    g_clear_signal_handler (&reader->handlers[i], reader->socket);
  g_object_unref (reader->socket);
  g_free (reader);
}

static gboolean
is_full (SocketioSocket *socket)
{
  return socketio_socket_get_queued_bytes (socket) > CONFAB_BEHIND_BYTES;
}

static void
forget_reader (ConfabChangeFeed *self, SocketioSocket *socket)
{
  g_hash_table_remove (self->slow, socket);
  if (g_hash_table_size (self->slow) > 0 || self->n_told < self->n_changes)
    return;

  /* everybody has heard everything */
  g_hash_table_remove_all (self->by_id);
  g_queue_clear_full (&self->log, change_free);
}

static void
drained_cb (SocketioSocket *socket, gpointer user_data)
{
  SlowReader *reader = user_data;
  ConfabChangeFeed *self = reader->feed;
  g_autoptr (SocketioSocket) guard G_GNUC_UNUSED = g_object_ref (socket);

  for (GList *link = find_untold (self, reader->n_told); link != NULL; link = link->next)
    {
      Change *change = link->data;
      g_autofree char *json = NULL;

      if (change->number > self->n_told)
        break;
      if (is_full (socket))
        {
          socketio_socket_request_drained (socket);
          return;
        }
      reader->n_told = change->number;
      json = change_to_json (change);
      /* a socket that this closes is forgotten, and with it the reader */
      if (!socketio_socket_emit_json (socket, change->event, json))
        return;
    }
  forget_reader (self, socket);
}

static void
disconnected_cb (SocketioSocket *socket, const char *reason, gpointer user_data)
{
  SlowReader *reader = user_data;

  forget_reader (reader->feed, socket);
}

static void
add_slow (ConfabChangeFeed *self, SocketioSocket *socket, guint64 n_told)
{
  SlowReader *reader = g_new0 (SlowReader, 1);

  /* what it has is known to nobody if its connection is lost */
  socketio_socket_set_recoverable (socket, FALSE);
  reader->feed = self;
  reader->socket = g_object_ref (socket);
  reader->n_told = n_told;
  reader->handlers[0] = g_signal_connect (socket, "drained", G_CALLBACK (drained_cb), reader);
  reader->handlers[1] =
      g_signal_connect (socket, "disconnected", G_CALLBACK (disconnected_cb), reader);
  g_hash_table_insert (self->slow, socket, reader);
  socketio_socket_request_drained (socket);
}

/* Telling */

/* Whoever is full by now joins the slow ones. */
static void
sort_out (ConfabChangeFeed *self, GPtrArray *sockets)
{
  for (guint i = sockets->len; i > 0; i--)
    {
      SocketioSocket *socket = g_ptr_array_index (sockets, i - 1);

      if (!is_full (socket))
        continue;
      if (!g_hash_table_contains (self->slow, socket))
        add_slow (self, socket, self->n_told);
      g_ptr_array_remove_index_fast (sockets, i - 1);
    }
}

/* To all but the slow ones; those that are away and may come back are told when they do. */
static void
tell (ConfabChangeFeed *self, const Change *change)
{
  g_autoptr (SocketioBroadcast) broadcast = socketio_namespace_broadcast (self->namespace);
  g_autofree char *json = change_to_json (change);
  GHashTableIter iter;
  gpointer socket;

  g_hash_table_iter_init (&iter, self->slow);
  while (g_hash_table_iter_next (&iter, &socket, NULL))
    socketio_broadcast_except (broadcast, socketio_socket_get_id (socket));
  socketio_broadcast_emit_json (broadcast, change->event, json);
}

static void
tell_all (ConfabChangeFeed *self)
{
  g_autoptr (GPtrArray) sockets = socketio_namespace_fetch_sockets (self->namespace, NULL);

  for (GList *link = find_untold (self, self->n_told); link != NULL; link = link->next)
    {
      Change *change = link->data;

      sort_out (self, sockets);
      tell (self, change);
      self->n_told = change->number;
    }
  if (g_hash_table_size (self->slow) == 0)
    {
      g_hash_table_remove_all (self->by_id);
      g_queue_clear_full (&self->log, change_free);
    }
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
  gint64 began_at = g_get_monotonic_time ();

  if (self->source != NULL)
    g_source_destroy (self->source);
  g_clear_pointer (&self->source, g_source_unref);

  tell_all (self);
  self->rests_until = g_get_monotonic_time ();
  self->rests_until += MAX (REST_US, (self->rests_until - began_at) * REST_FACTOR);
}

static gboolean
flush_cb (gpointer user_data)
{
  confab_change_feed_flush (user_data);

  return G_SOURCE_REMOVE;
}

static void
flush_soon (ConfabChangeFeed *self)
{
  gint64 wait_us = MAX (LEAD_US, self->rests_until - g_get_monotonic_time ());

  if (self->source != NULL)
    return;

  self->source = g_timeout_source_new ((guint) (wait_us / G_TIME_SPAN_MILLISECOND));
  g_source_set_static_name (self->source, "[confab] changes");
  g_source_set_callback (self->source, flush_cb, self, NULL);
  g_source_attach (self->source, g_main_context_get_thread_default ());
}

static void
add (ConfabChangeFeed *self,
     const char *event,
     const char *id_name,
     const char *id,
     gpointer object)
{
  const Change key = { .event = event, .id = (char *) id };
  GList *link = g_hash_table_lookup (self->by_id, &key);
  Change *change;

  if (link == NULL)
    {
      change = g_new0 (Change, 1);
      change->event = event;
      change->id_name = id_name;
      change->id = g_strdup (id);
      g_queue_push_tail (&self->log, change);
      g_hash_table_insert (self->by_id, change, self->log.tail);
    }
  else if ((change = link->data)->number <= self->n_told)
    {
      g_queue_unlink (&self->log, link);
      g_queue_push_tail_link (&self->log, link);
    }
  if (change->number <= self->n_told)
    change->number = ++self->n_changes;
  g_set_object (&change->object, object);
  flush_soon (self);
}

static void
session_changed_cb (ConfabService *service,
                    const char *session_id,
                    ConfabSession *session,
                    gpointer user_data)
{
  add (user_data, "session:changed", "sessionId", session_id, session);
}

static void
module_changed_cb (ConfabService *service,
                   const char *module_id,
                   ConfabModule *module,
                   gpointer user_data)
{
  add (user_data, "module:changed", "moduleId", module_id, module);
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
  g_queue_init (&self->log);
  self->by_id = g_hash_table_new (change_hash, change_equal);
  self->slow = g_hash_table_new_full (NULL, NULL, NULL, slow_reader_free);
  g_signal_connect (service, "session-changed", G_CALLBACK (session_changed_cb), self);
  g_signal_connect (service, "module-changed", G_CALLBACK (module_changed_cb), self);

  return self;
}

void
confab_change_feed_free (ConfabChangeFeed *self)
{
  g_signal_handlers_disconnect_by_data (self->service, self);
  if (self->source != NULL)
    g_source_destroy (self->source);
  g_clear_pointer (&self->source, g_source_unref);
  g_hash_table_unref (self->slow);
  g_hash_table_unref (self->by_id);
  g_queue_clear_full (&self->log, change_free);
  g_object_unref (self->namespace);
  g_object_unref (self->service);
  g_free (self);
}

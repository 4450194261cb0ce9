/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-slow-readers.h"

#include "confab-laggards.h"

struct _ConfabSlowReaders
{
  ConfabChangeLog *log;
  ConfabSlowReadersFunc caught_up;
  gpointer user_data;
  GHashTable *readers; /* SocketioSocket → Reader, which owns both */
};

typedef struct
{
  ConfabSlowReaders *readers;
  SocketioSocket *socket;
  guint64 number; /* of the change that it has heard of last */
  gulong handlers[2];
} Reader;

static void
reader_free (gpointer data)
{
  Reader *reader = data;

  for (guint i = 0; i < G_N_ELEMENTS (reader->handlers); i++)
    g_clear_signal_handler (&reader->handlers[i], reader->socket);
  g_object_unref (reader->socket);
  g_free (reader);
}

ConfabSlowReaders *
confab_slow_readers_new (ConfabChangeLog *log, ConfabSlowReadersFunc caught_up, gpointer user_data)
{
  ConfabSlowReaders *self = g_new0 (ConfabSlowReaders, 1);

  self->log = log;
  self->caught_up = caught_up;
  self->user_data = user_data;
  self->readers = g_hash_table_new_full (NULL, NULL, NULL, reader_free);

  return self;
}

void
confab_slow_readers_free (ConfabSlowReaders *self)
{
  g_hash_table_unref (self->readers);
  g_free (self);
}

gboolean
confab_slow_readers_contains (ConfabSlowReaders *self, SocketioSocket *socket)
{
  return g_hash_table_contains (self->readers, socket);
}

gboolean
confab_slow_readers_is_empty (ConfabSlowReaders *self)
{
  return g_hash_table_size (self->readers) == 0;
}

gboolean
confab_slow_readers_is_slow (SocketioSocket *socket)
{
  return socketio_socket_get_queued_bytes (socket) > CONFAB_BEHIND_BYTES;
}

/* As far as @socket takes it: *@number is what it has heard of then. What it was sent is sent again
 * by the library if its connection is lost. */
static gboolean
tell (ConfabSlowReaders *self, SocketioSocket *socket, guint64 *number)
{
  /* telling may make something change */
  while (*number < confab_change_log_get_last (self->log))
    {
      guint64 last = confab_change_log_get_last (self->log);
      g_autoptr (GArray) tellings = confab_change_log_collect (self->log, *number);

      for (guint i = 0; i < tellings->len; i++)
        {
          const ConfabTelling *telling = &g_array_index (tellings, ConfabTelling, i);

          if (confab_slow_readers_is_slow (socket)
              || !socketio_socket_emit_json (socket, telling->event, telling->json))
            return FALSE;
          *number = telling->number;
        }
      *number = last;
    }

  return TRUE;
}

static void
drained_cb (SocketioSocket *socket, gpointer user_data)
{
  Reader *reader = user_data;
  ConfabSlowReaders *self = reader->readers;
  g_autoptr (SocketioSocket) guard G_GNUC_UNUSED = g_object_ref (socket);
  guint64 number = reader->number;
  gboolean done = tell (self, socket, &number);

  /* a socket that this closes is forgotten, and with it the reader */
  if (!g_hash_table_contains (self->readers, socket))
    return;

  reader->number = number;
  if (!done)
    {
      socketio_socket_request_drained (socket);
      return;
    }
  g_hash_table_remove (self->readers, socket);
  self->caught_up (socket, self->user_data);
}

static void
disconnected_cb (SocketioSocket *socket, const char *reason, gpointer user_data)
{
  const Reader *reader = user_data;

  g_hash_table_remove (reader->readers->readers, socket);
}

/**
 * confab_slow_readers_add:
 * @self: the slow readers
 * @socket: none of them, and connected
 * @number: of the change that it has heard of last
 *
 * Tells @socket the rest when it drains.
 */
void
confab_slow_readers_add (ConfabSlowReaders *self, SocketioSocket *socket, guint64 number)
{
  Reader *reader = g_new0 (Reader, 1);

  /* what it has is known to nobody if its connection is lost */
  socketio_socket_set_recoverable (socket, FALSE);
  reader->readers = self;
  reader->socket = g_object_ref (socket);
  reader->number = number;
  reader->handlers[0] = g_signal_connect (socket, "drained", G_CALLBACK (drained_cb), reader);
  reader->handlers[1] =
      g_signal_connect (socket, "disconnected", G_CALLBACK (disconnected_cb), reader);
  g_hash_table_insert (self->readers, socket, reader);
  socketio_socket_request_drained (socket);
}

gboolean
confab_slow_readers_tell (ConfabSlowReaders *self, SocketioSocket *socket, guint64 number)
{
  if (tell (self, socket, &number))
    return TRUE;

  if (socketio_socket_is_connected (socket))
    confab_slow_readers_add (self, socket, number);
  return FALSE;
}

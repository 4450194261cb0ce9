/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "socketio-stream-private.h"

#include <sys/socket.h>
#include <unistd.h>

#include "socketio-drain.h"

void
socketio_stream_shut (SocketioStream *self)
{
  if (self->state == STREAM_CLOSED)
    return;

  self->state = STREAM_CLOSED;
  /* whoever waits meets the end */
  socketio_shard_mark_ready (self->shard);
  socketio_reactor_stop_timer (self->reactor, &self->linger_timer);
  socketio_stream_drop_queue (self);
  g_clear_pointer (&self->early, g_bytes_unref);
  socketio_reactor_remove_watch (self->reactor, self->watch, self->fd);
  self->watch = 0;
  close (self->fd);
  self->fd = -1;
}

static gboolean
closed_cb (gpointer user_data)
{
  g_task_return_boolean (user_data, TRUE);
  return G_SOURCE_REMOVE;
}

static void
finish_close (SocketioStream *self)
{
  g_autoptr (GTask) task = g_steal_pointer (&self->close_task);
  g_autoptr (GSource) source = g_idle_source_new ();

  socketio_stream_shut (self);
  /* GTask would call back at once where we are in a source of its context: within our caller */
  g_source_set_static_name (source, "Socketio stream closed");
  g_task_attach_source (task, source, closed_cb);
}

void
socketio_stream_advance_close (SocketioStream *self)
{
  if (self->state == STREAM_FLUSHING && socketio_stream_get_queued (self) == 0)
    {
      self->state = STREAM_DRAINING;
      if (self->error == 0)
        shutdown (self->fd, SHUT_WR);
    }
  if (self->error != 0
      || (self->state == STREAM_DRAINING
          && socketio_drain (self->fd, &self->drained, SOCKETIO_STREAM_LINGER_BYTES)))
    finish_close (self);
}

void
socketio_stream_set_linger_ms (SocketioStream *self, guint ms)
{
  self->linger_ms = ms;
}

static void
linger_timeout_cb (gpointer user_data)
{
  finish_close (user_data);
}

void
socketio_stream_close_async (GIOStream *stream,
                             int io_priority,
                             GCancellable *cancellable,
                             GAsyncReadyCallback callback,
                             gpointer user_data)
{
  SocketioStream *self = SOCKETIO_STREAM (stream);
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);

  g_task_set_source_tag (task, socketio_stream_close_async);
  if (self->state != STREAM_OPEN)
    {
      g_task_return_boolean (task, TRUE);
      return;
    }

  /* the task holds the stream until the end */
  self->close_task = g_steal_pointer (&task);
  self->state = STREAM_FLUSHING;
  socketio_shard_mark_ready (self->shard);
  socketio_reactor_start_timer (self->reactor, &self->linger_timer, self->linger_ms,
                                linger_timeout_cb, self);
  if (!self->blocked)
    socketio_stream_flush (self);
  socketio_stream_advance_close (self);
}

gboolean
socketio_stream_close_finish (GIOStream *stream, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

gboolean
socketio_stream_close (GIOStream *stream, GCancellable *cancellable, GError **error)
{
  SocketioStream *self = SOCKETIO_STREAM (stream);

  if (self->state == STREAM_OPEN)
    socketio_stream_flush (self);
  socketio_stream_shut (self);
  return TRUE;
}

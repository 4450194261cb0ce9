/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "socketio-stream-private.h"

#include <errno.h>
#include <sys/socket.h>

/* EPOLLOUT joins only while the kernel refuses to take more. */
#define EVENTS_BLOCKED (SOCKETIO_STREAM_EVENTS_IDLE | EPOLLOUT)

gsize
socketio_stream_get_queued (SocketioStream *self)
{
  return self->queue != NULL ? self->queue->len - self->sent : 0;
}

gboolean
socketio_stream_is_throttled (SocketioStream *self)
{
  return self->throttled && self->error == 0 && self->state == STREAM_OPEN;
}

static void
progress_cb (gpointer user_data)
{
  g_autoptr (SocketioStream) self = user_data;

  self->progress_pending = FALSE;
  if (self->progress_func != NULL)
    self->progress_func (self->progress_data);
}

void
socketio_stream_queue_progress (SocketioStream *self)
{
  if (self->progress_func == NULL || self->progress_pending)
    return;

  self->progress_pending = TRUE;
  socketio_reactor_invoke (self->reactor, progress_cb, g_object_ref (self));
}

void
socketio_stream_drop_queue (SocketioStream *self)
{
  g_clear_pointer (&self->queue, g_byte_array_unref);
  self->sent = 0;
}

static void
set_blocked (SocketioStream *self, gboolean blocked)
{
  if (self->blocked == blocked)
    return;

  self->blocked = blocked;
  socketio_reactor_modify_watch (self->reactor, self->watch, self->fd,
                                 blocked ? EVENTS_BLOCKED : SOCKETIO_STREAM_EVENTS_IDLE);
}

/* After the kernel took something: tells those who wait for room. */
static void
queue_shrank (SocketioStream *self, gboolean was_blocked)
{
  gsize queued = socketio_stream_get_queued (self);

  if (self->throttled && queued <= SOCKETIO_STREAM_LOW_MARK)
    {
      self->throttled = FALSE;
      socketio_shard_mark_ready (self->shard);
      socketio_stream_queue_progress (self);
    }
  if (queued == 0 && (was_blocked || self->notify_empty))
    {
      self->notify_empty = FALSE;
      socketio_stream_queue_progress (self);
    }
}

void
socketio_stream_flush (SocketioStream *self)
{
  gsize queued = socketio_stream_get_queued (self);
  gboolean was_blocked = self->blocked;
  gssize n;

  if (queued == 0 || self->fd < 0 || self->error != 0)
    return;

  do
    n = send (self->fd, self->queue->data + self->sent, queued, MSG_DONTWAIT | MSG_NOSIGNAL);
  while (n < 0 && errno == EINTR);

  if (n < 0 && errno != EAGAIN)
    {
      socketio_stream_fail (self, errno);
      return;
    }

  if (n > 0)
    self->sent += n;
  if (self->sent == self->queue->len)
    socketio_stream_drop_queue (self);
  else if (self->sent >= self->queue->len / 2)
    {
      g_byte_array_remove_range (self->queue, 0, self->sent);
      self->sent = 0;
    }

  set_blocked (self, self->queue != NULL);
  queue_shrank (self, was_blocked);
}

static void
deferred_flush_cb (gpointer user_data)
{
  g_autoptr (SocketioStream) self = user_data;

  self->flush_pending = FALSE;
  if (!self->blocked)
    socketio_stream_flush (self);
}

void
socketio_stream_append (SocketioStream *self,
                        const void *head,
                        gsize head_size,
                        const void *body,
                        gsize body_size)
{
  if (self->error != 0 || self->state != STREAM_OPEN || head_size + body_size == 0)
    return;

  if (self->queue == NULL)
    self->queue = g_byte_array_sized_new (head_size + body_size);
  g_byte_array_append (self->queue, head, head_size);
  g_byte_array_append (self->queue, body, body_size);

  if (!self->flush_pending && !self->blocked)
    {
      self->flush_pending = TRUE;
      socketio_reactor_defer (self->reactor, deferred_flush_cb, g_object_ref (self));
    }
}

gssize
socketio_stream_write (SocketioStream *self, const void *buffer, gsize count, GError **error)
{
  gsize queued = socketio_stream_get_queued (self);

  if (!socketio_stream_check_open (self, error))
    return -1;
  if (self->throttled || queued >= SOCKETIO_STREAM_HIGH_MARK)
    {
      self->throttled = TRUE;
      socketio_stream_set_would_block (error);
      return -1;
    }

  if (count > SOCKETIO_STREAM_ATOMIC)
    count = MIN (count, SOCKETIO_STREAM_HIGH_MARK - queued);
  socketio_stream_append (self, NULL, 0, buffer, count);
  return count;
}

void
socketio_stream_set_progress_func (SocketioStream *self,
                                   SocketioReactorFunc func,
                                   gpointer user_data)
{
  self->progress_func = func;
  self->progress_data = user_data;
}

void
socketio_stream_notify_empty (SocketioStream *self)
{
  if (socketio_stream_get_queued (self) == 0)
    socketio_stream_queue_progress (self);
  else
    self->notify_empty = TRUE;
}

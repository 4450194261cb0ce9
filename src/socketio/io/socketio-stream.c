/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "socketio-stream-private.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Read without a pause, at most: whoever sends without an end must leave the others their turns. */
#define READ_SHARE (16 * 1024)

G_DEFINE_FINAL_TYPE (SocketioStream, socketio_stream, G_TYPE_IO_STREAM)

static void
set_io_error (GError **error, int code)
{
  g_set_error_literal (error, G_IO_ERROR, g_io_error_from_errno (code), g_strerror (code));
}

gboolean
socketio_stream_check_open (SocketioStream *self, GError **error)
{
  if (self->error != 0)
    set_io_error (error, self->error);
  else if (self->state != STREAM_OPEN)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CLOSED, "Stream is closed");
  else
    return TRUE;

  return FALSE;
}

void
socketio_stream_set_would_block (GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK, "Would block");
}

void
socketio_stream_fail (SocketioStream *self, int code)
{
  if (self->error != 0)
    return;

  self->error = code;
  socketio_stream_drop_queue (self);
  socketio_shard_mark_ready (self->shard);
  socketio_stream_queue_progress (self);
}

gboolean
socketio_stream_is_readable (SocketioStream *self)
{
  return self->readable || self->early != NULL || self->error != 0 || self->state != STREAM_OPEN;
}

SocketioShard *
socketio_stream_get_shard (SocketioStream *self)
{
  return self->shard;
}

static gssize
read_early (SocketioStream *self, void *buffer, gsize count)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (self->early, &size);
  gsize n = MIN (count, size);

  memcpy (buffer, data, n);
  if (n == size)
    g_clear_pointer (&self->early, g_bytes_unref);
  else
    {
      g_autoptr (GBytes) rest = g_bytes_new_from_bytes (self->early, n, size - n);

      g_bytes_unref (self->early);
      self->early = g_steal_pointer (&rest);
    }
  return n;
}

gssize
socketio_stream_read (SocketioStream *self, void *buffer, gsize count, GError **error)
{
  gssize n;

  if (!socketio_stream_check_open (self, error))
    return -1;
  if (self->early != NULL)
    return read_early (self, buffer, count);
  if (!self->readable || self->n_read >= READ_SHARE)
    {
      /* in the latter case its source is ready again at once, and has its turn after the others */
      self->n_read = 0;
      socketio_stream_set_would_block (error);
      return -1;
    }

  do
    n = recv (self->fd, buffer, count, MSG_DONTWAIT);
  while (n < 0 && errno == EINTR);

  if (n < 0)
    {
      if (errno == EAGAIN)
        {
          self->readable = FALSE;
          socketio_stream_set_would_block (error);
          return -1;
        }
      socketio_stream_fail (self, errno);
      set_io_error (error, self->error);
      return -1;
    }

  if (self->input_left != G_MAXSIZE && (gsize) n > self->input_left)
    {
      socketio_stream_fail (self, ECONNABORTED);
      set_io_error (error, self->error);
      return -1;
    }

  if (self->input_left != G_MAXSIZE)
    self->input_left -= n;
  self->n_read += n;
  if ((gsize) n < count && !self->peer_done)
    self->readable = FALSE;
  return n;
}

void
socketio_stream_limit_input (SocketioStream *self, gsize bytes)
{
  self->input_left = MIN (self->input_left, bytes);
}

void
socketio_stream_abort (SocketioStream *self)
{
  socketio_stream_fail (self, ECONNABORTED);
  if (self->close_task != NULL)
    socketio_stream_advance_close (self);
}

static void
stream_event_cb (guint32 events, gpointer user_data)
{
  g_autoptr (SocketioStream) self = g_object_ref (user_data);

  if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
    self->peer_done = TRUE;
  if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
    {
      self->readable = TRUE;
      socketio_shard_mark_ready (self->shard);
    }
  if (self->blocked && (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)))
    socketio_stream_flush (self);
  if (self->close_task != NULL)
    socketio_stream_advance_close (self);
}

static GInputStream *
socketio_stream_get_input_stream (GIOStream *stream)
{
  return G_INPUT_STREAM (SOCKETIO_STREAM (stream)->input);
}

static GOutputStream *
socketio_stream_get_output_stream (GIOStream *stream)
{
  return G_OUTPUT_STREAM (SOCKETIO_STREAM (stream)->output);
}

static void
socketio_stream_finalize (GObject *object)
{
  SocketioStream *self = SOCKETIO_STREAM (object);

  if (self->fd >= 0)
    socketio_stream_shut (self);
  self->input->stream = NULL;
  self->output->stream = NULL;
  g_object_unref (self->input);
  g_object_unref (self->output);
  g_clear_pointer (&self->shard, socketio_shard_release);
  g_clear_pointer (&self->reactor, socketio_reactor_unref);

  G_OBJECT_CLASS (socketio_stream_parent_class)->finalize (object);
}

static void
socketio_stream_class_init (SocketioStreamClass *klass)
{
  GIOStreamClass *stream_class = G_IO_STREAM_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = socketio_stream_finalize;
  stream_class->get_input_stream = socketio_stream_get_input_stream;
  stream_class->get_output_stream = socketio_stream_get_output_stream;
  stream_class->close_fn = socketio_stream_close;
  stream_class->close_async = socketio_stream_close_async;
  stream_class->close_finish = socketio_stream_close_finish;
}

static void
socketio_stream_init (SocketioStream *self)
{
  self->fd = -1;
  self->state = STREAM_CLOSED;
  self->linger_ms = SOCKETIO_STREAM_LINGER_MS;
  self->input_left = G_MAXSIZE;
  self->input = g_object_new (SOCKETIO_TYPE_STREAM_INPUT, NULL);
  self->input->stream = self;
  self->output = g_object_new (SOCKETIO_TYPE_STREAM_OUTPUT, NULL);
  self->output->stream = self;
}

SocketioStream *
socketio_stream_new (SocketioReactor *reactor, int fd, GBytes *early, GError **error)
{
  g_autoptr (SocketioStream) self = g_object_new (SOCKETIO_TYPE_STREAM, NULL);

  self->reactor = socketio_reactor_ref (reactor);
  self->watch =
      socketio_reactor_add_watch (reactor, fd, SOCKETIO_STREAM_EVENTS_IDLE, stream_event_cb, self);
  if (self->watch == 0)
    {
      set_io_error (error, errno);
      close (fd);
      return NULL;
    }
  self->fd = fd;
  self->state = STREAM_OPEN;
  self->shard = socketio_reactor_take_shard (reactor);
  /* a read that yields nothing would be taken for the end */
  if (early != NULL && g_bytes_get_size (early) > 0)
    self->early = g_bytes_ref (early);
  return g_steal_pointer (&self);
}

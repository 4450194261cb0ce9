/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "socketio-stream.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "socketio-drain.h"
#include "socketio-stream-private.h"

/* Input is edge-triggered: whoever stops reading (a WebSocket that is closing) must not make epoll
 * report the same bytes for ever. EPOLLOUT joins only while the kernel refuses to take more. */
#define EVENTS_IDLE (EPOLLIN | EPOLLRDHUP | EPOLLET)
#define EVENTS_BLOCKED (EVENTS_IDLE | EPOLLOUT)

/* Read without a pause, at most: whoever sends without an end must leave the others their turns. */
#define READ_SHARE (16 * 1024)

typedef enum
{
  STREAM_OPEN,
  STREAM_FLUSHING, /* close_async(): the rest is on its way */
  STREAM_DRAINING, /* writing is shut down; waits for the peer to close */
  STREAM_CLOSED,
} StreamState;

struct _SocketioStream
{
  GIOStream parent_instance;

  SocketioReactor *reactor;
  SocketioShard *shard; /* a user of it */
  SocketioWatchId watch;
  int fd;

  /* owned, but may live on in a GSource: their pointers back are cleared in finalize */
  SocketioStreamInput *input;
  SocketioStreamOutput *output;

  GBytes *early;     /* nullable: read before the socket is */
  GByteArray *queue; /* nullable: allocated only while there is something in it */
  gsize n_read;      /* bytes since the last pause */
  gsize input_left;  /* may still be read; G_MAXSIZE: no limit */
  gsize sent;        /* bytes at the start of the queue that are out already */

  SocketioReactorFunc progress_func; /* nullable */
  gpointer progress_data;

  GTask *close_task; /* while lingering */
  SocketioTimer linger_timer;
  guint linger_ms;
  gsize drained;

  int error; /* errno that ended it, or 0 */
  StreamState state;
  guint readable : 1;
  guint peer_done : 1; /* FIN or reset was seen: a short read does not mean that all is read */
  guint throttled : 1; /* a write was refused, and the queue is still above the low mark */
  guint blocked : 1;   /* the kernel refused to take all; EPOLLOUT is watched */
  guint flush_pending : 1;
  guint notify_empty : 1;
  guint progress_pending : 1;
};

G_DEFINE_FINAL_TYPE (SocketioStream, socketio_stream, G_TYPE_IO_STREAM)

static void stream_flush (SocketioStream *self);
static void stream_advance_close (SocketioStream *self);

static void
set_io_error (GError **error, int code)
{
  g_set_error_literal (error, G_IO_ERROR, g_io_error_from_errno (code), g_strerror (code));
}

static void
set_would_block (GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK, "Would block");
}

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

static void
progress_cb (gpointer user_data)
{
  g_autoptr (SocketioStream) self = user_data;

  self->progress_pending = FALSE;
  if (self->progress_func != NULL)
    self->progress_func (self->progress_data);
}

static void
queue_progress (SocketioStream *self)
{
  if (self->progress_func == NULL || self->progress_pending)
    return;

  self->progress_pending = TRUE;
  socketio_reactor_invoke (self->reactor, progress_cb, g_object_ref (self));
}

static void
drop_queue (SocketioStream *self)
{
  g_clear_pointer (&self->queue, g_byte_array_unref);
  self->sent = 0;
}

/* Ends it with an errno: sources become ready, so that whoever waits meets the error. */
static void
stream_fail (SocketioStream *self, int code)
{
  if (self->error != 0)
    return;

  self->error = code;
  drop_queue (self);
  socketio_shard_mark_ready (self->shard);
  queue_progress (self);
}

static void
set_blocked (SocketioStream *self, gboolean blocked)
{
  if (self->blocked == blocked)
    return;

  self->blocked = blocked;
  socketio_reactor_modify_watch (self->reactor, self->watch, self->fd,
                                 blocked ? EVENTS_BLOCKED : EVENTS_IDLE);
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
      queue_progress (self);
    }
  if (queued == 0 && (was_blocked || self->notify_empty))
    {
      self->notify_empty = FALSE;
      queue_progress (self);
    }
}

static void
stream_flush (SocketioStream *self)
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
      stream_fail (self, errno);
      return;
    }

  if (n > 0)
    self->sent += n;
  if (self->sent == self->queue->len)
    drop_queue (self);
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
    stream_flush (self);
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

  if (self->error != 0)
    {
      set_io_error (error, self->error);
      return -1;
    }
  if (self->state != STREAM_OPEN)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CLOSED, "Stream is closed");
      return -1;
    }
  if (self->throttled || queued >= SOCKETIO_STREAM_HIGH_MARK)
    {
      self->throttled = TRUE;
      set_would_block (error);
      return -1;
    }

  if (count > SOCKETIO_STREAM_ATOMIC)
    count = MIN (count, SOCKETIO_STREAM_HIGH_MARK - queued);
  socketio_stream_append (self, NULL, 0, buffer, count);
  return count;
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

  if (self->error != 0)
    {
      set_io_error (error, self->error);
      return -1;
    }
  if (self->state != STREAM_OPEN)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CLOSED, "Stream is closed");
      return -1;
    }
  if (self->early != NULL)
    return read_early (self, buffer, count);
  if (!self->readable || self->n_read >= READ_SHARE)
    {
      /* in the latter case its source is ready again at once, and has its turn after the others */
      self->n_read = 0;
      set_would_block (error);
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
          set_would_block (error);
          return -1;
        }
      stream_fail (self, errno);
      set_io_error (error, self->error);
      return -1;
    }

  if (self->input_left != G_MAXSIZE && (gsize) n > self->input_left)
    {
      stream_fail (self, ECONNABORTED);
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
  stream_fail (self, ECONNABORTED);
  if (self->close_task != NULL)
    stream_advance_close (self);
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
    queue_progress (self);
  else
    self->notify_empty = TRUE;
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
    stream_flush (self);
  if (self->close_task != NULL)
    stream_advance_close (self);
}

/* Closes the fd, whatever is queued. */
static void
stream_shut (SocketioStream *self)
{
  if (self->state == STREAM_CLOSED)
    return;

  self->state = STREAM_CLOSED;
  /* whoever waits meets the end */
  socketio_shard_mark_ready (self->shard);
  socketio_reactor_stop_timer (self->reactor, &self->linger_timer);
  drop_queue (self);
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

  stream_shut (self);
  /* GTask would call back at once where we are in a source of its context: within our caller */
  g_source_set_static_name (source, "Socketio stream closed");
  g_task_attach_source (task, source, closed_cb);
}

static void
stream_advance_close (SocketioStream *self)
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

static void
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
    stream_flush (self);
  stream_advance_close (self);
}

static gboolean
socketio_stream_close_finish (GIOStream *stream, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

static gboolean
socketio_stream_close (GIOStream *stream, GCancellable *cancellable, GError **error)
{
  SocketioStream *self = SOCKETIO_STREAM (stream);

  if (self->state == STREAM_OPEN)
    stream_flush (self);
  stream_shut (self);
  return TRUE;
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
    stream_shut (self);
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
  self->watch = socketio_reactor_add_watch (reactor, fd, EVENTS_IDLE, stream_event_cb, self);
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

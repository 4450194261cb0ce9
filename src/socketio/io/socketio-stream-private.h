/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sys/epoll.h>

#include "socketio-stream.h"

G_BEGIN_DECLS

/* The two halves of a SocketioStream. They may outlive it (a GSource holds one), and are closed
 * then: @stream is NULL. */
#define SOCKETIO_TYPE_STREAM_INPUT (socketio_stream_input_get_type ())
G_DECLARE_FINAL_TYPE (SocketioStreamInput,
                      socketio_stream_input,
                      SOCKETIO,
                      STREAM_INPUT,
                      GInputStream)

struct _SocketioStreamInput
{
  GInputStream parent_instance;
  SocketioStream *stream; /* not owned */
};

#define SOCKETIO_TYPE_STREAM_OUTPUT (socketio_stream_output_get_type ())
G_DECLARE_FINAL_TYPE (SocketioStreamOutput,
                      socketio_stream_output,
                      SOCKETIO,
                      STREAM_OUTPUT,
                      GOutputStream)

struct _SocketioStreamOutput
{
  GOutputStream parent_instance;
  SocketioStream *stream; /* not owned */
};

/* Input is edge-triggered: whoever stops reading (a WebSocket that is closing) must not make epoll
 * report the same bytes for ever. */
#define SOCKETIO_STREAM_EVENTS_IDLE (EPOLLIN | EPOLLRDHUP | EPOLLET)

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

gboolean socketio_stream_is_readable (SocketioStream *self);
gssize socketio_stream_read (SocketioStream *self, void *buffer, gsize count, GError **error);
gssize
socketio_stream_write (SocketioStream *self, const void *buffer, gsize count, GError **error);

/* FALSE with @error once it has failed or is being closed. */
gboolean socketio_stream_check_open (SocketioStream *self, GError **error);
void socketio_stream_set_would_block (GError **error);
/* Ends it with an errno: sources become ready, so that whoever waits meets the error. */
void socketio_stream_fail (SocketioStream *self, int code);

/* socketio-stream-output.c */
/* Hands the kernel what it takes of the queue. */
void socketio_stream_flush (SocketioStream *self);
void socketio_stream_drop_queue (SocketioStream *self);
/* Has the progress function called, if there is one. */
void socketio_stream_queue_progress (SocketioStream *self);

/* socketio-stream-close.c */
/* For tests: another bound than SOCKETIO_STREAM_LINGER_MS, before the close. */
void socketio_stream_set_linger_ms (SocketioStream *self, guint ms);
/* Closes the fd, whatever is queued. */
void socketio_stream_shut (SocketioStream *self);
/* Goes on with close_async(), as far as that is possible now. */
void socketio_stream_advance_close (SocketioStream *self);
/* The class's own. */
gboolean socketio_stream_close (GIOStream *stream, GCancellable *cancellable, GError **error);
void socketio_stream_close_async (GIOStream *stream,
                                  int io_priority,
                                  GCancellable *cancellable,
                                  GAsyncReadyCallback callback,
                                  gpointer user_data);
gboolean socketio_stream_close_finish (GIOStream *stream, GAsyncResult *result, GError **error);

G_END_DECLS

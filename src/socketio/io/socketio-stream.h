/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "socketio-shard.h"

G_BEGIN_DECLS

/* Queued output above which a write would block, and at which writing goes on. Bytes. */
#define SOCKETIO_STREAM_HIGH_MARK (64 * 1024)
#define SOCKETIO_STREAM_LOW_MARK (16 * 1024)
/* A write of up to this size is never cut: it is taken whole, or not at all. Bytes. */
#define SOCKETIO_STREAM_ATOMIC 1024

/* What close_async() grants the peer to take the rest and to close its side. */
#define SOCKETIO_STREAM_LINGER_MS 30000
#define SOCKETIO_STREAM_LINGER_BYTES (1024 * 1024)

#define SOCKETIO_TYPE_STREAM (socketio_stream_get_type ())

/*
 * SocketioStream: a GIOStream over a connected socket, with GPollable input and output, whose
 * GSources carry no fd: the reactor's epoll set makes them ready.
 *
 * Output is gathered and sent once per turn of the loop; what was not yet taken by the kernel is
 * counted. Input knows after a short read that the socket is drained, which saves the call that
 * would say so. Reading and writing never block: only the pollable and the asynchronous calls
 * are served.
 *
 * g_io_stream_close_async() lingers: it sends what is queued, shuts down writing, drains input
 * until the peer closes, and is bounded by SOCKETIO_STREAM_LINGER_MS and _BYTES. The synchronous
 * close, and the last unref, close at once.
 */
G_DECLARE_FINAL_TYPE (SocketioStream, socketio_stream, SOCKETIO, STREAM, GIOStream)

/* Takes @fd, which must be connected and non-blocking. @early (nullable): bytes that were read from
 * it already, to be read first. Returns NULL, with @fd closed, if it cannot be watched. */
SocketioStream *
socketio_stream_new (SocketioReactor *reactor, int fd, GBytes *early, GError **error);

/* Returns: (transfer none): whose sources are its own; it is a user of it */
SocketioShard *socketio_stream_get_shard (SocketioStream *self);
/* Bytes accepted and not yet taken by the kernel. */
gsize socketio_stream_get_queued (SocketioStream *self);
/* Whether a write would block. */
gboolean socketio_stream_is_throttled (SocketioStream *self);

/* Queues @head and @body as one piece, all of it, whatever is queued already: for those who look at
 * the marks themselves and write what must not be cut. Nothing is queued after an error or close.
 */
void socketio_stream_append (SocketioStream *self,
                             const void *head,
                             gsize head_size,
                             const void *body,
                             gsize body_size);

/* Calls @func in the reactor's context after the queue fell to the low mark (if writes had been
 * refused) or ran empty (if the kernel had refused to take all of it, or notify_empty was asked
 * for), until it is set to NULL. */
void socketio_stream_set_progress_func (SocketioStream *self,
                                        SocketioReactorFunc func,
                                        gpointer user_data);
/* Asks to be told once by the progress function when the queue runs empty. */
void socketio_stream_notify_empty (SocketioStream *self);

/* Readers get no more than @bytes from now on: beyond them the stream fails. For a peer that is
 * being left, and whose input nobody bounds any more. */
void socketio_stream_limit_input (SocketioStream *self, gsize bytes);

/* Drops what is queued; readers and writers meet an error. The owner of the stream still closes
 * it. */
void socketio_stream_abort (SocketioStream *self);

G_END_DECLS

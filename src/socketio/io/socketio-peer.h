/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>
#include <libsoup/soup.h>

#include "socketio-reactor.h"

G_BEGIN_DECLS

/*
 * SocketioPeer: what is known of the other end of an accepted connection while libsoup has it.
 *
 * libsoup gives a handler no way back to the stream that it was handed, but gives back the very
 * object that it was told as the remote address. So the peer travels with that.
 */
typedef struct
{
  GSocketAddress *address; /* as the handlers see it; of a UNIX peer a loopback one */
  gint64 uid;              /* of a UNIX peer, by the kernel; else -1 */
  gboolean is_unix;

  SocketioReactor *reactor;
  int fd; /* -1 once the connection is gone or was taken over */
  SocketioTimer body_timer;
} SocketioPeer;

/* Hands @connection to libsoup's HTTP server, for one request, whose body must have come within
 * @body_timeout_ms. Takes nothing: libsoup holds the connection, and the connection the peer. */
gboolean socketio_peer_hand_over (SocketioReactor *reactor,
                                  SoupServer *soup_server,
                                  GSocketConnection *connection,
                                  GSocketAddress *local,
                                  GSocketAddress *remote,
                                  guint body_timeout_ms,
                                  GError **error);

/* The peer of a message; NULL if it came in through an HTTP server that is not ours. It lives as
 * long as the message is being served. */
SocketioPeer *socketio_peer_from_message (SoupServerMessage *message);

/* The request was read whole: its deadline is off. */
void socketio_peer_request_read (SocketioPeer *self);

/* The fd of a message's connection, ours or a stock one; -1 if there is none to be had. Not a
 * reference. */
int socketio_peer_get_message_fd (SoupServerMessage *message);

/* Ends a message's connection without a further word. */
void socketio_peer_kill_message (SoupServerMessage *message);

G_END_DECLS

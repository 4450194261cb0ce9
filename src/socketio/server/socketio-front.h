/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "engineio-server.h"

G_BEGIN_DECLS

/*
 * SocketioFront: the HTTP server of our own, with a doorman before it. It is made when it is first
 * asked for.
 */
typedef struct _SocketioFront SocketioFront;

/* @engine, @path: where Socket.IO is served; both, and @reactor, outlive its last request */
SocketioFront *
socketio_front_new (SocketioReactor *reactor, EngineioServer *engine, const char *path);
/* Stops listening. */
void socketio_front_free (SocketioFront *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SocketioFront, socketio_front_free)

/* Without it only what handlers were added for is served. To be called before it is made. */
void socketio_front_set_realtime (SocketioFront *self, gboolean realtime);
gboolean socketio_front_is_made (SocketioFront *self);
/* Returns: (transfer none): what it is made of */
SoupServer *socketio_front_get_soup_server (SocketioFront *self);

/* As those of the doorman. */
GSocketAddress *
socketio_front_listen (SocketioFront *self, GSocketAddress *address, GError **error);
gboolean socketio_front_listen_fd (SocketioFront *self, int fd, GError **error);
void socketio_front_stop_listening (SocketioFront *self);

G_END_DECLS

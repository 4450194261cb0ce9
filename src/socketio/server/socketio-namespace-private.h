/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "socketio-namespace.h"
#include "socketio-socket-private.h"

G_BEGIN_DECLS

SocketioNamespace *socketio_namespace_new (const char *name);

/* Runs the middleware. On refusal FALSE; @message and @data (JSON, or NULL) are then for
 * CONNECT_ERROR. */
gboolean socketio_namespace_admit (SocketioNamespace *self,
                                   SocketioSocket *socket,
                                   char **message,
                                   char **data);
void socketio_namespace_add (SocketioNamespace *self, SocketioSocket *socket);
void socketio_namespace_remove (SocketioNamespace *self, SocketioSocket *socket);
void socketio_namespace_emit_connect (SocketioNamespace *self, SocketioSocket *socket);

void socketio_namespace_join (SocketioNamespace *self, SocketioSocket *socket, const char *room);
void socketio_namespace_leave (SocketioNamespace *self, SocketioSocket *socket, const char *room);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "socketio-client-private.h"
#include "socketio-server.h"

G_BEGIN_DECLS

/* (transfer none) (nullable) */
SocketioNamespace *socketio_server_lookup_namespace (SocketioServer *self, const char *name);
SocketioReactor *socketio_server_get_reactor (SocketioServer *self);
guint socketio_server_get_connect_timeout (SocketioServer *self);
/* The session is gone: the server lets go of the client. */
void socketio_server_remove_client (SocketioServer *self, SocketioClient *client);

G_END_DECLS

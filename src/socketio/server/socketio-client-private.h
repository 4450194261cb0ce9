/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "engineio-session.h"
#include "socketio-server.h"
#include "socketio-packet.h"
#include "socketio-reactor.h"

G_BEGIN_DECLS

/*
 * SocketioClient: one connection, with the sockets that it has in namespaces. It is held by the
 * server until the session says that it is closed, and by its sockets.
 */
typedef struct _SocketioClient SocketioClient;

SocketioClient *socketio_client_new (SocketioServer *server, EngineioSession *session);
/* Once the server holds it: what happens first may end it. */
void socketio_client_start (SocketioClient *self);
SocketioClient *socketio_client_ref (SocketioClient *self);
void socketio_client_unref (SocketioClient *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SocketioClient, socketio_client_unref)

/* FALSE once it is closed. */
gboolean
socketio_client_send (SocketioClient *self, const EngineioPacket *packets, guint n_packets);
gboolean socketio_client_send_array (SocketioClient *self, GArray *packets);
/* Bytes sent, and not yet handed to the kernel; 0 once it is closed. */
gsize socketio_client_get_queued (SocketioClient *self);
void socketio_client_notify_drained (SocketioClient *self);
/* Returns: (transfer none): also after the end */
SocketioHandshake *socketio_client_get_handshake (SocketioClient *self);
/* Of Engine.IO: 3 or 4. */
guint socketio_client_get_protocol (SocketioClient *self);
/* Returns: (transfer none) (nullable): its name; NULL once it is closed */
const char *socketio_client_get_transport (SocketioClient *self);

/* A socket left its namespace by itself. */
void socketio_client_remove_socket (SocketioClient *self, SocketioSocket *socket);
/* Whether it has no more than the server's high mark waiting. */
gboolean socketio_client_is_ready (SocketioClient *self);
/* Whether it has so much waiting that events are refused. */
gboolean socketio_client_refuses (SocketioClient *self);
void socketio_client_count (SocketioClient *self, SocketioCounter counter);
/* Cuts the connection. */
void socketio_client_abort (SocketioClient *self, const char *reason);
/* All its sockets are told that they are disconnected, then the connection is closed. */
void socketio_client_disconnect (SocketioClient *self);
/* Closes the connection after what is queued. */
void socketio_client_close (SocketioClient *self, const char *reason);

G_END_DECLS

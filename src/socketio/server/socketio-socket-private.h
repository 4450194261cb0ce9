/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "socketio-client-private.h"
#include "socketio-socket.h"

G_BEGIN_DECLS

/* @auth: (nullable): the payload of CONNECT */
SocketioSocket *
socketio_socket_new (SocketioNamespace *nsp, SocketioClient *client, JsonNode *auth);

/* It is in: the CONNECT was answered. */
void socketio_socket_set_connected (SocketioSocket *self);
/* The signal `connect` is through: the parsed auth payload is dropped until it is asked for again.
 */
void socketio_socket_settle (SocketioSocket *self);
/* The end: leaves namespace and rooms, fails what waits for an ack, emits `disconnected`. Does not
 * touch the client. */
void socketio_socket_lost (SocketioSocket *self, const char *reason);

void socketio_socket_handle_event (SocketioSocket *self,
                                   const char *event,
                                   SocketioArgs *args,
                                   gint64 id);
void socketio_socket_handle_ack (SocketioSocket *self, gint64 id, SocketioArgs *args);
void socketio_socket_handle_drained (SocketioSocket *self);

gboolean socketio_socket_send_ack (SocketioSocket *self, gint64 id, SocketioArgs *args);
gboolean socketio_socket_send_packets (SocketioSocket *self, GArray *packets);

/* The names of the rooms that it is in: a set, NULL if there is none; kept by the namespace. */
GHashTable *socketio_socket_peek_rooms (SocketioSocket *self);
void socketio_socket_set_rooms (SocketioSocket *self, GHashTable *rooms);

SocketioAck *socketio_ack_new (SocketioSocket *socket, gint64 id);

G_END_DECLS

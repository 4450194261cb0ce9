/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "socketio-client-private.h"
#include "socketio-id.h"
#include "socketio-log-private.h"
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

/* A ping is being sent, or was answered. */
void socketio_socket_handle_heartbeat (SocketioSocket *self, gboolean answered);

/* An event that others may get too. @args or @json_args is what @packets encode; @offset is 0 if
 * it is not to be sent again. */
gboolean socketio_socket_send_event (SocketioSocket *self,
                                     const char *event,
                                     SocketioArgs *args,
                                     const char *json_args,
                                     GArray *packets,
                                     guint64 offset,
                                     SocketioEmitFlags flags);

/* For recovery. Tracked: what is sent to it may have to be sent again. */
gboolean socketio_socket_is_tracked (SocketioSocket *self);
/* Returns: (transfer none): empty without recovery */
const char *socketio_socket_get_secret (SocketioSocket *self);
void socketio_socket_renew_secret (SocketioSocket *self);
/* It is nobody who was here before. */
void socketio_socket_renew (SocketioSocket *self);
/* It is one that was here before, and saw everything up to @offset. */
void socketio_socket_assume (SocketioSocket *self,
                             const char *id,
                             const char *secret,
                             JsonObject *data,
                             guint64 offset);
/* Returns: (transfer none) (nullable): NULL if nobody has asked for it yet */
JsonObject *socketio_socket_peek_data (SocketioSocket *self);
/* Returns: (transfer none) (nullable): NULL if nothing was sent that may have to be sent again */
SocketioLog *socketio_socket_peek_log (SocketioSocket *self);
/* Returns: (transfer full) (nullable): the same */
SocketioLog *socketio_socket_steal_log (SocketioSocket *self);
/* @log: (transfer full) (nullable) */
void socketio_socket_set_log (SocketioSocket *self, SocketioLog *log);
/* Cuts its connection. */
void socketio_socket_abort (SocketioSocket *self, const char *reason);

gboolean socketio_socket_send_ack (SocketioSocket *self, gint64 id, SocketioArgs *args);
gboolean socketio_socket_send_packets (SocketioSocket *self, GArray *packets);

/* Returns: (transfer none) (nullable) (element-type utf8): the names of the rooms that it is in, a
 * set; NULL if there is none. Kept by the adapter */
GHashTable *socketio_socket_peek_rooms (SocketioSocket *self);
/* @rooms: (transfer full) (nullable); what was there is the adapter's to free */
void socketio_socket_set_rooms (SocketioSocket *self, GHashTable *rooms);

SocketioAck *socketio_ack_new (SocketioSocket *socket, gint64 id);

G_END_DECLS

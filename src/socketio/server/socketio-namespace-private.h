/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "socketio-adapter.h"
#include "socketio-namespace.h"
#include "socketio-socket-private.h"

G_BEGIN_DECLS

typedef struct _SocketioRecovery SocketioRecovery;
typedef struct _SocketioParentNamespace SocketioParentNamespace;

/* @parent: (nullable): what it is a child of */
SocketioNamespace *
socketio_namespace_new (SocketioServer *server, SocketioParentNamespace *parent, const char *name);
/* Whether the caller is the thread that the namespace, its sockets and its server belong to. */
gboolean socketio_namespace_is_own_thread (SocketioNamespace *self);
/* The server goes. */
void socketio_namespace_detach (SocketioNamespace *self);
/* Returns: (transfer none) (nullable): NULL if it is off, or the server went */
SocketioRecovery *socketio_namespace_get_recovery (SocketioNamespace *self);

/* @message, @data: (nullable): of a refusal, for CONNECT_ERROR; @data is JSON */
typedef void (*SocketioAdmissionFunc) (SocketioSocket *socket,
                                       gboolean allowed,
                                       const char *message,
                                       const char *data,
                                       gpointer user_data);

/* Nobody is in it, on the way in, or may come back to it. */
gboolean socketio_namespace_is_empty (SocketioNamespace *self);
/* The last of those who could have come back to it is forgotten. */
void socketio_namespace_handle_forgotten (SocketioNamespace *self);
/* Runs the middleware; @func may be called at once. */
void socketio_namespace_admit (SocketioNamespace *self,
                               SocketioSocket *socket,
                               SocketioAdmissionFunc func,
                               gpointer user_data);
void socketio_namespace_add (SocketioNamespace *self, SocketioSocket *socket);
/* @recoverable: it may come back */
void
socketio_namespace_remove (SocketioNamespace *self, SocketioSocket *socket, gboolean recoverable);
void socketio_namespace_emit_connect (SocketioNamespace *self, SocketioSocket *socket);

void socketio_namespace_join (SocketioNamespace *self, SocketioSocket *socket, const char *room);
void socketio_namespace_leave (SocketioNamespace *self, SocketioSocket *socket, const char *room);

/* Sends to @receivers, and keeps it for those away whom @broadcast (nullable) selects. */
void socketio_namespace_deliver (SocketioNamespace *self,
                                 GPtrArray *receivers,
                                 SocketioBroadcast *broadcast,
                                 const char *event,
                                 SocketioArgs *args,
                                 const char *json_args);

/* Another server said something. */
void socketio_namespace_emit_server_side_event (SocketioNamespace *self,
                                                const char *event,
                                                SocketioArgs *args,
                                                SocketioAck *ack);
/* What they are in is not to be compressed on their account. */
void socketio_packets_forbid_compression (GArray *packets);

G_END_DECLS

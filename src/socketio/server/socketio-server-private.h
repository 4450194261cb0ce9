/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "socketio-client-private.h"
#include "socketio-recovery-private.h"
#include "socketio-server.h"

G_BEGIN_DECLS

/* @nsp: NULL if there is none of that name */
typedef void (*SocketioFoundFunc) (SocketioNamespace *nsp, gpointer user_data);

/* Finds the namespace of that name, or makes it if it may be. @func may be called at once. */
void socketio_server_find_namespace (SocketioServer *self,
                                     const char *name,
                                     JsonNode *auth,
                                     SocketioFoundFunc func,
                                     gpointer user_data);
/* A child namespace is empty; it goes if it still is when the reactor is done with this turn. */
void socketio_server_release_namespace (SocketioServer *self, SocketioNamespace *nsp);
void socketio_server_emit_namespace_added (SocketioServer *self, SocketioNamespace *nsp);
/* Returns: (transfer none): of the thread in which it was made */
SocketioReactor *socketio_server_get_reactor (SocketioServer *self);
/* In ms. */
guint socketio_server_get_connect_timeout (SocketioServer *self);
/* Returns: (transfer none): constant; they live as long as the server */
const SocketioRecoveryOptions *socketio_server_get_recovery_options (SocketioServer *self);
/* Returns: (transfer none): a g_rc_box */
SocketioCounters *socketio_server_get_counters (SocketioServer *self);
/* Of the namespaces' adapters. */
GType socketio_server_get_adapter_type (SocketioServer *self);
/* The session is gone: the server lets go of the client. */
void socketio_server_remove_client (SocketioServer *self,
                                    SocketioClient *client,
                                    SocketioHandshake *handshake);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "socketio-broadcast.h"
#include "socketio-decision.h"
#include "socketio-socket.h"

G_BEGIN_DECLS

#define SOCKETIO_TYPE_NAMESPACE (socketio_namespace_get_type ())

/**
 * SocketioNamespace:
 *
 * The sockets that connected to one name, and their rooms (the JS server's `Namespace`).
 *
 * It is made by [method@Server.of], and tells by [signal@Namespace::connect] of each client that is
 * in, right after its CONNECT was answered and before any of its events.
 */
SOCKETIO_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (SocketioNamespace, socketio_namespace, SOCKETIO, NAMESPACE, GObject)

typedef struct _SocketioAdapter SocketioAdapter;

/**
 * SocketioMiddleware:
 * @socket: who wants to join; not connected yet
 * @data: (out) (optional) (nullable) (transfer full): for a refusal: JSON text for the `data` of
 *   CONNECT_ERROR
 * @user_data: what was given with the function
 * @error: for a refusal: its message is the `message` of CONNECT_ERROR
 *
 * Decides at once whether a client may join a namespace.
 *
 * Returns: whether it may
 */
typedef gboolean (*SocketioMiddleware) (SocketioSocket *socket,
                                        char **data,
                                        gpointer user_data,
                                        GError **error);

/**
 * SocketioAsyncMiddleware:
 * @socket: who wants to join; not connected yet
 * @decision: to be told, now or later
 * @user_data: what was given with the function
 *
 * Decides in its own time whether a client may join a namespace.
 */
typedef void (*SocketioAsyncMiddleware) (SocketioSocket *socket,
                                         SocketioDecision *decision,
                                         gpointer user_data);

SOCKETIO_AVAILABLE_IN_ALL const char *socketio_namespace_get_name (SocketioNamespace *self);
/* Middleware runs in the order in which it was added. */
SOCKETIO_AVAILABLE_IN_ALL void socketio_namespace_use (SocketioNamespace *self,
                                                       SocketioMiddleware middleware,
                                                       gpointer user_data,
                                                       GDestroyNotify destroy);
SOCKETIO_AVAILABLE_IN_ALL void socketio_namespace_use_async (SocketioNamespace *self,
                                                             SocketioAsyncMiddleware middleware,
                                                             gpointer user_data,
                                                             GDestroyNotify destroy);
SOCKETIO_AVAILABLE_IN_ALL SocketioAdapter *socketio_namespace_get_adapter (SocketioNamespace *self);
SOCKETIO_AVAILABLE_IN_ALL SocketioBroadcast *socketio_namespace_broadcast (SocketioNamespace *self);
SOCKETIO_AVAILABLE_IN_ALL guint socketio_namespace_get_n_sockets (SocketioNamespace *self);
SOCKETIO_AVAILABLE_IN_ALL SocketioSocket *
socketio_namespace_lookup (SocketioNamespace *self, const char *id);

/* Emits to all sockets of @room, or of the namespace if @room is NULL, but @except (nullable). A
 * packet is encoded once. */
SOCKETIO_AVAILABLE_IN_ALL void socketio_namespace_emit (SocketioNamespace *self,
                                                        const char *room,
                                                        SocketioSocket *except,
                                                        const char *event,
                                                        SocketioArgs *args);
SOCKETIO_AVAILABLE_IN_ALL void socketio_namespace_emit_json (SocketioNamespace *self,
                                                             const char *room,
                                                             SocketioSocket *except,
                                                             const char *event,
                                                             const char *json_args);

/* The sockets of @room, or all (element-type SocketioSocket) (transfer full). */
SOCKETIO_AVAILABLE_IN_ALL GPtrArray *
socketio_namespace_fetch_sockets (SocketioNamespace *self, const char *room);
SOCKETIO_AVAILABLE_IN_ALL guint64 socketio_namespace_emit_json_to (SocketioNamespace *self,
                                                                   GPtrArray *sockets,
                                                                   const char *event,
                                                                   const char *json_args,
                                                                   SocketioEmitFlags flags);
/* To the other servers that share the adapter's medium. */
SOCKETIO_AVAILABLE_IN_ALL gboolean socketio_namespace_server_side_emit (SocketioNamespace *self,
                                                                        const char *event,
                                                                        SocketioArgs *args,
                                                                        GError **error);
SOCKETIO_AVAILABLE_IN_ALL void
socketio_namespace_server_side_emit_with_ack_async (SocketioNamespace *self,
                                                    const char *event,
                                                    SocketioArgs *args,
                                                    guint timeout_ms,
                                                    GCancellable *cancellable,
                                                    GAsyncReadyCallback callback,
                                                    gpointer user_data);
SOCKETIO_AVAILABLE_IN_ALL gboolean
socketio_namespace_server_side_emit_with_ack_finish (SocketioNamespace *self,
                                                     GAsyncResult *result,
                                                     GPtrArray **answers,
                                                     GError **error);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "socketio-socket.h"

G_BEGIN_DECLS

#define SOCKETIO_TYPE_NAMESPACE (socketio_namespace_get_type ())

/*
 * SocketioNamespace: the sockets that connected to one name, and their rooms.
 *
 * Signals: connect (SocketioSocket *socket): a client is in; emitted right after its CONNECT was
 * answered, before any of its events.
 */
SOCKETIO_API
G_DECLARE_FINAL_TYPE (SocketioNamespace, socketio_namespace, SOCKETIO, NAMESPACE, GObject)

/*
 * SocketioMiddleware: decides whether @socket, not yet connected, may join. Refuses by returning
 * FALSE with an error: its message is the `message` of CONNECT_ERROR. @data is the JSON text of
 * the `data` member of CONNECT_ERROR, to be set with g_strdup(), or left NULL.
 */
typedef gboolean (*SocketioMiddleware) (SocketioSocket *socket,
                                        char **data,
                                        gpointer user_data,
                                        GError **error);

SOCKETIO_API const char *socketio_namespace_get_name (SocketioNamespace *self);
/* Middleware runs in the order in which it was added. */
SOCKETIO_API void socketio_namespace_use (SocketioNamespace *self,
                                          SocketioMiddleware middleware,
                                          gpointer user_data,
                                          GDestroyNotify destroy);
SOCKETIO_API guint socketio_namespace_get_n_sockets (SocketioNamespace *self);
SOCKETIO_API SocketioSocket *socketio_namespace_lookup (SocketioNamespace *self, const char *id);

/* Emits to all sockets of @room, or of the namespace if @room is NULL, but @except (nullable). A
 * packet is encoded once. */
SOCKETIO_API void socketio_namespace_emit (SocketioNamespace *self,
                                           const char *room,
                                           SocketioSocket *except,
                                           const char *event,
                                           SocketioArgs *args);
SOCKETIO_API void socketio_namespace_emit_json (SocketioNamespace *self,
                                                const char *room,
                                                SocketioSocket *except,
                                                const char *event,
                                                const char *json_args);

/* The sockets of @room, or all (element-type SocketioSocket) (transfer full). */
SOCKETIO_API GPtrArray *
socketio_namespace_fetch_sockets (SocketioNamespace *self, const char *room);
SOCKETIO_API void socketio_namespace_emit_json_to (SocketioNamespace *self,
                                                   GPtrArray *sockets,
                                                   const char *event,
                                                   const char *json_args);

G_END_DECLS

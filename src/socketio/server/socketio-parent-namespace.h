/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "socketio-namespace.h"

G_BEGIN_DECLS

#define SOCKETIO_TYPE_PARENT_NAMESPACE (socketio_parent_namespace_get_type ())

/**
 * SocketioParentNamespace:
 *
 * Namespaces that are made when a client asks for them (the JS server's dynamic namespaces).
 *
 * What is asked of it holds for each of its children: their clients pass its middleware before
 * their own, and its [signal@ParentNamespace::connect] tells of theirs.
 */
SOCKETIO_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (SocketioParentNamespace,
                      socketio_parent_namespace,
                      SOCKETIO,
                      PARENT_NAMESPACE,
                      GObject)

/**
 * SocketioNamespaceFunc:
 * @name: the namespace that a client asks for
 * @auth: (nullable): what the client sent with that
 * @decision: to be told, now or later, whether there shall be such a namespace
 * @user_data: what was given with the function
 *
 * Decides on the name of a namespace.
 */
typedef void (*SocketioNamespaceFunc) (const char *name,
                                       JsonNode *auth,
                                       SocketioDecision *decision,
                                       gpointer user_data);

SOCKETIO_AVAILABLE_IN_ALL void socketio_parent_namespace_use (SocketioParentNamespace *self,
                                                              SocketioMiddleware middleware,
                                                              gpointer user_data,
                                                              GDestroyNotify destroy);
SOCKETIO_AVAILABLE_IN_ALL void
socketio_parent_namespace_use_async (SocketioParentNamespace *self,
                                     SocketioAsyncMiddleware middleware,
                                     gpointer user_data,
                                     GDestroyNotify destroy);
SOCKETIO_AVAILABLE_IN_ALL GPtrArray *
socketio_parent_namespace_dup_children (SocketioParentNamespace *self);
SOCKETIO_AVAILABLE_IN_ALL void socketio_parent_namespace_emit (SocketioParentNamespace *self,
                                                               const char *room,
                                                               const char *event,
                                                               SocketioArgs *args);

G_END_DECLS

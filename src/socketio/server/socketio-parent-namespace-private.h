/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "socketio-admission-private.h"
#include "socketio-parent-namespace.h"

G_BEGIN_DECLS

/* One of @pattern and @func. */
SocketioParentNamespace *socketio_parent_namespace_new (GRegex *pattern,
                                                        SocketioNamespaceFunc func,
                                                        gpointer user_data,
                                                        GDestroyNotify destroy);

/* What decided on a name; NULL if nothing wants it. */
typedef void (*SocketioResolvedFunc) (SocketioParentNamespace *parent, gpointer user_data);

/* Asks @parents (of SocketioParentNamespace) one after the other; @func may be called at once. */
void socketio_parent_namespaces_resolve (GPtrArray *parents,
                                         const char *name,
                                         JsonNode *auth,
                                         SocketioResolvedFunc func,
                                         gpointer user_data);

/* @child is not held. */
void socketio_parent_namespace_add (SocketioParentNamespace *self, SocketioNamespace *child);
void socketio_parent_namespace_remove (SocketioParentNamespace *self, SocketioNamespace *child);
/* Returns: (transfer none): what clients of all children have to pass */
SocketioMiddlewares *socketio_parent_namespace_get_middlewares (SocketioParentNamespace *self);
void socketio_parent_namespace_emit_connect (SocketioParentNamespace *self, SocketioSocket *socket);

G_END_DECLS

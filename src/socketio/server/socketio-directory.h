/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "socketio-server-private.h"

G_BEGIN_DECLS

/*
 * SocketioDirectory: which namespaces a server has, and which may be made when clients ask.
 */
typedef struct _SocketioDirectory SocketioDirectory;

/* @server: not held, but by what is under way */
SocketioDirectory *socketio_directory_new (SocketioServer *server);
void socketio_directory_free (SocketioDirectory *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SocketioDirectory, socketio_directory_free)

/* Returns: (transfer none): made if there was none; @name starts with a slash */
SocketioNamespace *socketio_directory_ensure (SocketioDirectory *self, const char *name);
/* @parent: (transfer full): asked after those that were added before it. Returns: it */
SocketioParentNamespace *
socketio_directory_add_parent (SocketioDirectory *self, SocketioParentNamespace *parent);
/* As socketio_server_find_namespace(). */
void socketio_directory_find (SocketioDirectory *self,
                              const char *name,
                              JsonNode *auth,
                              SocketioFoundFunc func,
                              gpointer user_data);
/* Takes @nsp out if nobody is in it when the reactor is done with this turn. */
void socketio_directory_release (SocketioDirectory *self, SocketioNamespace *nsp);

/* From here on none is made for clients, and none taken out. */
void socketio_directory_freeze (SocketioDirectory *self);
/* They forget the server, which some may outlive. */
void socketio_directory_detach (SocketioDirectory *self);

G_END_DECLS

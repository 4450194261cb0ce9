/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "socketio-server.h"

G_BEGIN_DECLS

/* ConfabListeners: the addresses on which a server listens, as the contract has them. */
typedef struct _ConfabListeners ConfabListeners;

ConfabListeners *confab_listeners_new (SocketioServer *server);
/* Removes the UNIX socket if it is still ours. */
void confab_listeners_free (ConfabListeners *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConfabListeners, confab_listeners_free)

gboolean confab_listeners_add_tcp (ConfabListeners *self,
                                   GInetAddress *bind,
                                   guint16 port,
                                   guint16 *bound_port,
                                   GError **error);
gboolean confab_listeners_add_unix (ConfabListeners *self, const char *path, GError **error);

G_END_DECLS

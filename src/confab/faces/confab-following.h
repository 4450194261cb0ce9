/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-generation.h"
#include "socketio-namespace.h"

G_BEGIN_DECLS

/*
 * ConfabFollowing: one generation and the sockets that follow it, which are a room of their own. It
 * tells them every delta and the end, and frees itself then.
 */
typedef struct _ConfabFollowing ConfabFollowing;

/* @table: generation → following; the following puts itself in and owns its entry */
ConfabFollowing *confab_following_ensure (GHashTable *table,
                                          SocketioNamespace *namespace,
                                          ConfabGeneration *generation);
GHashTable *confab_following_table_new (void);

void confab_following_add (ConfabFollowing *self, SocketioSocket *socket);

G_END_DECLS

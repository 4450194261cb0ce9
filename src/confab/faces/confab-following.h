/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-generation.h"
#include "confab-laggards.h"

G_BEGIN_DECLS

/*
 * ConfabFollowing: one generation and the sockets that hear of it as it comes. Those that fell
 * behind are with the laggards meanwhile.
 */
typedef struct _ConfabFollowing ConfabFollowing;

ConfabFollowing *confab_following_new (ConfabGeneration *generation,
                                       SocketioNamespace *namespace,
                                       ConfabLaggards *laggards,
                                       guint interval_ms);
ConfabFollowing *confab_following_ref (ConfabFollowing *self);
void confab_following_unref (ConfabFollowing *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConfabFollowing, confab_following_unref)

ConfabGeneration *confab_following_get_generation (ConfabFollowing *self);
gboolean confab_following_is_started (ConfabFollowing *self);

/* Adding twice is adding once. */
void confab_following_add (ConfabFollowing *self, SocketioSocket *socket);
void confab_following_remove (ConfabFollowing *self, SocketioSocket *socket);
/* Tells now what an interval still gathers. */
void confab_following_catch_up (ConfabFollowing *self);
void confab_following_start (ConfabFollowing *self);
void confab_following_end (ConfabFollowing *self);

G_END_DECLS

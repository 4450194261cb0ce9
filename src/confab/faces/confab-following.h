/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-generation.h"
#include "confab-laggards.h"

G_BEGIN_DECLS

/*
 * ConfabFollowing: one generation and the sockets that hear of it as it comes. Those that fell
 * behind are with the laggards meanwhile. Those that lost their connection are remembered: where
 * the library recovers one, it knows up to which event that has everything, and is told the rest
 * here, from the generation itself, so that no event is kept for each client.
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
/* What is told of the end from here on is told by confab_following_recover(). */
void confab_following_end (ConfabFollowing *self);

/* Tells a socket that was recovered what it lacks, and follows with it if it followed before. */
void confab_following_recover (ConfabFollowing *self, SocketioSocket *socket);
/* How many have lost their connection, or may have lost it with the end on its way. */
guint confab_following_get_n_absent (ConfabFollowing *self);

G_END_DECLS

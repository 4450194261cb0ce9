/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-generation.h"
#include "confab-metrics.h"
#include "socketio.h"

G_BEGIN_DECLS

/* A socket with more than this many bytes on their way is behind. */
#define CONFAB_BEHIND_BYTES (256 * 1024)
/* One that would have to be sent more than this at once is told to resume instead. */
#define CONFAB_RESYNC_BYTES (1024 * 1024)

typedef struct _ConfabFollowing ConfabFollowing;

/*
 * ConfabLaggards: sockets that read too slowly, each with the followings that it missed something
 * of, in the order in which it has to hear of them.
 */
typedef struct _ConfabLaggards ConfabLaggards;

ConfabLaggards *confab_laggards_new (SocketioNamespace *namespace, ConfabMetrics *metrics);
void confab_laggards_free (ConfabLaggards *self);

/* Whether @socket can be sent nothing of @generation now: it is full, or misses something of the
 * module that comes before. */
gboolean confab_laggards_is_behind (ConfabLaggards *self,
                                    SocketioSocket *socket,
                                    ConfabGeneration *generation);
gboolean
confab_laggards_has (ConfabLaggards *self, SocketioSocket *socket, ConfabGeneration *generation);
/* @seq: what it has heard last */
void confab_laggards_add (ConfabLaggards *self,
                          SocketioSocket *socket,
                          ConfabFollowing *following,
                          guint64 seq);
/* Likewise, but it lacks more than can be told, and is told to resume. */
void confab_laggards_add_lost (ConfabLaggards *self,
                               SocketioSocket *socket,
                               ConfabFollowing *following,
                               guint64 seq);
/* It has resumed, or wants to hear no more. */
void
confab_laggards_drop (ConfabLaggards *self, SocketioSocket *socket, ConfabGeneration *generation);
/* @n_bytes more came that those of @following miss. */
void confab_laggards_count (ConfabLaggards *self, ConfabFollowing *following, gsize n_bytes);
void confab_laggards_end (ConfabLaggards *self, ConfabFollowing *following);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "socketio-reactor.h"

G_BEGIN_DECLS

/* Most connections of one shard: an iteration looks at the sources of all of them. */
#define SOCKETIO_SHARD_MAX_USERS 32

/*
 * SocketioShard: a private GMainContext for the GSources that libsoup makes for a few connections.
 *
 * No loop polls it. It is iterated by the reactor when it was marked ready, when its wakeup fd (in
 * the reactor's epoll set) tells of a source attached from outside, and at its earliest timeout. A
 * shard never outlives its last user.
 */
SocketioShard *socketio_shard_new (SocketioReactor *reactor);

/* Returns: (transfer none): whose it is */
SocketioReactor *socketio_shard_get_reactor (SocketioShard *self);

/* Around calls into libsoup for a connection of this shard: makes its context the thread default.
 * A source that the call attaches signals the wakeup fd, and so gets the shard iterated. */
void socketio_shard_enter (SocketioShard *self);
void socketio_shard_leave (SocketioShard *self);

/* Has the shard iterated soon: a source of one of its connections became ready. */
void socketio_shard_mark_ready (SocketioShard *self);

void socketio_shard_release (SocketioShard *self);

/* For the reactor */
gboolean socketio_shard_is_full (SocketioShard *self);
void socketio_shard_add_user (SocketioShard *self);
/* Returns: (transfer none): its place among the reactor's shards with room */
GList *socketio_shard_get_link (SocketioShard *self);
SocketioShard *socketio_shard_ref (SocketioShard *self);
void socketio_shard_unref (SocketioShard *self);
void socketio_shard_iterate (SocketioShard *self);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <libsoup/soup.h>

#include "socketio-reactor.h"

G_BEGIN_DECLS

/* How long the head of a request may take from the accept on, and its body from the head on. */
#define SOCKETIO_DOORMAN_HEAD_TIMEOUT_MS 10000
#define SOCKETIO_DOORMAN_BODY_TIMEOUT_MS 30000

/*
 * SocketioDoorman: listens, accepts connections, and keeps them as SocketioGuests until they may be
 * let through to libsoup.
 *
 * libsoup's own listener has a backlog of 10, goes deaf after EMFILE, and gives every silent
 * connection objects and a poll of its own.
 */
typedef struct _SocketioDoorman SocketioDoorman;

/* @soup_server: (transfer none): outlives the doorman */
SocketioDoorman *socketio_doorman_new (SocketioReactor *reactor, SoupServer *soup_server);
/* Stops listening, and closes what still waits at the door. */
void socketio_doorman_free (SocketioDoorman *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SocketioDoorman, socketio_doorman_free)

/* For tests: milliseconds, before the first connection. */
void socketio_doorman_set_timeouts (SocketioDoorman *self, guint head_ms, guint body_ms);

/* Connections get no fd from @max_fd on: those are for everything else that needs one. */
void socketio_doorman_set_max_fd (SocketioDoorman *self, int max_fd);

/* Returns: (transfer full): the address bound */
GSocketAddress *
socketio_doorman_listen (SocketioDoorman *self, GSocketAddress *address, GError **error);
/* Takes @fd in any case. */
gboolean socketio_doorman_listen_fd (SocketioDoorman *self, int fd, GError **error);
void socketio_doorman_stop_listening (SocketioDoorman *self);

/* Connections whose head is not complete yet, or that are being refused. */
guint socketio_doorman_get_n_waiting (SocketioDoorman *self);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <libsoup/soup.h>

#include "socketio-reactor.h"

G_BEGIN_DECLS

/*
 * SocketioGuests: the connections at the door, which have not said yet what they want. Once the
 * head of its request is there, one is handed to libsoup, or refused.
 *
 * Until then it is an fd in the epoll set, and a few bytes; what it says is looked at with
 * MSG_PEEK, so that libsoup then reads it all.
 */
typedef struct _SocketioGuests SocketioGuests;

/* @soup_server: (transfer none): outlives the guests */
SocketioGuests *socketio_guests_new (SocketioReactor *reactor, SoupServer *soup_server);
void socketio_guests_free (SocketioGuests *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SocketioGuests, socketio_guests_free)

/* Milliseconds, for those who come from now on. */
void socketio_guests_set_timeouts (SocketioGuests *self, guint head_ms, guint body_ms);

/* Takes @fd. @address: where it came in */
void socketio_guests_receive (SocketioGuests *self, int fd, GSocketAddress *address);
/* For whom there is no room: takes @fd, answers, and closes it. */
void socketio_guests_turn_away (int fd);
/* Whether one has had its time to speak, and was given up to make room. */
gboolean socketio_guests_give_up_oldest (SocketioGuests *self);
/* Closes them all. */
void socketio_guests_clear (SocketioGuests *self);

/* Those that are being refused included. */
guint socketio_guests_get_n (SocketioGuests *self);

G_END_DECLS

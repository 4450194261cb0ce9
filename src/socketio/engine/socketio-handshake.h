/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "socketio-macros.h"

G_BEGIN_DECLS

#define SOCKETIO_TYPE_HANDSHAKE (socketio_handshake_get_type ())

/**
 * SocketioHandshake:
 *
 * The HTTP request with which a connection began.
 */
typedef struct _SocketioHandshake SocketioHandshake;

SOCKETIO_AVAILABLE_IN_ALL GType socketio_handshake_get_type (void) G_GNUC_CONST;
SOCKETIO_AVAILABLE_IN_ALL SocketioHandshake *socketio_handshake_ref (SocketioHandshake *self);
SOCKETIO_AVAILABLE_IN_ALL void socketio_handshake_unref (SocketioHandshake *self);

/* Path and query as the client sent them. */
SOCKETIO_AVAILABLE_IN_ALL const char *socketio_handshake_get_url (SocketioHandshake *self);
/* A query parameter, decoded; NULL if the request has none of that name. */
SOCKETIO_AVAILABLE_IN_ALL char *
socketio_handshake_dup_query (SocketioHandshake *self, const char *name);
/* The value of a header (name in any case; the first of repeated ones), or NULL. */
SOCKETIO_AVAILABLE_IN_ALL const char *
socketio_handshake_get_header (SocketioHandshake *self, const char *name);
/* The peer's IP address as text; "" for a UNIX socket. */
SOCKETIO_AVAILABLE_IN_ALL const char *socketio_handshake_get_address (SocketioHandshake *self);
/* The uid of a UNIX peer as the kernel knows it, or -1. */
SOCKETIO_AVAILABLE_IN_ALL gint64 socketio_handshake_get_peer_uid (SocketioHandshake *self);
/* Whether the request came over TLS. */
SOCKETIO_AVAILABLE_IN_ALL gboolean socketio_handshake_is_secure (SocketioHandshake *self);
/* When the request came: microseconds since the epoch. */
SOCKETIO_AVAILABLE_IN_ALL gint64 socketio_handshake_get_time (SocketioHandshake *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SocketioHandshake, socketio_handshake_unref)

G_END_DECLS

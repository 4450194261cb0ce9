/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "socketio-broadcast.h"
#include "socketio-namespace.h"

G_BEGIN_DECLS

SocketioBroadcast *socketio_broadcast_new (SocketioNamespace *nsp);

/* Names of rooms, or ids; NULL: everybody. */
GPtrArray *socketio_broadcast_peek_rooms (SocketioBroadcast *self);
GPtrArray *socketio_broadcast_peek_except (SocketioBroadcast *self);

G_END_DECLS

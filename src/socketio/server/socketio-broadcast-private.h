/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "socketio-broadcast.h"
#include "socketio-namespace.h"

G_BEGIN_DECLS

/* Returns: (transfer full): one to all of @nsp */
SocketioBroadcast *socketio_broadcast_new (SocketioNamespace *nsp);

/* Returns: (transfer none) (nullable) (element-type utf8): names of rooms, or ids; NULL: everybody
 */
GPtrArray *socketio_broadcast_peek_rooms (SocketioBroadcast *self);
/* Returns: (transfer none) (nullable) (element-type utf8): the same of those left out; NULL: nobody
 */
GPtrArray *socketio_broadcast_peek_except (SocketioBroadcast *self);

G_END_DECLS

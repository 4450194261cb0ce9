/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "socketio-args.h"

G_BEGIN_DECLS

#define SOCKETIO_TYPE_BROADCAST (socketio_broadcast_get_type ())

/**
 * SocketioBroadcast:
 *
 * Some sockets of a namespace, and how to speak to them (the JS server's `BroadcastOperator`).
 *
 * It is made by [method@Namespace.broadcast] or [method@Socket.broadcast], narrowed by
 * [method@Broadcast.to] and [method@Broadcast.except], and then used as often as is needed: whom it
 * selects is found out anew each time.
 */
SOCKETIO_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (SocketioBroadcast, socketio_broadcast, SOCKETIO, BROADCAST, GObject)

/**
 * SocketioEmitFlags:
 * @SOCKETIO_EMIT_DEFAULT: nothing special
 * @SOCKETIO_EMIT_VOLATILE: not sent to clients that are not ready to take it at once, and not kept
 *   for recovery (`volatile`)
 * @SOCKETIO_EMIT_LOCAL: only to clients of this process (`local`)
 * @SOCKETIO_EMIT_UNKEPT: counted for connection state recovery, but not kept for it: the
 *   application, which can make it again, sends a client that is recovered what it lacks after
 *   [method@Socket.get_recovered_offset]
 * @SOCKETIO_EMIT_UNCOMPRESSED: no reason to compress the answer to a poll that it is in
 *   (`compress(false)`)
 *
 * How an event is sent.
 */
typedef enum /*< flags >*/
{
  SOCKETIO_EMIT_DEFAULT = 0,
  SOCKETIO_EMIT_VOLATILE = 1 << 0,
  SOCKETIO_EMIT_LOCAL = 1 << 1,
  SOCKETIO_EMIT_UNKEPT = 1 << 2,
  SOCKETIO_EMIT_UNCOMPRESSED = 1 << 3,
} SocketioEmitFlags;

SOCKETIO_AVAILABLE_IN_ALL SocketioBroadcast *
socketio_broadcast_to (SocketioBroadcast *self, const char *room);
SOCKETIO_AVAILABLE_IN_ALL SocketioBroadcast *
socketio_broadcast_except (SocketioBroadcast *self, const char *room);
SOCKETIO_AVAILABLE_IN_ALL SocketioBroadcast *
socketio_broadcast_to_rooms (SocketioBroadcast *self, const char *const *rooms);
SOCKETIO_AVAILABLE_IN_ALL SocketioBroadcast *
socketio_broadcast_except_rooms (SocketioBroadcast *self, const char *const *rooms);
SOCKETIO_AVAILABLE_IN_ALL SocketioBroadcast *
socketio_broadcast_set_flags (SocketioBroadcast *self, SocketioEmitFlags flags);

SOCKETIO_AVAILABLE_IN_ALL char **socketio_broadcast_dup_rooms (SocketioBroadcast *self);
SOCKETIO_AVAILABLE_IN_ALL char **socketio_broadcast_dup_excluded (SocketioBroadcast *self);
SOCKETIO_AVAILABLE_IN_ALL SocketioEmitFlags socketio_broadcast_get_flags (SocketioBroadcast *self);

SOCKETIO_AVAILABLE_IN_ALL void
socketio_broadcast_emit (SocketioBroadcast *self, const char *event, SocketioArgs *args);
SOCKETIO_AVAILABLE_IN_ALL void
socketio_broadcast_emit_json (SocketioBroadcast *self, const char *event, const char *json_args);
SOCKETIO_AVAILABLE_IN_ALL void socketio_broadcast_emit_with_ack_async (SocketioBroadcast *self,
                                                                       const char *event,
                                                                       SocketioArgs *args,
                                                                       guint timeout_ms,
                                                                       GCancellable *cancellable,
                                                                       GAsyncReadyCallback callback,
                                                                       gpointer user_data);
SOCKETIO_AVAILABLE_IN_ALL gboolean socketio_broadcast_emit_with_ack_finish (SocketioBroadcast *self,
                                                                            GAsyncResult *result,
                                                                            GPtrArray **answers,
                                                                            GError **error);

SOCKETIO_AVAILABLE_IN_ALL GPtrArray *socketio_broadcast_fetch_sockets (SocketioBroadcast *self);
SOCKETIO_AVAILABLE_IN_ALL void
socketio_broadcast_sockets_join (SocketioBroadcast *self, const char *room);
SOCKETIO_AVAILABLE_IN_ALL void
socketio_broadcast_sockets_leave (SocketioBroadcast *self, const char *room);
SOCKETIO_AVAILABLE_IN_ALL void
socketio_broadcast_sockets_join_rooms (SocketioBroadcast *self, const char *const *rooms);
SOCKETIO_AVAILABLE_IN_ALL void
socketio_broadcast_sockets_leave_rooms (SocketioBroadcast *self, const char *const *rooms);
SOCKETIO_AVAILABLE_IN_ALL void
socketio_broadcast_disconnect_sockets (SocketioBroadcast *self, gboolean close_connection);

G_END_DECLS

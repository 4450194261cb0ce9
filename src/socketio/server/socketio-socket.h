/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "socketio-ack.h"
#include "socketio-broadcast.h"
#include "socketio-decision.h"
#include "socketio-handshake.h"

G_BEGIN_DECLS

#define SOCKETIO_TYPE_SOCKET (socketio_socket_get_type ())

/**
 * SocketioSocket:
 *
 * One client in one namespace (the JS server's `Socket`).
 *
 * The signal [signal@Socket::event] brings what it sends: with an event's name as detail
 * (`event::chat message`), or without for all of them; what comes from the network is never
 * interned. Once it is gone, [signal@Socket::disconnected] says why, in the words of the JS server:
 * "transport error", "transport close", "forced close", "ping timeout", "parse error", "server
 * shutting down", "forced server close", "client namespace disconnect", "server namespace
 * disconnect".
 */
SOCKETIO_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (SocketioSocket, socketio_socket, SOCKETIO, SOCKET, GObject)

typedef struct _SocketioNamespace SocketioNamespace;

SOCKETIO_AVAILABLE_IN_ALL const char *socketio_socket_get_id (SocketioSocket *self);
SOCKETIO_AVAILABLE_IN_ALL SocketioNamespace *socketio_socket_get_namespace (SocketioSocket *self);
SOCKETIO_AVAILABLE_IN_ALL SocketioHandshake *socketio_socket_get_handshake (SocketioSocket *self);
/* The payload of CONNECT, or NULL. */
SOCKETIO_AVAILABLE_IN_ALL JsonObject *socketio_socket_get_auth (SocketioSocket *self);
/**
 * SocketioEventFilter:
 * @socket: who sent it
 * @event: the event's name
 * @args: its arguments
 * @decision: to be told, now or later
 * @user_data: what was given with the function
 *
 * Decides whether an event gets to its handlers.
 */
typedef void (*SocketioEventFilter) (SocketioSocket *socket,
                                     const char *event,
                                     SocketioArgs *args,
                                     SocketioDecision *decision,
                                     gpointer user_data);

SOCKETIO_AVAILABLE_IN_ALL void socketio_socket_set_event_filter (SocketioSocket *self,
                                                                 SocketioEventFilter filter,
                                                                 gpointer user_data,
                                                                 GDestroyNotify destroy);
SOCKETIO_AVAILABLE_IN_ALL gboolean socketio_socket_is_recovered (SocketioSocket *self);
SOCKETIO_AVAILABLE_IN_ALL gboolean socketio_socket_get_recoverable (SocketioSocket *self);
SOCKETIO_AVAILABLE_IN_ALL guint64 socketio_socket_get_recovered_offset (SocketioSocket *self);
SOCKETIO_AVAILABLE_IN_ALL void
socketio_socket_set_recoverable (SocketioSocket *self, gboolean recoverable);
SOCKETIO_AVAILABLE_IN_ALL JsonObject *socketio_socket_get_data (SocketioSocket *self);
SOCKETIO_AVAILABLE_IN_ALL SocketioBroadcast *socketio_socket_broadcast (SocketioSocket *self);
SOCKETIO_AVAILABLE_IN_ALL gboolean socketio_socket_is_connected (SocketioSocket *self);
SOCKETIO_AVAILABLE_IN_ALL guint64 socketio_socket_get_queued_bytes (SocketioSocket *self);
SOCKETIO_AVAILABLE_IN_ALL void socketio_socket_request_drained (SocketioSocket *self);

/* Sends an event; @args (nullable) is only read, and must not change afterwards. FALSE if the
 * socket is not connected, or its queue is over the server's max-queued-bytes, which also closes
 * it, or not, by the server's overflow-policy. */
SOCKETIO_AVAILABLE_IN_ALL gboolean socketio_socket_emit (SocketioSocket *self,
                                                         const char *event,
                                                         SocketioArgs *args);
SOCKETIO_AVAILABLE_IN_ALL gboolean socketio_socket_emit_full (SocketioSocket *self,
                                                              const char *event,
                                                              SocketioArgs *args,
                                                              SocketioEmitFlags flags);
SOCKETIO_AVAILABLE_IN_ALL gboolean socketio_socket_try_emit (SocketioSocket *self,
                                                             const char *event,
                                                             SocketioArgs *args,
                                                             SocketioEmitFlags flags,
                                                             GError **error);
SOCKETIO_AVAILABLE_IN_ALL gboolean socketio_socket_is_ready (SocketioSocket *self);
/* The same with the arguments as JSON text without the outer brackets; they are trusted to be
 * valid. For hot paths. */
SOCKETIO_AVAILABLE_IN_ALL gboolean socketio_socket_emit_json (SocketioSocket *self,
                                                              const char *event,
                                                              const char *json_args);
/* Sends an event and waits for the client's acknowledgement; @timeout_ms 0 waits as long as the
 * socket lives. Errors: of SOCKETIO_ERROR, and G_IO_ERROR_CANCELLED. */
SOCKETIO_AVAILABLE_IN_ALL void socketio_socket_emit_with_ack_async (SocketioSocket *self,
                                                                    const char *event,
                                                                    SocketioArgs *args,
                                                                    guint timeout_ms,
                                                                    GCancellable *cancellable,
                                                                    GAsyncReadyCallback callback,
                                                                    gpointer user_data);
SOCKETIO_AVAILABLE_IN_ALL SocketioArgs *
socketio_socket_emit_with_ack_finish (SocketioSocket *self, GAsyncResult *result, GError **error);

SOCKETIO_AVAILABLE_IN_ALL void socketio_socket_join (SocketioSocket *self, const char *room);
SOCKETIO_AVAILABLE_IN_ALL void
socketio_socket_join_rooms (SocketioSocket *self, const char *const *rooms);
SOCKETIO_AVAILABLE_IN_ALL void socketio_socket_leave (SocketioSocket *self, const char *room);
SOCKETIO_AVAILABLE_IN_ALL char **socketio_socket_dup_rooms (SocketioSocket *self);
SOCKETIO_AVAILABLE_IN_ALL gboolean socketio_socket_is_in (SocketioSocket *self, const char *room);

/* Leaves the namespace with a DISCONNECT packet; with @close_connection those of its other
 * namespaces too, and the connection is closed after what is queued. */
SOCKETIO_AVAILABLE_IN_ALL void
socketio_socket_disconnect (SocketioSocket *self, gboolean close_connection);
SOCKETIO_AVAILABLE_IN_ALL void socketio_socket_close_connection (SocketioSocket *self);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a namespace says to its sockets. */
#include "socketio-broadcast-private.h"
#include "socketio-namespace-private.h"
#include "socketio-recovery-private.h"

void
socketio_packets_forbid_compression (GArray *packets)
{
  for (guint i = 0; i < packets->len; i++)
    g_array_index (packets, EngineioPacket, i).uncompressed = TRUE;
}

static GArray *
encode_json (SocketioNamespace *self, const char *event, const char *json_args, guint64 offset)
{
  const char *name = socketio_namespace_get_name (self);
  GArray *packets = g_array_sized_new (FALSE, FALSE, sizeof (EngineioPacket), 1);
  EngineioPacket packet = engineio_packet_take (
      socketio_packet_encode_event_json (name, event, json_args, offset), FALSE);

  g_array_set_clear_func (packets, (GDestroyNotify) engineio_packet_clear);
  g_array_append_val (packets, packet);
  return packets;
}

static GArray *
encode (SocketioNamespace *self,
        const char *event,
        SocketioArgs *args,
        const char *json_args,
        guint64 offset,
        SocketioEmitFlags flags)
{
  const char *name = socketio_namespace_get_name (self);
  GArray *packets = args != NULL ? socketio_packet_encode_tracked_event (name, event, args, offset)
                                 : encode_json (self, event, json_args, offset);

  if (flags & SOCKETIO_EMIT_UNCOMPRESSED)
    socketio_packets_forbid_compression (packets);
  return packets;
}

/* At most two encodings, however many the receivers: with an offset for those that may come back,
 * and without for the others. Returns the offset. */
static guint64
deliver (SocketioNamespace *self,
         GPtrArray *receivers,
         SocketioBroadcast *broadcast,
         const char *event,
         SocketioArgs *args,
         const char *json_args,
         SocketioEmitFlags flags)
{
  SocketioRecovery *recovery = socketio_namespace_get_recovery (self);
  gboolean tracks = recovery != NULL && !(flags & SOCKETIO_EMIT_VOLATILE);
  gboolean away = tracks && broadcast != NULL && !(flags & SOCKETIO_EMIT_UNKEPT)
                  && socketio_recovery_is_needed (recovery);
  guint64 offset =
      tracks && (away || receivers->len > 0) ? socketio_recovery_next_offset (recovery) : 0;
  g_autoptr (GArray) tracked = NULL;
  g_autoptr (GArray) plain = NULL;

  for (guint i = 0; i < receivers->len; i++)
    {
      SocketioSocket *socket = g_ptr_array_index (receivers, i);
      gboolean track = tracks && socketio_socket_is_tracked (socket);
      GArray **packets = track ? &tracked : &plain;

      if (*packets == NULL)
        *packets = encode (self, event, args, json_args, track ? offset : 0, flags);
      socketio_socket_send_event (socket, event, args, json_args, *packets, track ? offset : 0,
                                  flags);
    }
  /* who heard that something goes out may have let go of the server */
  recovery = socketio_namespace_get_recovery (self);
  if (away && recovery != NULL)
    {
      if (tracked == NULL)
        tracked = encode (self, event, args, json_args, offset, flags);
      socketio_recovery_record (recovery, broadcast, offset, tracked);
    }
  return offset;
}

void
socketio_namespace_deliver (SocketioNamespace *self,
                            GPtrArray *receivers,
                            SocketioBroadcast *broadcast,
                            const char *event,
                            SocketioArgs *args,
                            const char *json_args)
{
  deliver (self, receivers, broadcast, event, args, json_args,
           socketio_broadcast_get_flags (broadcast));
}

static SocketioBroadcast *
make_broadcast (SocketioNamespace *self, const char *room, SocketioSocket *except)
{
  SocketioBroadcast *broadcast = socketio_broadcast_new (self);

  if (room != NULL)
    socketio_broadcast_to (broadcast, room);
  if (except != NULL)
    socketio_broadcast_except (broadcast, socketio_socket_get_id (except));
  return broadcast;
}

/**
 * socketio_namespace_broadcast:
 * @self: a namespace
 *
 * Begins a broadcast.
 *
 * Returns: (transfer full): all sockets of the namespace, to be narrowed and spoken to (`to()`,
 *   `except()`, `volatile` and their like)
 */
SocketioBroadcast *
socketio_namespace_broadcast (SocketioNamespace *self)
{
  g_return_val_if_fail (SOCKETIO_IS_NAMESPACE (self), NULL);

  return make_broadcast (self, NULL, NULL);
}

/**
 * socketio_namespace_emit:
 * @self: a namespace
 * @room: (nullable): name of a room, or %NULL for all sockets of the namespace
 * @except: (nullable): a socket that is left out
 * @event: the event's name
 * @args: (nullable): the arguments; only read, and not to be changed afterwards
 *
 * Sends an event to many. It is encoded once.
 */
void
socketio_namespace_emit (SocketioNamespace *self,
                         const char *room,
                         SocketioSocket *except,
                         const char *event,
                         SocketioArgs *args)
{
  g_autoptr (SocketioBroadcast) broadcast = NULL;

  g_return_if_fail (SOCKETIO_IS_NAMESPACE (self));
  g_return_if_fail (event != NULL);

  broadcast = make_broadcast (self, room, except);
  socketio_broadcast_emit (broadcast, event, args);
}

/**
 * socketio_namespace_emit_json:
 * @self: a namespace
 * @room: (nullable): name of a room, or %NULL for all sockets of the namespace
 * @except: (nullable): a socket that is left out
 * @event: the event's name
 * @json_args: (nullable): the arguments as JSON, separated by commas, without brackets; not checked
 *
 * Like [method@Namespace.emit], without a tree.
 */
void
socketio_namespace_emit_json (SocketioNamespace *self,
                              const char *room,
                              SocketioSocket *except,
                              const char *event,
                              const char *json_args)
{
  g_autoptr (SocketioBroadcast) broadcast = NULL;

  g_return_if_fail (SOCKETIO_IS_NAMESPACE (self));
  g_return_if_fail (event != NULL);

  broadcast = make_broadcast (self, room, except);
  socketio_broadcast_emit_json (broadcast, event, json_args);
}

/**
 * socketio_namespace_emit_json_to:
 * @self: a namespace
 * @sockets: (element-type SocketioSocket): sockets of it; those that are gone are left out. The
 *   array must not change while this runs
 * @event: the event's name
 * @json_args: (nullable): the arguments as JSON, separated by commas, without brackets; not checked
 * @flags: how to send it
 *
 * Sends an event to receivers that the caller keeps. It is encoded once.
 *
 * Returns: its offset, as clients that may be recovered know it; greater than that of any event
 *   before. 0 without connection state recovery or receivers
 */
guint64
socketio_namespace_emit_json_to (SocketioNamespace *self,
                                 GPtrArray *sockets,
                                 const char *event,
                                 const char *json_args,
                                 SocketioEmitFlags flags)
{
  g_return_val_if_fail (SOCKETIO_IS_NAMESPACE (self), 0);
  g_return_val_if_fail (sockets != NULL && event != NULL, 0);

  return deliver (self, sockets, NULL, event, NULL, json_args, flags);
}

/**
 * socketio_namespace_fetch_sockets:
 * @self: a namespace
 * @room: (nullable): name of a room, or %NULL for all sockets of the namespace
 *
 * Gets the sockets that are there now (`fetchSockets()`).
 *
 * Returns: (transfer full) (element-type SocketioSocket): those that are there now
 */
GPtrArray *
socketio_namespace_fetch_sockets (SocketioNamespace *self, const char *room)
{
  g_autoptr (SocketioBroadcast) broadcast = NULL;

  g_return_val_if_fail (SOCKETIO_IS_NAMESPACE (self), NULL);

  broadcast = make_broadcast (self, room, NULL);
  return socketio_broadcast_fetch_sockets (broadcast);
}

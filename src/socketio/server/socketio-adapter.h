/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "socketio-broadcast.h"
#include "socketio-namespace.h"

G_BEGIN_DECLS

#define SOCKETIO_TYPE_ADAPTER (socketio_adapter_get_type ())

/**
 * SocketioAdapter:
 *
 * Keeps the sockets and rooms of one namespace, and carries what is said to many of them (the JS
 * server's `Adapter`).
 *
 * This one keeps them in memory, for one process. One for several processes is derived from it: it
 * overrides [vfunc@Adapter.broadcast] and its neighbours to pass on what has no
 * %SOCKETIO_EMIT_LOCAL, chains up for the sockets of its own process, and does the same, with that
 * flag set, for what it hears from the others. [property@Server:adapter-type] names its type.
 */
SOCKETIO_AVAILABLE_IN_ALL
G_DECLARE_DERIVABLE_TYPE (SocketioAdapter, socketio_adapter, SOCKETIO, ADAPTER, GObject)

/**
 * SocketioAdapterClass:
 * @join: a socket joins a room
 * @leave: a socket leaves a room
 * @broadcast: an event goes to those that are selected; its arguments are either @args or
 * @json_args
 * @sockets_join: those that are selected join rooms
 * @sockets_leave: those that are selected leave rooms
 * @disconnect_sockets: those that are selected are disconnected
 * @server_side_emit: an event goes to the other servers, which call [method@Adapter.receive]
 * @server_side_emit_with_ack_async: the same, and they are to answer
 * @server_side_emit_with_ack_finish: ends that
 *
 * What an adapter may do otherwise. Everything happens in the thread of the server.
 */
struct _SocketioAdapterClass
{
  GObjectClass parent_class;

  void (*join) (SocketioAdapter *self, SocketioSocket *socket, const char *room);
  void (*leave) (SocketioAdapter *self, SocketioSocket *socket, const char *room);
  void (*broadcast) (SocketioAdapter *self,
                     SocketioBroadcast *broadcast,
                     const char *event,
                     SocketioArgs *args,
                     const char *json_args);
  void (*sockets_join) (SocketioAdapter *self,
                        SocketioBroadcast *broadcast,
                        const char *const *rooms);
  void (*sockets_leave) (SocketioAdapter *self,
                         SocketioBroadcast *broadcast,
                         const char *const *rooms);
  void (*disconnect_sockets) (SocketioAdapter *self,
                              SocketioBroadcast *broadcast,
                              gboolean close_connection);
  gboolean (*server_side_emit) (SocketioAdapter *self,
                                const char *event,
                                SocketioArgs *args,
                                GError **error);
  void (*server_side_emit_with_ack_async) (SocketioAdapter *self,
                                           const char *event,
                                           SocketioArgs *args,
                                           guint timeout_ms,
                                           GCancellable *cancellable,
                                           GAsyncReadyCallback callback,
                                           gpointer user_data);
  gboolean (*server_side_emit_with_ack_finish) (SocketioAdapter *self,
                                                GAsyncResult *result,
                                                GPtrArray **answers,
                                                GError **error);

  /*< private >*/
  gpointer padding[8];
};

SOCKETIO_AVAILABLE_IN_ALL SocketioNamespace *socketio_adapter_get_namespace (SocketioAdapter *self);
SOCKETIO_AVAILABLE_IN_ALL GPtrArray *
socketio_adapter_select (SocketioAdapter *self, SocketioBroadcast *broadcast);
SOCKETIO_AVAILABLE_IN_ALL void
socketio_adapter_join (SocketioAdapter *self, SocketioSocket *socket, const char *room);
SOCKETIO_AVAILABLE_IN_ALL void
socketio_adapter_leave (SocketioAdapter *self, SocketioSocket *socket, const char *room);
SOCKETIO_AVAILABLE_IN_ALL void socketio_adapter_broadcast (SocketioAdapter *self,
                                                           SocketioBroadcast *broadcast,
                                                           const char *event,
                                                           SocketioArgs *args,
                                                           const char *json_args);
SOCKETIO_AVAILABLE_IN_ALL void socketio_adapter_sockets_join (SocketioAdapter *self,
                                                              SocketioBroadcast *broadcast,
                                                              const char *const *rooms);
SOCKETIO_AVAILABLE_IN_ALL void socketio_adapter_sockets_leave (SocketioAdapter *self,
                                                               SocketioBroadcast *broadcast,
                                                               const char *const *rooms);
SOCKETIO_AVAILABLE_IN_ALL void socketio_adapter_disconnect_sockets (SocketioAdapter *self,
                                                                    SocketioBroadcast *broadcast,
                                                                    gboolean close_connection);
SOCKETIO_AVAILABLE_IN_ALL gboolean socketio_adapter_server_side_emit (SocketioAdapter *self,
                                                                      const char *event,
                                                                      SocketioArgs *args,
                                                                      GError **error);
SOCKETIO_AVAILABLE_IN_ALL void
socketio_adapter_server_side_emit_with_ack_async (SocketioAdapter *self,
                                                  const char *event,
                                                  SocketioArgs *args,
                                                  guint timeout_ms,
                                                  GCancellable *cancellable,
                                                  GAsyncReadyCallback callback,
                                                  gpointer user_data);
SOCKETIO_AVAILABLE_IN_ALL gboolean
socketio_adapter_server_side_emit_with_ack_finish (SocketioAdapter *self,
                                                   GAsyncResult *result,
                                                   GPtrArray **answers,
                                                   GError **error);
SOCKETIO_AVAILABLE_IN_ALL void socketio_adapter_receive (SocketioAdapter *self,
                                                         const char *event,
                                                         SocketioArgs *args,
                                                         SocketioAck *ack);

G_END_DECLS

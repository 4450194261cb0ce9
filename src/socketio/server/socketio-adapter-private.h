/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "socketio-adapter.h"

G_BEGIN_DECLS

/* @nsp: not owned; it owns the adapter */
SocketioAdapter *socketio_adapter_new (GType type, SocketioNamespace *nsp);
/* The namespace is gone. */
void socketio_adapter_detach (SocketioAdapter *self);

void socketio_adapter_add (SocketioAdapter *self, SocketioSocket *socket);
/* Takes it out of its rooms too. */
void socketio_adapter_remove (SocketioAdapter *self, SocketioSocket *socket);
/* Returns: (transfer none) (nullable): the connected socket of that id */
SocketioSocket *socketio_adapter_lookup (SocketioAdapter *self, const char *id);
guint socketio_adapter_get_n_sockets (SocketioAdapter *self);

gboolean socketio_adapter_is_own_thread (SocketioAdapter *self);

/* What the one in memory does: it is alone. */
gboolean socketio_adapter_real_server_side_emit (SocketioAdapter *self,
                                                 const char *event,
                                                 SocketioArgs *args,
                                                 GError **error);
void socketio_adapter_real_server_side_emit_with_ack_async (SocketioAdapter *self,
                                                            const char *event,
                                                            SocketioArgs *args,
                                                            guint timeout_ms,
                                                            GCancellable *cancellable,
                                                            GAsyncReadyCallback callback,
                                                            gpointer user_data);
gboolean socketio_adapter_real_server_side_emit_with_ack_finish (SocketioAdapter *self,
                                                                 GAsyncResult *result,
                                                                 GPtrArray **answers,
                                                                 GError **error);

G_END_DECLS

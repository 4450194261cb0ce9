/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What servers say to each other: the adapter carries it, the namespace gives and takes it. */
#include "socketio-adapter-private.h"
#include "socketio-error.h"
#include "socketio-namespace-private.h"

static void
set_not_supported (GError **error)
{
  g_set_error_literal (error, SOCKETIO_ERROR, SOCKETIO_ERROR_NOT_SUPPORTED,
                       "This adapter knows of no other server");
}

gboolean
socketio_adapter_real_server_side_emit (SocketioAdapter *self,
                                        const char *event,
                                        SocketioArgs *args,
                                        GError **error)
{
  set_not_supported (error);
  return FALSE;
}

void
socketio_adapter_real_server_side_emit_with_ack_async (SocketioAdapter *self,
                                                       const char *event,
                                                       SocketioArgs *args,
                                                       guint timeout_ms,
                                                       GCancellable *cancellable,
                                                       GAsyncReadyCallback callback,
                                                       gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);
  GError *error = NULL;

  g_task_set_source_tag (task, socketio_adapter_real_server_side_emit_with_ack_async);
  set_not_supported (&error);
  g_task_return_error (task, error);
}

gboolean
socketio_adapter_real_server_side_emit_with_ack_finish (SocketioAdapter *self,
                                                        GAsyncResult *result,
                                                        GPtrArray **answers,
                                                        GError **error)
{
  if (answers != NULL)
    *answers = g_ptr_array_new_with_free_func ((GDestroyNotify) socketio_args_unref);
  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * socketio_adapter_server_side_emit:
 * @self: an adapter
 * @event: the event's name
 * @args: (nullable): the arguments
 * @error: return location for an error
 *
 * Sends an event to the other servers.
 *
 * Returns: %TRUE if it is on its way; %FALSE with %SOCKETIO_ERROR_NOT_SUPPORTED if the adapter
 *   knows of none, as the one in memory
 */
gboolean
socketio_adapter_server_side_emit (SocketioAdapter *self,
                                   const char *event,
                                   SocketioArgs *args,
                                   GError **error)
{
  g_return_val_if_fail (SOCKETIO_IS_ADAPTER (self), FALSE);
  g_return_val_if_fail (socketio_adapter_is_own_thread (self), FALSE);
  g_return_val_if_fail (event != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return SOCKETIO_ADAPTER_GET_CLASS (self)->server_side_emit (self, event, args, error);
}

/**
 * socketio_adapter_server_side_emit_with_ack_async:
 * @self: an adapter
 * @event: the event's name
 * @args: (nullable): the arguments
 * @timeout_ms: how long to wait for each server, in ms; 0 for as long as it takes
 * @cancellable: (nullable): stops the wait
 * @callback: (scope async): called with what was answered
 * @user_data: for @callback
 *
 * Sends an event to the other servers, and waits for their acknowledgements.
 */
void
socketio_adapter_server_side_emit_with_ack_async (SocketioAdapter *self,
                                                  const char *event,
                                                  SocketioArgs *args,
                                                  guint timeout_ms,
                                                  GCancellable *cancellable,
                                                  GAsyncReadyCallback callback,
                                                  gpointer user_data)
{
  g_return_if_fail (SOCKETIO_IS_ADAPTER (self));
  g_return_if_fail (socketio_adapter_is_own_thread (self));
  g_return_if_fail (event != NULL);

  SOCKETIO_ADAPTER_GET_CLASS (self)->server_side_emit_with_ack_async (
      self, event, args, timeout_ms, cancellable, callback, user_data);
}

/**
 * socketio_adapter_server_side_emit_with_ack_finish:
 * @self: an adapter
 * @result: what the callback was given
 * @answers: (out) (transfer full) (optional) (element-type SocketioArgs): what was answered; set
 *   with an error too
 * @error: return location for an error
 *
 * Ends [method@Adapter.server_side_emit_with_ack_async].
 *
 * Returns: %TRUE if all answered; else %FALSE with %SOCKETIO_ERROR_NOT_SUPPORTED,
 *   %SOCKETIO_ERROR_TIMED_OUT, or an error of the adapter's medium
 */
gboolean
socketio_adapter_server_side_emit_with_ack_finish (SocketioAdapter *self,
                                                   GAsyncResult *result,
                                                   GPtrArray **answers,
                                                   GError **error)
{
  g_return_val_if_fail (SOCKETIO_IS_ADAPTER (self), FALSE);
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return SOCKETIO_ADAPTER_GET_CLASS (self)->server_side_emit_with_ack_finish (self, result, answers,
                                                                              error);
}

/**
 * socketio_adapter_receive:
 * @self: an adapter
 * @event: the event's name
 * @args: (nullable): the arguments
 * @ack: (nullable): takes the answer, if the other server wants one
 *
 * For adapters: another server said this by [method@Namespace.server_side_emit]. The namespace
 * tells of it by [signal@Namespace::server-side-event].
 */
void
socketio_adapter_receive (SocketioAdapter *self,
                          const char *event,
                          SocketioArgs *args,
                          SocketioAck *ack)
{
  g_autoptr (SocketioArgs) none = NULL;
  SocketioNamespace *nsp;

  g_return_if_fail (SOCKETIO_IS_ADAPTER (self));
  g_return_if_fail (socketio_adapter_is_own_thread (self));
  g_return_if_fail (event != NULL);

  nsp = socketio_adapter_get_namespace (self);
  if (args == NULL)
    none = socketio_args_new ();
  if (nsp != NULL)
    socketio_namespace_emit_server_side_event (nsp, event, args != NULL ? args : none, ack);
}

/**
 * socketio_namespace_server_side_emit:
 * @self: a namespace
 * @event: the event's name
 * @args: (nullable): the arguments; only read
 * @error: return location for an error
 *
 * Sends an event to the other servers that the adapter knows, where
 * [signal@Namespace::server-side-event] tells of it (`serverSideEmit()`).
 *
 * Returns: %TRUE if it is on its way; %FALSE with %SOCKETIO_ERROR_NOT_SUPPORTED if the adapter is
 *   for one process, as the one in memory
 */
gboolean
socketio_namespace_server_side_emit (SocketioNamespace *self,
                                     const char *event,
                                     SocketioArgs *args,
                                     GError **error)
{
  g_return_val_if_fail (SOCKETIO_IS_NAMESPACE (self), FALSE);

  return socketio_adapter_server_side_emit (socketio_namespace_get_adapter (self), event, args,
                                            error);
}

static void
answered_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GPtrArray *answers = NULL;
  GError *error = NULL;

  socketio_adapter_server_side_emit_with_ack_finish (SOCKETIO_ADAPTER (source), result, &answers,
                                                     &error);
  g_task_set_task_data (task, answers, (GDestroyNotify) g_ptr_array_unref);
  if (error != NULL)
    g_task_return_error (task, error);
  else
    g_task_return_boolean (task, TRUE);
}

/**
 * socketio_namespace_server_side_emit_with_ack_async:
 * @self: a namespace
 * @event: the event's name
 * @args: (nullable): the arguments; only read
 * @timeout_ms: how long to wait for each server, in ms; 0 for as long as it takes
 * @cancellable: (nullable): stops the wait
 * @callback: (scope async): called with what was answered
 * @user_data: for @callback
 *
 * Sends an event to the other servers that the adapter knows, and waits for their acknowledgements
 * (`serverSideEmitWithAck()`).
 */
void
socketio_namespace_server_side_emit_with_ack_async (SocketioNamespace *self,
                                                    const char *event,
                                                    SocketioArgs *args,
                                                    guint timeout_ms,
                                                    GCancellable *cancellable,
                                                    GAsyncReadyCallback callback,
                                                    gpointer user_data)
{
  GTask *task;

  g_return_if_fail (SOCKETIO_IS_NAMESPACE (self));
  g_return_if_fail (socketio_namespace_is_own_thread (self));
  g_return_if_fail (event != NULL);

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, socketio_namespace_server_side_emit_with_ack_async);
  socketio_adapter_server_side_emit_with_ack_async (socketio_namespace_get_adapter (self), event,
                                                    args, timeout_ms, cancellable, answered_cb,
                                                    task);
}

/**
 * socketio_namespace_server_side_emit_with_ack_finish:
 * @self: a namespace
 * @result: what the callback was given
 * @answers: (out) (transfer full) (optional) (element-type SocketioArgs): what was answered; set
 *   with an error too
 * @error: return location for an error
 *
 * Ends [method@Namespace.server_side_emit_with_ack_async].
 *
 * Returns: %TRUE if all servers answered; else %FALSE with an error, as of
 *   [method@Adapter.server_side_emit_with_ack_finish]
 */
gboolean
socketio_namespace_server_side_emit_with_ack_finish (SocketioNamespace *self,
                                                     GAsyncResult *result,
                                                     GPtrArray **answers,
                                                     GError **error)
{
  g_return_val_if_fail (SOCKETIO_IS_NAMESPACE (self), FALSE);
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  if (answers != NULL)
    *answers = g_ptr_array_ref (g_task_get_task_data (G_TASK (result)));
  return g_task_propagate_boolean (G_TASK (result), error);
}

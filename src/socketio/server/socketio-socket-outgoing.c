/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is sent to clients: events, questions and acknowledgements. */
#include <string.h>

#include "socketio-args-private.h"
#include "socketio-error.h"
#include "socketio-json.h"
#include "socketio-namespace-private.h"
#include "socketio-recovery-private.h"
#include "socketio-socket-struct-private.h"

typedef enum
{
  SEND_DONE,
  SEND_NOT_CONNECTED,
  SEND_NOT_READY, /* volatile, and dropped */
  SEND_REFUSED,   /* the queue is full */
  SEND_CLOSED,    /* the same, and the connection was closed for it */
} SendResult;

/**
 * socketio_socket_get_queued_bytes:
 * @self: a socket
 *
 * Measures what waits for the client.
 *
 * Returns: bytes sent on the socket's connection, in all its namespaces, that are not yet handed to
 *   the kernel; 0 once it is disconnected
 */
guint64
socketio_socket_get_queued_bytes (SocketioSocket *self)
{
  g_return_val_if_fail (SOCKETIO_IS_SOCKET (self), 0);

  return self->connected ? socketio_client_get_queued (self->client) : 0;
}

gboolean
socketio_socket_send_packets (SocketioSocket *self, GArray *packets)
{
  if (!self->connected || self->ending || !socketio_client_send_array (self->client, packets))
    return FALSE;

  if (g_signal_has_handler_pending (self, socketio_socket_signals[SOCKETIO_SOCKET_SIGNAL_DRAINED],
                                    0, FALSE))
    socketio_client_notify_drained (self->client);
  return TRUE;
}

static void
tell_outgoing (SocketioSocket *self, const char *event, SocketioArgs *args, const char *json_args)
{
  g_autoptr (SocketioArgs) parsed = NULL;

  if (args == NULL)
    {
      g_autofree char *text = g_strdup_printf ("[%s]", json_args != NULL ? json_args : "");
      JsonNode *root = socketio_json_parse (text, strlen (text), NULL);

      parsed = root != NULL ? socketio_args_new_take (root, 0) : socketio_args_new ();
    }
  g_signal_emit (self, socketio_socket_signals[SOCKETIO_SOCKET_SIGNAL_OUTGOING],
                 g_quark_try_string (event), event, args != NULL ? args : parsed);
}

/* @packets: the event, encoded with its offset; that is 0 if it is not to be sent again */
static SendResult
send_event (SocketioSocket *self,
            const char *event,
            SocketioArgs *args,
            const char *json_args,
            const EngineioPacket *packets,
            guint n_packets,
            guint64 offset,
            SocketioEmitFlags flags)
{
  if (!self->connected)
    return SEND_NOT_CONNECTED;
  if ((flags & SOCKETIO_EMIT_VOLATILE) && !socketio_client_is_ready (self->client))
    {
      socketio_client_count (self->client, SOCKETIO_COUNTER_DROPS);
      return SEND_NOT_READY;
    }
  /* before it is kept for recovery: it was never sent */
  if (socketio_client_refuses (self->client))
    {
      socketio_client_count (self->client, SOCKETIO_COUNTER_REFUSALS);
      return SEND_REFUSED;
    }

  if (G_UNLIKELY (g_signal_has_handler_pending (
          self, socketio_socket_signals[SOCKETIO_SOCKET_SIGNAL_OUTGOING], 0, TRUE)))
    {
      tell_outgoing (self, event, args, json_args);
      if (!self->connected)
        return SEND_NOT_CONNECTED;
    }
  /* before it is sent, which may end the connection */
  if (offset > 0)
    {
      const SocketioRecoveryOptions *options =
          socketio_recovery_get_options (socketio_namespace_get_recovery (self->nsp));

      if (self->log == NULL)
        self->log = socketio_log_new ();
      socketio_log_append (self->log, offset, packets, flags & SOCKETIO_EMIT_UNKEPT ? 0 : n_packets,
                           options->max_packets, options->max_bytes);
    }
  if (self->ending)
    return SEND_NOT_CONNECTED;
  if (!socketio_client_send (self->client, packets, n_packets))
    return self->connected ? SEND_NOT_CONNECTED : SEND_CLOSED;
  if (g_signal_has_handler_pending (self, socketio_socket_signals[SOCKETIO_SOCKET_SIGNAL_DRAINED],
                                    0, FALSE))
    socketio_client_notify_drained (self->client);
  return SEND_DONE;
}

static gboolean
set_error (SendResult result, GError **error)
{
  switch (result)
    {
    case SEND_DONE:
      return TRUE;
    case SEND_NOT_READY:
      g_set_error_literal (error, SOCKETIO_ERROR, SOCKETIO_ERROR_NOT_READY,
                           "The client is not ready to take a volatile event");
      break;
    case SEND_REFUSED:
      g_set_error_literal (error, SOCKETIO_ERROR, SOCKETIO_ERROR_QUEUE_FULL,
                           "Too much waits for the client already");
      break;
    case SEND_CLOSED:
      g_set_error_literal (error, SOCKETIO_ERROR, SOCKETIO_ERROR_QUEUE_FULL,
                           "Too much waited for the client, whose connection was closed");
      break;
    case SEND_NOT_CONNECTED:
    default:
      g_set_error_literal (error, SOCKETIO_ERROR, SOCKETIO_ERROR_NOT_CONNECTED,
                           "The socket is not connected");
    }
  return FALSE;
}

gboolean
socketio_socket_send_event (SocketioSocket *self,
                            const char *event,
                            SocketioArgs *args,
                            const char *json_args,
                            GArray *packets,
                            guint64 offset,
                            SocketioEmitFlags flags)
{
  return send_event (self, event, args, json_args, (const EngineioPacket *) packets->data,
                     packets->len, offset, flags)
         == SEND_DONE;
}

static guint64
next_offset (SocketioSocket *self)
{
  return socketio_socket_is_tracked (self)
             ? socketio_recovery_next_offset (socketio_namespace_get_recovery (self->nsp))
             : 0;
}

static SendResult
send_args (SocketioSocket *self, const char *event, SocketioArgs *args, SocketioEmitFlags flags)
{
  g_autoptr (GArray) packets = NULL;
  guint64 offset;

  if (!self->connected)
    return SEND_NOT_CONNECTED;

  offset = flags & SOCKETIO_EMIT_VOLATILE ? 0 : next_offset (self);
  packets = socketio_packet_encode_tracked_event (socketio_namespace_get_name (self->nsp), event,
                                                  args, offset);
  if (flags & SOCKETIO_EMIT_UNCOMPRESSED)
    socketio_packets_forbid_compression (packets);
  return send_event (self, event, args, NULL, (const EngineioPacket *) packets->data, packets->len,
                     offset, flags);
}

/**
 * socketio_socket_request_drained:
 * @self: a socket
 *
 * Has [signal@Socket::drained] emitted once, when what is queued by now is gone, or down to the
 * server's low mark. Sending while that signal has a handler does the same.
 */
void
socketio_socket_request_drained (SocketioSocket *self)
{
  g_return_if_fail (SOCKETIO_IS_SOCKET (self));
  g_return_if_fail (socketio_namespace_is_own_thread (self->nsp));

  if (self->connected)
    socketio_client_notify_drained (self->client);
}

/**
 * socketio_socket_emit:
 * @self: a socket
 * @event: the event's name; not one that Socket.IO keeps for itself (connect, disconnect …)
 * @args: (nullable): the arguments; only read, and not to be changed afterwards
 *
 * Sends an event (Socket.IO protocol, "Event").
 *
 * Returns: %TRUE if it is on its way; %FALSE if the socket is not connected, or its connection had
 *   more than the server's `max-queued-bytes` waiting; by the server's `overflow-policy` it was
 *   closed for that, or this event alone is refused. [method@Socket.try_emit] tells which
 */
gboolean
socketio_socket_emit (SocketioSocket *self, const char *event, SocketioArgs *args)
{
  return socketio_socket_emit_full (self, event, args, SOCKETIO_EMIT_DEFAULT);
}

/**
 * socketio_socket_emit_full:
 * @self: a socket
 * @event: the event's name
 * @args: (nullable): the arguments; only read, and not to be changed afterwards
 * @flags: how it is sent
 *
 * Sends an event, with flags (`volatile`).
 *
 * Returns: as [method@Socket.emit]; %FALSE too if the event is volatile and the client not ready
 */
gboolean
socketio_socket_emit_full (SocketioSocket *self,
                           const char *event,
                           SocketioArgs *args,
                           SocketioEmitFlags flags)
{
  g_return_val_if_fail (SOCKETIO_IS_SOCKET (self), FALSE);
  g_return_val_if_fail (socketio_namespace_is_own_thread (self->nsp), FALSE);
  g_return_val_if_fail (event != NULL, FALSE);

  return send_args (self, event, args, flags) == SEND_DONE;
}

/**
 * socketio_socket_try_emit:
 * @self: a socket
 * @event: the event's name
 * @args: (nullable): the arguments; only read, and not to be changed afterwards
 * @flags: how it is sent
 * @error: return location for an error
 *
 * Like [method@Socket.emit_full], for those who want to know why not.
 *
 * Returns: %TRUE if it is on its way; else %FALSE with %SOCKETIO_ERROR_NOT_CONNECTED,
 *   %SOCKETIO_ERROR_QUEUE_FULL, or %SOCKETIO_ERROR_NOT_READY for a volatile event
 */
gboolean
socketio_socket_try_emit (SocketioSocket *self,
                          const char *event,
                          SocketioArgs *args,
                          SocketioEmitFlags flags,
                          GError **error)
{
  g_return_val_if_fail (SOCKETIO_IS_SOCKET (self), FALSE);
  g_return_val_if_fail (socketio_namespace_is_own_thread (self->nsp), FALSE);
  g_return_val_if_fail (event != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return set_error (send_args (self, event, args, flags), error);
}

/**
 * socketio_socket_is_ready:
 * @self: a socket
 *
 * Says whether the client keeps up.
 *
 * Returns: whether it is connected, and no more than the server's `high-mark` waits for its client;
 *   if not, [signal@Socket::drained] tells when to go on
 */
gboolean
socketio_socket_is_ready (SocketioSocket *self)
{
  g_return_val_if_fail (SOCKETIO_IS_SOCKET (self), FALSE);

  return self->connected && socketio_client_is_ready (self->client);
}

/**
 * socketio_socket_emit_json:
 * @self: a socket
 * @event: the event's name
 * @json_args: (nullable): the arguments as JSON, separated by commas, without brackets
 *
 * Like [method@Socket.emit], without a tree: for what is sent very often. The JSON is not checked;
 * a client closes the connection when it cannot read it.
 *
 * Returns: as [method@Socket.emit]
 */
gboolean
socketio_socket_emit_json (SocketioSocket *self, const char *event, const char *json_args)
{
  EngineioPacket packet;
  guint64 offset;
  gboolean sent;

  g_return_val_if_fail (SOCKETIO_IS_SOCKET (self), FALSE);
  g_return_val_if_fail (socketio_namespace_is_own_thread (self->nsp), FALSE);
  g_return_val_if_fail (event != NULL, FALSE);

  if (!self->connected)
    return FALSE;

  offset = next_offset (self);
  packet =
      engineio_packet_take (socketio_packet_encode_event_json (
                                socketio_namespace_get_name (self->nsp), event, json_args, offset),
                            FALSE);
  sent = send_event (self, event, NULL, json_args, &packet, 1, offset, SOCKETIO_EMIT_DEFAULT)
         == SEND_DONE;
  engineio_packet_clear (&packet);
  return sent;
}

/**
 * socketio_socket_emit_with_ack_async:
 * @self: a socket
 * @event: the event's name
 * @args: (nullable): the arguments; only read
 * @timeout_ms: how long to wait, in ms; 0 for as long as the socket lives
 * @cancellable: (nullable): stops the wait; to be cancelled in the thread of the socket
 * @callback: (scope async): called with the answer
 * @user_data: for @callback
 *
 * Sends an event and waits for the client to acknowledge it.
 */
void
socketio_socket_emit_with_ack_async (SocketioSocket *self,
                                     const char *event,
                                     SocketioArgs *args,
                                     guint timeout_ms,
                                     GCancellable *cancellable,
                                     GAsyncReadyCallback callback,
                                     gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  g_autoptr (GArray) packets = NULL;
  SendResult result;
  gint64 id;

  g_return_if_fail (SOCKETIO_IS_SOCKET (self));
  g_return_if_fail (socketio_namespace_is_own_thread (self->nsp));
  g_return_if_fail (event != NULL);

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, socketio_socket_emit_with_ack_async);
  if (g_task_return_error_if_cancelled (task))
    return;

  id = self->next_ack++;
  packets = socketio_packet_encode_event (socketio_namespace_get_name (self->nsp), event, args, id);
  if (self->waiting == NULL)
    self->waiting = socketio_ack_waits_new ();
  socketio_ack_waits_add (self->waiting, id, timeout_ms, task);
  result = send_event (self, event, args, NULL, (const EngineioPacket *) packets->data,
                       packets->len, 0, SOCKETIO_EMIT_DEFAULT);
  if (result != SEND_DONE)
    {
      g_autoptr (GTask) failed = socketio_ack_waits_take (self->waiting, id);
      GError *error = NULL;

      /* unless losing the connection has ended it already */
      if (failed == NULL)
        return;
      set_error (result, &error);
      g_task_return_error (failed, error);
    }
}

/**
 * socketio_socket_emit_with_ack_finish:
 * @self: a socket
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Ends [method@Socket.emit_with_ack_async].
 *
 * Returns: (transfer full): what the client answered; or %NULL with %SOCKETIO_ERROR_TIMED_OUT,
 *   %SOCKETIO_ERROR_DISCONNECTED, %SOCKETIO_ERROR_NOT_CONNECTED, %SOCKETIO_ERROR_QUEUE_FULL or
 *   %G_IO_ERROR_CANCELLED
 */
SocketioArgs *
socketio_socket_emit_with_ack_finish (SocketioSocket *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

void
socketio_socket_handle_drained (SocketioSocket *self)
{
  g_signal_emit (self, socketio_socket_signals[SOCKETIO_SOCKET_SIGNAL_DRAINED], 0);
}

gboolean
socketio_socket_send_ack (SocketioSocket *self, gint64 id, SocketioArgs *args)
{
  g_autoptr (GArray) packets = NULL;

  if (!self->connected)
    return FALSE;
  packets = socketio_packet_encode_ack (socketio_namespace_get_name (self->nsp), args, id);
  return socketio_socket_send_packets (self, packets);
}

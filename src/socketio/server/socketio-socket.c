/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "socketio-socket.h"

#include "socketio-id.h"
#include "socketio-json.h"
#include "socketio-namespace-private.h"

struct _SocketioSocket
{
  GObject parent_instance;

  SocketioNamespace *nsp; /* owned */
  SocketioClient *client; /* owned */
  /* The auth payload as JSON text; NULL if there was none. Its tree, many times as large, is made
   * when somebody asks, and kept until settled or to the end. */
  char *auth_text;
  JsonNode *auth;
  GHashTable *rooms;   /* names; NULL if it is in none */
  GHashTable *waiting; /* ack id → GTask; NULL if nothing waits */
  gint64 next_ack;
  gboolean connected;
  char id[SOCKETIO_ID_LENGTH + 1];
};

G_DEFINE_FINAL_TYPE (SocketioSocket, socketio_socket, G_TYPE_OBJECT)

enum
{
  PROP_0,
  PROP_ID,
  PROP_CONNECTED,
  PROP_QUEUED_BYTES,
  N_PROPS,
};

enum
{
  SIGNAL_EVENT,
  SIGNAL_DISCONNECTED,
  SIGNAL_DRAINED,
  N_SIGNALS,
};

static GParamSpec *properties[N_PROPS];
static guint signals[N_SIGNALS];

/* A wait for an acknowledgement: the data of its task. */
typedef struct
{
  gint64 *key; /* held by the table */
  GSource *timeout;
  gulong cancelled_id;
} Wait;

static void
wait_free (gpointer data)
{
  Wait *wait = data;

  if (wait->timeout != NULL)
    {
      g_source_destroy (wait->timeout);
      g_source_unref (wait->timeout);
    }
  g_free (wait);
}

SocketioSocket *
socketio_socket_new (SocketioNamespace *nsp, SocketioClient *client, JsonNode *auth)
{
  SocketioSocket *self = g_object_new (SOCKETIO_TYPE_SOCKET, NULL);

  self->nsp = g_object_ref (nsp);
  self->client = socketio_client_ref (client);
  if (auth != NULL)
    {
      GString *text = g_string_new (NULL);

      socketio_json_append_node (text, auth);
      self->auth_text = g_string_free (text, FALSE);
    }
  socketio_id_generate (self->id);
  return self;
}

void
socketio_socket_set_connected (SocketioSocket *self)
{
  self->connected = TRUE;
}

void
socketio_socket_settle (SocketioSocket *self)
{
  g_clear_pointer (&self->auth, json_node_unref);
}

/**
 * socketio_socket_get_id:
 * @self: a socket
 *
 * Returns: (transfer none): the socket's id, which differs from namespace to namespace
 */
const char *
socketio_socket_get_id (SocketioSocket *self)
{
  g_return_val_if_fail (SOCKETIO_IS_SOCKET (self), NULL);

  return self->id;
}

/**
 * socketio_socket_get_namespace:
 * @self: a socket
 *
 * Returns: (transfer none): the namespace
 */
SocketioNamespace *
socketio_socket_get_namespace (SocketioSocket *self)
{
  g_return_val_if_fail (SOCKETIO_IS_SOCKET (self), NULL);

  return self->nsp;
}

/**
 * socketio_socket_get_handshake:
 * @self: a socket
 *
 * Returns: (transfer none): the request with which the connection began
 */
SocketioHandshake *
socketio_socket_get_handshake (SocketioSocket *self)
{
  g_return_val_if_fail (SOCKETIO_IS_SOCKET (self), NULL);

  return socketio_client_get_handshake (self->client);
}

/**
 * socketio_socket_get_auth:
 * @self: a socket
 *
 * The payload with which the client connected to the namespace.
 *
 * Returns: (transfer none) (nullable): the object, good until control returns to the main loop;
 * %NULL if there was none
 */
JsonObject *
socketio_socket_get_auth (SocketioSocket *self)
{
  g_return_val_if_fail (SOCKETIO_IS_SOCKET (self), NULL);

  if (self->auth == NULL && self->auth_text != NULL)
    self->auth = socketio_json_parse (self->auth_text, strlen (self->auth_text), NULL);
  return self->auth != NULL ? json_node_get_object (self->auth) : NULL;
}

/**
 * socketio_socket_is_connected:
 * @self: a socket
 *
 * Returns: whether it can send and receive
 */
gboolean
socketio_socket_is_connected (SocketioSocket *self)
{
  g_return_val_if_fail (SOCKETIO_IS_SOCKET (self), FALSE);

  return self->connected;
}

/**
 * socketio_socket_get_queued_bytes:
 * @self: a socket
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
  if (!self->connected || !socketio_client_send_array (self->client, packets))
    return FALSE;

  if (g_signal_has_handler_pending (self, signals[SIGNAL_DRAINED], 0, FALSE))
    socketio_client_notify_drained (self->client);
  return TRUE;
}

/**
 * socketio_socket_request_drained:
 * @self: a socket
 *
 * Has [signal@Socket::drained] emitted once, when what is queued by now is gone. Sending while that
 * signal has a handler does the same.
 */
void
socketio_socket_request_drained (SocketioSocket *self)
{
  g_return_if_fail (SOCKETIO_IS_SOCKET (self));

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
 *   more than the server's `max-queued-bytes` waiting, and was closed for that
 */
gboolean
socketio_socket_emit (SocketioSocket *self, const char *event, SocketioArgs *args)
{
  g_autoptr (GArray) packets = NULL;

  g_return_val_if_fail (SOCKETIO_IS_SOCKET (self), FALSE);
  g_return_val_if_fail (event != NULL, FALSE);

  if (!self->connected)
    return FALSE;
  packets = socketio_packet_encode_event (socketio_namespace_get_name (self->nsp), event, args, -1);
  return socketio_socket_send_packets (self, packets);
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
  gboolean sent;

  g_return_val_if_fail (SOCKETIO_IS_SOCKET (self), FALSE);
  g_return_val_if_fail (event != NULL, FALSE);

  if (!self->connected)
    return FALSE;

  packet = engineio_packet_take (
      socketio_packet_encode_event_json (socketio_namespace_get_name (self->nsp), event, json_args),
      FALSE);
  sent = socketio_client_send (self->client, &packet, 1);
  engineio_packet_clear (&packet);
  if (sent && g_signal_has_handler_pending (self, signals[SIGNAL_DRAINED], 0, FALSE))
    socketio_client_notify_drained (self->client);
  return sent;
}

/* Takes the task out of the table; it is the caller's to return. */
static GTask *
take_wait (SocketioSocket *self, gint64 id)
{
  g_autofree gpointer key = NULL;
  gpointer task = NULL;

  if (self->waiting == NULL || !g_hash_table_steal_extended (self->waiting, &id, &key, &task))
    return NULL;
  return task;
}

static void
end_wait (GTask *task)
{
  Wait *wait = g_task_get_task_data (task);

  if (wait->cancelled_id != 0)
    g_signal_handler_disconnect (g_task_get_cancellable (task), wait->cancelled_id);
  wait->cancelled_id = 0;
  if (wait->timeout != NULL)
    g_source_destroy (wait->timeout);
}

static gboolean
ack_timeout_cb (gpointer user_data)
{
  GTask *running = user_data;
  SocketioSocket *self = g_task_get_source_object (running);
  Wait *wait = g_task_get_task_data (running);
  g_autoptr (GTask) task = take_wait (self, *wait->key);

  end_wait (task);
  g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
                           "The client did not acknowledge in time");
  return G_SOURCE_REMOVE;
}

static void
ack_cancelled_cb (GCancellable *cancellable, gpointer user_data)
{
  GTask *running = user_data;
  SocketioSocket *self = g_task_get_source_object (running);
  Wait *wait = g_task_get_task_data (running);
  g_autoptr (GTask) task = take_wait (self, *wait->key);

  if (task == NULL)
    return;
  /* within the cancellable's own emission its handler cannot be disconnected */
  wait->cancelled_id = 0;
  end_wait (task);
  g_task_return_error_if_cancelled (task);
}

static void
start_wait (SocketioSocket *self, gint64 id, guint timeout_ms, GTask *task)
{
  GCancellable *cancellable = g_task_get_cancellable (task);
  Wait *wait = g_new0 (Wait, 1);

  if (self->waiting == NULL)
    self->waiting = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_object_unref);
  wait->key = g_new (gint64, 1);
  *wait->key = id;
  g_task_set_task_data (task, wait, wait_free);
  g_hash_table_insert (self->waiting, wait->key, g_object_ref (task));

  if (timeout_ms > 0)
    {
      wait->timeout = g_timeout_source_new (timeout_ms);
      g_source_set_static_name (wait->timeout, "Socket.IO ack timeout");
      g_source_set_callback (wait->timeout, ack_timeout_cb, task, NULL);
      g_source_attach (wait->timeout, g_task_get_context (task));
    }
  if (cancellable != NULL)
    wait->cancelled_id =
        g_signal_connect (cancellable, "cancelled", G_CALLBACK (ack_cancelled_cb), task);
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
  gint64 id;

  g_return_if_fail (SOCKETIO_IS_SOCKET (self));
  g_return_if_fail (event != NULL);

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, socketio_socket_emit_with_ack_async);
  if (g_task_return_error_if_cancelled (task))
    return;

  id = self->next_ack++;
  packets = socketio_packet_encode_event (socketio_namespace_get_name (self->nsp), event, args, id);
  start_wait (self, id, timeout_ms, task);
  if (!socketio_socket_send_packets (self, packets))
    {
      g_autoptr (GTask) failed = take_wait (self, id);

      /* unless losing the connection has ended it already */
      if (failed == NULL)
        return;
      end_wait (failed);
      g_task_return_new_error (failed, G_IO_ERROR, G_IO_ERROR_NOT_CONNECTED,
                               "The socket is not connected");
    }
}

/**
 * socketio_socket_emit_with_ack_finish:
 * @self: a socket
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Returns: (transfer full): what the client answered; or %NULL with an error of %G_IO_ERROR:
 *   %G_IO_ERROR_TIMED_OUT, %G_IO_ERROR_CLOSED if the socket went, %G_IO_ERROR_NOT_CONNECTED, or
 *   %G_IO_ERROR_CANCELLED
 */
SocketioArgs *
socketio_socket_emit_with_ack_finish (SocketioSocket *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

/**
 * socketio_socket_join:
 * @self: a socket
 * @room: name of a room
 *
 * Puts the socket into a room, which is made by its first member and goes with its last.
 */
void
socketio_socket_join (SocketioSocket *self, const char *room)
{
  g_return_if_fail (SOCKETIO_IS_SOCKET (self));
  g_return_if_fail (room != NULL);

  if (self->connected)
    socketio_namespace_join (self->nsp, self, room);
}

/**
 * socketio_socket_leave:
 * @self: a socket
 * @room: name of a room
 *
 * Takes the socket out of a room; nothing happens if it is not in.
 */
void
socketio_socket_leave (SocketioSocket *self, const char *room)
{
  g_return_if_fail (SOCKETIO_IS_SOCKET (self));
  g_return_if_fail (room != NULL);

  socketio_namespace_leave (self->nsp, self, room);
}

/**
 * socketio_socket_is_in:
 * @self: a socket
 * @room: name of a room
 *
 * Returns: whether the socket is in the room
 */
gboolean
socketio_socket_is_in (SocketioSocket *self, const char *room)
{
  g_return_val_if_fail (SOCKETIO_IS_SOCKET (self), FALSE);
  g_return_val_if_fail (room != NULL, FALSE);

  return self->rooms != NULL && g_hash_table_contains (self->rooms, room);
}

GHashTable *
socketio_socket_peek_rooms (SocketioSocket *self)
{
  return self->rooms;
}

void
socketio_socket_set_rooms (SocketioSocket *self, GHashTable *rooms)
{
  self->rooms = rooms;
}

static void
send_disconnect (SocketioSocket *self)
{
  EngineioPacket packet = engineio_packet_take (
      socketio_packet_encode_plain (SOCKETIO_PACKET_DISCONNECT,
                                    socketio_namespace_get_name (self->nsp), NULL),
      FALSE);

  socketio_client_send (self->client, &packet, 1);
  engineio_packet_clear (&packet);
}

/**
 * socketio_socket_disconnect:
 * @self: a socket
 * @close_connection: whether to close the connection, with all its namespaces
 *
 * Ends the socket. Without @close_connection the client is told by a DISCONNECT packet, and stays
 * away. With it the connection is closed once what is queued is sent, without that packet: stock
 * clients connect anew.
 */
void
socketio_socket_disconnect (SocketioSocket *self, gboolean close_connection)
{
  g_autoptr (SocketioSocket) alive = NULL;

  g_return_if_fail (SOCKETIO_IS_SOCKET (self));

  if (!self->connected)
    return;

  alive = g_object_ref (self);
  if (close_connection)
    {
      socketio_client_close (self->client, "forced server close");
      return;
    }
  send_disconnect (self);
  socketio_client_remove_socket (self->client, self);
  socketio_socket_lost (self, "server namespace disconnect");
}

static void
fail_waits (SocketioSocket *self)
{
  g_autoptr (GHashTable) waiting = g_steal_pointer (&self->waiting);
  GHashTableIter iter;
  gpointer task;

  if (waiting == NULL)
    return;

  g_hash_table_iter_init (&iter, waiting);
  while (g_hash_table_iter_next (&iter, NULL, &task))
    {
      end_wait (task);
      g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_CLOSED,
                               "The socket was disconnected before it acknowledged");
    }
}

void
socketio_socket_lost (SocketioSocket *self, const char *reason)
{
  g_autoptr (SocketioSocket) alive G_GNUC_UNUSED = g_object_ref (self);

  if (!self->connected)
    return;

  self->connected = FALSE;
  socketio_namespace_remove (self->nsp, self);
  fail_waits (self);
  g_signal_emit (self, signals[SIGNAL_DISCONNECTED], 0, reason);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_CONNECTED]);
}

void
socketio_socket_handle_event (SocketioSocket *self,
                              const char *event,
                              SocketioArgs *args,
                              gint64 id)
{
  g_autoptr (SocketioSocket) alive G_GNUC_UNUSED = g_object_ref (self);
  g_autoptr (SocketioAck) ack = id >= 0 ? socketio_ack_new (self, id) : NULL;

  /* A name that nobody listens for has no quark, and gets none: what peers send is never interned.
   * Handlers without a detail hear of it all the same. */
  g_signal_emit (self, signals[SIGNAL_EVENT], g_quark_try_string (event), event, args, ack);
}

void
socketio_socket_handle_ack (SocketioSocket *self, gint64 id, SocketioArgs *args)
{
  g_autoptr (GTask) task = take_wait (self, id);

  /* an ack that nobody waits for (any more) is ignored */
  if (task == NULL)
    return;
  end_wait (task);
  g_task_return_pointer (task, socketio_args_ref (args), (GDestroyNotify) socketio_args_unref);
}

void
socketio_socket_handle_drained (SocketioSocket *self)
{
  g_signal_emit (self, signals[SIGNAL_DRAINED], 0);
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

static void
socketio_socket_get_property (GObject *object, guint prop_id, GValue *value, GParamSpec *pspec)
{
  SocketioSocket *self = SOCKETIO_SOCKET (object);

  switch (prop_id)
    {
    case PROP_ID:
      g_value_set_string (value, self->id);
      break;
    case PROP_CONNECTED:
      g_value_set_boolean (value, self->connected);
      break;
    case PROP_QUEUED_BYTES:
      g_value_set_uint64 (value, socketio_socket_get_queued_bytes (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
socketio_socket_finalize (GObject *object)
{
  SocketioSocket *self = SOCKETIO_SOCKET (object);

  g_clear_pointer (&self->rooms, g_hash_table_unref);
  g_clear_pointer (&self->waiting, g_hash_table_unref);
  g_clear_pointer (&self->auth, json_node_unref);
  g_free (self->auth_text);
  socketio_client_unref (self->client);
  g_object_unref (self->nsp);

  G_OBJECT_CLASS (socketio_socket_parent_class)->finalize (object);
}

static void
socketio_socket_class_init (SocketioSocketClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

  object_class->get_property = socketio_socket_get_property;
  object_class->finalize = socketio_socket_finalize;

  /**
   * SocketioSocket:id:
   *
   * The socket's id.
   */
  properties[PROP_ID] = g_param_spec_string ("id", NULL, NULL, NULL, flags);
  /**
   * SocketioSocket:connected:
   *
   * Whether it can send and receive.
   */
  properties[PROP_CONNECTED] =
      g_param_spec_boolean ("connected", NULL, NULL, FALSE, flags | G_PARAM_EXPLICIT_NOTIFY);
  /**
   * SocketioSocket:queued-bytes:
   *
   * Bytes sent and not yet handed to the kernel. Not notified; see [signal@Socket::drained].
   */
  properties[PROP_QUEUED_BYTES] =
      g_param_spec_uint64 ("queued-bytes", NULL, NULL, 0, G_MAXUINT64, 0, flags);
  g_object_class_install_properties (object_class, N_PROPS, properties);

  /**
   * SocketioSocket::event:
   * @self: the socket
   * @name: the event's name
   * @args: its arguments
   * @ack: (nullable): to answer with, if the client wants an acknowledgement
   *
   * The client sent an event. The detail is the event's name: `event::chat message`.
   */
  signals[SIGNAL_EVENT] =
      g_signal_new ("event", SOCKETIO_TYPE_SOCKET, G_SIGNAL_RUN_LAST | G_SIGNAL_DETAILED, 0, NULL,
                    NULL, NULL, G_TYPE_NONE, 3, G_TYPE_STRING | G_SIGNAL_TYPE_STATIC_SCOPE,
                    SOCKETIO_TYPE_ARGS, SOCKETIO_TYPE_ACK);
  /**
   * SocketioSocket::disconnected:
   * @self: the socket
   * @reason: why, in the words of the JavaScript server
   *
   * The socket's last signal.
   */
  signals[SIGNAL_DISCONNECTED] =
      g_signal_new ("disconnected", SOCKETIO_TYPE_SOCKET, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                    G_TYPE_NONE, 1, G_TYPE_STRING | G_SIGNAL_TYPE_STATIC_SCOPE);
  /**
   * SocketioSocket::drained:
   * @self: the socket
   *
   * All that was sent has been handed to the kernel (or, while polling, given in answer to a poll).
   */
  signals[SIGNAL_DRAINED] = g_signal_new ("drained", SOCKETIO_TYPE_SOCKET, G_SIGNAL_RUN_LAST, 0,
                                          NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
socketio_socket_init (SocketioSocket *self)
{
}

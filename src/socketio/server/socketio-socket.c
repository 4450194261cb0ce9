/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "socketio-socket.h"

#include <string.h>

#include "socketio-broadcast-private.h"
#include "socketio-json.h"
#include "socketio-namespace-private.h"
#include "socketio-socket-struct-private.h"

G_DEFINE_FINAL_TYPE (SocketioSocket, socketio_socket, G_TYPE_OBJECT)

enum
{
  PROP_0,
  PROP_ID,
  PROP_CONNECTED,
  PROP_RECOVERED,
  PROP_DATA,
  PROP_QUEUED_BYTES,
  N_PROPS,
};

static GParamSpec *properties[N_PROPS];
guint socketio_socket_signals[SOCKETIO_SOCKET_N_SIGNALS];

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
 * Gets the id (`id`).
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
 * Gets the namespace (`nsp`).
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
 * Gets the handshake (`handshake`).
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
 * Says whether the client is there (`connected`).
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
 * socketio_socket_get_data:
 * @self: a socket
 *
 * What the application keeps with the socket; a client that is recovered finds it again (`data`).
 *
 * Returns: (transfer none): an object, empty at first, to be changed in place
 */
JsonObject *
socketio_socket_get_data (SocketioSocket *self)
{
  g_return_val_if_fail (SOCKETIO_IS_SOCKET (self), NULL);

  if (self->data == NULL)
    self->data = json_object_new ();
  return self->data;
}

/**
 * socketio_socket_broadcast:
 * @self: a socket
 *
 * Begins a broadcast to the others.
 *
 * Returns: (transfer full): all sockets of the namespace but this one (`broadcast`)
 */
SocketioBroadcast *
socketio_socket_broadcast (SocketioSocket *self)
{
  SocketioBroadcast *broadcast;

  g_return_val_if_fail (SOCKETIO_IS_SOCKET (self), NULL);

  broadcast = socketio_broadcast_new (self->nsp);
  socketio_broadcast_except (broadcast, self->id);
  return broadcast;
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
 * Ends the socket (`disconnect()`). The client is told by a DISCONNECT packet, and stays away. With
 * @close_connection its sockets in other namespaces end in the same way, and the connection is
 * closed once what is queued is sent. [method@Socket.close_connection] lets clients come back.
 */
void
socketio_socket_disconnect (SocketioSocket *self, gboolean close_connection)
{
  g_autoptr (SocketioSocket) alive G_GNUC_UNUSED = NULL;

  g_return_if_fail (SOCKETIO_IS_SOCKET (self));
  g_return_if_fail (socketio_namespace_is_own_thread (self->nsp));

  if (!self->connected)
    return;

  alive = g_object_ref (self);
  if (close_connection)
    {
      socketio_client_disconnect (self->client);
      return;
    }
  if (self->ending)
    return;
  send_disconnect (self);
  socketio_client_remove_socket (self->client, self);
  socketio_socket_lost (self, "server namespace disconnect");
}

/**
 * socketio_socket_close_connection:
 * @self: a socket
 *
 * Closes the connection, with all its namespaces, once what is queued is sent (`conn.close()`).
 * Clients are not told by a packet: stock ones connect anew. The reason is "forced close".
 */
void
socketio_socket_close_connection (SocketioSocket *self)
{
  g_autoptr (SocketioSocket) alive G_GNUC_UNUSED = NULL;

  g_return_if_fail (SOCKETIO_IS_SOCKET (self));
  g_return_if_fail (socketio_namespace_is_own_thread (self->nsp));

  alive = g_object_ref (self);
  socketio_client_close (self->client, "forced close");
}

/* What happens to a client that wants to stay. */
static gboolean
is_recoverable (const char *reason)
{
  static const char *const reasons[] = { "transport error", "transport close",     "forced close",
                                         "ping timeout",    "forced server close", NULL };

  return g_strv_contains (reasons, reason);
}

void
socketio_socket_lost (SocketioSocket *self, const char *reason)
{
  g_autoptr (SocketioSocket) alive G_GNUC_UNUSED = g_object_ref (self);

  if (!self->connected || self->ending)
    return;

  self->ending = TRUE;
  g_signal_emit (self, socketio_socket_signals[SOCKETIO_SOCKET_SIGNAL_DISCONNECTING], 0, reason);
  self->ending = FALSE;
  self->connected = FALSE;
  socketio_namespace_remove (self->nsp, self, is_recoverable (reason));
  g_clear_pointer (&self->log, socketio_log_free);
  if (self->waiting != NULL)
    socketio_ack_waits_fail (self->waiting);
  g_signal_emit (self, socketio_socket_signals[SOCKETIO_SOCKET_SIGNAL_DISCONNECTED], 0, reason);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_CONNECTED]);
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
    case PROP_RECOVERED:
      g_value_set_boolean (value, self->recovered);
      break;
    case PROP_DATA:
      g_value_set_boxed (value, socketio_socket_get_data (self));
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
  g_clear_pointer (&self->waiting, socketio_ack_waits_free);
  g_clear_pointer (&self->filter, socketio_filter_unref);
  g_clear_pointer (&self->data, json_object_unref);
  g_clear_pointer (&self->log, socketio_log_free);
  g_clear_pointer (&self->auth, json_node_unref);
  g_free (self->auth_text);
  socketio_client_unref (self->client);
  g_object_unref (self->nsp);

  G_OBJECT_CLASS (socketio_socket_parent_class)->finalize (object);
}

static void
install_properties (GObjectClass *object_class)
{
  GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

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
   * SocketioSocket:recovered:
   *
   * Whether the client came back to what it was.
   */
  properties[PROP_RECOVERED] = g_param_spec_boolean ("recovered", NULL, NULL, FALSE, flags);
  /**
   * SocketioSocket:data:
   *
   * What the application keeps with the socket.
   */
  properties[PROP_DATA] = g_param_spec_boxed ("data", NULL, NULL, JSON_TYPE_OBJECT, flags);
  /**
   * SocketioSocket:queued-bytes:
   *
   * Bytes sent and not yet handed to the kernel. Not notified; see [signal@Socket::drained].
   */
  properties[PROP_QUEUED_BYTES] =
      g_param_spec_uint64 ("queued-bytes", NULL, NULL, 0, G_MAXUINT64, 0, flags);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
install_event_signals (void)
{
  /**
   * SocketioSocket::event:
   * @self: the socket
   * @name: the event's name
   * @args: its arguments
   * @ack: (nullable): to answer with, if the client wants an acknowledgement
   *
   * The client sent an event. The detail is the event's name: `event::chat message`.
   */
  socketio_socket_signals[SOCKETIO_SOCKET_SIGNAL_EVENT] =
      g_signal_new ("event", SOCKETIO_TYPE_SOCKET, G_SIGNAL_RUN_LAST | G_SIGNAL_DETAILED, 0, NULL,
                    NULL, NULL, G_TYPE_NONE, 3, G_TYPE_STRING | G_SIGNAL_TYPE_STATIC_SCOPE,
                    SOCKETIO_TYPE_ARGS, SOCKETIO_TYPE_ACK);
  /**
   * SocketioSocket::outgoing:
   * @self: the socket
   * @name: the event's name
   * @args: its arguments
   *
   * An event is about to be sent to the client. The detail is the event's name (`onAnyOutgoing()`).
   */
  socketio_socket_signals[SOCKETIO_SOCKET_SIGNAL_OUTGOING] = g_signal_new (
      "outgoing", SOCKETIO_TYPE_SOCKET, G_SIGNAL_RUN_LAST | G_SIGNAL_DETAILED, 0, NULL, NULL, NULL,
      G_TYPE_NONE, 2, G_TYPE_STRING | G_SIGNAL_TYPE_STATIC_SCOPE, SOCKETIO_TYPE_ARGS);
  /**
   * SocketioSocket::refused:
   * @self: the socket
   * @name: the event's name
   * @message: why
   * @ack: (nullable): to answer with, if the client wants an acknowledgement
   *
   * The event filter refused an event that came in (`error`).
   */
  socketio_socket_signals[SOCKETIO_SOCKET_SIGNAL_REFUSED] =
      g_signal_new ("refused", SOCKETIO_TYPE_SOCKET, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                    G_TYPE_NONE, 3, G_TYPE_STRING | G_SIGNAL_TYPE_STATIC_SCOPE,
                    G_TYPE_STRING | G_SIGNAL_TYPE_STATIC_SCOPE, SOCKETIO_TYPE_ACK);
}

static void
install_connection_signals (void)
{
  /**
   * SocketioSocket::disconnecting:
   * @self: the socket
   * @reason: why, in the words of the JavaScript server
   *
   * The socket is about to leave its rooms, which can still be read (`disconnecting`). What is sent
   * to it from here on arrives only if the client is recovered.
   */
  socketio_socket_signals[SOCKETIO_SOCKET_SIGNAL_DISCONNECTING] =
      g_signal_new ("disconnecting", SOCKETIO_TYPE_SOCKET, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                    G_TYPE_NONE, 1, G_TYPE_STRING | G_SIGNAL_TYPE_STATIC_SCOPE);
  /**
   * SocketioSocket::disconnected:
   * @self: the socket
   * @reason: why, in the words of the JavaScript server
   *
   * The socket's last signal.
   */
  socketio_socket_signals[SOCKETIO_SOCKET_SIGNAL_DISCONNECTED] =
      g_signal_new ("disconnected", SOCKETIO_TYPE_SOCKET, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                    G_TYPE_NONE, 1, G_TYPE_STRING | G_SIGNAL_TYPE_STATIC_SCOPE);
  /**
   * SocketioSocket::drained:
   * @self: the socket
   *
   * All that was sent has been handed to the kernel (or, while polling, given in answer to a poll),
   * but for [property@Server:low-mark] bytes.
   */
  socketio_socket_signals[SOCKETIO_SOCKET_SIGNAL_DRAINED] = g_signal_new (
      "drained", SOCKETIO_TYPE_SOCKET, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
socketio_socket_class_init (SocketioSocketClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = socketio_socket_get_property;
  object_class->finalize = socketio_socket_finalize;
  install_properties (object_class);
  install_event_signals ();
  install_connection_signals ();
}

static void
socketio_socket_init (SocketioSocket *self)
{
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "socketio-socket.h"

#include <string.h>

#include "socketio-ack-waits-private.h"
#include "socketio-args-private.h"
#include "socketio-broadcast-private.h"
#include "socketio-decision-private.h"
#include "socketio-error.h"
#include "socketio-id.h"
#include "socketio-json.h"
#include "socketio-namespace-private.h"
#include "socketio-recovery-private.h"

/* What a client that is ready for volatile events has waiting, at most. */
#define VOLATILE_MARK (16 * 1024)

/* The function that incoming events have to pass. */
typedef struct
{
  grefcount ref_count;
  SocketioEventFilter func;
  gpointer user_data;
  GDestroyNotify destroy;
} Filter;

/* An event on its way through it. */
typedef struct
{
  SocketioSocket *socket;
  Filter *filter;
  char *event;
  SocketioArgs *args;
  SocketioAck *ack; /* nullable */
} Passage;

struct _SocketioSocket
{
  GObject parent_instance;

  SocketioNamespace *nsp; /* owned */
  SocketioClient *client; /* owned */
  /* The auth payload as JSON text; NULL if there was none. Its tree, many times as large, is made
   * when somebody asks, and kept until settled or to the end. */
  char *auth_text;
  JsonNode *auth;
  JsonObject *data;          /* NULL until somebody asks for it */
  GHashTable *rooms;         /* names; NULL if it is in none */
  SocketioAckWaits *waiting; /* NULL if nothing ever waited */
  Filter *filter;            /* nullable */
  gint64 next_ack;

  SocketioLog *log;       /* what may have to be sent again; NULL: nothing */
  guint64 ping_offset;    /* the newest event that was sent before the last ping */
  guint64 claimed_offset; /* the newest event that a client which comes back has seen */

  guint connected : 1;
  guint recovered : 1;
  char id[SOCKETIO_ID_LENGTH + 1];
  /* Proves to be the same client when it comes back; empty: it cannot. */
  char secret[SOCKETIO_ID_LENGTH + 1];
};

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

enum
{
  SIGNAL_EVENT,
  SIGNAL_OUTGOING,
  SIGNAL_REFUSED,
  SIGNAL_DISCONNECTED,
  SIGNAL_DRAINED,
  N_SIGNALS,
};

static GParamSpec *properties[N_PROPS];
static guint signals[N_SIGNALS];

static void
filter_unref (Filter *filter)
{
  if (!g_ref_count_dec (&filter->ref_count))
    return;
  if (filter->destroy != NULL)
    filter->destroy (filter->user_data);
  g_free (filter);
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
 * socketio_socket_is_recovered:
 * @self: a socket
 *
 * Says whether the client was here before.
 *
 * Returns: whether the client came back to what it was before it lost its connection: the socket
 *   has the id, the rooms and the data that it had, and nothing that was sent is missing
 *   (`recovered`)
 */
gboolean
socketio_socket_is_recovered (SocketioSocket *self)
{
  g_return_val_if_fail (SOCKETIO_IS_SOCKET (self), FALSE);

  return self->recovered;
}

/**
 * socketio_socket_get_recovered_offset:
 * @self: a socket
 *
 * Gets what the client has seen before it was away.
 *
 * Returns: the offset of the newest event that the client had before it was recovered; 0 if it had
 *   none, or was not recovered
 */
guint64
socketio_socket_get_recovered_offset (SocketioSocket *self)
{
  g_return_val_if_fail (SOCKETIO_IS_SOCKET (self), 0);

  return self->claimed_offset;
}

/**
 * socketio_socket_get_recoverable:
 * @self: a socket
 *
 * Says whether the client may come back to what it was.
 *
 * Returns: whether the client may come back to what it was, if it loses its connection or has
 *   just lost it
 */
gboolean
socketio_socket_get_recoverable (SocketioSocket *self)
{
  g_return_val_if_fail (SOCKETIO_IS_SOCKET (self), FALSE);

  return socketio_socket_is_tracked (self);
}

/**
 * socketio_socket_set_recoverable:
 * @self: a socket
 * @recoverable: whether the client may come back to what it was; only %FALSE for one that is
 *   connected
 *
 * Takes a client out of connection state recovery, which is otherwise a matter of
 * [property@Server:recovery-window] alone. Its events then carry no offset, as an additional last
 * argument, which clients hand on to the handlers of the event.
 */
void
socketio_socket_set_recoverable (SocketioSocket *self, gboolean recoverable)
{
  g_return_if_fail (SOCKETIO_IS_SOCKET (self));
  g_return_if_fail (!recoverable || !self->connected);

  if (recoverable == socketio_socket_is_tracked (self)
      || socketio_namespace_get_recovery (self->nsp) == NULL
      || socketio_client_get_protocol (self->client) != 4)
    return;
  if (!self->connected)
    socketio_socket_renew (self);
  if (!recoverable)
    {
      self->secret[0] = '\0';
      g_clear_pointer (&self->log, socketio_log_free);
    }
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

/**
 * socketio_socket_set_event_filter:
 * @self: a socket
 * @filter: (scope notified) (nullable): decides on each event that comes in
 * @user_data: for @filter
 * @destroy: for @user_data
 *
 * Puts a function before all handlers of events (`use()` of a socket). What it refuses is told by
 * [signal@Socket::refused].
 */
void
socketio_socket_set_event_filter (SocketioSocket *self,
                                  SocketioEventFilter filter,
                                  gpointer user_data,
                                  GDestroyNotify destroy)
{
  g_return_if_fail (SOCKETIO_IS_SOCKET (self));

  g_clear_pointer (&self->filter, filter_unref);
  if (filter == NULL)
    return;
  self->filter = g_new (Filter, 1);
  g_ref_count_init (&self->filter->ref_count);
  self->filter->func = filter;
  self->filter->user_data = user_data;
  self->filter->destroy = destroy;
}

/**
 * socketio_socket_dup_rooms:
 * @self: a socket
 *
 * Lists the rooms (`rooms`).
 *
 * Returns: (transfer full) (array zero-terminated=1): the names of the rooms that it is in
 *   (`rooms`), but for its own id, by which it can be addressed like a room
 */
char **
socketio_socket_dup_rooms (SocketioSocket *self)
{
  GStrvBuilder *builder;
  GHashTableIter iter;
  gpointer room;
  char **rooms;

  g_return_val_if_fail (SOCKETIO_IS_SOCKET (self), NULL);

  builder = g_strv_builder_new ();
  if (self->rooms != NULL)
    {
      g_hash_table_iter_init (&iter, self->rooms);
      while (g_hash_table_iter_next (&iter, &room, NULL))
        g_strv_builder_add (builder, room);
    }
  rooms = g_strv_builder_end (builder);
  g_strv_builder_unref (builder);
  return rooms;
}

gboolean
socketio_socket_is_tracked (SocketioSocket *self)
{
  return self->secret[0] != '\0' && socketio_namespace_get_recovery (self->nsp) != NULL;
}

const char *
socketio_socket_get_secret (SocketioSocket *self)
{
  return self->secret;
}

void
socketio_socket_renew_secret (SocketioSocket *self)
{
  socketio_id_generate (self->secret);
}

void
socketio_socket_renew (SocketioSocket *self)
{
  socketio_id_generate (self->id);
  socketio_id_generate (self->secret);
  self->recovered = FALSE;
  self->claimed_offset = 0;
  g_clear_pointer (&self->data, json_object_unref);
}

void
socketio_socket_assume (SocketioSocket *self,
                        const char *id,
                        const char *secret,
                        JsonObject *data,
                        guint64 offset)
{
  memcpy (self->id, id, SOCKETIO_ID_LENGTH);
  memcpy (self->secret, secret, SOCKETIO_ID_LENGTH);
  self->data = data != NULL ? json_object_ref (data) : NULL;
  self->claimed_offset = offset;
  self->recovered = TRUE;
}

JsonObject *
socketio_socket_peek_data (SocketioSocket *self)
{
  return self->data;
}

SocketioLog *
socketio_socket_peek_log (SocketioSocket *self)
{
  return self->log;
}

SocketioLog *
socketio_socket_steal_log (SocketioSocket *self)
{
  return g_steal_pointer (&self->log);
}

void
socketio_socket_set_log (SocketioSocket *self, SocketioLog *log)
{
  g_clear_pointer (&self->log, socketio_log_free);
  self->log = log;
}

void
socketio_socket_abort (SocketioSocket *self, const char *reason)
{
  socketio_client_abort (self->client, reason);
}

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
  if (!self->connected || !socketio_client_send_array (self->client, packets))
    return FALSE;

  if (g_signal_has_handler_pending (self, signals[SIGNAL_DRAINED], 0, FALSE))
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
  g_signal_emit (self, signals[SIGNAL_OUTGOING], g_quark_try_string (event), event,
                 args != NULL ? args : parsed);
}

/* @packets: the event, encoded with its offset; that is 0 if it is not to be sent again */
static gboolean
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
    return FALSE;
  if ((flags & SOCKETIO_EMIT_VOLATILE) && !socketio_client_is_ready (self->client, VOLATILE_MARK))
    {
      socketio_client_count_drop (self->client);
      return FALSE;
    }

  if (G_UNLIKELY (g_signal_has_handler_pending (self, signals[SIGNAL_OUTGOING], 0, TRUE)))
    {
      tell_outgoing (self, event, args, json_args);
      if (!self->connected)
        return FALSE;
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
  if (!socketio_client_send (self->client, packets, n_packets))
    return FALSE;
  if (g_signal_has_handler_pending (self, signals[SIGNAL_DRAINED], 0, FALSE))
    socketio_client_notify_drained (self->client);
  return TRUE;
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
                     packets->len, offset, flags);
}

static guint64
next_offset (SocketioSocket *self)
{
  return socketio_socket_is_tracked (self)
             ? socketio_recovery_next_offset (socketio_namespace_get_recovery (self->nsp))
             : 0;
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
  g_autoptr (GArray) packets = NULL;
  guint64 offset;

  g_return_val_if_fail (SOCKETIO_IS_SOCKET (self), FALSE);
  g_return_val_if_fail (event != NULL, FALSE);

  if (!self->connected)
    return FALSE;
  offset = flags & SOCKETIO_EMIT_VOLATILE ? 0 : next_offset (self);
  packets = socketio_packet_encode_tracked_event (socketio_namespace_get_name (self->nsp), event,
                                                  args, offset);
  return socketio_socket_send_event (self, event, args, NULL, packets, offset, flags);
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
  g_return_val_if_fail (event != NULL, FALSE);

  if (!self->connected)
    return FALSE;

  offset = next_offset (self);
  packet =
      engineio_packet_take (socketio_packet_encode_event_json (
                                socketio_namespace_get_name (self->nsp), event, json_args, offset),
                            FALSE);
  sent = send_event (self, event, NULL, json_args, &packet, 1, offset, SOCKETIO_EMIT_DEFAULT);
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
  gint64 id;

  g_return_if_fail (SOCKETIO_IS_SOCKET (self));
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
  if (!socketio_socket_send_event (self, event, args, NULL, packets, 0, SOCKETIO_EMIT_DEFAULT))
    {
      g_autoptr (GTask) failed = socketio_ack_waits_take (self->waiting, id);

      /* unless losing the connection has ended it already */
      if (failed == NULL)
        return;
      g_task_return_new_error (failed, SOCKETIO_ERROR, SOCKETIO_ERROR_NOT_CONNECTED,
                               "The socket is not connected");
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
 *   %SOCKETIO_ERROR_DISCONNECTED, %SOCKETIO_ERROR_NOT_CONNECTED or %G_IO_ERROR_CANCELLED
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
 * Says whether the socket is in a room.
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

/* What happens to a client that wants to stay. */
static gboolean
is_recoverable (const char *reason)
{
  static const char *const reasons[] = { "transport error", "transport close", "forced close",
                                         "ping timeout", NULL };

  return g_strv_contains (reasons, reason);
}

void
socketio_socket_lost (SocketioSocket *self, const char *reason)
{
  g_autoptr (SocketioSocket) alive G_GNUC_UNUSED = g_object_ref (self);

  if (!self->connected)
    return;

  self->connected = FALSE;
  socketio_namespace_remove (self->nsp, self, is_recoverable (reason));
  g_clear_pointer (&self->log, socketio_log_free);
  if (self->waiting != NULL)
    socketio_ack_waits_fail (self->waiting);
  g_signal_emit (self, signals[SIGNAL_DISCONNECTED], 0, reason);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_CONNECTED]);
}

static void
deliver_event (SocketioSocket *self, const char *event, SocketioArgs *args, SocketioAck *ack)
{
  /* A name that nobody listens for has no quark, and gets none: what peers send is never interned.
   * Handlers without a detail hear of it all the same. */
  g_signal_emit (self, signals[SIGNAL_EVENT], g_quark_try_string (event), event, args, ack);
}

static void
passed_cb (gboolean allowed, const char *message, const char *data, gpointer user_data)
{
  Passage *passage = user_data;

  if (passage->socket->connected && allowed)
    deliver_event (passage->socket, passage->event, passage->args, passage->ack);
  else if (passage->socket->connected)
    g_signal_emit (passage->socket, signals[SIGNAL_REFUSED], 0, passage->event,
                   message != NULL ? message : "Refused", passage->ack);
  g_object_unref (passage->socket);
  filter_unref (passage->filter);
  g_free (passage->event);
  socketio_args_unref (passage->args);
  g_clear_pointer (&passage->ack, socketio_ack_unref);
  g_free (passage);
}

static void
filter_event (SocketioSocket *self, const char *event, SocketioArgs *args, SocketioAck *ack)
{
  Passage *passage = g_new (Passage, 1);
  g_autoptr (SocketioDecision) decision = socketio_decision_new (passed_cb, passage);
  Filter *filter = self->filter;

  g_ref_count_inc (&filter->ref_count);
  *passage = (Passage){ g_object_ref (self), filter, g_strdup (event), socketio_args_ref (args),
                        ack != NULL ? socketio_ack_ref (ack) : NULL };
  filter->func (self, event, args, decision, filter->user_data);
}

void
socketio_socket_handle_event (SocketioSocket *self,
                              const char *event,
                              SocketioArgs *args,
                              gint64 id)
{
  g_autoptr (SocketioSocket) alive G_GNUC_UNUSED = g_object_ref (self);
  g_autoptr (SocketioAck) ack = id >= 0 ? socketio_ack_new (self, id) : NULL;

  if (self->filter != NULL)
    filter_event (self, event, args, ack);
  else
    deliver_event (self, event, args, ack);
}

void
socketio_socket_handle_ack (SocketioSocket *self, gint64 id, SocketioArgs *args)
{
  g_autoptr (GTask) task =
      self->waiting != NULL ? socketio_ack_waits_take (self->waiting, id) : NULL;

  /* an ack that nobody waits for (any more) is ignored */
  if (task != NULL)
    g_task_return_pointer (task, socketio_args_ref (args), (GDestroyNotify) socketio_args_unref);
}

/* The answer to a ping says that all that was sent before it has arrived. */
void
socketio_socket_handle_heartbeat (SocketioSocket *self, gboolean answered)
{
  if (self->log == NULL)
    return;
  if (answered)
    socketio_log_trim (self->log, self->ping_offset);
  else
    self->ping_offset = socketio_log_get_last (self->log);
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
  g_clear_pointer (&self->filter, filter_unref);
  g_clear_pointer (&self->data, json_object_unref);
  g_clear_pointer (&self->log, socketio_log_free);
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
   * SocketioSocket::outgoing:
   * @self: the socket
   * @name: the event's name
   * @args: its arguments
   *
   * An event is about to be sent to the client. The detail is the event's name (`onAnyOutgoing()`).
   */
  signals[SIGNAL_OUTGOING] = g_signal_new (
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
  signals[SIGNAL_REFUSED] =
      g_signal_new ("refused", SOCKETIO_TYPE_SOCKET, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                    G_TYPE_NONE, 3, G_TYPE_STRING | G_SIGNAL_TYPE_STATIC_SCOPE,
                    G_TYPE_STRING | G_SIGNAL_TYPE_STATIC_SCOPE, SOCKETIO_TYPE_ACK);
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

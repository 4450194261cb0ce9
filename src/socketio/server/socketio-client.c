/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "socketio-client-private.h"

#include "socketio-decoder.h"
#include "socketio-json.h"
#include "socketio-namespace-private.h"
#include "socketio-server-private.h"

/* So many namespaces may be undecided at a time. */
#define MAX_UNDECIDED 64

struct _SocketioClient
{
  grefcount ref_count;
  SocketioServer *server;   /* not owned; NULL once closed */
  EngineioSession *session; /* owned; NULL once closed */
  SocketioHandshake *handshake;
  GPtrArray *sockets; /* of SocketioSocket, one a namespace; NULL while there is none */
  GPtrArray *joining; /* of SocketioSocket: those that middleware decides on; likewise */
  GPtrArray *looking; /* of Looking, not owned: namespaces that may be made; likewise */
  SocketioDecoder decoder;
  SocketioTimer connect_timer; /* while there is no socket */
  guint protocol;              /* of Engine.IO */
  /* namespaces that are decided on; who gives one up does not make the application's work less */
  guint n_undecided;
};

/* A namespace that a client asks for, until it is known whether there is one. */
typedef struct
{
  SocketioClient *client; /* owned */
  char *name;
  JsonNode *auth; /* nullable */
} Looking;

static void
connect_timeout_cb (gpointer user_data)
{
  SocketioClient *self = user_data;

  engineio_session_close (self->session, "forced close");
}

static void
start_connect_timer (SocketioClient *self)
{
  socketio_reactor_start_timer (socketio_server_get_reactor (self->server), &self->connect_timer,
                                socketio_server_get_connect_timeout (self->server),
                                connect_timeout_cb, self);
}

static void
stop_connect_timer (SocketioClient *self)
{
  socketio_reactor_stop_timer (socketio_server_get_reactor (self->server), &self->connect_timer);
}

static SocketioSocket *
find_socket (GPtrArray *sockets, const char *nsp)
{
  for (guint i = 0; sockets != NULL && i < sockets->len; i++)
    {
      SocketioSocket *socket = g_ptr_array_index (sockets, i);
      SocketioNamespace *own = socketio_socket_get_namespace (socket);

      if (g_str_equal (socketio_namespace_get_name (own), nsp))
        return socket;
    }
  return NULL;
}

void
socketio_client_remove_socket (SocketioClient *self, SocketioSocket *socket)
{
  if (self->sockets == NULL || !g_ptr_array_remove_fast (self->sockets, socket))
    return;
  if (self->sockets->len > 0)
    return;

  g_clear_pointer (&self->sockets, g_ptr_array_unref);
  if (self->server != NULL)
    start_connect_timer (self);
}

static void
send_plain (SocketioClient *self, SocketioPacketType type, const char *nsp, const char *json)
{
  EngineioPacket packet =
      engineio_packet_take (socketio_packet_encode_plain (type, nsp, json), FALSE);

  if (type == SOCKETIO_PACKET_CONNECT_ERROR)
    socketio_client_count (self, SOCKETIO_COUNTER_CONNECT_ERRORS);
  socketio_client_send (self, &packet, 1);
  engineio_packet_clear (&packet);
}

static void
send_connected (SocketioClient *self, SocketioSocket *socket, const char *nsp)
{
  g_autofree char *json = NULL;

  /* clients of protocol 3 know no payload here */
  if (self->protocol == 4)
    {
      const char *id = socketio_socket_get_id (socket);

      if (socketio_socket_is_tracked (socket))
        json = g_strdup_printf ("{\"sid\":\"%s\",\"pid\":\"%s%s\"}", id, id,
                                socketio_socket_get_secret (socket));
      else
        json = g_strdup_printf ("{\"sid\":\"%s\"}", id);
    }
  send_plain (self, SOCKETIO_PACKET_CONNECT, nsp, json);
}

/* Clients of protocol 3 are told of a middleware's data, or else its message, alone. */
static void
send_refusal (SocketioClient *self, const char *nsp, const char *message, const char *data)
{
  g_autoptr (GString) json = g_string_new (NULL);

  if (self->protocol == 3)
    {
      if (data != NULL)
        g_string_append (json, data);
      else
        socketio_json_append_string (json, message, -1);
    }
  else
    {
      g_string_append (json, "{\"message\":");
      socketio_json_append_string (json, message, -1);
      if (data != NULL)
        g_string_append_printf (json, ",\"data\":%s", data);
      g_string_append_c (json, '}');
    }
  send_plain (self, SOCKETIO_PACKET_CONNECT_ERROR, nsp, json->str);
}

static void
add_socket (GPtrArray **sockets, SocketioSocket *socket)
{
  if (*sockets == NULL)
    *sockets = g_ptr_array_new_with_free_func (g_object_unref);
  g_ptr_array_add (*sockets, g_object_ref (socket));
}

/* FALSE if it was not among those that join: the client went, or gave it up. */
static gboolean
end_joining (SocketioClient *self, SocketioSocket *socket)
{
  if (self->joining == NULL || !g_ptr_array_remove_fast (self->joining, socket))
    return FALSE;
  if (self->joining->len == 0)
    g_clear_pointer (&self->joining, g_ptr_array_unref);
  return TRUE;
}

/* Takes over what the socket was before. FALSE if the connection ended over that. */
static gboolean
restore (SocketioClient *self, SocketioSocket *socket, GArray **missed)
{
  SocketioNamespace *nsp = socketio_socket_get_namespace (socket);
  SocketioRecovery *recovery = socketio_namespace_get_recovery (nsp);

  *missed = recovery != NULL ? socketio_recovery_take_over (recovery, socket) : NULL;
  if (self->session != NULL)
    return TRUE;

  /* handlers of the old socket's end did that */
  if (*missed != NULL)
    socketio_namespace_remove (nsp, socket, TRUE);
  g_clear_pointer (missed, g_array_unref);
  return FALSE;
}

static void
let_in (SocketioClient *self, SocketioSocket *socket)
{
  SocketioNamespace *nsp = socketio_socket_get_namespace (socket);
  g_autoptr (GArray) missed = NULL;

  if (!restore (self, socket, &missed))
    return;

  stop_connect_timer (self);
  add_socket (&self->sockets, socket);
  socketio_socket_set_connected (socket);
  socketio_namespace_add (nsp, socket);
  send_connected (self, socket, socketio_namespace_get_name (nsp));
  if (missed != NULL && missed->len > 0)
    socketio_client_send_array (self, missed);
  if (socketio_socket_is_connected (socket))
    socketio_namespace_emit_connect (nsp, socket);
  socketio_socket_settle (socket);
}

static void
admitted_cb (SocketioSocket *socket,
             gboolean allowed,
             const char *message,
             const char *data,
             gpointer user_data)
{
  g_autoptr (SocketioClient) self = socketio_client_ref (user_data);
  g_autoptr (SocketioSocket) alive = g_object_ref (socket);

  self->n_undecided--;
  if (!end_joining (self, socket))
    return;
  if (allowed)
    let_in (self, alive);
  else
    send_refusal (self, socketio_namespace_get_name (socketio_socket_get_namespace (socket)),
                  message, data);
}

static void
join_namespace (SocketioClient *self, SocketioNamespace *nsp, JsonNode *auth)
{
  g_autoptr (SocketioSocket) socket = NULL;
  SocketioRecovery *recovery;

  socket = socketio_socket_new (nsp, self, auth);
  recovery = socketio_namespace_get_recovery (nsp);
  if (recovery != NULL && self->protocol == 4)
    socketio_recovery_identify (recovery, socket, auth);
  add_socket (&self->joining, socket);
  /* the socket, which the admission holds, holds the client */
  socketio_namespace_admit (nsp, socket, admitted_cb, self);
}

static Looking *
find_looking (SocketioClient *self, const char *name)
{
  for (guint i = 0; self->looking != NULL && i < self->looking->len; i++)
    {
      Looking *looking = g_ptr_array_index (self->looking, i);

      if (g_str_equal (looking->name, name))
        return looking;
    }
  return NULL;
}

/* FALSE if it was given up. */
static gboolean
end_looking (SocketioClient *self, Looking *looking)
{
  if (self->looking == NULL || !g_ptr_array_remove_fast (self->looking, looking))
    return FALSE;
  if (self->looking->len == 0)
    g_clear_pointer (&self->looking, g_ptr_array_unref);
  return TRUE;
}

static void
found_cb (SocketioNamespace *nsp, gpointer user_data)
{
  Looking *looking = user_data;
  g_autoptr (SocketioClient) self = looking->client;
  gboolean wanted = end_looking (self, looking);

  if (wanted && nsp != NULL)
    join_namespace (self, nsp, looking->auth);
  else
    self->n_undecided--;
  if (wanted && nsp == NULL)
    /* the reference server tells all clients so */
    send_plain (self, SOCKETIO_PACKET_CONNECT_ERROR, looking->name,
                "{\"message\":\"Invalid namespace\"}");
  g_clear_pointer (&looking->auth, json_node_unref);
  g_free (looking->name);
  g_free (looking);
}

/* Socket.IO protocol, "Connection to a namespace" */
static void
connect_namespace (SocketioClient *self, const char *name, JsonNode *auth)
{
  Looking *looking;

  if (self->n_undecided >= MAX_UNDECIDED)
    {
      send_plain (self, SOCKETIO_PACKET_CONNECT_ERROR, name,
                  "{\"message\":\"Too many namespaces at a time\"}");
      return;
    }

  looking = g_new (Looking, 1);
  *looking = (Looking){ socketio_client_ref (self), g_strdup (name),
                        auth != NULL ? json_node_ref (auth) : NULL };
  if (self->looking == NULL)
    self->looking = g_ptr_array_new ();
  g_ptr_array_add (self->looking, looking);
  self->n_undecided++;
  socketio_server_find_namespace (self->server, name, auth, found_cb, looking);
}

/* FALSE if the packet makes no sense now: the connection is to be closed. */
static gboolean
handle_packet (SocketioClient *self, SocketioPacket *packet)
{
  SocketioSocket *socket = find_socket (self->sockets, packet->nsp);
  SocketioSocket *joining = find_socket (self->joining, packet->nsp);
  Looking *looking = find_looking (self, packet->nsp);

  if (packet->type == SOCKETIO_PACKET_CONNECT)
    {
      /* clients of protocol 3 may greet the main namespace, where they are already */
      if (socket != NULL || joining != NULL || looking != NULL)
        return self->protocol == 3;
      connect_namespace (self, packet->nsp, packet->data);
      return TRUE;
    }
  if (joining != NULL && packet->type == SOCKETIO_PACKET_DISCONNECT)
    return end_joining (self, joining);
  if (looking != NULL && packet->type == SOCKETIO_PACKET_DISCONNECT)
    return end_looking (self, looking);
  if (socket == NULL)
    return FALSE;

  switch (packet->type)
    {
    case SOCKETIO_PACKET_EVENT:
      socketio_socket_handle_event (socket, packet->event, packet->args, packet->id);
      return TRUE;
    case SOCKETIO_PACKET_ACK:
      socketio_socket_handle_ack (socket, packet->id, packet->args);
      return TRUE;
    case SOCKETIO_PACKET_DISCONNECT:
      g_object_ref (socket);
      socketio_client_remove_socket (self, socket);
      socketio_socket_lost (socket, "client namespace disconnect");
      g_object_unref (socket);
      return TRUE;
    default:
      return FALSE;
    }
}

static void
message_cb (EngineioSession *session, const EngineioPacket *message, gpointer user_data)
{
  g_autoptr (SocketioClient) self = socketio_client_ref (user_data);
  g_autoptr (SocketioPacket) packet = NULL;
  g_autoptr (GError) error = NULL;
  gboolean ok;

  if (message->binary)
    ok = socketio_decoder_feed_binary (&self->decoder, message->data, &packet, &error);
  else
    {
      gsize length;
      const char *text = g_bytes_get_data (message->data, &length);

      ok = socketio_decoder_feed_text (&self->decoder, text + 1, length - 1, &packet, &error);
    }

  if (ok && packet != NULL)
    ok = handle_packet (self, packet);
  if (!ok && self->session != NULL)
    {
      /* the JavaScript server's words, to the letter: what Engine.IO could read is no parse error
       */
      const char *reason =
          engineio_session_get_queued (self->session) > 0 ? "forced server close" : "forced close";

      g_debug ("A client sent what makes no sense: %s",
               error != NULL ? error->message : "packet out of place");
      if (error != NULL)
        engineio_session_close_unread (self->session, reason);
      else
        engineio_session_close (self->session, reason);
    }
}

static void
drained_cb (EngineioSession *session, gpointer user_data)
{
  g_autoptr (SocketioClient) self = socketio_client_ref (user_data);
  g_autoptr (GPtrArray) sockets = NULL;

  if (self->sockets == NULL)
    return;
  sockets = g_ptr_array_copy (self->sockets, (GCopyFunc) (GCallback) g_object_ref, NULL);
  for (guint i = 0; i < sockets->len; i++)
    socketio_socket_handle_drained (g_ptr_array_index (sockets, i));
}

static void
heartbeat_cb (EngineioSession *session, gboolean answered, gpointer user_data)
{
  SocketioClient *self = user_data;

  for (guint i = 0; self->sockets != NULL && i < self->sockets->len; i++)
    socketio_socket_handle_heartbeat (g_ptr_array_index (self->sockets, i), answered);
}

static void
closed_cb (EngineioSession *session, const char *reason, gpointer user_data)
{
  g_autoptr (SocketioClient) self = socketio_client_ref (user_data);
  g_autoptr (GPtrArray) sockets = g_steal_pointer (&self->sockets);
  g_autoptr (GPtrArray) joining G_GNUC_UNUSED = g_steal_pointer (&self->joining);
  g_autoptr (GPtrArray) looking G_GNUC_UNUSED = g_steal_pointer (&self->looking);
  g_autoptr (SocketioHandshake) handshake =
      socketio_handshake_ref (engineio_session_get_handshake (session));
  SocketioServer *server = g_object_ref (self->server);

  stop_connect_timer (self);
  socketio_decoder_clear (&self->decoder);
  self->server = NULL;
  g_clear_pointer (&self->session, engineio_session_unref);
  socketio_server_remove_client (server, self, handshake);
  for (guint i = 0; sockets != NULL && i < sockets->len; i++)
    socketio_socket_lost (g_ptr_array_index (sockets, i), reason);
  g_object_unref (server);
}

static const EngineioSessionFuncs session_funcs = {
  .message = message_cb,
  .drained = drained_cb,
  .heartbeat = heartbeat_cb,
  .closed = closed_cb,
};

SocketioClient *
socketio_client_new (SocketioServer *server, EngineioSession *session)
{
  SocketioClient *self = g_new0 (SocketioClient, 1);

  g_ref_count_init (&self->ref_count);
  self->server = server;
  self->session = engineio_session_ref (session);
  self->handshake = socketio_handshake_ref (engineio_session_get_handshake (session));
  self->protocol = engineio_session_get_protocol (session);
  engineio_session_set_funcs (session, &session_funcs, self);
  start_connect_timer (self);
  return self;
}

void
socketio_client_start (SocketioClient *self)
{
  /* clients of protocol 3 are in the main namespace without asking */
  if (self->protocol == 3)
    connect_namespace (self, "/", NULL);
}

SocketioClient *
socketio_client_ref (SocketioClient *self)
{
  g_ref_count_inc (&self->ref_count);
  return self;
}

void
socketio_client_unref (SocketioClient *self)
{
  if (!g_ref_count_dec (&self->ref_count))
    return;

  g_assert (self->session == NULL);
  socketio_handshake_unref (self->handshake);
  g_free (self);
}

gboolean
socketio_client_send (SocketioClient *self, const EngineioPacket *packets, guint n_packets)
{
  return self->session != NULL && engineio_session_send (self->session, packets, n_packets);
}

gboolean
socketio_client_send_array (SocketioClient *self, GArray *packets)
{
  return socketio_client_send (self, (const EngineioPacket *) packets->data, packets->len);
}

gsize
socketio_client_get_queued (SocketioClient *self)
{
  return self->session != NULL ? engineio_session_get_queued (self->session) : 0;
}

void
socketio_client_notify_drained (SocketioClient *self)
{
  if (self->session != NULL)
    engineio_session_notify_drained (self->session);
}

SocketioHandshake *
socketio_client_get_handshake (SocketioClient *self)
{
  return self->handshake;
}

const char *
socketio_client_get_transport (SocketioClient *self)
{
  EngineioTransport *transport =
      self->session != NULL ? engineio_session_get_transport (self->session) : NULL;

  return transport != NULL ? engineio_transport_get_name (transport) : NULL;
}

guint
socketio_client_get_protocol (SocketioClient *self)
{
  return self->protocol;
}

gboolean
socketio_client_is_ready (SocketioClient *self)
{
  return self->session != NULL && engineio_session_is_ready (self->session);
}

gboolean
socketio_client_refuses (SocketioClient *self)
{
  return self->session != NULL && engineio_session_refuses (self->session);
}

void
socketio_client_count (SocketioClient *self, SocketioCounter counter)
{
  if (self->session != NULL)
    socketio_counters_count (engineio_session_get_counters (self->session), counter);
}

void
socketio_client_disconnect (SocketioClient *self)
{
  g_autoptr (SocketioClient) alive G_GNUC_UNUSED = socketio_client_ref (self);
  g_autoptr (GPtrArray) sockets = NULL;

  if (self->sockets != NULL)
    sockets = g_ptr_array_copy (self->sockets, (GCopyFunc) (GCallback) g_object_ref, NULL);
  for (guint i = 0; sockets != NULL && i < sockets->len; i++)
    socketio_socket_disconnect (g_ptr_array_index (sockets, i), FALSE);
  socketio_client_close (self, "forced server close");
}

void
socketio_client_abort (SocketioClient *self, const char *reason)
{
  if (self->session != NULL)
    engineio_session_abort (self->session, reason);
}

void
socketio_client_close (SocketioClient *self, const char *reason)
{
  if (self->session != NULL)
    engineio_session_close (self->session, reason);
}

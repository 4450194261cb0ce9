/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "socketio-client-struct-private.h"

#include "socketio-server-private.h"

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

SocketioSocket *
socketio_client_find_among (GPtrArray *sockets, const char *nsp)
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
socketio_client_add_socket (SocketioClient *self, SocketioSocket *socket)
{
  stop_connect_timer (self);
  if (self->sockets == NULL)
    self->sockets = g_ptr_array_new_with_free_func (g_object_unref);
  g_ptr_array_add (self->sockets, g_object_ref (socket));
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

/* FALSE if the packet makes no sense now: the connection is to be closed. */
static gboolean
handle_packet (SocketioClient *self, SocketioPacket *packet)
{
  SocketioSocket *socket = socketio_client_find_among (self->sockets, packet->nsp);

  if (packet->type == SOCKETIO_PACKET_CONNECT)
    {
      /* clients of protocol 3 may greet the main namespace, where they are already */
      if (socket != NULL || socketio_client_is_joining (self, packet->nsp))
        return self->protocol == 3;
      socketio_client_join (self, packet->nsp, packet->data);
      return TRUE;
    }
  if (packet->type == SOCKETIO_PACKET_DISCONNECT && socketio_client_give_up (self, packet->nsp))
    return TRUE;
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
    socketio_client_join (self, "/", NULL);
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

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "socketio-peer.h"

#include <gio/gunixsocketaddress.h>
#include <sys/socket.h>

static GQuark
socketio_peer_quark (void)
{
  return g_quark_from_static_string ("socketio-peer");
}

/* The address keeps the peer alive for the handlers; the connection, when it goes, takes the fd out
 * of it. */
static void
peer_free (gpointer data)
{
  SocketioPeer *self = data;

  socketio_reactor_stop_timer (self->reactor, &self->body_timer);
  socketio_reactor_unref (self->reactor);
  g_free (self);
}

static void
connection_gone_cb (gpointer data)
{
  g_autoptr (GSocketAddress) address = data;
  SocketioPeer *self = g_object_get_qdata (G_OBJECT (address), socketio_peer_quark ());

  self->fd = -1;
  socketio_reactor_stop_timer (self->reactor, &self->body_timer);
}

static void
kill_peer (SocketioPeer *self)
{
  if (self->fd >= 0)
    shutdown (self->fd, SHUT_RDWR);
}

static void
body_timeout_cb (gpointer user_data)
{
  kill_peer (user_data);
}

static gint64
get_uid (GSocket *socket)
{
  struct ucred cred;
  socklen_t length = sizeof cred;

  if (getsockopt (g_socket_get_fd (socket), SOL_SOCKET, SO_PEERCRED, &cred, &length) < 0)
    return -1;
  return cred.uid;
}

/* For a UNIX peer, a loopback address: libsoup casts addresses to inet ones. */
static GSocketAddress *
make_inet (GSocketAddress *address)
{
  g_autoptr (GInetAddress) loopback = NULL;

  if (G_IS_INET_SOCKET_ADDRESS (address))
    return g_object_ref (address);

  loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  return g_inet_socket_address_new (loopback, 0);
}

gboolean
socketio_peer_hand_over (SocketioReactor *reactor,
                         SoupServer *soup_server,
                         GSocketConnection *connection,
                         GSocketAddress *local,
                         GSocketAddress *remote,
                         guint body_timeout_ms,
                         GError **error)
{
  GSocket *socket = g_socket_connection_get_socket (connection);
  g_autoptr (GSocketAddress) inet_local = make_inet (local);
  g_autoptr (GSocketAddress) inet_remote = make_inet (remote);
  SocketioPeer *self = g_new0 (SocketioPeer, 1);

  self->reactor = socketio_reactor_ref (reactor);
  self->address = inet_remote;
  self->is_unix = G_IS_UNIX_SOCKET_ADDRESS (remote);
  self->uid = self->is_unix ? get_uid (socket) : -1;
  self->fd = g_socket_get_fd (socket);

  g_object_set_qdata_full (G_OBJECT (inet_remote), socketio_peer_quark (), self, peer_free);
  g_object_set_qdata_full (G_OBJECT (connection), socketio_peer_quark (),
                           g_object_ref (inet_remote), connection_gone_cb);
  socketio_reactor_start_timer (reactor, &self->body_timer, body_timeout_ms, body_timeout_cb, self);

  return soup_server_accept_iostream (soup_server, G_IO_STREAM (connection), inet_local,
                                      inet_remote, error);
}

SocketioPeer *
socketio_peer_from_message (SoupServerMessage *message)
{
  GSocketAddress *address;

  /* libsoup knows the socket only of connections that it accepted itself */
  if (soup_server_message_get_socket (message) != NULL)
    return NULL;
  address = soup_server_message_get_remote_address (message);
  if (address == NULL)
    return NULL;
  return g_object_get_qdata (G_OBJECT (address), socketio_peer_quark ());
}

void
socketio_peer_request_read (SocketioPeer *self)
{
  socketio_reactor_stop_timer (self->reactor, &self->body_timer);
}

int
socketio_peer_get_message_fd (SoupServerMessage *message)
{
  SocketioPeer *self = socketio_peer_from_message (message);
  GSocket *socket;

  if (self != NULL)
    return self->fd;

  socket = soup_server_message_get_socket (message);
  return socket != NULL ? g_socket_get_fd (socket) : -1;
}

void
socketio_peer_kill_message (SoupServerMessage *message)
{
  int fd = socketio_peer_get_message_fd (message);

  if (fd >= 0)
    shutdown (fd, SHUT_RDWR);
}

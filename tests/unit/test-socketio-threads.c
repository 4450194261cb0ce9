/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A server belongs to one thread: calls from others complain, and do nothing. */
#include <libsoup/soup.h>

#include "socketio.h"

#define DOMAIN "Socketio"

typedef struct
{
  SocketioServer *server;
  SoupSession *session;
  SoupWebsocketConnection *peer;
  SocketioSocket *socket; /* owned */
  SocketioAck *ack;       /* owned */
  guint n_messages;       /* that the peer has had */
} Fixture;

static void
event_cb (SocketioSocket *socket,
          const char *event,
          SocketioArgs *args,
          SocketioAck *ack,
          gpointer user_data)
{
  Fixture *fixture = user_data;

  fixture->ack = socketio_ack_ref (ack);
}

static void
connect_cb (SocketioNamespace *nsp, SocketioSocket *socket, gpointer user_data)
{
  Fixture *fixture = user_data;

  fixture->socket = g_object_ref (socket);
  g_signal_connect (socket, "event", G_CALLBACK (event_cb), fixture);
}

static void
message_cb (SoupWebsocketConnection *peer, int type, GBytes *message, gpointer user_data)
{
  Fixture *fixture = user_data;

  fixture->n_messages++;
}

static void
open_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Fixture *fixture = user_data;
  g_autoptr (GError) error = NULL;

  fixture->peer = soup_session_websocket_connect_finish (SOUP_SESSION (source), result, &error);
  g_assert_no_error (error);
  g_signal_connect (fixture->peer, "message", G_CALLBACK (message_cb), fixture);
  soup_websocket_connection_send_text (fixture->peer, "40");
  soup_websocket_connection_send_text (fixture->peer, "420[\"question\"]");
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GSocketAddress) wanted = g_inet_socket_address_new_from_string ("127.0.0.1", 0);
  g_autoptr (GSocketAddress) address = NULL;
  g_autoptr (SoupMessage) message = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *url = NULL;

  fixture->server = socketio_server_new (NULL);
  g_signal_connect (socketio_server_of (fixture->server, "/"), "connect", G_CALLBACK (connect_cb),
                    fixture);
  address = socketio_server_listen (fixture->server, wanted, &error);
  g_assert_no_error (error);
  url = g_strdup_printf ("ws://127.0.0.1:%u/socket.io/?EIO=4&transport=websocket",
                         g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address)));

  fixture->session = soup_session_new ();
  message = soup_message_new ("GET", url);
  soup_session_websocket_connect_async (fixture->session, message, NULL, NULL, G_PRIORITY_DEFAULT,
                                        NULL, open_cb, fixture);
  /* the handshake, and the answer to CONNECT */
  while (fixture->ack == NULL || fixture->n_messages < 2)
    g_main_context_iteration (NULL, TRUE);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_clear_pointer (&fixture->ack, socketio_ack_unref);
  g_clear_object (&fixture->socket);
  g_clear_object (&fixture->peer);
  g_clear_object (&fixture->session);
  g_clear_object (&fixture->server);
}

static gpointer
use_server (gpointer data)
{
  Fixture *fixture = data;
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new_from_string ("127.0.0.1", 0);

  g_assert_null (socketio_server_of (fixture->server, "/other"));
  g_assert_null (socketio_server_listen (fixture->server, address, NULL));
  socketio_server_close_async (fixture->server, 0, NULL, NULL);
  return NULL;
}

static gpointer
use_broadcast (gpointer data)
{
  Fixture *fixture = data;
  g_autoptr (SocketioBroadcast) broadcast = socketio_socket_broadcast (fixture->socket);

  socketio_broadcast_emit (broadcast, "event", NULL);
  g_assert_null (socketio_broadcast_fetch_sockets (broadcast));
  socketio_broadcast_sockets_join (broadcast, "room");
  socketio_broadcast_disconnect_sockets (broadcast, TRUE);
  return NULL;
}

static gpointer
use_socket (gpointer data)
{
  Fixture *fixture = data;

  g_assert_false (socketio_socket_emit (fixture->socket, "event", NULL));
  g_assert_false (socketio_socket_emit_json (fixture->socket, "event", NULL));
  socketio_socket_join (fixture->socket, "room");
  socketio_socket_disconnect (fixture->socket, TRUE);
  g_assert_false (socketio_ack_send (fixture->ack, NULL));
  return NULL;
}

static void
use_elsewhere (Fixture *fixture, GThreadFunc func, guint n_calls)
{
  for (guint i = 0; i < n_calls; i++)
    g_test_expect_message (DOMAIN, G_LOG_LEVEL_CRITICAL, "*thread*failed*");
  g_thread_join (g_thread_new ("elsewhere", func, fixture));
  g_test_assert_expected_messages ();
}

/* Nothing has happened, and everything still works. */
static void
check_whole (Fixture *fixture)
{
  guint n_messages = fixture->n_messages;

  g_assert_true (socketio_socket_is_connected (fixture->socket));
  g_assert_false (socketio_socket_is_in (fixture->socket, "room"));
  g_assert_true (socketio_socket_emit (fixture->socket, "event", NULL));
  g_assert_true (socketio_ack_send (fixture->ack, NULL));
  while (fixture->n_messages < n_messages + 2)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (fixture->n_messages, ==, n_messages + 2);
}

static void
test_server (Fixture *fixture, gconstpointer data)
{
  use_elsewhere (fixture, use_server, 3);
  check_whole (fixture);
}

static void
test_broadcast (Fixture *fixture, gconstpointer data)
{
  use_elsewhere (fixture, use_broadcast, 4);
  check_whole (fixture);
}

static void
test_socket (Fixture *fixture, gconstpointer data)
{
  use_elsewhere (fixture, use_socket, 5);
  check_whole (fixture);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add ("/socketio-threads/server", Fixture, NULL, set_up, test_server, tear_down);
  g_test_add ("/socketio-threads/broadcast", Fixture, NULL, set_up, test_broadcast, tear_down);
  g_test_add ("/socketio-threads/socket", Fixture, NULL, set_up, test_socket, tear_down);
  return g_test_run ();
}

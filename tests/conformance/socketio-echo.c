/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A Socket.IO server with the namespaces "/" and "/custom" that greets with the auth payload it was
 * given, and sends back what it is sent. */
#include "echo-options.h"
#include "echo-serve.h"
#include "socketio.h"

#define GREETING_DELAY_MS 10

static void
message_cb (SocketioSocket *socket,
            const char *name,
            SocketioArgs *args,
            SocketioAck *ack,
            gpointer user_data)
{
  socketio_socket_emit (socket, "message-back", args);
}

static void
message_with_ack_cb (SocketioSocket *socket,
                     const char *name,
                     SocketioArgs *args,
                     SocketioAck *ack,
                     gpointer user_data)
{
  if (ack != NULL)
    socketio_ack_send (ack, args);
}

static gboolean
greet_cb (gpointer user_data)
{
  SocketioSocket *socket = user_data;
  g_autoptr (SocketioArgs) args = socketio_args_new ();
  JsonObject *auth = socketio_socket_get_auth (socket);

  socketio_args_take_object (args, auth != NULL ? json_object_ref (auth) : json_object_new ());
  socketio_socket_emit (socket, "auth", args);
  return G_SOURCE_REMOVE;
}

static void
connect_cb (SocketioNamespace *nsp, SocketioSocket *socket, gpointer user_data)
{
  /* The suites listen for one message, then for the next. Both in one segment, as the library would
   * send them, reach such a client before it listens again. */
  g_timeout_add_full (G_PRIORITY_DEFAULT, GREETING_DELAY_MS, greet_cb, g_object_ref (socket),
                      g_object_unref);

  g_signal_connect (socket, "event::message", G_CALLBACK (message_cb), NULL);
  g_signal_connect (socket, "event::message-with-ack", G_CALLBACK (message_with_ack_cb), NULL);
}

int
main (int argc, char **argv)
{
  const char *origins[] = { "*", NULL };
  EchoOptions options = { .path = g_strdup ("/socket.io/"),
                          .ping_interval = 25000,
                          .ping_timeout = 20000,
                          .upgrade_timeout = 10000,
                          .connect_timeout = 45000,
                          .max_payload = 1000000,
                          .max_queued = 1024 * 1024 };
  g_autoptr (SocketioServer) server = NULL;
  int status;

  echo_options_parse (&options, argc, argv);
  server = g_object_new (SOCKETIO_TYPE_SERVER, "path", options.path, "ping-interval",
                         options.ping_interval, "ping-timeout", options.ping_timeout,
                         "upgrade-timeout", options.upgrade_timeout, "connect-timeout",
                         options.connect_timeout, "max-payload", options.max_payload,
                         "max-queued-bytes", (guint64) options.max_queued, "allow-eio3",
                         options.allow_eio3, "cors-origins", origins, NULL);
  g_signal_connect (socketio_server_of (server, "/"), "connect", G_CALLBACK (connect_cb), NULL);
  g_signal_connect (socketio_server_of (server, "/custom"), "connect", G_CALLBACK (connect_cb),
                    NULL);

  status = echo_serve (server, &options);
  echo_options_clear (&options);
  return status;
}

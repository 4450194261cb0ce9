/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An Engine.IO server that echoes every message, text or binary. */
#include "echo-options.h"
#include "engineio-server.h"
#include "socketio-doorman.h"

static void
message_cb (EngineioSession *session, const EngineioPacket *packet, gpointer user_data)
{
  engineio_session_send (session, packet, 1);
}

static void
drained_cb (EngineioSession *session, gpointer user_data)
{
}

static void
closed_cb (EngineioSession *session, const char *reason, gpointer user_data)
{
}

static const EngineioSessionFuncs session_funcs = {
  .message = message_cb,
  .drained = drained_cb,
  .closed = closed_cb,
};

static void
connection_cb (EngineioSession *session, gpointer user_data)
{
  engineio_session_set_funcs (session, &session_funcs, NULL);
}

static gboolean
any_origin (const char *origin, gpointer user_data)
{
  return TRUE;
}

static GSocketAddress *
listen_stock (SoupServer *soup_server, guint port, GError **error)
{
  g_autoslist (GUri) uris = NULL;

  if (!soup_server_listen_local (soup_server, port, SOUP_SERVER_LISTEN_IPV4_ONLY, error))
    return NULL;
  uris = soup_server_get_uris (soup_server);
  return g_inet_socket_address_new_from_string ("127.0.0.1", g_uri_get_port (uris->data));
}

int
main (int argc, char **argv)
{
  EngineioOptions defaults = ENGINEIO_OPTIONS_DEFAULT;
  EchoOptions options = { .path = g_strdup ("/engine.io/"),
                          .ping_interval = defaults.ping_interval,
                          .ping_timeout = defaults.ping_timeout,
                          .upgrade_timeout = defaults.upgrade_timeout,
                          .max_payload = defaults.max_payload,
                          .max_queued = defaults.max_queued };
  g_autoptr (SocketioReactor) reactor = socketio_reactor_new ();
  g_autoptr (SoupServer) soup_server = soup_server_new (NULL, NULL);
  g_autoptr (SocketioDoorman) doorman = NULL;
  g_autoptr (EngineioServer) server = NULL;
  g_autoptr (GSocketAddress) address = NULL;
  g_autoptr (GError) error = NULL;

  echo_options_parse (&options, argc, argv);
  defaults.ping_interval = options.ping_interval;
  defaults.ping_timeout = options.ping_timeout;
  defaults.upgrade_timeout = options.upgrade_timeout;
  defaults.max_payload = options.max_payload;
  defaults.max_queued = options.max_queued;
  defaults.allow_eio3 = options.allow_eio3;

  server = engineio_server_new (reactor, &defaults);
  engineio_server_set_connection_func (server, connection_cb, NULL);
  engineio_server_set_origin_func (server, any_origin, NULL);
  engineio_server_serve (server, soup_server, options.path, !options.stock);

  if (options.stock)
    address = listen_stock (soup_server, options.port, &error);
  else
    {
      g_autoptr (GSocketAddress) wanted =
          g_inet_socket_address_new_from_string ("127.0.0.1", options.port);

      doorman = socketio_doorman_new (reactor, soup_server);
      address = socketio_doorman_listen (doorman, wanted, &error);
    }
  if (address == NULL)
    {
      g_printerr ("engineio-echo: %s\n", error->message);
      return 1;
    }

  echo_run (address);
  echo_options_clear (&options);
  return 0;
}

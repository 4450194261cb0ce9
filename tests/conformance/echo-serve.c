/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "echo-serve.h"

static GSocketAddress *
start (SocketioServer *server, SoupServer *stock, guint port, GError **error)
{
  g_autoptr (GSocketAddress) wanted = NULL;
  g_autoslist (GUri) uris = NULL;

  if (stock == NULL)
    {
      wanted = g_inet_socket_address_new_from_string ("127.0.0.1", port);
      return socketio_server_listen (server, wanted, error);
    }

  socketio_server_attach (server, stock);
  if (!soup_server_listen_local (stock, port, SOUP_SERVER_LISTEN_IPV4_ONLY, error))
    return NULL;
  uris = soup_server_get_uris (stock);
  return g_inet_socket_address_new_from_string ("127.0.0.1", g_uri_get_port (uris->data));
}

int
echo_serve (SocketioServer *server, const EchoOptions *options)
{
  g_autoptr (SoupServer) stock = options->stock ? soup_server_new (NULL, NULL) : NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocketAddress) address = start (server, stock, (guint) options->port, &error);

  if (address == NULL)
    {
      g_printerr ("%s: %s\n", g_get_prgname (), error->message);
      return 1;
    }

  echo_run (address);
  return 0;
}

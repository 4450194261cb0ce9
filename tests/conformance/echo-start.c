/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "echo-start.h"

GSocketAddress *
echo_start (SocketioServer *server, SoupServer *stock, guint port, GError **error)
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

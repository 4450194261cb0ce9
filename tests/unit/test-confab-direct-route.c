/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-direct-route.h"
#include "confab-http-session.h"
#include "confab-raw-server.h"

static RawEnd
answer_in_chunks (RawServer *server, int fd, const char *request, gpointer user_data)
{
  g_autoptr (GString) out = g_string_new ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");

  for (guint i = 0; i < 1000; i++)
    {
      g_autofree char *piece = g_strdup_printf ("piece %u;", i);

      raw_append_chunk (out, piece, -1);
    }
  g_string_append (out, "0\r\n\r\n");

  return raw_write (fd, out->str, (gssize) out->len) ? RAW_NEXT : RAW_CLOSE;
}

static void
wrapped_cb (SoupMessage *message,
            GSocketClientEvent event,
            GIOStream *connection,
            gpointer user_data)
{
  if (event == G_SOCKET_CLIENT_PROXY_NEGOTIATED)
    *(guint *) user_data += 1;
}

static void
ask (SoupSession *session, const char *origin, guint *n_wrapped)
{
  g_autoptr (SoupMessage) message = soup_message_new ("GET", origin);
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) body = NULL;
  g_autoptr (GString) expected = g_string_new (NULL);

  g_signal_connect (message, "network-event", G_CALLBACK (wrapped_cb), n_wrapped);
  body = soup_session_send_and_read (session, message, NULL, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < 1000; i++)
    g_string_append_printf (expected, "piece %u;", i);
  g_assert_cmpmem (g_bytes_get_data (body, NULL), g_bytes_get_size (body), expected->str,
                   expected->len);
}

/* What is asked does not change by it: the body is whole, and the connection can be used again. */
static void
test_asked (void)
{
  g_autoptr (RawServer) server = raw_server_new (answer_in_chunks, NULL);
  g_autofree char *origin = raw_server_dup_origin (server);
  g_autoptr (SoupSession) session = confab_http_session_new (TRUE);
  guint n_wrapped = 0;

  ask (session, origin, &n_wrapped);
  ask (session, origin, &n_wrapped);
  g_assert_cmpuint (raw_server_get_n_connections (server), ==, 1);
  g_assert_cmpuint (n_wrapped, ==, 1);
}

static void
assert_route (const char *uri, const char *expected)
{
  g_autoptr (GProxyResolver) route = confab_direct_route_new ();
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) routes = NULL;

  g_assert_true (g_proxy_resolver_is_supported (route));
  routes = g_proxy_resolver_lookup (route, uri, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_strv_length (routes), ==, 1);
  g_assert_cmpstr (routes[0], ==, expected);
}

static void
test_routes (void)
{
  assert_route ("http://127.0.0.1:8080", "confab-direct://127.0.0.1:8080");
  assert_route ("http://localhost", "confab-direct://localhost:80");
  assert_route ("http://[::1]:11434/", "confab-direct://[::1]:11434");
  assert_route ("https://127.0.0.1:8443", "direct://");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/confab/direct-route/asked", test_asked);
  g_test_add_func ("/confab/direct-route/routes", test_routes);

  return g_test_run ();
}

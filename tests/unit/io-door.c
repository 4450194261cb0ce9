/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io-door.h"

#include "socketio-peer.h"

static void
object_gone_cb (gpointer user_data, GObject *where_it_was)
{
  guint *n_alive = user_data;

  g_assert_cmpuint (*n_alive, >, 0);
  --*n_alive;
}

static void
count_object (gpointer object, guint *n_alive)
{
  g_assert_true (G_IS_OBJECT (object));
  ++*n_alive;
  g_object_weak_ref (object, object_gone_cb, n_alive);
}

static void
count_objects_cb (SoupServer *soup_server, SoupServerMessage *message, gpointer user_data)
{
  count_object (message, user_data);
  /* held by the connection: it goes no sooner than that */
  count_object (soup_server_message_get_remote_address (message), user_data);
}

void
door_count_objects (SoupServer *soup_server, guint *n_alive)
{
  g_signal_connect (soup_server, "request-started", G_CALLBACK (count_objects_cb), n_alive);
}

static void
request_started_cb (SoupServer *soup_server, SoupServerMessage *message, gpointer user_data)
{
  Door *self = user_data;

  self->n_requests++;
  soup_message_headers_replace (soup_server_message_get_response_headers (message), "Connection",
                                "close");
}

static void
request_read_cb (SoupServer *soup_server, SoupServerMessage *message, gpointer user_data)
{
  SocketioPeer *peer = socketio_peer_from_message (message);

  g_assert_nonnull (peer);
  socketio_peer_request_read (peer);
}

static void
late_cb (gpointer user_data)
{
  g_autoptr (SoupServerMessage) message = user_data;

  soup_server_message_unpause (message);
}

static void
handler_cb (SoupServer *soup_server,
            SoupServerMessage *message,
            const char *path,
            GHashTable *query,
            gpointer user_data)
{
  Door *self = user_data;

  self->n_handled++;
  soup_server_message_set_status (message, SOUP_STATUS_OK, NULL);
  if (soup_server_message_get_method (message) == SOUP_METHOD_POST)
    {
      SoupMessageBody *body = soup_server_message_get_request_body (message);

      soup_server_message_set_response (message, "text/plain", SOUP_MEMORY_COPY, body->data,
                                        body->length);
    }
  else
    soup_server_message_set_response (message, "text/plain", SOUP_MEMORY_STATIC, "hello", 5);

  if (g_str_equal (path, "/late"))
    {
      soup_server_message_pause (message);
      socketio_reactor_start_timer (self->reactor, &self->late_timer, DOOR_LATE_MS, late_cb,
                                    g_object_ref (message));
    }
}

GSocketAddress *
door_any_port (const char *host)
{
  GSocketAddress *address = g_inet_socket_address_new_from_string (host, 0);

  g_assert_nonnull (address);
  return address;
}

void
door_set_up (Door *self, gconstpointer data)
{
  g_autoptr (GSocketAddress) any = door_any_port ("127.0.0.1");
  g_autoptr (GError) error = NULL;

  self->reactor = socketio_reactor_new ();
  self->soup_server = soup_server_new (NULL, NULL);
  g_signal_connect (self->soup_server, "request-started", G_CALLBACK (request_started_cb), self);
  g_signal_connect (self->soup_server, "request-read", G_CALLBACK (request_read_cb), self);
  door_count_objects (self->soup_server, &self->n_alive);
  soup_server_add_handler (self->soup_server, NULL, handler_cb, self, NULL);
  self->doorman = socketio_doorman_new (self->reactor, self->soup_server);
  self->address = socketio_doorman_listen (self->doorman, any, &error);
  g_assert_no_error (error);
}

void
door_tear_down (Door *self, gconstpointer data)
{
  g_clear_pointer (&self->doorman, socketio_doorman_free);
  io_wait_for (NULL, self->n_alive == 0);
  g_clear_object (&self->soup_server);
  g_clear_object (&self->address);
  g_clear_pointer (&self->reactor, socketio_reactor_unref);
}

IoClient *
door_connect (Door *self)
{
  return io_client_connect (NULL, self->address);
}

IoClient *
door_send (Door *self, const char *text)
{
  IoClient *client = door_connect (self);

  io_client_send (client, text);
  return client;
}

void
door_assert_status (IoClient *client, guint status)
{
  g_autofree char *start = g_strdup_printf ("HTTP/1.1 %u ", status);
  const char *text;

  io_wait_for (client->context, io_client_is_done (client));
  g_assert_cmpint (client->error, ==, 0);
  text = client->received->str;
  if (!g_str_has_prefix (text, start))
    g_error ("not a %u: “%s”", status, text);
  g_assert_nonnull (strstr (text, "\r\nConnection: close\r\n"));
  g_assert_nonnull (strstr (text, "\r\n\r\n"));
  g_assert_null (strstr (text + 1, "HTTP/1.1"));
}

void
door_assert_answer (IoClient *client, const char *body)
{
  door_assert_status (client, 200);
  g_assert_cmpstr (strstr (client->received->str, "\r\n\r\n") + 4, ==, body);
}

void
door_assert_open (GSocketAddress *address)
{
  g_autoptr (IoClient) client = io_client_connect (NULL, address);

  io_client_send (client, DOOR_GET);
  door_assert_answer (client, "hello");
}

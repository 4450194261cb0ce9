/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "socketio-doorman.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io-door.h"
#include "socketio-server.h"

/* Requests that are let in, and how listening begins and ends. */

static guint16
get_port (GSocketAddress *address)
{
  return g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address));
}

static void
test_get (Door *door, gconstpointer data)
{
  g_autoptr (IoClient) client = door_send (door, DOOR_GET);

  door_assert_answer (client, "hello");
  g_assert_cmpuint (door->n_requests, ==, 1);
  g_assert_cmpuint (socketio_doorman_get_n_waiting (door->doorman), ==, 0);
}

/* Connects and sends at the same time, more than the doorman accepts in one go. */
static void
test_get_many_at_once (Door *door, gconstpointer data)
{
  g_autoptr (GPtrArray) clients = g_ptr_array_new_with_free_func ((GDestroyNotify) io_client_free);

  for (guint i = 0; i < 300; i++)
    g_ptr_array_add (clients, door_send (door, DOOR_GET));
  for (guint i = 0; i < 300; i++)
    door_assert_answer (clients->pdata[i], "hello");
}

/* Each piece is seen by the doorman before the next one comes. */
static void
test_head_in_bytes (Door *door, gconstpointer data)
{
  g_autoptr (IoClient) client = door_connect (door);

  for (const char *p = DOOR_GET; *p != '\0'; p++)
    {
      const char byte[2] = { *p, '\0' };

      g_assert_cmpuint (door->n_requests, ==, 0);
      io_client_send (client, byte);
      io_settle (NULL);
    }
  door_assert_answer (client, "hello");
}

static void
test_head_cut_anywhere (Door *door, gconstpointer data)
{
  for (gsize cut = 1; cut < strlen (DOOR_GET); cut++)
    {
      g_autofree char *start = g_strndup (DOOR_GET, cut);
      g_autoptr (IoClient) client = door_send (door, start);

      io_wait_for (NULL, socketio_doorman_get_n_waiting (door->doorman) == 1);
      io_settle (NULL);
      io_client_send (client, DOOR_GET + cut);
      door_assert_answer (client, "hello");
    }
}

static void
test_longest_head (Door *door, gconstpointer data)
{
  g_autofree char *filler = g_strnfill (15 * 1024, 'x');
  g_autofree char *head =
      g_strdup_printf ("GET / HTTP/1.1\r\nHost: localhost\r\nX: %s\r\n\r\n", filler);
  g_autoptr (IoClient) client = door_send (door, head);

  door_assert_answer (client, "hello");
}

#define POST_HEAD "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n"

static void
test_body_with_head (Door *door, gconstpointer data)
{
  g_autoptr (IoClient) client = door_send (door, POST_HEAD "0123456789");

  door_assert_answer (client, "0123456789");
}

static void
test_body_in_bytes (Door *door, gconstpointer data)
{
  g_autoptr (IoClient) client = door_send (door, POST_HEAD);

  for (const char *p = "0123456789"; *p != '\0'; p++)
    {
      const char byte[2] = { *p, '\0' };

      io_settle (NULL);
      g_assert_cmpuint (door->n_handled, ==, 0);
      io_client_send (client, byte);
    }
  door_assert_answer (client, "0123456789");
}

/* A client that closes its side after the request still gets its answer. */
static void
test_half_closed (Door *door, gconstpointer data)
{
  g_autoptr (IoClient) client = door_send (door, DOOR_GET);

  shutdown (client->fd, SHUT_WR);
  door_assert_answer (client, "hello");
}

static void
test_half_closed_later (Door *door, gconstpointer data)
{
  g_autoptr (IoClient) client = door_send (door, "GET /late HTTP/1.1\r\nHost: localhost\r\n\r\n");

  io_wait_for (NULL, door->n_handled == 1);
  shutdown (client->fd, SHUT_WR);
  door_assert_answer (client, "hello");
}

static void
test_http_1_0 (Door *door, gconstpointer data)
{
  g_autoptr (IoClient) client = door_send (door, "GET / HTTP/1.0\r\n\r\n");

  io_wait_for (NULL, client->eof);
  g_assert_true (g_str_has_prefix (client->received->str, "HTTP/1.0 200 "));
  g_assert_true (g_str_has_suffix (client->received->str, "\r\n\r\nhello"));
}

/* One request a connection: the second one meets no answer, but a close. */
static void
test_second_request (Door *door, gconstpointer data)
{
  g_autoptr (IoClient) client = door_send (door, DOOR_GET DOOR_GET);

  io_wait_for (NULL, io_client_is_done (client));
  g_assert_true (g_str_has_prefix (client->received->str, "HTTP/1.1 200 "));
  g_assert_null (strstr (client->received->str + 1, "HTTP/1.1"));
  io_settle (NULL);
  g_assert_cmpuint (door->n_handled, ==, 1);
}

/* A server as it ships. */
typedef struct
{
  SocketioServer *server;
  GSocketAddress *address;
  char *dir;
  guint n_alive;
  gint64 uid;
  gboolean is_unix;
} Shop;

static void
shop_handler_cb (SoupServer *soup_server,
                 SoupServerMessage *message,
                 const char *path,
                 GHashTable *query,
                 gpointer user_data)
{
  Shop *self = user_data;

  self->uid = socketio_server_get_peer_uid (message);
  self->is_unix = socketio_server_is_unix_peer (message);
  soup_server_message_set_status (message, SOUP_STATUS_OK, NULL);
  soup_server_message_set_response (message, "text/plain", SOUP_MEMORY_STATIC, "hello", 5);
}

static void
shop_set_up (Shop *self, gconstpointer is_unix)
{
  g_autoptr (GSocketAddress) any = NULL;
  g_autofree char *path = NULL;
  g_autoptr (GError) error = NULL;

  self->dir = g_dir_make_tmp ("socketio-XXXXXX", &error);
  g_assert_no_error (error);
  path = g_build_filename (self->dir, "socket", NULL);
  any = is_unix ? g_unix_socket_address_new (path) : door_any_port ("127.0.0.1");
  self->server = socketio_server_new (NULL);
  self->address = socketio_server_listen (self->server, any, &error);
  g_assert_no_error (error);
  soup_server_add_handler (socketio_server_get_soup_server (self->server), NULL, shop_handler_cb,
                           self, NULL);
  door_count_objects (socketio_server_get_soup_server (self->server), &self->n_alive);
  self->uid = -2;
}

static void
shop_tear_down (Shop *self, gconstpointer is_unix)
{
  g_autofree char *path = g_build_filename (self->dir, "socket", NULL);

  io_wait_for (NULL, self->n_alive == 0);
  g_clear_object (&self->server);
  g_clear_object (&self->address);
  g_unlink (path);
  g_rmdir (self->dir);
  g_free (self->dir);
}

static void
test_peer (Shop *shop, gconstpointer is_unix)
{
  door_assert_open (shop->address);
  g_assert_cmpint (shop->is_unix, ==, is_unix != NULL);
  g_assert_cmpint (shop->uid, ==, is_unix != NULL ? (gint64) getuid () : -1);
}

/* libsoup takes the address for an inet one where there is no Host. */
static void
test_http_1_0_shop (Shop *shop, gconstpointer is_unix)
{
  g_autoptr (IoClient) client = io_client_connect (NULL, shop->address);

  io_client_send (client, "GET / HTTP/1.0\r\n\r\n");
  io_wait_for (NULL, client->eof);
  g_assert_true (g_str_has_suffix (client->received->str, "\r\n\r\nhello"));
}

/* 1,000 GETs leave neither an fd nor an object. */
static void
test_1000_gets (Shop *shop, gconstpointer is_unix)
{
  guint n_fds;

  door_assert_open (shop->address);
  io_wait_for (NULL, shop->n_alive == 0);
  n_fds = io_count_fds ();

  for (guint i = 0; i < 1000; i++)
    door_assert_open (shop->address);
  io_wait_for (NULL, shop->n_alive == 0);
  g_assert_cmpuint (io_count_fds (), ==, n_fds);
}

/* The same of clients that leave before they got the answer. */
static void
test_1000_leavers (Shop *shop, gconstpointer is_unix)
{
  guint n_fds;

  door_assert_open (shop->address);
  io_wait_for (NULL, shop->n_alive == 0);
  n_fds = io_count_fds ();

  for (guint i = 0; i < 1000; i++)
    {
      g_autoptr (IoClient) client = io_client_connect (NULL, shop->address);

      io_client_send (client, i % 2 == 0 ? DOOR_GET
                                         : "POST / HTTP/1.1\r\nHost: a\r\n"
                                           "Content-Length: 100\r\n\r\nx");
      if (i % 4 < 2)
        g_main_context_iteration (NULL, FALSE);
    }
  io_settle (NULL);
  io_wait_for (NULL, shop->n_alive == 0);
  g_assert_cmpuint (io_count_fds (), ==, n_fds);
}

/* Listening */

static void
test_two_addresses (Door *door, gconstpointer data)
{
  g_autoptr (GSocketAddress) any = door_any_port ("127.0.0.2");
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocketAddress) second = socketio_doorman_listen (door->doorman, any, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (get_port (second), !=, 0);
  for (guint i = 0; i < 3; i++)
    {
      door_assert_open (door->address);
      door_assert_open (second);
    }
}

static void
test_ipv6 (Door *door, gconstpointer data)
{
  g_autoptr (GSocketAddress) any = door_any_port ("::1");
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocketAddress) address = socketio_doorman_listen (door->doorman, any, &error);

  if (address == NULL)
    {
      g_test_skip (error->message);
      return;
    }
  door_assert_open (address);
}

/* It leaves the port free for IPv4. */
static void
test_ipv6_only (Door *door, gconstpointer data)
{
  g_autoptr (GSocketAddress) any = door_any_port ("::");
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocketAddress) sixth = socketio_doorman_listen (door->doorman, any, &error);
  g_autoptr (GSocketAddress) same_port = NULL;
  g_autoptr (GSocketAddress) fourth = NULL;
  g_autoptr (GSocketAddress) loopback = NULL;

  if (sixth == NULL)
    {
      g_test_skip (error->message);
      return;
    }
  same_port = g_inet_socket_address_new_from_string ("0.0.0.0", get_port (sixth));
  fourth = socketio_doorman_listen (door->doorman, same_port, &error);
  g_assert_no_error (error);
  loopback = g_inet_socket_address_new_from_string ("127.0.0.1", get_port (sixth));
  door_assert_open (loopback);
}

static void
test_port_in_use (Door *door, gconstpointer data)
{
  g_autofree char *text = g_socket_connectable_to_string (G_SOCKET_CONNECTABLE (door->address));
  g_autoptr (GError) error = NULL;
  guint n_fds = io_count_fds ();

  g_assert_null (socketio_doorman_listen (door->doorman, door->address, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE);
  g_assert_nonnull (strstr (error->message, text));
  g_assert_cmpuint (io_count_fds (), ==, n_fds);
  door_assert_open (door->address);
}

static void
test_path_in_use (Door *door, gconstpointer data)
{
  g_autofree char *dir = g_dir_make_tmp ("socketio-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (dir, "socket", NULL);
  g_autoptr (GSocketAddress) address = g_unix_socket_address_new (path);
  g_autoptr (GSocketAddress) bound = NULL;
  g_autoptr (GError) error = NULL;

  bound = socketio_doorman_listen (door->doorman, address, &error);
  g_assert_no_error (error);
  g_assert_null (socketio_doorman_listen (door->doorman, address, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE);
  g_assert_nonnull (strstr (error->message, path));
  door_assert_open (bound);
  g_unlink (path);
  g_rmdir (dir);
}

static void
test_foreign_address (Door *door, gconstpointer data)
{
  /* of a network for documentation: nobody has it */
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new_from_string ("192.0.2.1", 8080);
  g_autoptr (GError) error = NULL;

  g_assert_null (socketio_doorman_listen (door->doorman, address, &error));
  g_assert_nonnull (error);
  g_assert_true (error->domain == G_IO_ERROR);
  g_assert_nonnull (strstr (error->message, "192.0.2.1:8080"));
}

static int
open_listener (GSocketAddress **address)
{
  struct sockaddr_in native = { .sin_family = AF_INET };
  socklen_t length = sizeof native;
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

  native.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  g_assert_cmpint (bind (fd, (struct sockaddr *) &native, length), ==, 0);
  g_assert_cmpint (listen (fd, 16), ==, 0);
  g_assert_cmpint (getsockname (fd, (struct sockaddr *) &native, &length), ==, 0);
  *address = g_socket_address_new_from_native (&native, length);
  return fd;
}

/* As systemd hands it over: blocking. */
static void
test_listen_fd (Door *door, gconstpointer data)
{
  g_autoptr (GSocketAddress) address = NULL;
  g_autoptr (GError) error = NULL;
  int fd = open_listener (&address);

  g_assert_true (socketio_doorman_listen_fd (door->doorman, fd, &error));
  g_assert_no_error (error);
  g_assert_cmpint (fcntl (fd, F_GETFL) & O_NONBLOCK, !=, 0);
  door_assert_open (address);
  socketio_doorman_stop_listening (door->doorman);
  g_assert_false (io_fd_is_open (fd));
}

static void
test_listen_fd_not_listening (Door *door, gconstpointer data)
{
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_autoptr (GError) error = NULL;

  g_assert_false (socketio_doorman_listen_fd (door->doorman, fd, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  g_assert_false (io_fd_is_open (fd));
}

static void
test_listen_fd_no_socket (Door *door, gconstpointer data)
{
  int fd = open ("/dev/null", O_RDONLY | O_CLOEXEC);
  g_autoptr (GError) error = NULL;

  g_assert_false (socketio_doorman_listen_fd (door->doorman, fd, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  g_assert_false (io_fd_is_open (fd));
}

static gboolean
can_connect (GSocketAddress *address)
{
  struct sockaddr_storage native;
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int result;

  g_assert_true (g_socket_address_to_native (address, &native, sizeof native, NULL));
  result = connect (fd, (struct sockaddr *) &native, g_socket_address_get_native_size (address));
  close (fd);
  return result == 0;
}

/* Those at the door are sent away; who is in already gets his answer. */
static void
test_stop_listening (Door *door, gconstpointer data)
{
  g_autoptr (IoClient) silent = door_connect (door);
  g_autoptr (IoClient) half = door_send (door, "GET / HT");
  g_autoptr (IoClient) inside = door_send (door, "GET /late HTTP/1.1\r\nHost: a\r\n\r\n");

  io_wait_for (NULL, door->n_handled == 1 && socketio_doorman_get_n_waiting (door->doorman) == 2);
  socketio_doorman_stop_listening (door->doorman);
  g_assert_cmpuint (socketio_doorman_get_n_waiting (door->doorman), ==, 0);
  g_assert_false (can_connect (door->address));
  io_wait_for (NULL, io_client_is_done (silent) && io_client_is_done (half));
  g_assert_cmpuint (silent->received->len + half->received->len, ==, 0);
  door_assert_answer (inside, "hello");
}

static void
test_listen_again (Door *door, gconstpointer data)
{
  g_autoptr (GSocketAddress) again = NULL;
  g_autoptr (GError) error = NULL;

  door_assert_open (door->address);
  socketio_doorman_stop_listening (door->doorman);
  again = socketio_doorman_listen (door->doorman, door->address, &error);
  g_assert_no_error (error);
  door_assert_open (again);
}

static void
test_freed_with_guests (Door *door, gconstpointer data)
{
  g_autoptr (IoClient) silent = door_connect (door);
  g_autoptr (IoClient) inside = door_send (door, "GET /late HTTP/1.1\r\nHost: a\r\n\r\n");

  io_wait_for (NULL, door->n_handled == 1 && socketio_doorman_get_n_waiting (door->doorman) == 1);
  g_clear_pointer (&door->doorman, socketio_doorman_free);
  io_wait_for (NULL, silent->eof);
  door_assert_answer (inside, "hello");
}

static const struct
{
  const char *name;
  void (*func) (Door *door, gconstpointer data);
} tests[] = {
  { "serve/get", test_get },
  { "serve/get-many-at-once", test_get_many_at_once },
  { "serve/head-in-bytes", test_head_in_bytes },
  { "serve/head-cut-anywhere", test_head_cut_anywhere },
  { "serve/longest-head", test_longest_head },
  { "serve/body-with-head", test_body_with_head },
  { "serve/body-in-bytes", test_body_in_bytes },
  { "serve/half-closed", test_half_closed },
  { "serve/half-closed-later", test_half_closed_later },
  { "serve/http-1.0", test_http_1_0 },
  { "serve/second-request", test_second_request },
  { "listen/two-addresses", test_two_addresses },
  { "listen/ipv6", test_ipv6 },
  { "listen/ipv6-only", test_ipv6_only },
  { "listen/port-in-use", test_port_in_use },
  { "listen/path-in-use", test_path_in_use },
  { "listen/foreign-address", test_foreign_address },
  { "listen-fd/good", test_listen_fd },
  { "listen-fd/not-listening", test_listen_fd_not_listening },
  { "listen-fd/no-socket", test_listen_fd_no_socket },
  { "stop-listening", test_stop_listening },
  { "listen-again", test_listen_again },
  { "freed-with-guests", test_freed_with_guests },
};

#define add_shop(name, func)                                                                       \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_test_add ("/doorman/tcp/" name, Shop, NULL, shop_set_up, func, shop_tear_down);              \
    g_test_add ("/doorman/unix/" name, Shop, GINT_TO_POINTER (TRUE), shop_set_up, func,            \
                shop_tear_down);                                                                   \
  }                                                                                                \
  G_STMT_END

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (tests); i++)
    {
      g_autofree char *name = g_strconcat ("/doorman/", tests[i].name, NULL);

      g_test_add (name, Door, NULL, door_set_up, tests[i].func, door_tear_down);
    }
  add_shop ("peer", test_peer);
  add_shop ("http-1.0", test_http_1_0_shop);
  add_shop ("1000-gets", test_1000_gets);
  add_shop ("1000-leavers", test_1000_leavers);

  return g_test_run ();
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "socketio-doorman.h"

#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <malloc.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "io-door.h"
#include "socketio-http-head.h"

/* Connections that are not let in, or not for long. */

#define SILENT_CONNECTIONS 200
/* Of the doorman: a few numbers, a place in the table of watches, and one in the heap of timers. */
#define SILENT_BYTES 400

/* Sends a byte every few milliseconds, as long as the peer takes them. */
typedef struct
{
  IoClient *client;
  GSource *source; /* NULL once the peer takes no more */
  const char *text;
  gsize sent;
} Trickle;

static gboolean
trickle_cb (gpointer user_data)
{
  Trickle *self = user_data;
  char byte = self->sent < strlen (self->text) ? self->text[self->sent] : 'x';

  if (send (self->client->fd, &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT) != 1)
    {
      g_clear_pointer (&self->source, g_source_unref);
      return G_SOURCE_REMOVE;
    }
  self->sent++;
  return G_SOURCE_CONTINUE;
}

static void
trickle_start (Trickle *self, IoClient *client, const char *text)
{
  self->client = client;
  self->text = text;
  self->source = g_timeout_source_new (3);
  g_source_set_callback (self->source, trickle_cb, self, NULL);
  g_source_attach (self->source, NULL);
}

static void
trickle_stop (Trickle *self)
{
  if (self->source == NULL)
    return;

  g_source_destroy (self->source);
  g_clear_pointer (&self->source, g_source_unref);
}

/* At the door */

static void
test_silent_is_cheap (Door *door, gconstpointer data)
{
  g_autoptr (GPtrArray) clients = g_ptr_array_new_with_free_func ((GDestroyNotify) io_client_free);
  guint n_fds;
  gsize before, after;

  /* what is made once is made by the first */
  door_assert_open (door->address);
  for (guint i = 0; i < SILENT_CONNECTIONS; i++)
    g_ptr_array_add (clients, door_connect (door));
  n_fds = io_count_fds ();
  before = mallinfo2 ().uordblks;
  io_wait_for (NULL, socketio_doorman_get_n_waiting (door->doorman) == SILENT_CONNECTIONS);
  after = mallinfo2 ().uordblks;

  g_assert_cmpuint (io_count_fds (), ==, n_fds + SILENT_CONNECTIONS);
  g_assert_cmpuint (after, <=, before + SILENT_CONNECTIONS * SILENT_BYTES);
  g_test_message ("%.0f bytes each", ((double) after - (double) before) / SILENT_CONNECTIONS);
  g_assert_cmpuint (door->n_requests, ==, 1);
  g_ptr_array_set_size (clients, 0);
  io_wait_for (NULL, socketio_doorman_get_n_waiting (door->doorman) == 0);
  g_assert_cmpuint (io_count_fds (), ==, n_fds - SILENT_CONNECTIONS);
}

/* It said nothing, and is told nothing. */
static void
test_silent_timeout (Door *door, gconstpointer data)
{
  gint64 start = g_get_monotonic_time ();
  g_autoptr (IoClient) client = NULL;

  socketio_doorman_set_timeouts (door->doorman, 60, 10000);
  client = door_connect (door);
  io_wait_for (NULL, io_client_is_done (client));
  g_assert_cmpint (g_get_monotonic_time () - start, >=, 60 * 1000);
  g_assert_true (client->eof);
  g_assert_cmpuint (client->received->len, ==, 0);
  g_assert_cmpuint (socketio_doorman_get_n_waiting (door->doorman), ==, 0);
}

/* Each byte in time does not make the whole in time. */
static void
test_trickle_timeout (Door *door, gconstpointer data)
{
  gint64 start = g_get_monotonic_time ();
  g_autoptr (IoClient) client = NULL;
  Trickle trickle = { 0 };

  socketio_doorman_set_timeouts (door->doorman, 60, 10000);
  client = door_connect (door);
  trickle_start (&trickle, client, "GET /");
  door_assert_status (client, 408);
  g_assert_cmpint (g_get_monotonic_time () - start, >=, 60 * 1000);
  g_assert_cmpuint (trickle.sent, >, 1);
  trickle_stop (&trickle);
  g_assert_cmpuint (door->n_requests, ==, 0);

  shutdown (client->fd, SHUT_WR);
  io_wait_for (NULL, socketio_doorman_get_n_waiting (door->doorman) == 0);
}

/* The answer is not chased by a RST, which could take it away from the client again. */
static void
test_timeout_without_reset (Door *door, gconstpointer data)
{
  g_autoptr (IoClient) client = NULL;

  socketio_doorman_set_timeouts (door->doorman, 60, 10000);
  client = door_send (door, "GET / HTTP/1.1\r\nHost: ");
  door_assert_status (client, 408);
  io_settle (NULL);
  g_assert_cmpint (io_client_get_socket_error (client), ==, 0);
  shutdown (client->fd, SHUT_WR);
  io_wait_for (NULL, socketio_doorman_get_n_waiting (door->doorman) == 0);
  g_assert_cmpint (io_client_get_socket_error (client), ==, 0);
}

static void
test_gone_at_once (Door *door, gconstpointer data)
{
  g_autoptr (IoClient) closed = door_connect (door);
  g_autoptr (IoClient) reset = door_send (door, "GET");
  g_autoptr (IoClient) half = door_send (door, "GET / HT");

  io_wait_for (NULL, socketio_doorman_get_n_waiting (door->doorman) == 3);
  io_client_reset (reset);
  shutdown (half->fd, SHUT_WR);
  shutdown (closed->fd, SHUT_WR);
  io_wait_for (NULL, socketio_doorman_get_n_waiting (door->doorman) == 0);
  io_wait_for (NULL, io_client_is_done (half) && closed->eof);
  g_assert_cmpuint (half->received->len, ==, 0);
}

/* Refusals */

typedef struct
{
  const char *name;
  guint status;
  const char *text;
} Refusal;

static const Refusal refusals[] = {
  { "broken", 400, "GET /\r\n\r\n" },
  { "not-http", 400, "\x16\x03\x01\x02" },
  { "smuggling", 400,
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" },
  { "made-up-method", 501, "FROB / HTTP/1.1\r\nHost: a\r\n\r\n" },
  { "transfer-encoding", 501, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n" },
  { "http-2", 505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" },
};

static void
assert_refused (Door *door, const char *text, guint status)
{
  g_autoptr (IoClient) client = door_send (door, text);

  door_assert_status (client, status);
  g_assert_nonnull (strstr (client->received->str, "\r\nContent-Length: 0\r\n"));
  g_assert_cmpint (io_client_get_socket_error (client), ==, 0);
  /* it may still read: it leaves the door when it closes */
  g_assert_cmpuint (socketio_doorman_get_n_waiting (door->doorman), ==, 1);
  shutdown (client->fd, SHUT_WR);
  io_wait_for (NULL, socketio_doorman_get_n_waiting (door->doorman) == 0);
  g_assert_cmpint (io_client_get_socket_error (client), ==, 0);
  g_assert_cmpuint (door->n_requests, ==, 0);
}

static void
test_refused (Door *door, gconstpointer data)
{
  const Refusal *refusal = data;

  assert_refused (door, refusal->text, refusal->status);
}

static void
test_refused_oversized (Door *door, gconstpointer data)
{
  g_autofree char *filler = g_strnfill (SOCKETIO_HTTP_HEAD_MAX, 'x');
  g_autofree char *head = g_strconcat ("GET / HTTP/1.1\r\nHost: a\r\nX: ", filler, NULL);

  assert_refused (door, head, 431);
}

/* Bytes that come after the broken head are read away, so that no RST takes the answer away. */
static void
test_refused_with_body (Door *door, gconstpointer data)
{
  g_autofree char *body = g_strnfill (100 * 1000, 'x');
  g_autofree char *text =
      g_strconcat ("FROB / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n", body, NULL);

  assert_refused (door, text, 501);
}

/* Who goes on sending after the refusal is cut off. */
static void
test_refused_keeps_sending (Door *door, gconstpointer data)
{
  g_autoptr (IoClient) client = door_send (door, "FROB / HTTP/1.1\r\nHost: a\r\n\r\n");
  g_autofree char *filler = g_strnfill (16 * 1024, 'x');
  gsize sent = 0;

  io_wait_for (NULL, client->eof);
  while (socketio_doorman_get_n_waiting (door->doorman) > 0)
    {
      gssize n = send (client->fd, filler, 16 * 1024, MSG_NOSIGNAL | MSG_DONTWAIT);

      if (n > 0)
        sent += n;
      g_main_context_iteration (NULL, FALSE);
      g_assert_cmpuint (sent, <, 32 * 1024 * 1024);
    }
  g_assert_cmpuint (sent, >, 100 * 1024);
}

/* Who does not close after the refusal is closed. */
static void
test_refused_stays (Door *door, gconstpointer data)
{
  g_autoptr (IoClient) client = NULL;
  Trickle trickle = { 0 };

  /* so that the time for the head is not what ends it */
  socketio_doorman_set_timeouts (door->doorman, 600 * 1000, 600 * 1000);
  client = door_send (door, "FROB / HTTP/1.1\r\nHost: a\r\n\r\n");
  door_assert_status (client, 501);
  trickle_start (&trickle, client, "");
  g_assert_cmpuint (socketio_doorman_get_n_waiting (door->doorman), ==, 1);
  io_wait_for (NULL, socketio_doorman_get_n_waiting (door->doorman) == 0);
  io_wait_for (NULL, trickle.source == NULL);
}

/* Beyond the door */

#define POST_HEAD "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n"

static void
test_silent_body (Door *door, gconstpointer data)
{
  gint64 start = g_get_monotonic_time ();
  g_autoptr (IoClient) client = NULL;

  socketio_doorman_set_timeouts (door->doorman, 10000, 80);
  client = door_send (door, POST_HEAD "the beginning");
  io_wait_for (NULL, io_client_is_done (client));
  g_assert_cmpint (g_get_monotonic_time () - start, >=, 80 * 1000);
  g_assert_null (strstr (client->received->str, " 200 "));
  g_assert_cmpuint (door->n_handled, ==, 0);
  io_wait_for (NULL, door->n_alive == 0);
}

static void
test_slow_body (Door *door, gconstpointer data)
{
  g_autoptr (IoClient) client = NULL;
  Trickle trickle = { 0 };

  socketio_doorman_set_timeouts (door->doorman, 10000, 80);
  client = door_send (door, POST_HEAD);
  trickle_start (&trickle, client, "");
  io_wait_for (NULL, io_client_is_done (client));
  g_assert_cmpuint (trickle.sent, >, 1);
  trickle_stop (&trickle);
  g_assert_cmpuint (door->n_handled, ==, 0);
  io_wait_for (NULL, door->n_alive == 0);
}

/* The time is one for the body: the answer may take longer. */
static void
test_slow_answer (Door *door, gconstpointer data)
{
  gint64 start = g_get_monotonic_time ();
  g_autoptr (IoClient) client = NULL;

  socketio_doorman_set_timeouts (door->doorman, 10000, DOOR_LATE_MS / 4);
  client = door_send (door, "POST /late HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
  door_assert_answer (client, "abc");
  g_assert_cmpint (g_get_monotonic_time () - start, >=, DOOR_LATE_MS * 1000);
}

/* Many */

#define MADE_UP_METHODS 100000
#define MADE_UP_BYTES (8 * 1024 * 1024)
/* Where it is only about how each is treated. */
#define FEW_MADE_UP_METHODS 2000

/* AddressSanitizer and valgrind keep freed memory for a while, and valgrind its own books in this
 * process: no figure would say anything. */
static gboolean
is_memory_telling (void)
{
#ifdef __SANITIZE_ADDRESS__
  return FALSE;
#else
  return g_getenv ("CONFAB_TEST_VALGRIND") == NULL;
#endif
}

static gsize
get_resident (void)
{
  g_autofree char *text = NULL;
  gsize size, resident;

  g_assert_true (g_file_get_contents ("/proc/self/statm", &text, NULL, NULL));
  g_assert_cmpint (sscanf (text, "%zu %zu", &size, &resident), ==, 2);
  return resident * (gsize) sysconf (_SC_PAGESIZE);
}

static void
send_made_up_method (GSocketAddress *address, guint i)
{
  g_autofree char *text = g_strdup_printf ("M%u-%032u / HTTP/1.1\r\nHost: a\r\n\r\n", i, i);
  g_autoptr (IoClient) client = io_client_connect (NULL, address);

  io_client_send (client, text);
  io_wait_for (NULL, client->eof);
  g_assert_true (g_str_has_prefix (client->received->str, "HTTP/1.1 501 "));
}

/* libsoup keeps every method that it reads for ever. Over a UNIX socket, which costs half the time
 * and no ports. */
static void
test_made_up_methods (Door *door, gconstpointer data)
{
  g_autofree char *dir = g_dir_make_tmp ("socketio-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (dir, "socket", NULL);
  g_autoptr (GSocketAddress) any = g_unix_socket_address_new (path);
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocketAddress) address = socketio_doorman_listen (door->doorman, any, &error);
  guint n_methods = is_memory_telling () ? MADE_UP_METHODS : FEW_MADE_UP_METHODS;
  gsize before, after;

  g_assert_no_error (error);
  for (guint i = 0; i < 1000; i++)
    send_made_up_method (address, i);
  before = get_resident ();
  for (guint i = 1000; i < n_methods; i++)
    send_made_up_method (address, i);
  after = get_resident ();
  g_test_message ("%zu KiB before, %zu KiB after", before / 1024, after / 1024);
  if (is_memory_telling ())
    g_assert_cmpuint (after - MIN (before, after), <, MADE_UP_BYTES);
  io_wait_for (NULL, socketio_doorman_get_n_waiting (door->doorman) == 0);
  g_assert_cmpuint (door->n_requests, ==, 0);
  g_unlink (path);
  g_rmdir (dir);
}

static const struct
{
  const char *name;
  void (*func) (Door *door, gconstpointer data);
} tests[] = {
  { "silent/is-cheap", test_silent_is_cheap },
  { "silent/timeout", test_silent_timeout },
  { "trickle/timeout", test_trickle_timeout },
  { "trickle/timeout-without-reset", test_timeout_without_reset },
  { "gone-at-once", test_gone_at_once },
  { "refused/oversized", test_refused_oversized },
  { "refused/with-body", test_refused_with_body },
  { "refused/keeps-sending", test_refused_keeps_sending },
  { "refused/stays", test_refused_stays },
  { "body/silent", test_silent_body },
  { "body/slow", test_slow_body },
  { "body/slow-answer", test_slow_answer },
  { "made-up-methods", test_made_up_methods },
};

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (tests); i++)
    {
      g_autofree char *name = g_strconcat ("/doorman-limits/", tests[i].name, NULL);

      g_test_add (name, Door, NULL, door_set_up, tests[i].func, door_tear_down);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (refusals); i++)
    {
      g_autofree char *name = g_strconcat ("/doorman-limits/refused/", refusals[i].name, NULL);

      g_test_add (name, Door, &refusals[i], door_set_up, test_refused, door_tear_down);
    }

  return g_test_run ();
}

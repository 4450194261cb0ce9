/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "socketio-stream.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io-stream-end.h"

/* Making a SocketioStream, and reading from it. */

static gboolean
is_readable (StreamFixture *fixture)
{
  return g_pollable_input_stream_is_readable (
      G_POLLABLE_INPUT_STREAM (g_io_stream_get_input_stream (G_IO_STREAM (fixture->stream))));
}

/* Reading */

static void
test_read_nothing (StreamFixture *fixture, gconstpointer data)
{
  io_settle (NULL);
  g_assert_false (is_readable (fixture));
  stream_assert_would_block (fixture->stream);
}

static void
test_read_all (StreamFixture *fixture, gconstpointer data)
{
  g_autoptr (StreamReader) reader = stream_reader_new (fixture->stream);
  g_autoptr (GBytes) pattern = make_pattern (1024 * 1024);
  g_autoptr (GBytes) received = NULL;
  gsize size, sent = 0;
  const char *bytes = g_bytes_get_data (pattern, &size);

  while (sent < size)
    {
      gssize n = send (fixture->client->fd, bytes + sent, size - sent, MSG_NOSIGNAL);

      if (n > 0)
        sent += n;
      else
        g_main_context_iteration (NULL, TRUE);
    }
  shutdown (fixture->client->fd, SHUT_WR);
  io_wait_for (NULL, stream_reader_is_done (reader));
  g_assert_no_error (reader->error);
  received = g_bytes_new (reader->received->str, reader->received->len);
  g_assert_true (g_bytes_equal (received, pattern));
}

static void
test_read_rearms (StreamFixture *fixture, gconstpointer data)
{
  g_autoptr (StreamReader) reader = stream_reader_new (fixture->stream);

  for (guint i = 1; i <= 100; i++)
    {
      io_client_send (fixture->client, "x");
      io_wait_for (NULL, reader->received->len == i);
    }
  io_settle (NULL);
  g_assert_cmpuint (reader->n_calls, ==, 100);
}

/* What comes after a short read is not seen before the loop has turned: so there was no recv(). */
static void
test_read_short (StreamFixture *fixture, gconstpointer data)
{
  io_client_send (fixture->client, "abc");
  io_wait_for (NULL, is_readable (fixture));
  stream_assert_read (fixture->stream, "abc");
  g_assert_false (is_readable (fixture));

  io_client_send (fixture->client, "def");
  stream_assert_would_block (fixture->stream);
  io_wait_for (NULL, is_readable (fixture));
  stream_assert_read (fixture->stream, "def");
}

/* After a read that filled the buffer there may be more: it takes a recv() to know. */
static void
test_read_full (StreamFixture *fixture, gconstpointer data)
{
  char buffer[3];

  io_client_send (fixture->client, "abcd");
  io_wait_for (NULL, is_readable (fixture));
  g_assert_cmpint (stream_read (fixture->stream, buffer, 3, NULL), ==, 3);
  g_assert_true (is_readable (fixture));
  g_assert_cmpint (stream_read (fixture->stream, buffer, 1, NULL), ==, 1);
  g_assert_cmpint (buffer[0], ==, 'd');
  g_assert_true (is_readable (fixture));
  stream_assert_would_block (fixture->stream);
  g_assert_false (is_readable (fixture));
}

/* Whoever sends without an end leaves others their turns: there is a pause, and then it goes on. */
static void
test_read_share (StreamFixture *fixture, gconstpointer data)
{
  g_autofree char *text = g_strnfill (48 * 1024, 'x');
  g_autoptr (GError) error = NULL;
  char buffer[1024];
  gsize pauses = 0, sum = 0;
  gssize n;

  io_client_send (fixture->client, text);
  io_settle (NULL);
  while (sum < strlen (text))
    {
      n = stream_read (fixture->stream, buffer, sizeof buffer, &error);
      if (n > 0)
        {
          sum += n;
          continue;
        }
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
      g_clear_error (&error);
      pauses++;
      /* without a further byte */
      g_assert_true (g_pollable_input_stream_is_readable (
          G_POLLABLE_INPUT_STREAM (g_io_stream_get_input_stream (G_IO_STREAM (fixture->stream)))));
    }
  g_assert_cmpuint (pauses, ==, 2);
}

static void
test_read_end (StreamFixture *fixture, gconstpointer data)
{
  shutdown (fixture->client->fd, SHUT_WR);
  io_wait_for (NULL, is_readable (fixture));
  for (guint i = 0; i < 3; i++)
    {
      stream_assert_read (fixture->stream, "");
      g_assert_true (is_readable (fixture));
    }
}

/* Bytes and the end come together: a short read does not hide the end. */
static void
test_read_half_closed (StreamFixture *fixture, gconstpointer data)
{
  io_client_send (fixture->client, "the rest");
  shutdown (fixture->client->fd, SHUT_WR);
  io_wait_for (NULL, is_readable (fixture));
  stream_assert_read (fixture->stream, "the rest");
  io_wait_for (NULL, is_readable (fixture));
  stream_assert_read (fixture->stream, "");

  stream_write_text (fixture->stream, "an answer");
  io_wait_for (NULL, fixture->client->received->len == 9);
  g_assert_cmpstr (fixture->client->received->str, ==, "an answer");
}

static void
test_read_half_closed_by_source (StreamFixture *fixture, gconstpointer data)
{
  g_autoptr (StreamReader) reader = stream_reader_new (fixture->stream);

  io_client_send (fixture->client, "the rest");
  shutdown (fixture->client->fd, SHUT_WR);
  io_wait_for (NULL, stream_reader_is_done (reader));
  g_assert_no_error (reader->error);
  g_assert_cmpstr (reader->received->str, ==, "the rest");
}

/* Early bytes */

/* Puts a stream with @early in the place of the fixture's. */
static void
replace_stream (StreamFixture *fixture, const char *early)
{
  g_autoptr (GBytes) bytes = g_bytes_new (early, strlen (early));
  g_autoptr (GError) error = NULL;
  int fds[2];

  g_clear_object (&fixture->stream);
  g_clear_pointer (&fixture->client, io_client_free);
  io_unix_pair (fds);
  fixture->fd = fds[0];
  fixture->stream = socketio_stream_new (fixture->reactor, fds[0], bytes, &error);
  g_assert_no_error (error);
  fixture->client = io_client_new (NULL, fds[1]);
}

static void
test_early_in_parts (StreamFixture *fixture, gconstpointer data)
{
  char buffer[4];

  replace_stream (fixture, "abcdef");
  io_client_send (fixture->client, "ghi");
  io_settle (NULL);
  g_assert_true (is_readable (fixture));
  g_assert_cmpint (stream_read (fixture->stream, buffer, 4, NULL), ==, 4);
  g_assert_cmpmem (buffer, 4, "abcd", 4);
  stream_assert_read (fixture->stream, "ef");
  stream_assert_read (fixture->stream, "ghi");
  stream_assert_would_block (fixture->stream);
}

static void
test_early_by_source (StreamFixture *fixture, gconstpointer data)
{
  g_autoptr (StreamReader) reader = NULL;

  replace_stream (fixture, "abc");
  io_settle (NULL);
  reader = stream_reader_new (fixture->stream);
  io_wait_for (NULL, reader->received->len == 3);
  io_client_send (fixture->client, "def");
  io_wait_for (NULL, reader->received->len == 6);
  g_assert_cmpstr (reader->received->str, ==, "abcdef");
}

/* No bytes are not the end. */
static void
test_early_empty (StreamFixture *fixture, gconstpointer data)
{
  replace_stream (fixture, "");
  stream_assert_would_block (fixture->stream);
  io_client_send (fixture->client, "abc");
  io_wait_for (NULL, is_readable (fixture));
  stream_assert_read (fixture->stream, "abc");
}

static void
test_early_unread (StreamFixture *fixture, gconstpointer data)
{
  replace_stream (fixture, "never read");
  g_clear_object (&fixture->stream);
  io_wait_for (NULL, fixture->client->eof);
}

/* Making one */

static void
test_new_refused (void)
{
  g_autoptr (SocketioReactor) reactor = socketio_reactor_new ();
  g_autoptr (GError) error = NULL;
  int fd = open ("/proc/self/exe", O_RDONLY | O_CLOEXEC);

  g_assert_null (socketio_stream_new (reactor, fd, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED);
  g_assert_false (io_fd_is_open (fd));
  g_assert_cmpuint (socketio_reactor_get_n_shards (reactor), ==, 0);
}

static void
test_new_many (void)
{
  g_autoptr (SocketioReactor) reactor = socketio_reactor_new ();
  g_autoptr (GPtrArray) streams = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GPtrArray) clients = g_ptr_array_new_with_free_func ((GDestroyNotify) io_client_free);

  for (guint i = 0; i < 100; i++)
    {
      int fds[2];

      io_unix_pair (fds);
      g_ptr_array_add (streams, socketio_stream_new (reactor, fds[0], NULL, NULL));
      g_ptr_array_add (clients, io_client_new (NULL, fds[1]));
      stream_write_text (streams->pdata[i], "hello");
    }
  g_assert_cmpuint (socketio_reactor_get_n_shards (reactor), ==, 4);
  for (guint i = 0; i < 100; i++)
    io_wait_for (NULL, ((IoClient *) clients->pdata[i])->received->len == 5);

  g_ptr_array_set_size (streams, 0);
  g_assert_cmpuint (socketio_reactor_get_n_shards (reactor), ==, 0);
  for (guint i = 0; i < 100; i++)
    io_wait_for (NULL, ((IoClient *) clients->pdata[i])->eof);
}

static const StreamTest tests[] = {
  { "read/nothing", test_read_nothing },
  { "read/all", test_read_all },
  { "read/rearms", test_read_rearms },
  { "read/short", test_read_short },
  { "read/full", test_read_full },
  { "read/share", test_read_share },
  { "read/end", test_read_end },
  { "read/half-closed", test_read_half_closed },
  { "read/half-closed-by-source", test_read_half_closed_by_source },
  { "early/in-parts", test_early_in_parts },
  { "early/by-source", test_early_by_source },
  { "early/empty", test_early_empty },
  { "early/unread", test_early_unread },
};

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  stream_add_tests ("stream", tests, G_N_ELEMENTS (tests));
  g_test_add_func ("/stream/new/refused", test_new_refused);
  g_test_add_func ("/stream/new/many", test_new_many);

  return g_test_run ();
}

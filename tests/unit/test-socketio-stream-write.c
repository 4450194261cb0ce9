/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "socketio-stream.h"

#include <malloc.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io-stream-end.h"

/* Writing to a SocketioStream: its queue, its marks, and a peer that is gone. */

static gboolean
is_writable (StreamFixture *fixture)
{
  return g_pollable_output_stream_is_writable (
      G_POLLABLE_OUTPUT_STREAM (g_io_stream_get_output_stream (G_IO_STREAM (fixture->stream))));
}

static void
test_write (StreamFixture *fixture, gconstpointer data)
{
  stream_write_text (fixture->stream, "hello");
  g_assert_cmpuint (socketio_stream_get_queued (fixture->stream), ==, 5);
  io_wait_for (NULL, fixture->client->received->len == 5);
  g_assert_cmpstr (fixture->client->received->str, ==, "hello");
  g_assert_cmpuint (socketio_stream_get_queued (fixture->stream), ==, 0);
}

/* What one turn writes is sent by one call: a socket that keeps its messages apart shows it. */
static void
test_write_gathered (void)
{
  g_autoptr (SocketioReactor) reactor = socketio_reactor_new ();
  g_autoptr (SocketioStream) stream = NULL;
  g_autoptr (IoClient) client = NULL;
  int fds[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), ==,
                   0);
  stream = socketio_stream_new (reactor, fds[0], NULL, NULL);
  client = io_client_new (NULL, fds[1]);
  io_client_pause (client);

  for (guint turn = 0; turn < 2; turn++)
    {
      char buffer[64];

      stream_write_text (stream, "one");
      stream_write_text (stream, "two");
      stream_write_text (stream, "three");
      io_settle (NULL);
      g_assert_cmpint (recv (fds[1], buffer, sizeof buffer, 0), ==, 11);
      g_assert_cmpmem (buffer, 11, "onetwothree", 11);
    }
}

static void
assert_client_got (StreamFixture *fixture, GBytes *expected)
{
  g_autoptr (GBytes) received =
      g_bytes_new (fixture->client->received->str, fixture->client->received->len);

  g_assert_true (g_bytes_equal (received, expected));
}

/* Through a kernel that takes next to nothing, to a reader who begins late. */
static void
test_write_blocked (StreamFixture *fixture, gconstpointer data)
{
  g_autoptr (GBytes) pattern = make_pattern (1024 * 1024);
  g_autoptr (StreamWriter) writer = NULL;

  stream_fixture_narrow (fixture);
  io_client_pause (fixture->client);
  writer = stream_writer_new (fixture->stream, pattern);
  io_wait_for (NULL, writer->n_refusals > 0);
  io_settle (NULL);
  g_assert_false (stream_writer_is_done (writer));
  g_assert_cmpuint (socketio_stream_get_queued (fixture->stream), >, SOCKETIO_STREAM_LOW_MARK);
  g_assert_cmpuint (writer->written, <, 4 * SOCKETIO_STREAM_HIGH_MARK);

  io_client_resume (fixture->client);
  io_wait_for (NULL, fixture->client->received->len == 1024 * 1024);
  g_assert_no_error (writer->error);
  assert_client_got (fixture, pattern);
  g_assert_cmpuint (writer->most_queued, <=, SOCKETIO_STREAM_HIGH_MARK);
  g_assert_cmpuint (socketio_stream_get_queued (fixture->stream), ==, 0);
}

static gsize
get_heap (void)
{
  struct mallinfo2 info = mallinfo2 ();

  return info.uordblks + info.hblkhd;
}

/* A queue that is never empty does not keep what was sent from it. */
static void
test_write_without_pause (StreamFixture *fixture, gconstpointer data)
{
  g_autoptr (GBytes) pattern = make_pattern (4 * 1024 * 1024);
  g_autoptr (StreamWriter) writer = NULL;
  gsize received = 0;
  gsize before = get_heap ();

  stream_fixture_narrow (fixture);
  writer = stream_writer_new (fixture->stream, pattern);
  while (received < 4 * 1024 * 1024)
    {
      g_main_context_iteration (NULL, TRUE);
      received += fixture->client->received->len;
      g_string_truncate (fixture->client->received, 0);
      g_assert_cmpuint (get_heap (), <, before + 1024 * 1024);
    }
  g_assert_cmpuint (writer->n_refusals, >, 0);
}

/* Small writes while the kernel takes small parts of what is queued. */
static void
test_write_partial (StreamFixture *fixture, gconstpointer data)
{
  g_autoptr (GBytes) pattern = make_pattern (300 * 1000);
  gsize size, written = 0;
  const char *bytes = g_bytes_get_data (pattern, &size);

  stream_fixture_narrow (fixture);
  while (written < size)
    {
      gsize count = g_test_rand_int_range (1, 3000);
      gssize n = stream_write (fixture->stream, bytes + written, MIN (count, size - written), NULL);

      if (n > 0)
        written += n;
      g_assert_cmpuint (socketio_stream_get_queued (fixture->stream), <,
                        SOCKETIO_STREAM_HIGH_MARK + SOCKETIO_STREAM_ATOMIC);
      if (n < 0 || g_test_rand_int_range (0, 4) == 0)
        g_main_context_iteration (NULL, n < 0);
    }
  io_wait_for (NULL, fixture->client->received->len == size);
  assert_client_got (fixture, pattern);
}

static void
test_write_high_mark (StreamFixture *fixture, gconstpointer data)
{
  g_autoptr (GBytes) pattern = make_pattern (2 * SOCKETIO_STREAM_HIGH_MARK);
  const char *bytes = g_bytes_get_data (pattern, NULL);
  g_autoptr (GError) error = NULL;

  stream_write_text (fixture->stream, "12345");
  g_assert_cmpint (stream_write (fixture->stream, bytes, 2 * SOCKETIO_STREAM_HIGH_MARK, &error), ==,
                   SOCKETIO_STREAM_HIGH_MARK - 5);
  g_assert_no_error (error);
  g_assert_cmpuint (socketio_stream_get_queued (fixture->stream), ==, SOCKETIO_STREAM_HIGH_MARK);
  g_assert_false (socketio_stream_is_throttled (fixture->stream));

  g_assert_cmpint (stream_write (fixture->stream, bytes, 1, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
  g_assert_true (socketio_stream_is_throttled (fixture->stream));
  g_assert_false (is_writable (fixture));
  g_assert_cmpuint (socketio_stream_get_queued (fixture->stream), ==, SOCKETIO_STREAM_HIGH_MARK);

  io_wait_for (NULL, fixture->client->received->len == SOCKETIO_STREAM_HIGH_MARK);
  g_assert_true (is_writable (fixture));
}

/* A small write is not cut at the mark: its writer has something that must stay in one piece. */
static void
test_write_atomic (StreamFixture *fixture, gconstpointer data)
{
  g_autoptr (GBytes) pattern = make_pattern (SOCKETIO_STREAM_HIGH_MARK);
  const char *bytes = g_bytes_get_data (pattern, NULL);

  stream_write (fixture->stream, bytes, SOCKETIO_STREAM_HIGH_MARK - 1, NULL);
  g_assert_cmpint (stream_write (fixture->stream, bytes, SOCKETIO_STREAM_ATOMIC, NULL), ==,
                   SOCKETIO_STREAM_ATOMIC);
  g_assert_cmpint (stream_write (fixture->stream, bytes, 1, NULL), ==, -1);
  io_wait_for (NULL, fixture->client->received->len
                         == SOCKETIO_STREAM_HIGH_MARK - 1 + SOCKETIO_STREAM_ATOMIC);
}

/* What is appended is queued whatever the marks say, in its order among writes. */
static void
test_append (StreamFixture *fixture, gconstpointer data)
{
  g_autoptr (GBytes) pattern = make_pattern (3 * SOCKETIO_STREAM_HIGH_MARK);
  const char *bytes = g_bytes_get_data (pattern, NULL);

  socketio_stream_append (fixture->stream, bytes, 10, bytes + 10, 2 * SOCKETIO_STREAM_HIGH_MARK);
  g_assert_cmpuint (socketio_stream_get_queued (fixture->stream), ==,
                    2 * SOCKETIO_STREAM_HIGH_MARK + 10);
  g_assert_cmpint (stream_write (fixture->stream, bytes, 1, NULL), ==, -1);
  socketio_stream_append (fixture->stream, NULL, 0, bytes + 2 * SOCKETIO_STREAM_HIGH_MARK + 10,
                          SOCKETIO_STREAM_HIGH_MARK - 10);
  io_wait_for (NULL, fixture->client->received->len == 3 * SOCKETIO_STREAM_HIGH_MARK);
  assert_client_got (fixture, pattern);
  g_assert_true (is_writable (fixture));
}

static void
test_append_after_abort (StreamFixture *fixture, gconstpointer data)
{
  socketio_stream_abort (fixture->stream);
  socketio_stream_append (fixture->stream, "a", 1, "b", 1);
  g_assert_cmpuint (socketio_stream_get_queued (fixture->stream), ==, 0);
}

/* Fills the queue up to a refusal while the client does not read. */
static void
throttle (StreamFixture *fixture)
{
  static const char zeros[4096];

  stream_fixture_narrow (fixture);
  io_client_pause (fixture->client);
  for (guint turn = 0; turn < 2; turn++)
    {
      while (stream_write (fixture->stream, zeros, sizeof zeros, NULL) > 0)
        ;
      io_settle (NULL);
    }
  g_assert_true (socketio_stream_is_throttled (fixture->stream));
  g_assert_cmpuint (socketio_stream_get_queued (fixture->stream), >, SOCKETIO_STREAM_LOW_MARK);
}

/* Lets the client take a little. */
static void
take_some (StreamFixture *fixture)
{
  char buffer[1024];

  while (recv (fixture->client->fd, buffer, sizeof buffer, MSG_DONTWAIT) < 0)
    g_main_context_iteration (NULL, FALSE);
  io_settle (NULL);
}

/* Between the marks nothing moves: a writer is woken once, at the low one. */
static void
test_write_low_mark (StreamFixture *fixture, gconstpointer data)
{
  g_autoptr (GBytes) one = g_bytes_new_static ("x", 1);
  g_autoptr (StreamWriter) writer = NULL;
  g_autoptr (GError) error = NULL;

  throttle (fixture);
  writer = stream_writer_new (fixture->stream, one);
  while (socketio_stream_get_queued (fixture->stream) > SOCKETIO_STREAM_LOW_MARK + 1)
    {
      g_assert_false (is_writable (fixture));
      g_assert_cmpint (stream_write (fixture->stream, "y", 1, &error), ==, -1);
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
      g_clear_error (&error);
      g_assert_cmpuint (writer->written, ==, 0);
      take_some (fixture);
    }
  g_assert_true (is_writable (fixture));
  g_assert_cmpuint (writer->written, ==, 1);
}

/* Progress */

static void
progress_cb (gpointer user_data)
{
  StreamFixture *fixture = user_data;

  /* in the reactor's context, whatever shard is near */
  g_assert_null (g_main_context_get_thread_default ());
  g_string_append_printf (fixture->log, "%c",
                          socketio_stream_get_queued (fixture->stream) == 0 ? 'e' : 'l');
}

/* As long as the kernel takes all, there is nothing to tell. */
static void
test_progress_none (StreamFixture *fixture, gconstpointer data)
{
  socketio_stream_set_progress_func (fixture->stream, progress_cb, fixture);
  stream_write_text (fixture->stream, "hello");
  io_wait_for (NULL, fixture->client->received->len == 5);
  io_settle (NULL);
  g_assert_cmpstr (fixture->log->str, ==, "");
}

static void
test_progress_marks (StreamFixture *fixture, gconstpointer data)
{
  throttle (fixture);
  socketio_stream_set_progress_func (fixture->stream, progress_cb, fixture);
  while (socketio_stream_get_queued (fixture->stream) > SOCKETIO_STREAM_LOW_MARK)
    {
      g_assert_cmpstr (fixture->log->str, ==, "");
      take_some (fixture);
    }
  if (socketio_stream_get_queued (fixture->stream) == 0)
    {
      /* a TCP window may open wide: one send passes both marks, which is told once */
      g_assert_cmpint (GPOINTER_TO_INT (data), ==, STREAM_TCP);
      g_assert_cmpstr (fixture->log->str, ==, "e");
      return;
    }

  g_assert_cmpstr (fixture->log->str, ==, "l");
  while (socketio_stream_get_queued (fixture->stream) > 0)
    {
      g_assert_cmpstr (fixture->log->str, ==, "l");
      take_some (fixture);
    }
  g_assert_cmpstr (fixture->log->str, ==, "le");
  io_settle (NULL);
  g_assert_cmpstr (fixture->log->str, ==, "le");
}

/* Blocked, but nothing was refused: only the end of the queue is told. */
static void
test_progress_blocked (StreamFixture *fixture, gconstpointer data)
{
  static const char zeros[SOCKETIO_STREAM_HIGH_MARK];

  stream_fixture_narrow (fixture);
  socketio_stream_set_progress_func (fixture->stream, progress_cb, fixture);
  g_assert_cmpint (stream_write (fixture->stream, zeros, sizeof zeros, NULL), ==, sizeof zeros);
  io_wait_for (NULL, fixture->log->len > 0);
  g_assert_cmpstr (fixture->log->str, ==, "e");
}

static void
test_progress_unset (StreamFixture *fixture, gconstpointer data)
{
  throttle (fixture);
  socketio_stream_set_progress_func (fixture->stream, progress_cb, fixture);
  socketio_stream_set_progress_func (fixture->stream, NULL, NULL);
  io_client_resume (fixture->client);
  io_wait_for (NULL, socketio_stream_get_queued (fixture->stream) == 0);
  io_settle (NULL);
  g_assert_cmpstr (fixture->log->str, ==, "");
}

/* Unset after it was put off, but before its turn. */
static void
test_progress_unset_pending (StreamFixture *fixture, gconstpointer data)
{
  socketio_stream_set_progress_func (fixture->stream, progress_cb, fixture);
  socketio_stream_notify_empty (fixture->stream);
  socketio_stream_set_progress_func (fixture->stream, NULL, NULL);
  io_settle (NULL);
  g_assert_cmpstr (fixture->log->str, ==, "");
}

static void
test_notify_empty_at_once (StreamFixture *fixture, gconstpointer data)
{
  socketio_stream_set_progress_func (fixture->stream, progress_cb, fixture);
  socketio_stream_notify_empty (fixture->stream);
  g_assert_cmpstr (fixture->log->str, ==, "");
  io_wait_for (NULL, fixture->log->len > 0);
  io_settle (NULL);
  g_assert_cmpstr (fixture->log->str, ==, "e");
}

static void
test_notify_empty_once (StreamFixture *fixture, gconstpointer data)
{
  socketio_stream_set_progress_func (fixture->stream, progress_cb, fixture);
  stream_write_text (fixture->stream, "hello");
  socketio_stream_notify_empty (fixture->stream);
  io_wait_for (NULL, fixture->log->len > 0);
  g_assert_cmpstr (fixture->log->str, ==, "e");

  stream_write_text (fixture->stream, "again");
  io_wait_for (NULL, fixture->client->received->len == 10);
  io_settle (NULL);
  g_assert_cmpstr (fixture->log->str, ==, "e");
}

static void
test_progress_failure (StreamFixture *fixture, gconstpointer data)
{
  throttle (fixture);
  socketio_stream_set_progress_func (fixture->stream, progress_cb, fixture);
  io_client_reset (fixture->client);
  io_wait_for (NULL, fixture->log->len > 0);
  /* what was queued is dropped */
  g_assert_cmpstr (fixture->log->str, ==, "e");
}

/* A peer that is gone */

static void
test_reset_reader (StreamFixture *fixture, gconstpointer data)
{
  g_autoptr (StreamReader) reader = stream_reader_new (fixture->stream);

  io_settle (NULL);
  io_client_reset (fixture->client);
  io_wait_for (NULL, stream_reader_is_done (reader));
  g_assert_error (reader->error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED);
}

static void
test_reset_then_write (StreamFixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  io_client_reset (fixture->client);
  io_settle (NULL);
  /* accepted, because it is sent later */
  stream_write_text (fixture->stream, "hello");
  io_settle (NULL);
  g_assert_cmpuint (socketio_stream_get_queued (fixture->stream), ==, 0);
  g_assert_cmpint (stream_write (fixture->stream, "again", 5, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED);
}

static void
test_reset_writer (StreamFixture *fixture, gconstpointer data)
{
  g_autoptr (GBytes) one = g_bytes_new_static ("x", 1);
  g_autoptr (StreamWriter) writer = NULL;

  throttle (fixture);
  writer = stream_writer_new (fixture->stream, one);
  io_settle (NULL);
  g_assert_false (stream_writer_is_done (writer));
  io_client_reset (fixture->client);
  io_wait_for (NULL, stream_writer_is_done (writer));
  g_assert_error (writer->error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED);
  g_assert_false (socketio_stream_is_throttled (fixture->stream));
}

static void
test_abort (StreamFixture *fixture, gconstpointer data)
{
  g_autoptr (StreamReader) reader = stream_reader_new (fixture->stream);
  g_autoptr (GBytes) one = g_bytes_new_static ("x", 1);
  g_autoptr (StreamWriter) writer = NULL;

  throttle (fixture);
  writer = stream_writer_new (fixture->stream, one);
  io_settle (NULL);
  socketio_stream_abort (fixture->stream);
  g_assert_cmpuint (socketio_stream_get_queued (fixture->stream), ==, 0);
  g_assert_false (stream_reader_is_done (reader));
  io_wait_for (NULL, stream_reader_is_done (reader) && stream_writer_is_done (writer));
  g_assert_nonnull (reader->error);
  g_assert_nonnull (writer->error);
  g_assert_false (g_error_matches (writer->error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK));
  /* it is still the owner who closes it */
  g_assert_true (io_fd_is_open (fixture->fd));
}

static const StreamTest tests[] = {
  { "write/arrives", test_write },
  { "write/blocked", test_write_blocked },
  { "write/partial", test_write_partial },
  { "write/atomic", test_write_atomic },
  { "append", test_append },
  { "append/after-abort", test_append_after_abort },
  { "write/without-pause", test_write_without_pause },
  { "write/high-mark", test_write_high_mark },
  { "write/low-mark", test_write_low_mark },
  { "progress/none", test_progress_none },
  { "progress/marks", test_progress_marks },
  { "progress/blocked", test_progress_blocked },
  { "progress/unset", test_progress_unset },
  { "progress/unset-pending", test_progress_unset_pending },
  { "progress/failure", test_progress_failure, TRUE },
  { "notify-empty/at-once", test_notify_empty_at_once },
  { "notify-empty/once", test_notify_empty_once },
  { "reset/reader", test_reset_reader, TRUE },
  { "reset/then-write", test_reset_then_write, TRUE },
  { "reset/writer", test_reset_writer, TRUE },
  { "abort", test_abort },
};

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  stream_add_tests ("stream-write", tests, G_N_ELEMENTS (tests));
  g_test_add_func ("/stream-write/write/gathered", test_write_gathered);

  return g_test_run ();
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "socketio-stream.h"

#include <sys/socket.h>
#include <unistd.h>

#include "io-stream-end.h"
#include "socketio-stream-private.h"

/* How a SocketioStream ends. */

/* An asynchronous close, and what became of it. */
typedef struct
{
  gboolean done;
  gboolean entered; /* a call is under way from which the callback must not come */
  GError *error;
} Closing;

static void
close_cb (GObject *object, GAsyncResult *result, gpointer user_data)
{
  Closing *self = user_data;

  g_assert_false (self->done);
  g_assert_false (self->entered);
  self->done = TRUE;
  if (g_io_stream_close_finish (G_IO_STREAM (object), result, &self->error))
    g_assert_no_error (self->error);
}

/* As libsoup does it: with the shard's context. */
static void
close_async (SocketioStream *stream, Closing *closing)
{
  socketio_shard_enter (socketio_stream_get_shard (stream));
  closing->entered = TRUE;
  g_io_stream_close_async (G_IO_STREAM (stream), G_PRIORITY_DEFAULT, NULL, close_cb, closing);
  closing->entered = FALSE;
  socketio_shard_leave (socketio_stream_get_shard (stream));
}

/* The synchronous close */

static void
test_sync (StreamFixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  stream_write_text (fixture->stream, "last words");
  g_assert_true (g_io_stream_close (G_IO_STREAM (fixture->stream), NULL, &error));
  g_assert_no_error (error);
  g_assert_false (io_fd_is_open (fixture->fd));
  stream_assert_closed (fixture->stream);
  io_wait_for (NULL, fixture->client->eof);
  g_assert_cmpstr (fixture->client->received->str, ==, "last words");
}

static void
test_sync_wakes_reader (StreamFixture *fixture, gconstpointer data)
{
  g_autoptr (StreamReader) reader = stream_reader_new (fixture->stream);

  io_settle (NULL);
  g_assert_true (g_io_stream_close (G_IO_STREAM (fixture->stream), NULL, NULL));
  io_wait_for (NULL, stream_reader_is_done (reader));
  g_assert_error (reader->error, G_IO_ERROR, G_IO_ERROR_CLOSED);
}

/* Queues more than the kernel takes of a client that does not read. */
static gsize
fill (StreamFixture *fixture)
{
  g_autoptr (GBytes) pattern = make_pattern (SOCKETIO_STREAM_HIGH_MARK);
  gssize n;

  stream_fixture_narrow (fixture);
  io_client_pause (fixture->client);
  n = stream_write (fixture->stream, g_bytes_get_data (pattern, NULL), SOCKETIO_STREAM_HIGH_MARK,
                    NULL);
  g_assert_cmpint (n, ==, SOCKETIO_STREAM_HIGH_MARK);
  io_settle (NULL);
  g_assert_cmpuint (socketio_stream_get_queued (fixture->stream), >, 0);
  return n;
}

static void
test_sync_wakes_writer (StreamFixture *fixture, gconstpointer data)
{
  g_autoptr (GBytes) much = make_pattern (4 * SOCKETIO_STREAM_HIGH_MARK);
  g_autoptr (StreamWriter) writer = NULL;

  fill (fixture);
  writer = stream_writer_new (fixture->stream, much);
  io_settle (NULL);
  g_assert_false (stream_writer_is_done (writer));
  g_assert_true (g_io_stream_close (G_IO_STREAM (fixture->stream), NULL, NULL));
  io_wait_for (NULL, stream_writer_is_done (writer));
  g_assert_error (writer->error, G_IO_ERROR, G_IO_ERROR_CLOSED);
}

/* The close that lingers */

static void
test_async (StreamFixture *fixture, gconstpointer data)
{
  Closing closing = { 0 };

  stream_write_text (fixture->stream, "last words");
  close_async (fixture->stream, &closing);
  io_wait_for (NULL, fixture->client->eof);
  g_assert_cmpstr (fixture->client->received->str, ==, "last words");

  /* the peer has not closed yet; what it still sends does no harm */
  io_client_send (fixture->client, "late");
  io_settle (NULL);
  g_assert_false (closing.done);
  g_assert_true (io_fd_is_open (fixture->fd));
  shutdown (fixture->client->fd, SHUT_WR);
  io_wait_for (NULL, closing.done);
  g_assert_no_error (closing.error);
  g_assert_false (io_fd_is_open (fixture->fd));
  g_assert_true (g_io_stream_is_closed (G_IO_STREAM (fixture->stream)));
  g_assert_cmpint (io_client_get_socket_error (fixture->client), ==, 0);
}

static void
test_async_wakes_reader (StreamFixture *fixture, gconstpointer data)
{
  g_autoptr (StreamReader) reader = stream_reader_new (fixture->stream);
  Closing closing = { 0 };

  io_settle (NULL);
  close_async (fixture->stream, &closing);
  io_wait_for (NULL, stream_reader_is_done (reader));
  g_assert_error (reader->error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  shutdown (fixture->client->fd, SHUT_WR);
  io_wait_for (NULL, closing.done);
}

static void
test_async_refuses_io (StreamFixture *fixture, gconstpointer data)
{
  Closing closing = { 0 };

  io_client_send (fixture->client, "unread");
  io_settle (NULL);
  close_async (fixture->stream, &closing);
  stream_assert_closed (fixture->stream);
  shutdown (fixture->client->fd, SHUT_WR);
  io_wait_for (NULL, closing.done);
}

/* The last message before the close, to a reader who takes a little at a time. */
static void
test_async_slow_reader (StreamFixture *fixture, gconstpointer data)
{
  g_autoptr (GBytes) expected = make_pattern (SOCKETIO_STREAM_HIGH_MARK);
  g_autoptr (GBytes) received = NULL;
  Closing closing = { 0 };
  gssize n = 1;

  fill (fixture);
  close_async (fixture->stream, &closing);
  while (n != 0)
    {
      char buffer[777];

      io_settle (NULL);
      g_assert_false (closing.done);
      n = recv (fixture->client->fd, buffer, sizeof buffer, MSG_DONTWAIT);
      if (n > 0)
        g_string_append_len (fixture->client->received, buffer, n);
      g_assert_cmpuint (fixture->client->received->len, <=, SOCKETIO_STREAM_HIGH_MARK);
    }
  received = g_bytes_new (fixture->client->received->str, fixture->client->received->len);
  g_assert_true (g_bytes_equal (received, expected));

  shutdown (fixture->client->fd, SHUT_WR);
  io_wait_for (NULL, closing.done);
  g_assert_no_error (closing.error);
}

/* Nobody but the closing itself holds the stream. */
static void
test_async_without_owner (StreamFixture *fixture, gconstpointer data)
{
  Closing closing = { 0 };

  fill (fixture);
  close_async (fixture->stream, &closing);
  g_clear_object (&fixture->stream);
  io_settle (NULL);
  g_assert_true (io_fd_is_open (fixture->fd));

  io_client_resume (fixture->client);
  io_wait_for (NULL, fixture->client->eof);
  g_assert_cmpuint (fixture->client->received->len, ==, SOCKETIO_STREAM_HIGH_MARK);
  shutdown (fixture->client->fd, SHUT_WR);
  io_wait_for (NULL, closing.done);
  io_settle (NULL);
  g_assert_false (io_fd_is_open (fixture->fd));
}

static void
test_async_peer_was_first (StreamFixture *fixture, gconstpointer data)
{
  Closing closing = { 0 };

  shutdown (fixture->client->fd, SHUT_WR);
  io_settle (NULL);
  stream_write_text (fixture->stream, "last words");
  close_async (fixture->stream, &closing);
  io_wait_for (NULL, closing.done && fixture->client->eof);
  g_assert_no_error (closing.error);
  g_assert_cmpstr (fixture->client->received->str, ==, "last words");
}

static void
test_async_peer_resets (StreamFixture *fixture, gconstpointer data)
{
  Closing closing = { 0 };

  close_async (fixture->stream, &closing);
  io_wait_for (NULL, fixture->client->eof);
  g_assert_false (closing.done);
  io_client_reset (fixture->client);
  io_wait_for (NULL, closing.done);
  g_assert_false (io_fd_is_open (fixture->fd));
}

static void
test_async_peer_resets_blocked (StreamFixture *fixture, gconstpointer data)
{
  Closing closing = { 0 };

  fill (fixture);
  close_async (fixture->stream, &closing);
  io_settle (NULL);
  g_assert_false (closing.done);
  io_client_reset (fixture->client);
  io_wait_for (NULL, closing.done);
  g_assert_false (io_fd_is_open (fixture->fd));
}

/* The peer answers neither by reading nor by closing. */
static void
test_async_timeout_blocked (StreamFixture *fixture, gconstpointer data)
{
  Closing closing = { 0 };
  gint64 start = g_get_monotonic_time ();

  socketio_stream_set_linger_ms (fixture->stream, 50);
  fill (fixture);
  close_async (fixture->stream, &closing);
  io_wait_for (NULL, closing.done);
  g_assert_cmpint (g_get_monotonic_time () - start, >=, 50 * 1000);
  g_assert_false (io_fd_is_open (fixture->fd));
}

static void
test_async_timeout_draining (StreamFixture *fixture, gconstpointer data)
{
  Closing closing = { 0 };

  socketio_stream_set_linger_ms (fixture->stream, 50);
  close_async (fixture->stream, &closing);
  io_wait_for (NULL, fixture->client->eof);
  g_assert_false (closing.done);
  io_wait_for (NULL, closing.done);
  g_assert_false (io_fd_is_open (fixture->fd));
}

/* The peer goes on talking, without end. */
static void
test_async_endless_peer (StreamFixture *fixture, gconstpointer data)
{
  static const char zeros[16 * 1024];
  Closing closing = { 0 };
  guint64 sent = 0;

  close_async (fixture->stream, &closing);
  while (!closing.done)
    {
      gssize n = send (fixture->client->fd, zeros, sizeof zeros, MSG_NOSIGNAL | MSG_DONTWAIT);

      if (n > 0)
        sent += n;
      g_main_context_iteration (NULL, FALSE);
      /* buffers of the kernel included */
      g_assert_cmpuint (sent, <, 16 * SOCKETIO_STREAM_LINGER_BYTES);
    }
  g_assert_cmpuint (sent, >=, SOCKETIO_STREAM_LINGER_BYTES);
  g_assert_false (io_fd_is_open (fixture->fd));
}

static void
test_async_aborted (StreamFixture *fixture, gconstpointer data)
{
  Closing closing = { 0 };

  fill (fixture);
  close_async (fixture->stream, &closing);
  io_settle (NULL);
  g_assert_false (closing.done);

  closing.entered = TRUE;
  socketio_stream_abort (fixture->stream);
  closing.entered = FALSE;
  g_assert_false (io_fd_is_open (fixture->fd));
  io_wait_for (NULL, closing.done);
}

typedef struct
{
  StreamFixture *fixture;
  Closing *closing;
} Abort;

static gboolean
abort_cb (gpointer user_data)
{
  Abort *self = user_data;

  self->closing->entered = TRUE;
  socketio_stream_abort (self->fixture->stream);
  self->closing->entered = FALSE;
  return G_SOURCE_REMOVE;
}

/* The callback of a close does not come from within a call, even if that call is made from a source
 * of the callback's own context. */
static void
test_async_aborted_same_context (StreamFixture *fixture, gconstpointer data)
{
  Closing closing = { 0 };
  Abort abort_data = { fixture, &closing };
  g_autoptr (GSource) source = g_timeout_source_new (1);

  close_async (fixture->stream, &closing);
  io_settle (NULL);
  g_source_set_callback (source, abort_cb, &abort_data, NULL);
  stream_attach (fixture->stream, g_source_ref (source));
  io_wait_for (NULL, closing.done);
}

static void
test_async_after_error (StreamFixture *fixture, gconstpointer data)
{
  Closing closing = { 0 };

  socketio_stream_abort (fixture->stream);
  close_async (fixture->stream, &closing);
  io_wait_for (NULL, closing.done);
  g_assert_no_error (closing.error);
  g_assert_false (io_fd_is_open (fixture->fd));
}

static void
test_async_twice (StreamFixture *fixture, gconstpointer data)
{
  Closing first = { 0 };
  Closing second = { 0 };
  Closing third = { 0 };

  close_async (fixture->stream, &first);
  close_async (fixture->stream, &second);
  io_wait_for (NULL, second.done);
  g_assert_error (second.error, G_IO_ERROR, G_IO_ERROR_PENDING);
  g_clear_error (&second.error);
  g_assert_false (first.done);

  shutdown (fixture->client->fd, SHUT_WR);
  io_wait_for (NULL, first.done);
  close_async (fixture->stream, &third);
  io_wait_for (NULL, third.done);
  g_assert_no_error (third.error);
}

/* Streams that go away with something under way */

static void
test_freed (StreamFixture *fixture, gconstpointer data)
{
  g_clear_object (&fixture->stream);
  g_assert_false (io_fd_is_open (fixture->fd));
  io_wait_for (NULL, fixture->client->eof);
}

static void
test_freed_with_event (StreamFixture *fixture, gconstpointer data)
{
  io_client_send (fixture->client, "never read");
  g_clear_object (&fixture->stream);
  io_settle (NULL);
  g_assert_false (io_fd_is_open (fixture->fd));
}

static void
test_freed_with_output (StreamFixture *fixture, gconstpointer data)
{
  stream_write_text (fixture->stream, "last words");
  g_clear_object (&fixture->stream);
  io_wait_for (NULL, fixture->client->eof);
  g_assert_cmpstr (fixture->client->received->str, ==, "last words");
  g_assert_false (io_fd_is_open (fixture->fd));
}

static void
test_freed_blocked (StreamFixture *fixture, gconstpointer data)
{
  fill (fixture);
  g_clear_object (&fixture->stream);
  g_assert_false (io_fd_is_open (fixture->fd));
  io_client_resume (fixture->client);
  io_wait_for (NULL, io_client_is_done (fixture->client));
  g_assert_cmpuint (fixture->client->received->len, <, SOCKETIO_STREAM_HIGH_MARK);
}

static void
never_cb (gpointer user_data)
{
  g_assert_not_reached ();
}

static void
test_freed_with_progress (StreamFixture *fixture, gconstpointer data)
{
  socketio_stream_set_progress_func (fixture->stream, never_cb, NULL);
  socketio_stream_notify_empty (fixture->stream);
  socketio_stream_set_progress_func (fixture->stream, NULL, NULL);
  g_clear_object (&fixture->stream);
  io_settle (NULL);
  g_assert_false (io_fd_is_open (fixture->fd));
}

/* The reactor was let go before its last stream. */
static void
test_freed_after_reactor (void)
{
  SocketioReactor *reactor = socketio_reactor_new ();
  SocketioStream *stream;
  g_autoptr (IoClient) client = NULL;
  int fds[2];

  io_unix_pair (fds);
  stream = socketio_stream_new (reactor, fds[0], NULL, NULL);
  client = io_client_new (NULL, fds[1]);
  socketio_reactor_unref (reactor);
  stream_write_text (stream, "last words");
  g_object_unref (stream);
  io_wait_for (NULL, client->eof);
  g_assert_cmpstr (client->received->str, ==, "last words");
}

static const StreamTest tests[] = {
  { "sync", test_sync },
  { "sync-wakes-reader", test_sync_wakes_reader },
  { "sync-wakes-writer", test_sync_wakes_writer },
  { "async/answered", test_async },
  { "async/wakes-reader", test_async_wakes_reader },
  { "async/refuses-io", test_async_refuses_io },
  { "async/slow-reader", test_async_slow_reader },
  { "async/without-owner", test_async_without_owner },
  { "async/peer-was-first", test_async_peer_was_first },
  { "async/peer-resets", test_async_peer_resets, TRUE },
  { "async/peer-resets-blocked", test_async_peer_resets_blocked, TRUE },
  { "async/timeout-blocked", test_async_timeout_blocked },
  { "async/timeout-draining", test_async_timeout_draining },
  { "async/endless-peer", test_async_endless_peer },
  { "async/aborted", test_async_aborted },
  { "async/aborted-same-context", test_async_aborted_same_context },
  { "async/after-error", test_async_after_error },
  { "async/twice", test_async_twice },
  { "freed/idle", test_freed },
  { "freed/with-event", test_freed_with_event },
  { "freed/with-output", test_freed_with_output },
  { "freed/blocked", test_freed_blocked },
  { "freed/with-progress", test_freed_with_progress },
};

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  stream_add_tests ("stream-close", tests, G_N_ELEMENTS (tests));
  g_test_add_func ("/stream-close/freed/after-reactor", test_freed_after_reactor);

  return g_test_run ();
}

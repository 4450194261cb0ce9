/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "socketio-stream.h"

#include <sys/socket.h>

#include "io-stream-end.h"
#include "socketio-stream-private.h"

/* The GSources of a SocketioStream's halves: handlers that close streams, and what becomes of a
 * source whose stream goes. */

static GSource *
create_input_source (SocketioStream *stream, GCancellable *cancellable)
{
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (stream));

  return g_pollable_input_stream_create_source (G_POLLABLE_INPUT_STREAM (input), cancellable);
}

/* Handlers that close */

typedef struct _Closer Closer;

struct _Closer
{
  SocketioStream *stream; /* owned; NULL once it was closed */
  GSource *source;
  Closer *victim; /* whose stream it closes when it has read something */
  gboolean asynchronously;
  gboolean destroys_source;
  guint n_reads;
  guint n_closed; /* calls that found the stream closed */
};

static void
close_victim (Closer *self)
{
  Closer *victim = self->victim;

  if (self->asynchronously)
    {
      /* its end must come to its own shard: that of another may go before */
      socketio_shard_enter (socketio_stream_get_shard (victim->stream));
      g_io_stream_close_async (G_IO_STREAM (victim->stream), G_PRIORITY_DEFAULT, NULL, NULL, NULL);
      socketio_shard_leave (socketio_stream_get_shard (victim->stream));
    }
  else
    g_io_stream_close (G_IO_STREAM (victim->stream), NULL, NULL);
  g_clear_object (&victim->stream);
  if (self->destroys_source)
    g_source_destroy (victim->source);
}

static gboolean
closer_cb (GObject *half, gpointer user_data)
{
  Closer *self = user_data;
  g_autoptr (GError) error = NULL;
  char byte;
  gssize n = g_pollable_input_stream_read_nonblocking (G_POLLABLE_INPUT_STREAM (half), &byte, 1,
                                                       NULL, &error);

  if (n > 0)
    {
      self->n_reads++;
      close_victim (self);
      return G_SOURCE_CONTINUE;
    }
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    return G_SOURCE_CONTINUE;
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  self->n_closed++;
  return G_SOURCE_REMOVE;
}

static void
attach_closer (Closer *self, SocketioStream *stream)
{
  self->stream = g_object_ref (stream);
  self->source = create_input_source (stream, NULL);
  g_source_set_callback (self->source, G_SOURCE_FUNC (closer_cb), self, NULL);
  g_source_ref (self->source);
  stream_attach (stream, self->source);
}

static void
clear_closer (Closer *self)
{
  g_source_destroy (self->source);
  g_source_unref (self->source);
  g_clear_object (&self->stream);
}

static void
close_itself (StreamFixture *fixture, gboolean asynchronously)
{
  Closer closer = { .asynchronously = asynchronously };

  closer.victim = &closer;
  attach_closer (&closer, fixture->stream);
  g_clear_object (&fixture->stream);
  io_client_send (fixture->client, "x");
  io_wait_for (NULL, fixture->client->eof);
  shutdown (fixture->client->fd, SHUT_WR);
  io_wait_for (NULL, !io_fd_is_open (fixture->fd));
  g_assert_cmpuint (closer.n_reads, ==, 1);
  clear_closer (&closer);
}

static void
test_closed_by_itself (StreamFixture *fixture, gconstpointer data)
{
  close_itself (fixture, FALSE);
}

static void
test_closed_by_itself_async (StreamFixture *fixture, gconstpointer data)
{
  close_itself (fixture, TRUE);
}

typedef struct
{
  gboolean asynchronously;
  gboolean destroys_source;
  gboolean other_shard;
} Neighbours;

/* Opens a stream, whose far end goes to @clients. */
static SocketioStream *
open_stream (StreamFixture *fixture, GPtrArray *clients)
{
  int fds[2];

  io_unix_pair (fds);
  g_ptr_array_add (clients, io_client_new (NULL, fds[1]));
  return socketio_stream_new (fixture->reactor, fds[0], NULL, NULL);
}

/* Two streams with an event each in one batch: the handler that comes first closes the other's. */
static void
close_neighbour (StreamFixture *fixture, Neighbours how)
{
  g_autoptr (GPtrArray) clients = g_ptr_array_new_with_free_func ((GDestroyNotify) io_client_free);
  g_autoptr (GPtrArray) streams = g_ptr_array_new_with_free_func (g_object_unref);
  guint other = how.other_shard ? SOCKETIO_SHARD_MAX_USERS : 1;
  Closer closers[2] = { 0 };

  /* one more at the end, so that no shard goes with the stream that is closed */
  while (streams->len < other + 2)
    g_ptr_array_add (streams, open_stream (fixture, clients));
  for (guint i = 0; i < 2; i++)
    {
      closers[i].victim = &closers[1 - i];
      closers[i].asynchronously = how.asynchronously;
      closers[i].destroys_source = how.destroys_source;
      attach_closer (&closers[i], streams->pdata[i == 0 ? 0 : other]);
    }
  g_assert_cmpint (socketio_stream_get_shard (streams->pdata[0])
                       != socketio_stream_get_shard (streams->pdata[other]),
                   ==, how.other_shard);
  g_object_unref (g_ptr_array_steal_index (streams, other));
  g_object_unref (g_ptr_array_steal_index (streams, 0));
  io_settle (NULL);

  io_client_send (clients->pdata[0], "x");
  io_client_send (clients->pdata[other], "x");
  io_wait_for (NULL, closers[0].n_reads + closers[1].n_reads > 0);
  io_settle (NULL);
  g_assert_cmpuint (closers[0].n_reads + closers[1].n_reads, ==, 1);
  g_assert_cmpuint (closers[0].n_closed + closers[1].n_closed, ==, how.destroys_source ? 0 : 1);
  g_assert_true ((closers[0].stream == NULL) != (closers[1].stream == NULL));

  for (guint i = 0; i < 2; i++)
    clear_closer (&closers[i]);
  g_ptr_array_set_size (clients, 0);
  g_ptr_array_set_size (streams, 0);
}

static void
test_neighbour_sync (StreamFixture *fixture, gconstpointer data)
{
  close_neighbour (fixture, (Neighbours){ .asynchronously = FALSE });
}

static void
test_neighbour_async (StreamFixture *fixture, gconstpointer data)
{
  close_neighbour (fixture, (Neighbours){ .asynchronously = TRUE });
}

static void
test_neighbour_with_source (StreamFixture *fixture, gconstpointer data)
{
  close_neighbour (fixture, (Neighbours){ .destroys_source = TRUE });
}

static void
test_neighbour_other_shard (StreamFixture *fixture, gconstpointer data)
{
  close_neighbour (fixture, (Neighbours){ .other_shard = TRUE });
}

static void
test_neighbour_other_shard_async (StreamFixture *fixture, gconstpointer data)
{
  close_neighbour (fixture, (Neighbours){ .asynchronously = TRUE, .other_shard = TRUE });
}

static void
test_neighbour_other_shard_with_source (StreamFixture *fixture, gconstpointer data)
{
  close_neighbour (fixture, (Neighbours){ .destroys_source = TRUE, .other_shard = TRUE });
}

/* Sources */

static gboolean
count_cb (GObject *half, gpointer user_data)
{
  guint *n_calls = user_data;

  g_assert_true (SOCKETIO_IS_STREAM_INPUT (half) || SOCKETIO_IS_STREAM_OUTPUT (half));
  ++*n_calls;
  return G_SOURCE_REMOVE;
}

/* A source, and with it the input, that lives on after the stream, in a shard that does too. */
static void
test_source_outlives (StreamFixture *fixture, gconstpointer data)
{
  g_autoptr (GPtrArray) clients = g_ptr_array_new_with_free_func ((GDestroyNotify) io_client_free);
  g_autoptr (SocketioStream) neighbour = open_stream (fixture, clients);
  g_autoptr (GInputStream) input =
      g_object_ref (g_io_stream_get_input_stream (G_IO_STREAM (fixture->stream)));
  g_autoptr (GOutputStream) output =
      g_object_ref (g_io_stream_get_output_stream (G_IO_STREAM (fixture->stream)));
  GSource *source = create_input_source (fixture->stream, NULL);
  g_autoptr (GError) error = NULL;
  guint n_calls = 0;
  char byte;

  g_source_set_callback (source, G_SOURCE_FUNC (count_cb), &n_calls, NULL);
  stream_attach (fixture->stream, source);
  io_settle (NULL);
  g_clear_object (&fixture->stream);
  io_wait_for (NULL, n_calls > 0);

  g_assert_cmpint (g_pollable_input_stream_read_nonblocking (G_POLLABLE_INPUT_STREAM (input), &byte,
                                                             1, NULL, &error),
                   ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_clear_error (&error);
  g_assert_cmpint (g_pollable_output_stream_write_nonblocking (G_POLLABLE_OUTPUT_STREAM (output),
                                                               "x", 1, NULL, &error),
                   ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_assert_true (g_pollable_input_stream_is_readable (G_POLLABLE_INPUT_STREAM (input)));
  g_assert_true (g_pollable_output_stream_is_writable (G_POLLABLE_OUTPUT_STREAM (output)));
}

/* The same, but the shard goes with its last stream: the source is never called, and freed. */
static void
test_source_outlives_shard (StreamFixture *fixture, gconstpointer data)
{
  GSource *source = create_input_source (fixture->stream, NULL);
  guint n_calls = 0;

  g_source_set_callback (source, G_SOURCE_FUNC (count_cb), &n_calls, NULL);
  stream_attach (fixture->stream, source);
  io_settle (NULL);
  g_clear_object (&fixture->stream);
  io_settle (NULL);
  g_assert_cmpuint (n_calls, ==, 0);
}

static void
test_source_unattached (StreamFixture *fixture, gconstpointer data)
{
  g_autoptr (GSource) source = create_input_source (fixture->stream, NULL);

  g_clear_object (&fixture->stream);
  g_source_set_callback (source, G_SOURCE_FUNC (count_cb), NULL, NULL);
}

static void
test_source_closure (StreamFixture *fixture, gconstpointer data)
{
  guint n_calls = 0;
  GSource *source = create_input_source (fixture->stream, NULL);

  g_source_set_closure (source, g_cclosure_new (G_CALLBACK (count_cb), &n_calls, NULL));
  stream_attach (fixture->stream, source);
  io_settle (NULL);
  g_assert_cmpuint (n_calls, ==, 0);
  io_client_send (fixture->client, "x");
  io_wait_for (NULL, n_calls > 0);
}

static gboolean
wrapped_cb (GObject *pollable, gpointer user_data)
{
  guint *n_calls = user_data;

  ++*n_calls;
  return G_SOURCE_REMOVE;
}

/* As GIO's filter streams wrap it; GLib aborts if the child cannot take a dummy callback. */
static void
test_source_as_child (StreamFixture *fixture, gconstpointer data)
{
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (fixture->stream));
  g_autoptr (GSource) child = create_input_source (fixture->stream, NULL);
  GSource *parent = g_pollable_source_new_full (input, child, NULL);
  guint n_calls = 0;

  g_source_set_callback (parent, G_SOURCE_FUNC (wrapped_cb), &n_calls, NULL);
  stream_attach (fixture->stream, parent);
  io_settle (NULL);
  g_assert_cmpuint (n_calls, ==, 0);
  io_client_send (fixture->client, "x");
  io_wait_for (NULL, n_calls > 0);
}

static void
test_source_writable (StreamFixture *fixture, gconstpointer data)
{
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (fixture->stream));
  guint n_calls = 0;
  GSource *source =
      g_pollable_output_stream_create_source (G_POLLABLE_OUTPUT_STREAM (output), NULL);

  g_source_set_callback (source, G_SOURCE_FUNC (count_cb), &n_calls, NULL);
  stream_attach (fixture->stream, source);
  io_wait_for (NULL, n_calls > 0);
}

static void
test_source_cancelled (StreamFixture *fixture, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  GSource *source = create_input_source (fixture->stream, cancellable);
  guint n_calls = 0;

  g_source_set_callback (source, G_SOURCE_FUNC (count_cb), &n_calls, NULL);
  stream_attach (fixture->stream, source);
  io_settle (NULL);
  g_assert_cmpuint (n_calls, ==, 0);
  g_cancellable_cancel (cancellable);
  io_wait_for (NULL, n_calls > 0);
}

static gpointer
cancel_thread (gpointer data)
{
  g_cancellable_cancel (data);
  return NULL;
}

static gboolean
count_on_cb (GObject *half, gpointer user_data)
{
  count_cb (half, user_data);
  return G_SOURCE_CONTINUE;
}

static void
test_source_cancelled_by_thread (StreamFixture *fixture, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GSource) source = create_input_source (fixture->stream, cancellable);
  GThread *thread;
  guint n_calls = 0;

  g_source_set_callback (source, G_SOURCE_FUNC (count_on_cb), &n_calls, NULL);
  stream_attach (fixture->stream, g_source_ref (source));
  io_settle (NULL);
  thread = g_thread_new ("cancel", cancel_thread, cancellable);
  io_wait_for (NULL, n_calls > 0);
  /* not before: GLib leaks a cancellable's source that goes while the other thread cancels it */
  g_thread_join (thread);
  g_source_destroy (source);
}

/* GIO's asynchronous calls are made of the pollable ones. */
static void
read_cb (GObject *object, GAsyncResult *result, gpointer user_data)
{
  GString *log = user_data;
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;

  bytes = g_input_stream_read_bytes_finish (G_INPUT_STREAM (object), result, &error);
  g_assert_no_error (error);
  g_string_append_len (log, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
}

static void
test_async_read (StreamFixture *fixture, gconstpointer data)
{
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (fixture->stream));

  socketio_shard_enter (socketio_stream_get_shard (fixture->stream));
  g_input_stream_read_bytes_async (input, 100, G_PRIORITY_DEFAULT, NULL, read_cb, fixture->log);
  socketio_shard_leave (socketio_stream_get_shard (fixture->stream));
  io_settle (NULL);
  g_assert_cmpstr (fixture->log->str, ==, "");
  io_client_send (fixture->client, "hello");
  io_wait_for (NULL, fixture->log->len > 0);
  g_assert_cmpstr (fixture->log->str, ==, "hello");
}

static void
write_cb (GObject *object, GAsyncResult *result, gpointer user_data)
{
  gsize *written = user_data;
  g_autoptr (GError) error = NULL;

  g_output_stream_write_all_finish (G_OUTPUT_STREAM (object), result, written, &error);
  g_assert_no_error (error);
}

static void
test_async_write (StreamFixture *fixture, gconstpointer data)
{
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (fixture->stream));
  g_autoptr (GBytes) pattern = make_pattern (500 * 1000);
  g_autoptr (GBytes) received = NULL;
  gsize size, written = 0;
  const char *bytes = g_bytes_get_data (pattern, &size);

  stream_fixture_narrow (fixture);
  socketio_shard_enter (socketio_stream_get_shard (fixture->stream));
  g_output_stream_write_all_async (output, bytes, size, G_PRIORITY_DEFAULT, NULL, write_cb,
                                   &written);
  socketio_shard_leave (socketio_stream_get_shard (fixture->stream));
  io_wait_for (NULL, fixture->client->received->len == size && written > 0);
  g_assert_cmpuint (written, ==, size);
  received = g_bytes_new (fixture->client->received->str, fixture->client->received->len);
  g_assert_true (g_bytes_equal (received, pattern));
}

static const StreamTest tests[] = {
  { "by-itself/sync", test_closed_by_itself },
  { "by-itself/async", test_closed_by_itself_async },
  { "by-neighbour/sync", test_neighbour_sync },
  { "by-neighbour/async", test_neighbour_async },
  { "by-neighbour/with-source", test_neighbour_with_source },
  { "by-neighbour/other-shard", test_neighbour_other_shard },
  { "by-neighbour/other-shard-async", test_neighbour_other_shard_async },
  { "by-neighbour/other-shard-with-source", test_neighbour_other_shard_with_source },
  { "source/outlives", test_source_outlives },
  { "source/outlives-shard", test_source_outlives_shard },
  { "source/unattached", test_source_unattached },
  { "source/closure", test_source_closure },
  { "source/as-child", test_source_as_child },
  { "source/writable", test_source_writable },
  { "source/cancelled", test_source_cancelled },
  { "source/cancelled-by-thread", test_source_cancelled_by_thread },
  { "gio/read-async", test_async_read },
  { "gio/write-async", test_async_write },
};

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  stream_add_tests ("stream-sources", tests, G_N_ELEMENTS (tests));

  return g_test_run ();
}

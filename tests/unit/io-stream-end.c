/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io-stream-end.h"

#include <sys/socket.h>

void
stream_fixture_set_up (StreamFixture *self, gconstpointer kind)
{
  g_autoptr (GError) error = NULL;
  int fds[2];

  if (GPOINTER_TO_INT (kind) == STREAM_TCP)
    io_tcp_pair (fds);
  else
    io_unix_pair (fds);
  self->reactor = socketio_reactor_new ();
  self->fd = fds[0];
  self->stream = socketio_stream_new (self->reactor, fds[0], NULL, &error);
  g_assert_no_error (error);
  self->client = io_client_new (NULL, fds[1]);
  self->log = g_string_new (NULL);
}

void
stream_fixture_tear_down (StreamFixture *self, gconstpointer kind)
{
  g_clear_object (&self->stream);
  g_clear_pointer (&self->client, io_client_free);
  io_settle (NULL);
  /* whatever the test did, nothing of a connection is left */
  g_assert_cmpuint (socketio_reactor_get_n_shards (self->reactor), ==, 0);
  g_clear_pointer (&self->reactor, socketio_reactor_unref);
  g_string_free (self->log, TRUE);
}

void
stream_fixture_narrow (StreamFixture *self)
{
  int size = 1;

  g_assert_cmpint (setsockopt (self->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size), ==, 0);
  g_assert_cmpint (setsockopt (self->client->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size), ==, 0);
}

void
stream_add_tests (const char *prefix, const StreamTest *tests, gsize n_tests)
{
  for (gsize i = 0; i < n_tests; i++)
    {
      g_autofree char *local = g_strdup_printf ("/%s/unix/%s", prefix, tests[i].name);
      g_autofree char *tcp = g_strdup_printf ("/%s/tcp/%s", prefix, tests[i].name);

      if (!tests[i].tcp_only)
        g_test_add (local, StreamFixture, GINT_TO_POINTER (STREAM_UNIX), stream_fixture_set_up,
                    tests[i].func, stream_fixture_tear_down);
      g_test_add (tcp, StreamFixture, GINT_TO_POINTER (STREAM_TCP), stream_fixture_set_up,
                  tests[i].func, stream_fixture_tear_down);
    }
}

static GPollableInputStream *
get_input (SocketioStream *stream)
{
  return G_POLLABLE_INPUT_STREAM (g_io_stream_get_input_stream (G_IO_STREAM (stream)));
}

static GPollableOutputStream *
get_output (SocketioStream *stream)
{
  return G_POLLABLE_OUTPUT_STREAM (g_io_stream_get_output_stream (G_IO_STREAM (stream)));
}

gssize
stream_read (SocketioStream *stream, char *buffer, gsize count, GError **error)
{
  return g_pollable_input_stream_read_nonblocking (get_input (stream), buffer, count, NULL, error);
}

gssize
stream_write (SocketioStream *stream, const char *data, gssize count, GError **error)
{
  gsize size = count >= 0 ? (gsize) count : strlen (data);

  return g_pollable_output_stream_write_nonblocking (get_output (stream), data, size, NULL, error);
}

void
stream_assert_read (SocketioStream *stream, const char *expected)
{
  g_autoptr (GError) error = NULL;
  char buffer[65];
  gssize n = stream_read (stream, buffer, sizeof buffer - 1, &error);

  g_assert_no_error (error);
  g_assert_cmpint (n, >=, 0);
  buffer[n] = '\0';
  g_assert_cmpstr (buffer, ==, expected);
}

void
stream_assert_would_block (SocketioStream *stream)
{
  g_autoptr (GError) error = NULL;
  char byte;

  g_assert_cmpint (stream_read (stream, &byte, 1, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
}

void
stream_assert_closed (SocketioStream *stream)
{
  g_autoptr (GError) read_error = NULL;
  g_autoptr (GError) write_error = NULL;
  char byte;

  g_assert_cmpint (stream_read (stream, &byte, 1, &read_error), ==, -1);
  g_assert_error (read_error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_assert_cmpint (stream_write (stream, "x", 1, &write_error), ==, -1);
  g_assert_error (write_error, G_IO_ERROR, G_IO_ERROR_CLOSED);
}

void
stream_write_text (SocketioStream *stream, const char *text)
{
  g_autoptr (GError) error = NULL;
  gssize n = stream_write (stream, text, -1, &error);

  g_assert_no_error (error);
  g_assert_cmpint (n, ==, strlen (text));
}

GBytes *
make_pattern (gsize size)
{
  guint8 *data = g_malloc (size);

  /* 251 is prime: no block of a power of two looks like another */
  for (gsize i = 0; i < size; i++)
    data[i] = (guint8) (i % 251);
  return g_bytes_new_take (data, size);
}

GSource *
stream_attach (SocketioStream *stream, GSource *source)
{
  socketio_shard_enter (socketio_stream_get_shard (stream));
  g_source_attach (source, g_main_context_get_thread_default ());
  socketio_shard_leave (socketio_stream_get_shard (stream));
  g_source_unref (source);
  /* cppcheck-suppress deallocret ; its context holds it */
  return source;
}

static gboolean
reader_cb (GObject *half, gpointer user_data)
{
  StreamReader *self = user_data;
  GPollableInputStream *input = G_POLLABLE_INPUT_STREAM (half);
  char buffer[4096];
  gssize n;

  self->n_calls++;
  while ((n = g_pollable_input_stream_read_nonblocking (input, buffer, sizeof buffer, NULL,
                                                        &self->error))
         > 0)
    g_string_append_len (self->received, buffer, n);

  if (n < 0 && g_error_matches (self->error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    {
      g_clear_error (&self->error);
      return G_SOURCE_CONTINUE;
    }
  self->eof = n == 0;
  self->source = NULL;
  return G_SOURCE_REMOVE;
}

StreamReader *
stream_reader_new (SocketioStream *stream)
{
  StreamReader *self = g_new0 (StreamReader, 1);

  self->stream = g_object_ref (stream);
  self->received = g_string_new (NULL);
  self->source = g_pollable_input_stream_create_source (get_input (stream), NULL);
  g_source_set_callback (self->source, G_SOURCE_FUNC (reader_cb), self, NULL);
  stream_attach (stream, self->source);
  return self;
}

void
stream_reader_free (StreamReader *self)
{
  if (self->source != NULL)
    g_source_destroy (self->source);
  g_clear_error (&self->error);
  g_string_free (self->received, TRUE);
  g_object_unref (self->stream);
  g_free (self);
}

gboolean
stream_reader_is_done (StreamReader *self)
{
  return self->eof || self->error != NULL;
}

static gboolean
writer_cb (GObject *half, gpointer user_data)
{
  StreamWriter *self = user_data;
  gsize size;
  const guint8 *data = g_bytes_get_data (self->data, &size);
  gssize n;

  while (self->written < size)
    {
      n = g_pollable_output_stream_write_nonblocking (G_POLLABLE_OUTPUT_STREAM (half),
                                                      data + self->written, size - self->written,
                                                      NULL, &self->error);
      self->most_queued = MAX (self->most_queued, socketio_stream_get_queued (self->stream));
      if (n < 0 && g_error_matches (self->error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
        {
          self->n_refusals++;
          g_clear_error (&self->error);
          return G_SOURCE_CONTINUE;
        }
      if (n < 0)
        break;
      self->written += n;
    }
  self->source = NULL;
  return G_SOURCE_REMOVE;
}

StreamWriter *
stream_writer_new (SocketioStream *stream, GBytes *data)
{
  StreamWriter *self = g_new0 (StreamWriter, 1);

  self->stream = g_object_ref (stream);
  self->data = g_bytes_ref (data);
  self->source = g_pollable_output_stream_create_source (get_output (stream), NULL);
  g_source_set_callback (self->source, G_SOURCE_FUNC (writer_cb), self, NULL);
  stream_attach (stream, self->source);
  return self;
}

void
stream_writer_free (StreamWriter *self)
{
  if (self->source != NULL)
    g_source_destroy (self->source);
  g_clear_error (&self->error);
  g_bytes_unref (self->data);
  g_object_unref (self->stream);
  g_free (self);
}

gboolean
stream_writer_is_done (StreamWriter *self)
{
  return self->error != NULL || self->written == g_bytes_get_size (self->data);
}

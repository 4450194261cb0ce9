/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "confab-read-ahead.h"

/* Segments: a socket that counts how often it is read: each read takes what has come by then. */
#define SEGMENTS_TYPE (segments_get_type ())
G_DECLARE_FINAL_TYPE (Segments, segments, SEGMENTS, STREAM, GInputStream)

struct _Segments
{
  GInputStream parent_instance;

  GByteArray *come;
  gboolean ended;
  guint n_reads;
  gsize last_count;
};

static void segments_pollable_init (GPollableInputStreamInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (Segments,
                               segments,
                               G_TYPE_INPUT_STREAM,
                               G_IMPLEMENT_INTERFACE (G_TYPE_POLLABLE_INPUT_STREAM,
                                                      segments_pollable_init))

static gssize
segments_read (GPollableInputStream *stream, void *buffer, gsize count, GError **error)
{
  Segments *self = SEGMENTS_STREAM (stream);
  gsize n = MIN (count, self->come->len);

  self->n_reads++;
  self->last_count = count;
  if (n == 0 && !self->ended)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK, "nothing");
      return -1;
    }
  if (n > 0)
    {
      memcpy (buffer, self->come->data, n);
      g_byte_array_remove_range (self->come, 0, (guint) n);
    }

  return (gssize) n;
}

static gssize
segments_read_blocking (GInputStream *stream,
                        void *buffer,
                        gsize count,
                        GCancellable *cancellable,
                        GError **error)
{
  return segments_read (G_POLLABLE_INPUT_STREAM (stream), buffer, count, error);
}

static gboolean
segments_is_readable (GPollableInputStream *stream)
{
  return SEGMENTS_STREAM (stream)->come->len > 0;
}

/* It is readable when something is there by now. */
static GSource *
segments_create_source (GPollableInputStream *stream, GCancellable *cancellable)
{
  g_autoptr (GSource) child = segments_is_readable (stream) ? g_timeout_source_new (0) : NULL;

  return g_pollable_source_new_full (stream, child, cancellable);
}

static void
segments_pollable_init (GPollableInputStreamInterface *iface)
{
  iface->read_nonblocking = segments_read;
  iface->is_readable = segments_is_readable;
  iface->create_source = segments_create_source;
}

static void
segments_finalize (GObject *object)
{
  g_byte_array_unref (SEGMENTS_STREAM (object)->come);

  G_OBJECT_CLASS (segments_parent_class)->finalize (object);
}

static void
segments_class_init (SegmentsClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = segments_finalize;
  G_INPUT_STREAM_CLASS (klass)->read_fn = segments_read_blocking;
}

static void
segments_init (Segments *self)
{
  self->come = g_byte_array_new ();
}

typedef struct
{
  Segments *socket;
  GInputStream *stream;
} Fixture;

static void
set_up (Fixture *self, gconstpointer data)
{
  self->socket = g_object_new (SEGMENTS_TYPE, NULL);
  self->stream = confab_read_ahead_new (G_INPUT_STREAM (self->socket));
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  g_clear_object (&self->stream);
  g_clear_object (&self->socket);
}

static void
come (Fixture *self, const char *text)
{
  g_byte_array_append (self->socket->come, (const guint8 *) text, (guint) strlen (text));
}

static void
assert_reads (Fixture *self, gsize count, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *buffer = g_malloc0 (count + 1);
  gssize n = g_pollable_input_stream_read_nonblocking (G_POLLABLE_INPUT_STREAM (self->stream),
                                                       buffer, count, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpint (n, ==, strlen (expected));
  g_assert_cmpstr (buffer, ==, expected);
}

static void
assert_would_block (Fixture *self)
{
  g_autoptr (GError) error = NULL;
  char buffer[8];
  gssize n = g_pollable_input_stream_read_nonblocking (G_POLLABLE_INPUT_STREAM (self->stream),
                                                       buffer, sizeof buffer, NULL, &error);

  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
  g_assert_cmpint (n, ==, -1);
}

static void
test_pieces (Fixture *self, gconstpointer data)
{
  come (self, "b\r\nhello world\r\n");
  assert_reads (self, 3, "b\r\n");
  assert_reads (self, 11, "hello world");
  /* what came meanwhile is not asked for before the rest is taken */
  come (self, "0\r\n");
  assert_reads (self, 128, "\r\n");
  g_assert_cmpuint (self->socket->n_reads, ==, 1);
  assert_reads (self, 128, "0\r\n");
  assert_would_block (self);
  g_assert_cmpuint (self->socket->n_reads, ==, 3);
}

static void
test_end (Fixture *self, gconstpointer data)
{
  come (self, "last");
  self->socket->ended = TRUE;
  assert_reads (self, 2, "la");
  assert_reads (self, 8, "st");
  assert_reads (self, 8, "");
}

/* Whoever has a large buffer gets it filled without a copy. */
static void
test_large (Fixture *self, gconstpointer data)
{
  g_autofree char *text = g_strnfill (2 * CONFAB_READ_AHEAD_BYTES, 'x');

  come (self, text);
  assert_reads (self, 2 * CONFAB_READ_AHEAD_BYTES, text);
  g_assert_cmpuint (self->socket->last_count, ==, 2 * CONFAB_READ_AHEAD_BYTES);
}

/* More than is read at once is handed out in order. */
static void
test_long (Fixture *self, gconstpointer data)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < 10000; i++)
    g_string_append_printf (text, "%u,", i);
  come (self, text->str);
  for (gsize at = 0; at < text->len;)
    {
      g_autoptr (GError) error = NULL;
      char buffer[1000];
      gssize n = g_input_stream_read (self->stream, buffer, 1 + at % sizeof buffer, NULL, &error);

      g_assert_no_error (error);
      g_assert_cmpint (n, >, 0);
      g_assert_cmpmem (buffer, (gsize) n, text->str + at, (gsize) n);
      at += (gsize) n;
    }
  g_assert_cmpuint (self->socket->n_reads, ==,
                    (text->len + CONFAB_READ_AHEAD_BYTES - 1) / CONFAB_READ_AHEAD_BYTES);
}

static void
test_skip (Fixture *self, gconstpointer data)
{
  come (self, "one two three");
  assert_reads (self, 4, "one ");
  come (self, " four");
  g_assert_cmpint (g_input_stream_skip (self->stream, 4, NULL, NULL), ==, 4);
  assert_reads (self, 5, "three");
  assert_reads (self, 8, " four");
}

static gboolean
readable_cb (GObject *stream, gpointer user_data)
{
  *(gboolean *) user_data = TRUE;

  return G_SOURCE_REMOVE;
}

static gboolean
is_told (Fixture *self, GCancellable *cancellable)
{
  g_autoptr (GSource) source =
      g_pollable_input_stream_create_source (G_POLLABLE_INPUT_STREAM (self->stream), cancellable);
  gboolean told = FALSE;

  g_source_set_callback (source, G_SOURCE_FUNC (readable_cb), &told, NULL);
  g_source_attach (source, NULL);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_source_destroy (source);

  return told;
}

static void
test_sources (Fixture *self, gconstpointer data)
{
  GPollableInputStream *stream = G_POLLABLE_INPUT_STREAM (self->stream);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();

  g_assert_false (is_told (self, cancellable));
  g_assert_false (g_pollable_input_stream_is_readable (stream));
  come (self, "hello");
  g_assert_true (is_told (self, NULL));
  assert_reads (self, 2, "he");

  /* the socket is empty, the stream is not */
  g_assert_true (g_pollable_input_stream_is_readable (stream));
  g_assert_true (is_told (self, NULL));
  assert_reads (self, 8, "llo");
  g_assert_false (is_told (self, NULL));
  g_cancellable_cancel (cancellable);
  g_assert_true (is_told (self, cancellable));
}

#define ADD(name, func) g_test_add (name, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  ADD ("/confab/read-ahead/pieces", test_pieces);
  ADD ("/confab/read-ahead/end", test_end);
  ADD ("/confab/read-ahead/large", test_large);
  ADD ("/confab/read-ahead/long", test_long);
  ADD ("/confab/read-ahead/skip", test_skip);
  ADD ("/confab/read-ahead/sources", test_sources);

  return g_test_run ();
}

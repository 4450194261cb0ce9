/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "confab-error.h"
#include "confab-sse-reader.h"

/* Writes each event down as "type=data;". */
static gboolean
write_down_cb (const char *event, const char *data, gsize length, gpointer user_data)
{
  GString *log = user_data;

  g_assert_cmpint (data[length], ==, '\0');
  g_string_append_printf (log, "%s=", event);
  g_string_append_len (log, data, (gssize) length);
  g_string_append_c (log, ';');

  return TRUE;
}

/* Feeds @step bytes at a time. */
static char *
read_by (const char *text, gsize length, gsize step, gboolean finish)
{
  g_autoptr (ConfabSseReader) reader = confab_sse_reader_new ();
  g_autoptr (GError) error = NULL;
  GString *log = g_string_new (NULL);

  for (gsize i = 0; i < length; i += step)
    {
      /* A copy of its own, so that reading past its end shows. */
      gsize n = MIN (step, length - i);
      g_autofree char *piece = g_memdup2 (text + i, n);

      g_assert_true (confab_sse_reader_feed (reader, piece, n, write_down_cb, log, &error));
      g_assert_no_error (error);
    }
  if (finish)
    confab_sse_reader_finish (reader, write_down_cb, log);

  return g_string_free (log, FALSE);
}

typedef struct
{
  const char *name;
  const char *stream;
  const char *events;
} Case;

static const Case cases[] = {
  { "lf", "data: a\n\ndata: b\n\n", "message=a;message=b;" },
  { "crlf", "data: a\r\n\r\ndata: b\r\n\r\n", "message=a;message=b;" },
  { "cr", "data: a\r\rdata: b\r\r", "message=a;message=b;" },
  { "mixed-ends", "data: a\r\ndata: b\rdata: c\n\r\ndata: d\n\rdata: e\r\n\n",
    "message=a\nb\nc;message=d;message=e;" },
  { "crlf-is-one-end", "data: a\r\ndata: b\r\n\r\n", "message=a\nb;" },
  { "bom",
    "\xef\xbb\xbf"
    "data: a\n\n",
    "message=a;" },
  { "half-a-bom",
    "\xef\xbb"
    "data: a\n\ndata: b\n\n",
    "message=b;" },
  { "bom-only-at-start",
    "data: a\n\n\xef\xbb\xbf"
    "data: b\n\ndata: c\n\n",
    "message=a;message=c;" },
  { "comments", ": x\n:\ndata: a\n: y\n\n:data: z\n\n", "message=a;" },
  { "lines", "data: a\ndata:\ndata: b\n\n", "message=a\n\nb;" },
  { "empty-data", "data\n\ndata:\n\ndata: \n\n", "message=;message=;message=;" },
  { "one-space-goes", "data:a\n\ndata:  b\n\n", "message=a;message= b;" },
  { "no-colon", "data\nx\n\n", "message=;" },
  { "colons-in-data", "data: a:b: c\n\n", "message=a:b: c;" },
  { "event-type", "event: x\ndata: a\n\ndata: b\n\n", "x=a;message=b;" },
  { "last-type-counts", "event: x\nevent: y\ndata: a\n\n", "y=a;" },
  { "type-without-data", "event: x\n\ndata: a\n\n", "message=a;" },
  { "other-fields", "id: 1\nretry: 2\nDATA: x\ndatax: y\ndat: z\ndata: a\n\n", "message=a;" },
  { "blank-lines", "\n\n\r\n\rdata: a\n\n\n\n", "message=a;" },
  { "utf8", "data: \xc3\xa9\xf0\x9f\x8c\x8d\n\n", "message=\xc3\xa9\xf0\x9f\x8c\x8d;" },
  { "no-blank-line-at-end", "data: a\n\ndata: b\n", "message=a;message=b;" },
  { "no-line-end-at-end", "data: a\n\nevent: x\ndata: b", "message=a;x=b;" },
  { "comment-at-end", "data: a\n\n: b", "message=a;" },
  { "nothing", "", "" },
};

static void
test_case (gconstpointer data)
{
  const Case *c = data;
  gsize length = strlen (c->stream);

  for (gsize step = 1; step <= length + 1; step++)
    {
      g_autofree char *events = read_by (c->stream, length, step, TRUE);

      g_assert_cmpstr (events, ==, c->events);
    }
}

static void
test_unfinished_is_kept_back (void)
{
  g_autofree char *events = read_by ("data: a\n\ndata: b\n", 17, 100, FALSE);

  g_assert_cmpstr (events, ==, "message=a;");
}

static void
test_nul_in_data (void)
{
  static const char stream[] = "data: a\0b\n\n";
  g_autoptr (ConfabSseReader) reader = confab_sse_reader_new ();
  g_autoptr (GString) log = g_string_new (NULL);

  g_assert_true (
      confab_sse_reader_feed (reader, stream, sizeof stream - 1, write_down_cb, log, NULL));
  g_assert_cmpuint (log->len, ==, strlen ("message=") + 4);
  g_assert_cmpint (memcmp (log->str, "message=a\0b;", log->len), ==, 0);
}

static gboolean
stop_cb (const char *event, const char *data, gsize length, gpointer user_data)
{
  guint *count = user_data;

  (*count)++;
  return FALSE;
}

static void
test_enough (void)
{
  g_autoptr (ConfabSseReader) reader = confab_sse_reader_new ();
  guint count = 0;

  g_assert_true (
      confab_sse_reader_feed (reader, "data: a\n\ndata: b\n\n", 18, stop_cb, &count, NULL));
  g_assert_cmpuint (count, ==, 1);
}

/* Feeds @line for ever. Returns: how many bytes were taken before the reader refused */
static gsize
feed_until_refused (const char *line, GError **error)
{
  g_autoptr (ConfabSseReader) reader = confab_sse_reader_new ();
  g_autoptr (GString) log = g_string_new (NULL);
  gsize fed = 0;

  while (fed < 4 * CONFAB_SSE_MAX_EVENT
         && confab_sse_reader_feed (reader, line, strlen (line), write_down_cb, log, error))
    fed += strlen (line);
  g_assert_cmpuint (log->len, ==, 0);

  return fed;
}

static void
test_too_large (void)
{
  static const char *const lines[] = { "data: 0123456789\n", "0123456789", ": 0123456789" };

  for (gsize i = 0; i < G_N_ELEMENTS (lines); i++)
    {
      g_autoptr (GError) error = NULL;
      gsize fed = feed_until_refused (lines[i], &error);

      g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_TOO_LARGE);
      g_assert_cmpuint (fed, >=, CONFAB_SSE_MAX_EVENT / 2);
      g_assert_cmpuint (fed, <=, 2 * CONFAB_SSE_MAX_EVENT);
    }
}

static void
test_size_is_per_event (void)
{
  g_autoptr (ConfabSseReader) reader = confab_sse_reader_new ();
  g_autofree char *filling = g_strnfill (CONFAB_SSE_MAX_EVENT / 2, 'x');
  g_autofree char *event = g_strconcat ("data: ", filling, "\n\n", NULL);
  guint count = 0;

  for (guint i = 0; i < 5; i++)
    g_assert_true (confab_sse_reader_feed (reader, event, strlen (event), stop_cb, &count, NULL));
  g_assert_cmpuint (count, ==, 5);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strconcat ("/confab/sse-reader/", cases[i].name, NULL);

      g_test_add_data_func (path, &cases[i], test_case);
    }
  g_test_add_func ("/confab/sse-reader/unfinished-is-kept-back", test_unfinished_is_kept_back);
  g_test_add_func ("/confab/sse-reader/nul-in-data", test_nul_in_data);
  g_test_add_func ("/confab/sse-reader/enough", test_enough);
  g_test_add_func ("/confab/sse-reader/too-large", test_too_large);
  g_test_add_func ("/confab/sse-reader/size-is-per-event", test_size_is_per_event);

  return g_test_run ();
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "confab-error.h"
#include "confab-ndjson-reader.h"

/* What was read: the lines, each followed by "|". */
typedef struct
{
  GString *lines;
  guint n_lines;
  /* Says at this line that no more is wanted; 0: never. */
  guint enough_at;
} Log;

static void
log_clear (Log *log)
{
  g_string_free (log->lines, TRUE);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Log, log_clear)

static gboolean
line_cb (const char *line, gsize length, gpointer user_data)
{
  Log *log = user_data;

  g_assert_cmpuint (length, >, 0);
  g_string_append_len (log->lines, line, (gssize) length);
  g_string_append_c (log->lines, '|');
  log->n_lines++;

  return log->n_lines != log->enough_at;
}

typedef struct
{
  const char *name;
  const char *body;
  const char *lines;
} LineCase;

static const LineCase line_cases[] = {
  { "lf", "{\"a\":1}\n{\"b\":2}\n", "{\"a\":1}|{\"b\":2}|" },
  { "crlf", "{\"a\":1}\r\n{\"b\":2}\r\n", "{\"a\":1}|{\"b\":2}|" },
  { "mixed-ends", "1\n2\r\n3\n", "1|2|3|" },
  { "no-last-end", "{\"a\":1}\n{\"b\":2}", "{\"a\":1}|{\"b\":2}|" },
  { "no-last-lf", "1\r\n2\r", "1|2|" },
  { "blank-lines", "\n\r\n1\n \t\n\n2\n\n", "1|2|" },
  { "white-space", "  {\"a\": 1}\t\n", "{\"a\": 1}|" },
  { "cr-inside", "1\r2\n", "1\r2|" },
  { "utf8", "\"gr\xc3\xbc\xc3\x9f \xf0\x9f\x8c\x8d\"\n",
    "\"gr\xc3\xbc\xc3\x9f \xf0\x9f\x8c\x8d\"|" },
  { "invalid-utf8", "\"\xff\"\n\"\xc3\n", "\"\xff\"|\"\xc3|" },
  { "empty", "", "" },
  { "nothing-but-ends", "\r\n\n\r", "" },
};

/* Fed in pieces of every size, each a copy of its own so that a read beyond shows. */
static void
test_line_case (gconstpointer data)
{
  const LineCase *c = data;
  gsize length = strlen (c->body);

  for (gsize step = 1; step <= length + 1; step++)
    {
      g_autoptr (ConfabNdjsonReader) reader = confab_ndjson_reader_new ();
      g_autoptr (GError) error = NULL;
      g_auto (Log) log = { .lines = g_string_new (NULL) };

      for (gsize i = 0; i < length; i += step)
        {
          gsize n = MIN (step, length - i);
          g_autofree char *piece = g_memdup2 (c->body + i, n);

          g_assert_true (confab_ndjson_reader_feed (reader, piece, n, line_cb, &log, &error));
          g_assert_no_error (error);
        }
      confab_ndjson_reader_finish (reader, line_cb, &log);
      g_assert_cmpstr (log.lines->str, ==, c->lines);
    }
}

/* Cut in two at every byte. */
static void
test_cut_in_two (void)
{
  static const char *const body = "{\"a\":\"\xe2\x82\xac\"}\r\n\n{\"b\":2}\n3";
  gsize length = strlen (body);

  for (gsize cut = 0; cut <= length; cut++)
    {
      g_autoptr (ConfabNdjsonReader) reader = confab_ndjson_reader_new ();
      g_auto (Log) log = { .lines = g_string_new (NULL) };

      g_assert_true (confab_ndjson_reader_feed (reader, body, cut, line_cb, &log, NULL));
      g_assert_true (
          confab_ndjson_reader_feed (reader, body + cut, length - cut, line_cb, &log, NULL));
      confab_ndjson_reader_finish (reader, line_cb, &log);
      g_assert_cmpstr (log.lines->str, ==, "{\"a\":\"\xe2\x82\xac\"}|{\"b\":2}|3|");
    }
}

static void
test_nul_inside (void)
{
  g_autoptr (ConfabNdjsonReader) reader = confab_ndjson_reader_new ();
  g_auto (Log) log = { .lines = g_string_new (NULL) };

  g_assert_true (confab_ndjson_reader_feed (reader, "a\0b\nc\n", 6, line_cb, &log, NULL));
  g_assert_cmpuint (log.n_lines, ==, 2);
  g_assert_cmpmem (log.lines->str, log.lines->len, "a\0b|c|", 6);
}

static void
test_enough (void)
{
  g_autoptr (ConfabNdjsonReader) reader = confab_ndjson_reader_new ();
  g_auto (Log) log = { .lines = g_string_new (NULL), .enough_at = 2 };

  g_assert_true (confab_ndjson_reader_feed (reader, "1\n2\n3\n", 6, line_cb, &log, NULL));
  g_assert_cmpstr (log.lines->str, ==, "1|2|");
}

/* Finished once, a line does not come again. */
static void
test_finish_twice (void)
{
  g_autoptr (ConfabNdjsonReader) reader = confab_ndjson_reader_new ();
  g_auto (Log) log = { .lines = g_string_new (NULL) };

  g_assert_true (confab_ndjson_reader_feed (reader, "1", 1, line_cb, &log, NULL));
  g_assert_cmpuint (log.n_lines, ==, 0);
  confab_ndjson_reader_finish (reader, line_cb, &log);
  confab_ndjson_reader_finish (reader, line_cb, &log);
  g_assert_cmpstr (log.lines->str, ==, "1|");
}

/* Returns: whether a line of @size bytes is taken, fed @step at a time */
static gboolean
takes_line_of (gsize size, gsize step)
{
  g_autoptr (ConfabNdjsonReader) reader = confab_ndjson_reader_new ();
  g_autoptr (GError) error = NULL;
  g_auto (Log) log = { .lines = g_string_new (NULL) };
  g_autofree char *body = g_strnfill (size + 1, 'x');

  body[size] = '\n';
  for (gsize i = 0; i < size + 1; i += step)
    {
      if (!confab_ndjson_reader_feed (reader, body + i, MIN (step, size + 1 - i), line_cb, &log,
                                      &error))
        {
          g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_TOO_LARGE);
          g_assert_cmpuint (log.n_lines, ==, 0);
          return FALSE;
        }
    }
  g_assert_cmpuint (log.n_lines, ==, 1);
  g_assert_cmpuint (log.lines->len, ==, size + 1);
  return TRUE;
}

static void
test_limit (void)
{
  g_assert_true (takes_line_of (CONFAB_NDJSON_MAX_LINE, 2 * CONFAB_NDJSON_MAX_LINE));
  g_assert_true (takes_line_of (CONFAB_NDJSON_MAX_LINE, 1000));
  g_assert_false (takes_line_of (CONFAB_NDJSON_MAX_LINE + 1, 2 * CONFAB_NDJSON_MAX_LINE));
  g_assert_false (takes_line_of (CONFAB_NDJSON_MAX_LINE + 1, 1000));
}

/* The limit is one of a line, not of the stream. */
static void
test_long_stream (void)
{
  g_autoptr (ConfabNdjsonReader) reader = confab_ndjson_reader_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *line = g_strnfill (CONFAB_NDJSON_MAX_LINE / 2, 'x');
  g_auto (Log) log = { .lines = g_string_new (NULL) };

  for (guint i = 0; i < 5; i++)
    {
      g_assert_true (confab_ndjson_reader_feed (reader, line, CONFAB_NDJSON_MAX_LINE / 2, line_cb,
                                                &log, &error));
      g_assert_true (confab_ndjson_reader_feed (reader, "\r\n", 2, line_cb, &log, &error));
    }
  g_assert_cmpuint (log.n_lines, ==, 5);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (line_cases); i++)
    {
      g_autofree char *path = g_strconcat ("/confab/ndjson-reader/", line_cases[i].name, NULL);

      g_test_add_data_func (path, &line_cases[i], test_line_case);
    }
  g_test_add_func ("/confab/ndjson-reader/cut-in-two", test_cut_in_two);
  g_test_add_func ("/confab/ndjson-reader/nul-inside", test_nul_inside);
  g_test_add_func ("/confab/ndjson-reader/enough", test_enough);
  g_test_add_func ("/confab/ndjson-reader/finish-twice", test_finish_twice);
  g_test_add_func ("/confab/ndjson-reader/limit", test_limit);
  g_test_add_func ("/confab/ndjson-reader/long-stream", test_long_stream);

  return g_test_run ();
}

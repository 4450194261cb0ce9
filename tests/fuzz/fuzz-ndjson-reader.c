/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz.h"

#include <string.h>

#include "confab-ndjson-reader.h"

/* Lines of JSON: the lines do not depend on how they were cut on their way. */

static gboolean
line_cb (const char *line, gsize length, gpointer user_data)
{
  GString *seen = user_data;

  g_assert_null (memchr (line, '\n', length));
  g_string_append_printf (seen, "%" G_GSIZE_FORMAT ": ", length);
  g_string_append_len (seen, line, length);
  g_string_append_c (seen, '\n');
  return TRUE;
}

static GString *
read_in_steps (const guint8 *data, gsize size, gsize step)
{
  g_autoptr (ConfabNdjsonReader) reader = confab_ndjson_reader_new ();
  g_autoptr (GError) error = NULL;
  GString *seen = g_string_new (NULL);

  for (gsize at = 0; at < size; at += step)
    {
      gsize n = MIN (step, size - at);
      g_autofree char *exact = g_memdup2 (data + at, n);

      if (!confab_ndjson_reader_feed (reader, exact, n, line_cb, seen, &error))
        return seen;
    }
  confab_ndjson_reader_finish (reader, line_cb, seen);
  return seen;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GString) whole = read_in_steps (data, size, MAX (size, 1));
  g_autoptr (GString) bytes = read_in_steps (data, size, fuzz_step (size));
  g_autoptr (GString) pieces = read_in_steps (data, size, 5 * fuzz_step (size));

  g_assert_true (g_string_equal (whole, bytes));
  g_assert_true (g_string_equal (whole, pieces));
  return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz.h"

#include <string.h>

#include "confab-sse-reader.h"

/* A stream of server-sent events: the events do not depend on how it was cut on its way. */

typedef struct
{
  GString *events;
  gboolean ended;
} Seen;

static gboolean
event_cb (const char *event, const char *data, gsize length, gpointer user_data)
{
  Seen *seen = user_data;

  g_assert_false (seen->ended);
  g_assert_cmpint (data[length], ==, '\0');
  g_string_append_printf (seen->events, "%s (%" G_GSIZE_FORMAT "): ", event, length);
  g_string_append_len (seen->events, data, length);
  g_string_append_c (seen->events, '\n');
  /* one word of the data's ends it */
  seen->ended = memmem (data, length, "[DONE]", 6) != NULL;
  return !seen->ended;
}

static GString *
read_in_steps (const guint8 *data, gsize size, gsize step)
{
  g_autoptr (ConfabSseReader) reader = confab_sse_reader_new ();
  g_autoptr (GError) error = NULL;
  Seen seen = { g_string_new (NULL), FALSE };

  for (gsize at = 0; at < size; at += step)
    {
      gsize n = MIN (step, size - at);
      g_autofree char *exact = g_memdup2 (data + at, n);

      if (!confab_sse_reader_feed (reader, exact, n, event_cb, &seen, &error) || seen.ended)
        return seen.events;
    }
  confab_sse_reader_finish (reader, event_cb, &seen);
  return seen.events;
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

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz.h"

#include <string.h>

#include "confab-anthropic-reader.h"
#include "confab-ollama-reader.h"
#include "confab-openai-reader.h"
#include "confab-openai-responses-reader.h"

/* The body of a model server's answer; READER makes the reader of one API. Text, outcome and error
 * do not depend on how it was cut on its way, and text is never broken. */

static void
text_cb (ConfabDeltaKind kind, const char *text, gsize length, gpointer user_data)
{
  GString **texts = user_data;

  g_assert_cmpuint (length, >, 0);
  g_assert_cmpuint (strlen (text), ==, length);
  g_assert_true (g_utf8_validate (text, length, NULL));
  g_string_append_len (texts[kind], text, length);
}

/* @flushing: whether text is asked for after each piece
 *
 * Returns: (transfer full): all that came of it, in words */
static char *
read_in_steps (const guint8 *data, gsize size, gsize step, gboolean flushing)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GString) reasoning = g_string_new (NULL);
  GString *texts[] = { [CONFAB_DELTA_TEXT] = text, [CONFAB_DELTA_REASONING] = reasoning };
  g_autoptr (ConfabAnswerReader) reader = READER (text_cb, texts);
  g_autoptr (ConfabOutcome) outcome = NULL;
  g_autoptr (GError) error = NULL;
  gboolean more = TRUE;

  for (gsize at = 0; more && at < size; at += step)
    {
      gsize n = MIN (step, size - at);
      g_autofree char *exact = g_memdup2 (data + at, n);

      more = confab_answer_reader_feed (reader, exact, n, &error);
      if (flushing)
        confab_answer_reader_flush (reader);
    }
  if (error == NULL)
    outcome = confab_answer_reader_finish (reader, &error);
  else
    confab_answer_reader_flush (reader);

  g_assert_cmpint (outcome == NULL, ==, error != NULL);
  if (outcome == NULL)
    {
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
      return g_strdup_printf ("%s / %s / %d: %s", text->str, reasoning->str, error->code,
                              error->message);
    }
  return g_strdup_printf ("%s / %s / %s of %s", text->str, reasoning->str,
                          confab_finish_reason_to_string (outcome->finish_reason), outcome->model);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *whole = read_in_steps (data, size, MAX (size, 1), TRUE);
  g_autofree char *bytes = read_in_steps (data, size, fuzz_step (size), FALSE);
  g_autofree char *pieces = read_in_steps (data, size, 7 * fuzz_step (size), TRUE);

  g_assert_cmpstr (whole, ==, bytes);
  g_assert_cmpstr (whole, ==, pieces);
  return 0;
}

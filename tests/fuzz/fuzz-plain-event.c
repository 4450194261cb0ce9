/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz.h"

#include "confab-openai-reader.h"

/* One event of Chat Completions. The way without a tree, which is taken for plain events, gives the
 * same as the parser, which a member "type" brings in. */

static void
text_cb (ConfabDeltaKind kind, const char *text, gsize length, gpointer user_data)
{
  GString *seen = user_data;

  g_string_append_printf (seen, "%d:", kind);
  g_string_append_len (seen, text, length);
}

static char *
read_event (const char *start, const guint8 *data, gsize size)
{
  static const char model[] = "data: {\"model\":\"m\",\"choices\":[]}\n\n";
  g_autoptr (GString) seen = g_string_new (NULL);
  g_autoptr (GString) body = g_string_new (model);
  g_autoptr (ConfabAnswerReader) reader = confab_openai_reader_new (text_cb, seen);
  g_autoptr (GError) error = NULL;

  g_string_append_printf (body, "data: %s", start);
  g_string_append_len (body, (const char *) data, size);
  g_string_append (body, "\n\n");
  if (!confab_answer_reader_feed (reader, body->str, body->len, &error) && error != NULL)
    return g_strdup_printf ("error %d", error->code);
  confab_answer_reader_flush (reader);
  return g_strdup (seen->str);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *plain = NULL;
  g_autofree char *tree = NULL;

  /* an event is one line here, an object that has members */
  for (gsize i = 0; i < size; i++)
    {
      if (data[i] == '\n' || data[i] == '\r')
        return -1;
    }
  if (size < 2 || data[0] != '{' || data[1] != '"')
    return -1;

  plain = read_event ("{", data + 1, size - 1);
  tree = read_event ("{\"type\":null,", data + 1, size - 1);
  g_assert_cmpstr (plain, ==, tree);
  return 0;
}

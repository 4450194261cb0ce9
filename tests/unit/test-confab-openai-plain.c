/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "confab-openai-reader.h"

/* Events that are plain are read without the parser: the same has to come out. What tells the two
 * ways apart is only whether an event before told the model. */

#define N_MUTATIONS 20000

static const char with_model[] = "data: {\"model\":\"m\"}\n\n";
static const char without_model[] = "data: {\"object\":\"o\"}\n\n";

#define DELTA(members)                                                                             \
  "{\"choices\":[{\"index\":0,\"delta\":{" members "},\"finish_reason\":null}]}"
#define CHOICE(members) "{\"choices\":[{" members "}]}"

static const char *const events[] = {
  DELTA ("\"content\":\"plain\""),
  DELTA (""),
  DELTA ("\"content\":null"),
  DELTA ("\"content\":\"\""),
  DELTA ("\"content\":1"),
  DELTA ("\"content\":[\"a\"]"),
  DELTA ("\"role\":\"assistant\",\"content\":\"a\",\"refusal\":null"),
  DELTA ("\"content\":\"a\",\"refusal\":\"no\""),
  DELTA ("\"refusal\":\"no\""),
  DELTA ("\"content\":\"a\",\"content\":\"b\""),
  DELTA ("\"content\":\"a\",\"content\":\"\""),
  DELTA ("\"content\":\"a\",\"content\":null"),
  DELTA ("\"reasoning_content\":\"r\""),
  DELTA ("\"reasoning_content\":\"r\",\"content\":null"),
  DELTA ("\"reasoning_content\":\"r\",\"content\":\"c\""),
  DELTA ("\"content\":\"c\",\"reasoning_content\":\"r\""),
  DELTA ("\"reasoning\":\"r\",\"reasoning_content\":\"s\""),
  DELTA ("\"reasoning\":\"r\",\"reasoning_content\":\"\""),
  DELTA ("\"reasoning\":\"r\""),
  DELTA ("\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"{}\"}}]"),
  DELTA ("\"content\":\"caf\303\251 \342\202\254 \360\237\230\200\""),
  DELTA ("\"content\":\"\\u00e9 \\ud83d\\ude00 \\n\\t\\\"\\\\\\/\\b\\f\\r\""),
  DELTA ("\"content\":\"\\u0000\""),
  DELTA ("\"content\":\"\\ud83d\""),
  DELTA ("\"content\":\"\\ude00\\ud83d\""),
  DELTA ("\"content\":\"\\ud83d\\u0041\""),
  DELTA ("\"content\":\"\\u12\""),
  DELTA ("\"content\":\"\\x\""),
  DELTA ("\"content\":\"\t\""),
  DELTA ("\"content\":\"\377\""),
  DELTA ("\"\\u0063ontent\":\"escaped key\""),
  DELTA ("\"content\":\"a\",\"x\":{\"y\":[1,-2.5,true,false,null,{}],\"z\":[]}"),
  DELTA ("\"content\":\"a\",\"x\":01"),
  DELTA ("\"content\":\"a\",\"x\":1e400"),
  DELTA ("\"content\":\"a\",\"x\":1e2"),
  DELTA ("\"content\":\"a\",\"x\":12345678901234567890"),
  DELTA ("\"content\":\"a\",\"x\":-"),
  DELTA ("\"content\":\"a\",\"x\":1."),
  DELTA ("\"content\":\"a\",\"x\":[1,]"),
  DELTA ("\"content\":\"a\",\"x\":[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]"),
  DELTA ("\"content\":\"a\","),
  DELTA ("\"content\" \"a\""),
  DELTA ("\"content\":\"a\" \"b\":1"),
  " { \"choices\" : [ { \"delta\" : { \"content\" : \"spaced\" } } ] } ",
  CHOICE ("\"delta\":{\"content\":\"a\"}"),
  CHOICE ("\"index\":1,\"delta\":{\"content\":\"a\"}"),
  CHOICE ("\"index\":0,\"index\":1,\"delta\":{\"content\":\"a\"}"),
  CHOICE ("\"index\":0.0,\"delta\":{\"content\":\"a\"}"),
  CHOICE ("\"delta\":{\"content\":\"a\"},\"delta\":{\"content\":\"b\"}"),
  CHOICE ("\"delta\":null,\"message\":{\"content\":\"m\"}"),
  CHOICE ("\"message\":{\"content\":\"m\"}"),
  CHOICE ("\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\""),
  CHOICE ("\"delta\":{\"content\":\"a\"},\"finish_reason\":\"\""),
  CHOICE ("\"delta\":{\"content\":\"a\"},\"logprobs\":{\"content\":[{\"token\":\"a\"}]}"),
  "{\"choices\":[{\"delta\":{\"content\":\"a\"}},{\"index\":1,\"delta\":{\"content\":\"b\"}}]}",
  "{\"choices\":[{\"delta\":{\"content\":\"a\"}}],\"choices\":[]}",
  "{\"choices\":[],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}",
  "{\"choices\":[]}",
  "{\"choices\":null}",
  "{}",
  "[]",
  "null",
  "{\"error\":null,\"choices\":[{\"delta\":{\"content\":\"a\"}}]}",
  "{\"error\":{\"message\":\"no\"},\"choices\":[{\"delta\":{\"content\":\"a\"}}]}",
  "{\"type\":\"error\",\"choices\":[{\"delta\":{\"content\":\"a\"}}]}",
  "{\"usage\":null,\"choices\":[{\"delta\":{\"content\":\"a\"}}]}",
  "{\"model\":\"other\",\"choices\":[{\"delta\":{\"content\":\"a\"}}]}",
  "{\"choices\":[{\"delta\":{\"content\":\"a\"}}]} x",
  "{\"choices\":[{\"delta\":{\"content\":\"a\"}}]",
};

static void
text_cb (ConfabDeltaKind kind, const char *text, gsize length, gpointer user_data)
{
  GString *log = user_data;

  g_string_append (log, kind == CONFAB_DELTA_TEXT ? "<text>" : "<reasoning>");
  g_string_append_len (log, text, (gssize) length);
}

/* All that can be seen of reading @event after @first. */
static char *
read_after (const char *first, const char *event, gsize length)
{
  g_autoptr (GString) log = g_string_new (NULL);
  g_autoptr (ConfabAnswerReader) reader = confab_openai_reader_new (text_cb, log);
  g_autoptr (ConfabOutcome) outcome = NULL;
  g_autoptr (GError) error = NULL;
  gboolean more;

  g_assert_true (confab_answer_reader_feed (reader, first, strlen (first), NULL));
  more = confab_answer_reader_feed (reader, "data: ", 6, &error)
         && confab_answer_reader_feed (reader, event, length, &error)
         && confab_answer_reader_feed (reader, "\n\ndata: [DONE]\n\n", 16, &error);
  g_assert_false (more);
  if (error == NULL)
    outcome = confab_answer_reader_finish (reader, &error);
  if (outcome != NULL)
    g_string_append_printf (log, "<end>%d %d %" G_GINT64_FORMAT, outcome->finish_reason,
                            outcome->has_usage, outcome->usage.output_tokens);
  else
    g_string_append_printf (log, "<error>%s", error->message);

  return g_strdup (log->str);
}

static void
compare (const char *event, gsize length)
{
  g_autofree char *plain = read_after (with_model, event, length);
  g_autofree char *parsed = read_after (without_model, event, length);

  if (!g_str_equal (plain, parsed))
    g_error ("“%.*s” reads as “%s” and as “%s”", (int) length, event, plain, parsed);
}

static void
test_same (gconstpointer data)
{
  compare (data, strlen (data));
}

static void
test_plain_is_read (void)
{
  g_autofree char *seen = read_after (with_model, events[0], strlen (events[0]));

  g_assert_true (g_str_has_prefix (seen, "<text>plain<end>"));
}

/* Any byte changed, left out or doubled. Not a line's end, which would make two events of one. */
static void
test_mutations (void)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (20261125);

  for (guint i = 0; i < N_MUTATIONS; i++)
    {
      const char *event = events[g_rand_int_range (random, 0, G_N_ELEMENTS (events))];
      g_autoptr (GString) mutated = g_string_new (event);
      gssize place = g_rand_int_range (random, 0, (gint32) mutated->len);
      guchar byte = (guchar) g_rand_int_range (random, 0x0e, 0x100);

      switch (g_rand_int_range (random, 0, 4))
        {
        case 0:
          mutated->str[place] = (char) byte;
          break;
        case 1:
          g_string_erase (mutated, place, 1);
          break;
        case 2:
          g_string_insert_c (mutated, place, event[place]);
          break;
        default:
          g_string_insert_c (mutated, place, "\"\\{}[]:,0n"[byte % 10]);
          break;
        }
      compare (mutated->str, mutated->len);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/confab/openai-plain/is-read", test_plain_is_read);
  for (guint i = 0; i < G_N_ELEMENTS (events); i++)
    {
      g_autofree char *path = g_strdup_printf ("/confab/openai-plain/same/%u", i);

      g_test_add_data_func (path, events[i], test_same);
    }
  g_test_add_func ("/confab/openai-plain/mutations", test_mutations);

  return g_test_run ();
}

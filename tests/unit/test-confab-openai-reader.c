/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "confab-error.h"
#include "confab-openai-reader.h"

#define TEXT_EVENT(text)                                                                           \
  "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" text "\"}}]}\n\n"
#define STOP_EVENT "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
#define DONE_EVENT "data: [DONE]\n\n"

/* Answers that stray from the usual form, and what they must come to. */
typedef struct
{
  const char *name;
  const char *body;
  const char *text;
  const char *reasoning;
  /* ConfabFinishReason, or -1 with the code of the error */
  int reason;
  const char *code;
} StreamCase;

static const StreamCase stream_cases[] = {
  { "crlf",
    "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\r\n\r\n"
    "data: {\"choices\":[{\"delta\":{\"content\":\"b\"},\"finish_reason\":\"stop\"}]}\r\n\r\n"
    "data: [DONE]\r\n\r\n",
    "ab", "", CONFAB_FINISH_STOP, NULL },
  { "comments",
    ": hello\n\n" TEXT_EVENT ("a") ": PROCESSING\n" TEXT_EVENT ("b") STOP_EVENT DONE_EVENT, "ab",
    "", CONFAB_FINISH_STOP, NULL },
  { "no-done", TEXT_EVENT ("a") STOP_EVENT, "a", "", CONFAB_FINISH_STOP, NULL },
  { "no-finish-reason", TEXT_EVENT ("a") DONE_EVENT, "a", "", CONFAB_FINISH_STOP, NULL },
  { "no-last-blank-line",
    TEXT_EVENT ("a") "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"length\"}]}", "a", "",
    CONFAB_FINISH_LENGTH, NULL },
  { "reason/model-length",
    TEXT_EVENT ("a") "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"model_length\"}]}", "a",
    "", CONFAB_FINISH_LENGTH, NULL },
  { "reason/max-tokens",
    TEXT_EVENT ("a") "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"max_tokens\"}]}", "a",
    "", CONFAB_FINISH_LENGTH, NULL },
  { "reason/end-turn",
    TEXT_EVENT ("a") "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"end_turn\"}]}", "a", "",
    CONFAB_FINISH_STOP, NULL },
  { "reason/stop-sequence",
    TEXT_EVENT ("a") "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop_sequence\"}]}",
    "a", "", CONFAB_FINISH_STOP, NULL },
  { "reason/tool-calls",
    TEXT_EVENT ("a") "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"tool_calls\"}]}", "a",
    "", CONFAB_FINISH_TOOL_CALLS, NULL },
  { "reason/content-filter",
    TEXT_EVENT ("a") "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"content_filter\"}]}",
    "a", "", CONFAB_FINISH_CONTENT_FILTER, NULL },
  { "reason/unknown",
    TEXT_EVENT ("a") "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"abort\"}]}", "a", "",
    CONFAB_FINISH_OTHER, NULL },
  { "neither-done-nor-reason", TEXT_EVENT ("a"), "a", "", -1, "upstream-truncated" },
  { "cut-event", TEXT_EVENT ("a") "data: {\"choices\":[{\"del", "a", "", -1, "upstream-truncated" },
  { "empty", "", "", "", -1, "upstream-truncated" },
  { "error-object",
    TEXT_EVENT (
        "a") "data: {\"error\":{\"message\":\"slow down\",\"type\":\"rate_limit_error\"}}\n\n",
    "a", "", -1, "upstream-rate-limit" },
  { "error-number", "data: {\"error\":{\"message\":\"gone\",\"code\":503}}\n\n", "", "", -1,
    "upstream-unavailable" },
  { "error-text", "data: {\"error\":\"oops\"}\n\n", "", "", -1, "upstream-error" },
  { "error-event",
    "event: error\ndata: {\"message\":\"oops\",\"code\":\"context_length_exceeded\"}\n\n", "", "",
    -1, "context-length" },
  { "error-null",
    "data: {\"error\":null,\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n" DONE_EVENT, "a", "",
    CONFAB_FINISH_STOP, NULL },
  { "space-first", " " TEXT_EVENT ("a") TEXT_EVENT ("b") STOP_EVENT, "b", "", CONFAB_FINISH_STOP,
    NULL },
  { "not-json", TEXT_EVENT ("a") "data: <b>502</b>\n\n", "a", "", -1, "upstream-error" },
  { "json-but-no-object", "data: 7\n\n", "", "", -1, "upstream-error" },
  { "reasoning-content",
    "data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"hm\"}}]}\n\n" TEXT_EVENT ("a")
        DONE_EVENT,
    "a", "hm", CONFAB_FINISH_STOP, NULL },
  { "reasoning-both-names",
    "data: {\"choices\":[{\"delta\":{\"reasoning\":\"hm\",\"reasoning_content\":\"hm\","
    "\"content\":\"a\"}}]}\n\n" DONE_EVENT,
    "a", "hm", CONFAB_FINISH_STOP, NULL },
  { "other-choice-ignored",
    "data: {\"choices\":[{\"index\":1,\"delta\":{\"content\":\"x\"}},"
    "{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\n" DONE_EVENT,
    "a", "", CONFAB_FINISH_STOP, NULL },
  { "odd-types",
    "data: {\"choices\":7}\n\ndata: "
    "{\"choices\":[null,{\"delta\":[]},{\"delta\":{\"content\":{}}}],"
    "\"usage\":3,\"model\":4}\n\n" TEXT_EVENT ("a") DONE_EVENT,
    "a", "", CONFAB_FINISH_STOP, NULL },
  { "invalid-utf8",
    TEXT_EVENT ("a\xff"
                "b") STOP_EVENT,
    "a\xef\xbf\xbd"
    "b",
    "", CONFAB_FINISH_STOP, NULL },
  { "nul-escape", TEXT_EVENT ("a\\u0000b") STOP_EVENT,
    "a\xef\xbf\xbd"
    "b",
    "", CONFAB_FINISH_STOP, NULL },
  { "content-filter",
    TEXT_EVENT (
        "a") "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"content_filter\"}]}\n\n",
    "a", "", CONFAB_FINISH_CONTENT_FILTER, NULL },
  { "tool-calls",
    "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"function_call\"}]}\n\n" DONE_EVENT, "",
    "", CONFAB_FINISH_TOOL_CALLS, NULL },
  { "other-reason",
    TEXT_EVENT ("a") "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"weary\"}]}\n\n", "a",
    "", CONFAB_FINISH_OTHER, NULL },
  { "after-done", TEXT_EVENT ("a") DONE_EVENT TEXT_EVENT ("b"), "a", "", CONFAB_FINISH_STOP, NULL },
  { "whole-json",
    "{\"model\":\"x\",\"choices\":[{\"message\":{\"role\":\"assistant\",\"content\":\"all\"},"
    "\"finish_reason\":\"length\"}]}",
    "all", "", CONFAB_FINISH_LENGTH, NULL },
  { "whole-json-error", "{\"error\":{\"message\":\"no\",\"type\":\"invalid_api_key\"}}", "", "", -1,
    "upstream-auth" },
  { "whole-json-cut", "{\"choices\":[{\"message\":{\"cont", "", "", -1, "upstream-error" },
  { "whole-json-of-something-else", "{\"hello\":\"world\"}", "", "", -1, "upstream-error" },
};

/* What was read. */
typedef struct
{
  GString *text;
  GString *reasoning;
  guint n_texts;
} Log;

static void
log_clear (Log *log)
{
  g_string_free (log->text, TRUE);
  g_string_free (log->reasoning, TRUE);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Log, log_clear)

static void
text_cb (ConfabDeltaKind kind, const char *text, gsize length, gpointer user_data)
{
  Log *log = user_data;

  g_assert_cmpuint (length, >, 0);
  g_assert_cmpuint (strlen (text), ==, length);
  g_assert_true (g_utf8_validate (text, -1, NULL));
  log->n_texts++;
  g_string_append (kind == CONFAB_DELTA_TEXT ? log->text : log->reasoning, text);
}

/* Feeds @step bytes at a time, and gives text away after each, as a turn does. */
static ConfabOutcome *
read_by (const char *body, gsize step, Log *log, GError **error)
{
  g_autoptr (ConfabAnswerReader) reader = confab_openai_reader_new (text_cb, log);
  g_autoptr (GError) feed_error = NULL;
  gsize length = strlen (body);

  for (gsize i = 0; i < length; i += step)
    {
      gsize n = MIN (step, length - i);
      g_autofree char *piece = g_memdup2 (body + i, n);
      gboolean more = confab_answer_reader_feed (reader, piece, n, &feed_error);

      confab_answer_reader_flush (reader);
      if (feed_error != NULL)
        {
          g_assert_false (more);
          g_propagate_error (error, g_steal_pointer (&feed_error));
          return NULL;
        }
      if (!more)
        break;
    }

  return confab_answer_reader_finish (reader, error);
}

static void
test_stream_case (gconstpointer data)
{
  const StreamCase *c = data;

  for (gsize step = 1; step <= strlen (c->body) + 1; step++)
    {
      g_autoptr (ConfabOutcome) outcome = NULL;
      g_autoptr (GError) error = NULL;
      g_auto (Log) log = { .text = g_string_new (NULL), .reasoning = g_string_new (NULL) };

      outcome = read_by (c->body, step, &log, &error);
      g_assert_cmpstr (log.text->str, ==, c->text);
      g_assert_cmpstr (log.reasoning->str, ==, c->reasoning);
      if (c->code != NULL)
        {
          g_assert_null (outcome);
          g_assert_cmpuint (error->domain, ==, CONFAB_ERROR);
          g_assert_cmpstr (confab_error_to_code (error), ==, c->code);
          continue;
        }

      g_assert_no_error (error);
      g_assert_cmpint (outcome->finish_reason, ==, c->reason);
      g_assert_false (outcome->has_usage);
    }
}

static void
test_usage (void)
{
  static const char *const body =
      TEXT_EVENT ("a") STOP_EVENT "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,"
                                  "\"completion_tokens\":-5}}\n\n" DONE_EVENT;
  g_autoptr (ConfabOutcome) outcome = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (Log) log = { .text = g_string_new (NULL), .reasoning = g_string_new (NULL) };

  outcome = read_by (body, 1000, &log, &error);
  g_assert_no_error (error);
  g_assert_true (outcome->has_usage);
  g_assert_cmpint (outcome->usage.input_tokens, ==, 9);
  g_assert_cmpint (outcome->usage.output_tokens, ==, -1);
  g_assert_cmpint (outcome->usage.reasoning_tokens, ==, -1);
  g_assert_cmpint (outcome->usage.cached_input_tokens, ==, -1);
}

/* Neighbours of one kind are joined; a change of kind parts them. */
static void
test_joined (void)
{
  static const char *const body =
      "data: {\"choices\":[{\"delta\":{\"reasoning\":\"h\"}}]}\n\n"
      "data: {\"choices\":[{\"delta\":{\"reasoning\":\"m\"}}]}\n\n" TEXT_EVENT ("a")
          TEXT_EVENT ("b") TEXT_EVENT ("c") STOP_EVENT DONE_EVENT;
  g_autoptr (ConfabOutcome) outcome = NULL;
  g_auto (Log) log = { .text = g_string_new (NULL), .reasoning = g_string_new (NULL) };

  outcome = read_by (body, 10000, &log, NULL);
  g_assert_nonnull (outcome);
  g_assert_cmpuint (log.n_texts, ==, 2);
  g_assert_cmpstr (log.reasoning->str, ==, "hm");
  g_assert_cmpstr (log.text->str, ==, "abc");
}

static void
test_endless_json (void)
{
  g_autoptr (GError) error = NULL;
  g_auto (Log) log = { .text = g_string_new (NULL), .reasoning = g_string_new (NULL) };
  g_autoptr (ConfabAnswerReader) reader = confab_openai_reader_new (text_cb, &log);
  g_autofree char *block = g_strnfill (64 * 1024, ' ');
  guint n = 0;

  g_assert_true (confab_answer_reader_feed (reader, "{", 1, &error));
  while (n < 1000 && confab_answer_reader_feed (reader, block, 64 * 1024, &error))
    n++;
  g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_ERROR);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (stream_cases); i++)
    {
      g_autofree char *path =
          g_strconcat ("/confab/openai-reader/stream/", stream_cases[i].name, NULL);

      g_test_add_data_func (path, &stream_cases[i], test_stream_case);
    }
  g_test_add_func ("/confab/openai-reader/usage", test_usage);
  g_test_add_func ("/confab/openai-reader/joined", test_joined);
  g_test_add_func ("/confab/openai-reader/endless-json", test_endless_json);

  return g_test_run ();
}

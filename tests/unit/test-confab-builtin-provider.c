/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "confab-builtin-provider.h"
#include "confab-eliza.h"

#define NO_MODEL "not an AI model"

static ConfabPrompt *
prompt_of (const char *const *turns)
{
  ConfabPrompt *prompt = confab_prompt_new ();

  for (guint i = 0; turns[i] != NULL; i++)
    confab_prompt_add_turn (prompt, i % 2 == 0 ? CONFAB_ROLE_USER : CONFAB_ROLE_ASSISTANT,
                            turns[i]);

  return prompt;
}

/* The answer to the last of @turns, which begin with the user's. */
static char *
answer_to (const char *const *turns)
{
  g_autoptr (ConfabPrompt) prompt = prompt_of (turns);
  g_autoptr (GDateTime) now = g_date_time_new_utc (2031, 5, 4, 15, 6, 7);

  return confab_eliza_answer (prompt, now);
}

/* The answer in the midst of a chat, without what the first answer adds. */
static char *
later_answer_to (const char *remark)
{
  const char *const turns[] = { "ok", "Go on.", remark, NULL };

  return answer_to (turns);
}

static void
assert_has (const char *text, const char *part)
{
  if (strstr (text, part) == NULL)
    g_error ("“%s” lacks “%s”", text, part);
}

static void
test_first_answer (void)
{
  const char *const first[] = { "Hello!", NULL };
  const char *const second[] = { "Hello!", "Hello.", "Hello!", NULL };
  g_autofree char *answer = answer_to (first);
  g_autofree char *later = answer_to (second);

  g_assert_true (g_str_has_prefix (answer, "Hello."));
  assert_has (answer, NO_MODEL);
  assert_has (answer, "Ollama");
  assert_has (answer, "OPENAI_API_KEY");
  assert_has (answer, "OPENAI_BASE_URL");
  assert_has (answer, "--base-url");
  assert_has (answer, "--model");
  g_assert_null (strstr (later, NO_MODEL));
}

static void
test_who_are_you (void)
{
  static const char *const remarks[] = { "Who are you?", "So, what are you", "are you an AI?",
                                         "Are you real?" };

  for (gsize i = 0; i < G_N_ELEMENTS (remarks); i++)
    {
      const char *const first[] = { remarks[i], NULL };
      g_autofree char *answer = later_answer_to (remarks[i]);
      g_autofree char *first_answer = answer_to (first);

      assert_has (answer, NO_MODEL);
      assert_has (answer, "Ollama");
      /* said once, not twice */
      g_assert_cmpstr (answer, ==, first_answer);
    }
}

/* A remark, and what the answer must hold. */
typedef struct
{
  const char *name;
  const char *remark;
  const char *part;
} RemarkCase;

static const RemarkCase remark_cases[] = {
  { "help", "help", "Ollama" },
  { "thanks", "Thank you very much", "welcome" },
  { "goodbye", "Bye!", "Goodbye" },
  { "hello", "Good morning", "Hello" },
  { "time", "What time is it?", "15:06" },
  { "date", "what day is it today?", "4 May 2031" },
  { "product", "What is 12 * 7?", "84." },
  { "precedence", "2 + 3 * 4 =", "14." },
  { "brackets", "calculate (2 + 3) * -4", "-20." },
  { "words", "what's 10 divided by 4", "2.5." },
  { "times-sign", "how much is 6 × 7?", "42." },
  { "by-zero", "1 / 0", "divided by zero" },
  { "reflects-me", "I feel sad about my job", "sad about your job" },
  { "reflects-you-are", "I think you are unkind to me", "I am unkind to you" },
  { "reflects-i-am", "I think that I am late", "that you are late" },
  { "clause-ends", "I want a boat, because boats are fun", "a boat" },
  { "curly-apostrophe", "I can’t sleep", "sleep" },
  { "highest-rank-wins", "Yes, I remember the sea", "the sea" },
  { "my", "It is my garden", "your garden" },
  { "danger", "I want to kill myself", "emergency" },
};

static void
test_remark (gconstpointer data)
{
  const RemarkCase *c = data;
  g_autofree char *answer = later_answer_to (c->remark);

  assert_has (answer, c->part);
  g_assert_null (strstr (answer, "{}"));
}

static void
test_no_sum (void)
{
  static const char *const texts[] = { "",         "7",       "1 +",       "(1 + 2", "1 + 2)",
                                       "1..2 + 3", "inf + 1", "two + two", "- ",     "1 + nan" };
  g_autofree char *deep = g_strnfill (10000, '(');
  g_autofree char *signs = g_strnfill (10000, '-');
  double value;

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    g_assert_false (confab_eliza_calculate (texts[i], &value));
  g_assert_false (confab_eliza_calculate (deep, &value));
  g_assert_false (confab_eliza_calculate (signs, &value));
}

static void
test_memory (void)
{
  const char *const turns[] = { "my boat leaks", "Tell me more about your boat.", "hmm", NULL };
  g_autofree char *answer = answer_to (turns);

  assert_has (answer, "boat leaks");
}

static void
test_same_turns_same_answer (void)
{
  static const char *const remarks[] = { "bananas", "I feel odd", "my shoe", "why", "" };

  for (gsize i = 0; i < G_N_ELEMENTS (remarks); i++)
    {
      g_autofree char *one = later_answer_to (remarks[i]);
      g_autofree char *two = later_answer_to (remarks[i]);

      g_assert_cmpstr (one, ==, two);
      g_assert_cmpuint (strlen (one), >, 0);
    }
}

static void
test_answers_vary (void)
{
  const char *const short_chat[] = { "ok", "Go on.", "bananas", NULL };
  const char *const long_chat[] = { "ok", "Go on.", "bananas", "I see.", "bananas", NULL };
  g_autofree char *one = answer_to (short_chat);
  g_autofree char *two = answer_to (long_chat);

  g_assert_cmpstr (one, !=, two);
}

static void
test_odd_input (void)
{
  g_autofree char *long_text = g_strnfill (256 * 1024, 'y');
  g_autofree char *many_words = NULL;
  g_autofree char *with_many = g_strnfill (100000, 'a');
  g_autoptr (ConfabPrompt) nothing = confab_prompt_new ();
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree char *answer = NULL;
  const char *const odd[] = {
    "   ", "???", "{}", "%s %n", "ÄÖÜ ß – 你好 👋🏽", "i i i you you", "my", "'"
  };

  for (gsize i = 0; i < 100000; i += 2)
    with_many[i] = ' ';
  many_words = g_strconcat ("i feel ", with_many, NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (odd); i++)
    {
      g_autofree char *text = later_answer_to (odd[i]);

      g_assert_true (g_utf8_validate (text, -1, NULL));
      g_assert_cmpuint (strlen (text), >, 0);
    }

  g_clear_pointer (&answer, g_free);
  answer = later_answer_to (long_text);
  g_assert_cmpuint (strlen (answer), <, 1000);
  g_clear_pointer (&answer, g_free);
  answer = later_answer_to (many_words);
  g_assert_cmpuint (strlen (answer), <, 1000);
  g_clear_pointer (&answer, g_free);
  answer = confab_eliza_answer (nothing, now);
  assert_has (answer, NO_MODEL);
}

/* What a run brought. */
typedef struct
{
  GString *text;
  guint n_deltas;
  guint n_callbacks;
  guint cancel_after;
  GCancellable *cancellable;
  ConfabOutcome *outcome;
  GError *error;
  gboolean started;
} Run;

static void
run_clear (Run *run)
{
  g_string_free (run->text, TRUE);
  g_clear_object (&run->cancellable);
  g_clear_pointer (&run->outcome, confab_outcome_free);
  g_clear_error (&run->error);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Run, run_clear)

static void
delta_cb (ConfabDeltaKind kind, const char *text, gsize length, gpointer user_data)
{
  Run *run = user_data;

  g_assert_true (run->started);
  g_assert_false (g_cancellable_is_cancelled (run->cancellable));
  g_assert_cmpint (kind, ==, CONFAB_DELTA_TEXT);
  g_assert_cmpuint (strlen (text), ==, length);
  /* one word, with the space before it */
  g_assert_null (strpbrk (text + strspn (text, " \n"), " \n"));

  run->n_deltas++;
  g_string_append (run->text, text);
  if (run->n_deltas == run->cancel_after)
    g_cancellable_cancel (run->cancellable);
}

static void
done_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Run *run = user_data;

  run->n_callbacks++;
  run->outcome = confab_provider_generate_finish (CONFAB_PROVIDER (source), result, &run->error);
}

static void
run_generate (Run *run, guint interval_ms, guint cancel_after)
{
  const char *const turns[] = { "Hello", NULL };
  g_autoptr (ConfabBuiltinProvider) provider = confab_builtin_provider_new ();
  g_autoptr (ConfabPrompt) prompt = prompt_of (turns);

  *run = (Run){ .text = g_string_new (NULL),
                .cancellable = g_cancellable_new (),
                .cancel_after = cancel_after };
  g_object_set (provider, "word-interval-ms", interval_ms, NULL);
  confab_provider_generate_async (CONFAB_PROVIDER (provider), prompt, delta_cb, run,
                                  run->cancellable, done_cb, run);
  g_assert_cmpuint (run->n_callbacks, ==, 0);
  run->started = TRUE;
  while (run->n_callbacks == 0)
    g_main_context_iteration (NULL, TRUE);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpuint (run->n_callbacks, ==, 1);
}

static void
test_word_by_word (void)
{
  const char *const turns[] = { "Hello", NULL };
  g_autofree char *answer = answer_to (turns);
  g_auto (Run) run;

  run_generate (&run, 0, 0);
  g_assert_no_error (run.error);
  g_assert_cmpstr (run.text->str, ==, answer);
  g_assert_cmpuint (run.n_deltas, >, 20);
  g_assert_cmpint (run.outcome->finish_reason, ==, CONFAB_FINISH_STOP);
  g_assert_false (run.outcome->has_usage);
  g_assert_cmpstr (run.outcome->model, ==, "builtin");
}

static void
test_pace (void)
{
  gint64 start = g_get_monotonic_time ();
  g_auto (Run) run;

  run_generate (&run, 2, 0);
  g_assert_cmpint (g_get_monotonic_time () - start, >=, run.n_deltas * 2 * 1000);
}

static void
test_stop (void)
{
  gint64 start = g_get_monotonic_time ();
  g_auto (Run) run;

  run_generate (&run, 50, 3);
  g_assert_error (run.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpuint (run.n_deltas, ==, 3);
  /* three words, and not the wait for a fourth */
  g_assert_cmpint (g_get_monotonic_time () - start, <, 195 * 1000);
}

static void
test_stop_before_start (void)
{
  const char *const turns[] = { "Hello", NULL };
  g_autoptr (ConfabBuiltinProvider) provider = confab_builtin_provider_new ();
  g_autoptr (ConfabPrompt) prompt = prompt_of (turns);
  g_auto (Run) run = { .text = g_string_new (NULL), .cancellable = g_cancellable_new () };

  g_cancellable_cancel (run.cancellable);
  confab_provider_generate_async (CONFAB_PROVIDER (provider), prompt, delta_cb, &run,
                                  run.cancellable, done_cb, &run);
  g_assert_cmpuint (run.n_callbacks, ==, 0);
  while (run.n_callbacks == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_error (run.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpuint (run.n_deltas, ==, 0);
}

static void
listed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GPtrArray **models = user_data;
  g_autoptr (GError) error = NULL;

  *models = confab_provider_list_models_finish (CONFAB_PROVIDER (source), result, &error);
  g_assert_no_error (error);
}

static void
test_models (void)
{
  g_autoptr (ConfabBuiltinProvider) provider = confab_builtin_provider_new ();
  g_autoptr (GPtrArray) models = NULL;

  confab_provider_list_models_async (CONFAB_PROVIDER (provider), NULL, listed_cb, &models);
  while (models == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (models->len, ==, 1);
  g_assert_cmpstr (confab_provider_get_name (CONFAB_PROVIDER (provider)), ==, "builtin");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (remark_cases); i++)
    {
      g_autofree char *path = g_strconcat ("/confab/eliza/remark/", remark_cases[i].name, NULL);

      g_test_add_data_func (path, &remark_cases[i], test_remark);
    }
  g_test_add_func ("/confab/eliza/first-answer", test_first_answer);
  g_test_add_func ("/confab/eliza/who-are-you", test_who_are_you);
  g_test_add_func ("/confab/eliza/no-sum", test_no_sum);
  g_test_add_func ("/confab/eliza/memory", test_memory);
  g_test_add_func ("/confab/eliza/same-turns-same-answer", test_same_turns_same_answer);
  g_test_add_func ("/confab/eliza/answers-vary", test_answers_vary);
  g_test_add_func ("/confab/eliza/odd-input", test_odd_input);
  g_test_add_func ("/confab/builtin/word-by-word", test_word_by_word);
  g_test_add_func ("/confab/builtin/pace", test_pace);
  g_test_add_func ("/confab/builtin/stop", test_stop);
  g_test_add_func ("/confab/builtin/stop-before-start", test_stop_before_start);
  g_test_add_func ("/confab/builtin/models", test_models);

  return g_test_run ();
}

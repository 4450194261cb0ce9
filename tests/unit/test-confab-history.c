/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "confab-history.h"

/* Twenty tokens by the estimate, and with its role 25. */
#define TWENTY "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define TURN_TOKENS 25

/* One letter for each turn's role, then its content: "u:hi". */
static ConfabPrompt *
prompt_of (const char *const *turns)
{
  ConfabPrompt *prompt = confab_prompt_new ();

  for (; *turns != NULL; turns++)
    {
      ConfabRole role = **turns == 'u'   ? CONFAB_ROLE_USER
                        : **turns == 'a' ? CONFAB_ROLE_ASSISTANT
                                         : CONFAB_ROLE_SYSTEM;

      confab_prompt_add_turn (prompt, role, *turns + 2);
    }

  return prompt;
}

static void
assert_turns (ConfabPrompt *prompt, const char *const *turns)
{
  g_autoptr (ConfabPrompt) expected = prompt_of (turns);

  for (guint i = 0; i < confab_prompt_get_n_turns (prompt); i++)
    {
      g_assert_cmpuint (i, <, confab_prompt_get_n_turns (expected));
      g_assert_cmpint (confab_prompt_get_turn_role (prompt, i), ==,
                       confab_prompt_get_turn_role (expected, i));
      g_assert_cmpstr (confab_prompt_get_turn_content (prompt, i), ==,
                       confab_prompt_get_turn_content (expected, i));
    }
  g_assert_cmpuint (confab_prompt_get_n_turns (prompt), ==, confab_prompt_get_n_turns (expected));
}

typedef struct
{
  const char *name;
  gint64 budget;
  const char *turns[9];
  const char *expected[9];
} Case;

static const Case cases[] = {
  { "nothing", 10, { NULL }, { NULL } },
  { "one", 0, { "u:hi" }, { "u:hi" } },
  { "plain", 0, { "u:1", "a:2", "u:3" }, { "u:1", "a:2", "u:3" } },

  { "join/questions", 0, { "u:1", "u:2", "a:3" }, { "u:1\n\n2", "a:3" } },
  { "join/three", 0, { "u:1", "u:2", "u:3" }, { "u:1\n\n2\n\n3" } },
  { "join/answers", 0, { "u:1", "a:2", "a:3", "u:4" }, { "u:1", "a:2\n\n3", "u:4" } },
  { "join/over-a-blank-answer", 0, { "u:1", "a: \n", "u:2" }, { "u:1\n\n2" } },
  { "join/keeps-spaces", 0, { "u: 1 \n", "u:2" }, { "u: 1 \n\n\n2" } },
  { "blank/answer", 0, { "u:1", "a:", "u:2", "a:3", "u:4" }, { "u:1\n\n2", "a:3", "u:4" } },
  { "blank/first-question", 0, { "u: ", "a:1", "u:2" }, { "a:1", "u:2" } },
  { "blank/only-question", 0, { "u: " }, { "u: " } },
  { "blank/last-question", 0, { "u:1", "a:2", "u:" }, { "u:1", "a:2", "u:" } },
  { "blank/last-after-question", 0, { "u:1", "u:" }, { "u:1" } },

  { "trim/fits-exactly",
    3 * TURN_TOKENS,
    { "u:" TWENTY, "a:" TWENTY, "u:" TWENTY },
    { "u:" TWENTY, "a:" TWENTY, "u:" TWENTY } },
  { "trim/one-too-many",
    3 * TURN_TOKENS - 1,
    { "u:" TWENTY, "a:" TWENTY, "u:" TWENTY },
    { "u:" TWENTY } },
  { "trim/by-pairs",
    4 * TURN_TOKENS,
    { "u:" TWENTY, "a:" TWENTY, "u:" TWENTY, "a:" TWENTY, "u:" TWENTY },
    { "u:" TWENTY, "a:" TWENTY, "u:" TWENTY } },
  { "trim/no-more-than-needed",
    6 * TURN_TOKENS,
    { "u:1", "a:" TWENTY, "u:2", "a:" TWENTY, "u:3", "a:" TWENTY, "u:" TWENTY },
    { "u:1", "a:" TWENTY, "u:2", "a:" TWENTY, "u:3", "a:" TWENTY, "u:" TWENTY } },
  { "trim/newest-question-stays", 1, { "u:1", "a:2", "u:" TWENTY TWENTY }, { "u:" TWENTY TWENTY } },
  { "trim/only-question-stays", 1, { "u:" TWENTY }, { "u:" TWENTY } },
  { "trim/leading-answer-goes", 1, { "a:1", "u:2", "a:3", "u:4" }, { "u:4" } },
  { "trim/joined-first",
    2 * TURN_TOKENS,
    { "u:" TWENTY, "a:" TWENTY, "u:1", "u:2" },
    { "u:1\n\n2" } },
  { "trim/answer-after-the-last-question-stays",
    1,
    { "u:1", "a:2", "u:3", "a:4" },
    { "u:3", "a:4" } },
  { "trim/no-question-at-all", 1, { "a:" TWENTY }, { "a:" TWENTY } },
  { "trim/system-stays",
    1,
    { "s:rules", "u:1", "s:more", "a:2", "u:3" },
    { "s:rules", "s:more", "u:3" } },
};

static void
test_case (gconstpointer data)
{
  const Case *c = data;
  g_autoptr (ConfabPrompt) prompt = prompt_of (c->turns);
  g_autoptr (ConfabPrompt) fitting = confab_history_fit (prompt, c->budget);

  assert_turns (fitting, c->expected);
  /* what the caller holds is not touched */
  assert_turns (prompt, c->turns);
}

static void
test_instructions (void)
{
  static const char *const turns[] = { "u:" TWENTY, "a:" TWENTY, "u:" TWENTY, NULL };
  static const char *const last[] = { "u:" TWENTY, NULL };
  g_autoptr (ConfabPrompt) prompt = prompt_of (turns);
  g_autoptr (JsonObject) parameters = json_object_new ();
  g_autoptr (ConfabPrompt) fitting = NULL;

  confab_prompt_set_instructions (prompt, TWENTY);
  confab_prompt_set_model (prompt, "m");
  confab_prompt_set_parameters (prompt, parameters);

  /* they count, and stay even where nothing else does */
  fitting = confab_history_fit (prompt, 4 * TURN_TOKENS);
  assert_turns (fitting, turns);
  g_clear_pointer (&fitting, confab_prompt_unref);
  fitting = confab_history_fit (prompt, 4 * TURN_TOKENS - 1);
  assert_turns (fitting, last);
  g_assert_cmpstr (confab_prompt_get_instructions (fitting), ==, TWENTY);
  g_assert_cmpstr (confab_prompt_get_model (fitting), ==, "m");
  g_assert_true (confab_prompt_get_parameters (fitting) == parameters);
}

static void
test_estimate (void)
{
  static const struct
  {
    const char *text;
    gint64 tokens;
  } texts[] = {
    { "", 0 },
    { "a", 1 },
    { "Hello world", 4 },
    { "The quick brown fox jumps over the lazy dog.", 14 },
    { "{\"a\":[1,2]}", 5 },
    { "\xd0\xbf\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82", 4 },
    { "\xe4\xbd\xa0\xe5\xa5\xbd", 3 },
    { "\xf0\x9f\x91\x8b", 3 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    g_assert_cmpint (confab_history_estimate_tokens (texts[i].text), ==, texts[i].tokens);
}

/* Long runs and scripts without spaces must not be taken for less than they are. */
static void
test_estimate_is_careful (void)
{
  g_autofree char *spaces = g_strnfill (400, ' ');

  g_assert_cmpint (confab_history_estimate_tokens (TWENTY), ==, 20);
  g_assert_cmpint (confab_history_estimate_tokens (spaces), >=, 100);
  /* more than a token for each character */
  g_assert_cmpint (confab_history_estimate_tokens ("\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e"), >, 3);
}

static void
test_budget (void)
{
  g_autoptr (JsonObject) parameters = json_object_new ();

  g_assert_cmpint (confab_history_get_budget (0, NULL), ==, 0);
  g_assert_cmpint (confab_history_get_budget (8192, NULL), ==, 8192 - 1024);
  g_assert_cmpint (confab_history_get_budget (1000, NULL), ==, 500);
  g_assert_cmpint (confab_history_get_budget (8192, parameters), ==, 8192 - 1024);

  json_object_set_int_member (parameters, "max_completion_tokens", 100);
  g_assert_cmpint (confab_history_get_budget (8192, parameters), ==, 8192 - 100);
  json_object_set_int_member (parameters, "max_tokens", 2000);
  g_assert_cmpint (confab_history_get_budget (8192, parameters), ==, 8192 - 2000);
  json_object_set_int_member (parameters, "max_tokens", 100000);
  g_assert_cmpint (confab_history_get_budget (8192, parameters), ==, 4096);
  json_object_set_int_member (parameters, "max_tokens", -1);
  g_assert_cmpint (confab_history_get_budget (8192, parameters), ==, 8192 - 100);
}

/* What must hold of every conversation, here of random ones. */
static void
check_fitting (ConfabPrompt *prompt, gint64 budget)
{
  g_autoptr (ConfabPrompt) fitting = confab_history_fit (prompt, budget);
  g_autoptr (ConfabPrompt) whole = confab_history_fit (prompt, 0);
  g_autoptr (ConfabPrompt) again = confab_history_fit (fitting, budget);
  guint n = confab_prompt_get_n_turns (fitting);
  guint n_whole = confab_prompt_get_n_turns (whole);
  guint n_questions = 0;
  gint64 tokens = 0;

  /* it is the end of the whole */
  g_assert_cmpuint (n, <=, n_whole);
  for (guint i = 0; i < n; i++)
    {
      g_assert_cmpstr (confab_prompt_get_turn_content (fitting, i), ==,
                       confab_prompt_get_turn_content (whole, n_whole - n + i));
      if (i > 0)
        g_assert_cmpint (confab_prompt_get_turn_role (fitting, i), !=,
                         confab_prompt_get_turn_role (fitting, i - 1));
      n_questions += confab_prompt_get_turn_role (fitting, i) == CONFAB_ROLE_USER;
      tokens += confab_history_estimate_tokens (confab_prompt_get_turn_content (fitting, i)) + 5;
    }

  if (n < n_whole)
    g_assert_cmpint (confab_prompt_get_turn_role (fitting, 0), ==, CONFAB_ROLE_USER);
  if (budget > 0 && tokens > budget)
    g_assert_cmpuint (n_questions, <=, 1);
  /* and fits once and for all */
  g_assert_cmpuint (confab_prompt_get_n_turns (again), ==, n);
}

static void
test_random (void)
{
  for (guint i = 0; i < 3000; i++)
    {
      g_autoptr (ConfabPrompt) prompt = confab_prompt_new ();
      gint n_turns = g_test_rand_int_range (0, 12);

      for (gint j = 0; j < n_turns; j++)
        {
          g_autofree char *text = g_strnfill ((gsize) g_test_rand_int_range (0, 40), 'a');

          confab_prompt_add_turn (
              prompt, g_test_rand_bit () ? CONFAB_ROLE_USER : CONFAB_ROLE_ASSISTANT, text);
        }
      check_fitting (prompt, g_test_rand_int_range (0, 150));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strconcat ("/confab/history/", cases[i].name, NULL);

      g_test_add_data_func (path, &cases[i], test_case);
    }
  g_test_add_func ("/confab/history/instructions", test_instructions);
  g_test_add_func ("/confab/history/estimate", test_estimate);
  g_test_add_func ("/confab/history/estimate-is-careful", test_estimate_is_careful);
  g_test_add_func ("/confab/history/random", test_random);
  g_test_add_func ("/confab/history/budget", test_budget);

  return g_test_run ();
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-completion.h"

static void
test_names (void)
{
  g_assert_cmpstr (confab_role_to_string (CONFAB_ROLE_SYSTEM), ==, "system");
  g_assert_cmpstr (confab_role_to_string (CONFAB_ROLE_USER), ==, "user");
  g_assert_cmpstr (confab_role_to_string (CONFAB_ROLE_ASSISTANT), ==, "assistant");

  g_assert_cmpstr (confab_finish_reason_to_string (CONFAB_FINISH_STOP), ==, "stop");
  g_assert_cmpstr (confab_finish_reason_to_string (CONFAB_FINISH_LENGTH), ==, "length");
  g_assert_cmpstr (confab_finish_reason_to_string (CONFAB_FINISH_CONTENT_FILTER), ==,
                   "content-filter");
  g_assert_cmpstr (confab_finish_reason_to_string (CONFAB_FINISH_TOOL_CALLS), ==, "tool-calls");
  g_assert_cmpstr (confab_finish_reason_to_string (CONFAB_FINISH_STOPPED), ==, "stopped");
  g_assert_cmpstr (confab_finish_reason_to_string (CONFAB_FINISH_OTHER), ==, "other");
}

static void
test_empty_prompt (void)
{
  g_autoptr (ConfabPrompt) prompt = confab_prompt_new ();

  g_assert_null (confab_prompt_get_model (prompt));
  g_assert_null (confab_prompt_get_instructions (prompt));
  g_assert_null (confab_prompt_get_parameters (prompt));
  g_assert_cmpuint (confab_prompt_get_n_turns (prompt), ==, 0);
}

static void
test_turns (void)
{
  g_autoptr (ConfabPrompt) prompt = confab_prompt_new ();
  g_autoptr (ConfabPrompt) other = confab_prompt_ref (prompt);
  char text[] = "first";

  confab_prompt_add_turn (prompt, CONFAB_ROLE_USER, text);
  text[0] = 'x';
  for (guint i = 0; i < 100; i++)
    confab_prompt_add_turn (prompt, CONFAB_ROLE_ASSISTANT, "");

  g_clear_pointer (&prompt, confab_prompt_unref);
  g_assert_cmpuint (confab_prompt_get_n_turns (other), ==, 101);
  g_assert_cmpint (confab_prompt_get_turn_role (other, 0), ==, CONFAB_ROLE_USER);
  g_assert_cmpstr (confab_prompt_get_turn_content (other, 0), ==, "first");
  g_assert_cmpint (confab_prompt_get_turn_role (other, 100), ==, CONFAB_ROLE_ASSISTANT);
  g_assert_cmpstr (confab_prompt_get_turn_content (other, 100), ==, "");
}

static void
test_setters (void)
{
  g_autoptr (ConfabPrompt) prompt = confab_prompt_new ();
  g_autoptr (JsonObject) parameters = json_object_new ();

  confab_prompt_set_model (prompt, "a");
  confab_prompt_set_model (prompt, confab_prompt_get_model (prompt));
  g_assert_cmpstr (confab_prompt_get_model (prompt), ==, "a");
  confab_prompt_set_model (prompt, NULL);
  g_assert_null (confab_prompt_get_model (prompt));

  confab_prompt_set_instructions (prompt, "b");
  confab_prompt_set_instructions (prompt, "c");
  g_assert_cmpstr (confab_prompt_get_instructions (prompt), ==, "c");

  confab_prompt_set_parameters (prompt, parameters);
  confab_prompt_set_parameters (prompt, confab_prompt_get_parameters (prompt));
  g_assert_true (confab_prompt_get_parameters (prompt) == parameters);
  confab_prompt_set_parameters (prompt, NULL);
  g_assert_null (confab_prompt_get_parameters (prompt));
}

static void
test_outcome (void)
{
  g_autoptr (ConfabOutcome) outcome = confab_outcome_new (CONFAB_FINISH_LENGTH);

  g_assert_cmpint (outcome->finish_reason, ==, CONFAB_FINISH_LENGTH);
  g_assert_false (outcome->has_usage);
  g_assert_cmpint (outcome->usage.input_tokens, ==, -1);
  g_assert_cmpint (outcome->usage.output_tokens, ==, -1);
  g_assert_cmpint (outcome->usage.reasoning_tokens, ==, -1);
  g_assert_cmpint (outcome->usage.cached_input_tokens, ==, -1);
  g_assert_null (outcome->model);
  outcome->model = g_strdup ("owned");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/confab/completion/names", test_names);
  g_test_add_func ("/confab/completion/empty-prompt", test_empty_prompt);
  g_test_add_func ("/confab/completion/turns", test_turns);
  g_test_add_func ("/confab/completion/setters", test_setters);
  g_test_add_func ("/confab/completion/outcome", test_outcome);

  return g_test_run ();
}

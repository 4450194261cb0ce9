/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "confab-error.h"
#include "confab-session.h"

static ConfabGeneration *
add_generation (ConfabModule *module, const char *id, const char *request_id)
{
  g_autofree char *question_id = g_strconcat (id, "-q", NULL);
  g_autofree char *answer_id = g_strconcat (id, "-a", NULL);
  g_autoptr (ConfabMessage) question = confab_message_new_question (question_id, NULL, "why?");
  g_autoptr (ConfabMessage) answer = confab_message_new_answer (answer_id, question_id, id);
  g_autoptr (ConfabGeneration) generation =
      confab_generation_new (id, confab_module_get_id (module), request_id, question, answer);

  confab_module_add_generation (module, generation);

  return generation;
}

static void
add_question (GPtrArray *branch, const char *text)
{
  g_ptr_array_add (branch, confab_message_new_question ("q", NULL, text));
}

/* An answer that got as far as @text, and then ended so. */
static void
add_answer (GPtrArray *branch, const char *text, ConfabState state)
{
  g_autoptr (ConfabMessage) question = confab_message_new_question ("q", NULL, "why?");
  g_autoptr (ConfabMessage) answer = confab_message_new_answer ("a", "q", "g");
  g_autoptr (ConfabGeneration) generation =
      confab_generation_new ("g", "m", NULL, question, answer);
  g_autoptr (GError) error =
      g_error_new_literal (CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_TRUNCATED, "cut");

  confab_generation_begin (generation);
  if (text[0] != '\0')
    confab_generation_append (generation, CONFAB_DELTA_TEXT, text, strlen (text));
  if (state == CONFAB_STATE_COMPLETED)
    confab_generation_complete (generation, confab_outcome_new (CONFAB_FINISH_STOP));
  else if (state == CONFAB_STATE_STOPPED)
    confab_generation_stop (generation);
  else
    confab_generation_fail (generation, error);
  g_ptr_array_add (branch, g_steal_pointer (&answer));
}

static void
assert_turns (ConfabModule *module, GPtrArray *branch, const char *expected)
{
  g_autoptr (ConfabPrompt) prompt = confab_module_build_prompt (module, branch);
  g_autoptr (GString) turns = g_string_new (NULL);

  for (guint i = 0; i < confab_prompt_get_n_turns (prompt); i++)
    g_string_append_printf (turns, "%s:%s;",
                            confab_role_to_string (confab_prompt_get_turn_role (prompt, i)),
                            confab_prompt_get_turn_content (prompt, i));
  g_assert_cmpstr (turns->str, ==, expected);
}

static void
test_turns (void)
{
  g_autoptr (ConfabModule) module = confab_module_new ("m", "s");
  g_autoptr (GPtrArray) branch = g_ptr_array_new_with_free_func (g_object_unref);

  assert_turns (module, branch, "");
  add_question (branch, "one");
  assert_turns (module, branch, "user:one;");
  add_answer (branch, "1", CONFAB_STATE_COMPLETED);
  add_question (branch, "two");
  assert_turns (module, branch, "user:one;assistant:1;user:two;");
}

static void
test_partial_answers_count (void)
{
  g_autoptr (ConfabModule) module = confab_module_new ("m", "s");
  g_autoptr (GPtrArray) branch = g_ptr_array_new_with_free_func (g_object_unref);

  add_question (branch, "one");
  add_answer (branch, "hal", CONFAB_STATE_STOPPED);
  add_question (branch, "two");
  add_answer (branch, "ved", CONFAB_STATE_FAILED);
  add_question (branch, "three");
  /* nothing came: nothing to say */
  add_answer (branch, "", CONFAB_STATE_FAILED);
  add_question (branch, "four");
  assert_turns (module, branch,
                "user:one;assistant:hal;user:two;assistant:ved;user:three;user:four;");
}

static void
test_running (void)
{
  g_autoptr (ConfabModule) module = confab_module_new ("m", "s");
  ConfabGeneration *first;
  ConfabGeneration *second;

  g_assert_null (confab_module_get_running (module));
  g_assert_null (confab_module_get_newest (module));
  first = add_generation (module, "g1", NULL);
  second = add_generation (module, "g2", NULL);
  g_assert_true (confab_module_get_running (module) == first);
  g_assert_true (confab_module_get_newest (module) == second);
  confab_generation_stop (first);
  g_assert_true (confab_module_get_running (module) == second);
  confab_generation_stop (second);
  g_assert_null (confab_module_get_running (module));
  /* until its end is kept elsewhere, it is still here */
  g_assert_true (confab_module_get_newest (module) == second);
  g_assert_cmpuint (confab_module_get_n_generations (module), ==, 2);
}

static void
test_removal (void)
{
  g_autoptr (ConfabModule) module = confab_module_new ("m", "s");
  g_autoptr (ConfabGeneration) first = g_object_ref (add_generation (module, "g1", "r"));
  ConfabGeneration *second = add_generation (module, "g2", NULL);

  confab_module_remove_generation (module, first);
  g_assert_null (confab_module_lookup_generation (module, "g1"));
  g_assert_null (confab_module_lookup_request (module, "r"));
  g_assert_cmpuint (confab_module_get_n_generations (module), ==, 1);
  g_assert_true (confab_module_get_generation (module, 0) == second);
  /* twice does no harm */
  confab_module_remove_generation (module, first);
  confab_module_remove_generation (module, second);
  confab_module_remove_generation (module, first);
  g_assert_cmpuint (confab_module_get_n_generations (module), ==, 0);
}

static void
next_question_cb (ConfabGeneration *generation, gpointer user_data)
{
  g_assert_null (confab_module_get_running (user_data));
  add_generation (user_data, "g2", NULL);
}

static void
test_add_from_end (void)
{
  g_autoptr (ConfabModule) module = confab_module_new ("m", "s");
  ConfabGeneration *first = add_generation (module, "g1", NULL);

  g_signal_connect (first, "ended", G_CALLBACK (next_question_cb), module);
  confab_generation_stop (first);
  g_assert_cmpstr (confab_generation_get_id (confab_module_get_running (module)), ==, "g2");
}

static void
test_requests (void)
{
  g_autoptr (ConfabModule) module = confab_module_new ("m", "s");
  ConfabGeneration *unnamed = add_generation (module, "g1", NULL);
  ConfabGeneration *named = add_generation (module, "g2", "r");

  g_assert_true (confab_module_lookup_request (module, "r") == named);
  g_assert_null (confab_module_lookup_request (module, "other"));
  confab_generation_stop (named);
  g_assert_true (confab_module_lookup_request (module, "r") == named);
  g_assert_true (confab_module_lookup_generation (module, "g1") == unnamed);
  g_assert_null (confab_module_lookup_generation (module, "other"));
}

static void
test_head (void)
{
  g_autoptr (ConfabModule) module = confab_module_new ("m", "s");

  g_assert_null (confab_module_get_head_id (module));
  confab_module_set_head (module, "a", 2);
  confab_module_set_kept_head (module, "a", 2);
  confab_module_set_head (module, "b", 4);
  g_assert_cmpstr (confab_module_get_head_id (module), ==, "b");
  g_assert_cmpuint (confab_module_get_n_messages (module), ==, 4);
  confab_module_restore_head (module);
  confab_module_restore_head (module);
  g_assert_cmpstr (confab_module_get_head_id (module), ==, "a");
  g_assert_cmpuint (confab_module_get_n_messages (module), ==, 2);
  /* its own string */
  confab_module_set_head (module, confab_module_get_head_id (module), 3);
  g_assert_cmpstr (confab_module_get_head_id (module), ==, "a");
}

static void
test_restore_empty_head (void)
{
  g_autoptr (ConfabModule) module = confab_module_new ("m", "s");

  confab_module_set_head (module, "a", 2);
  confab_module_restore_head (module);
  g_assert_null (confab_module_get_head_id (module));
  g_assert_cmpuint (confab_module_get_n_messages (module), ==, 0);
}

static void
test_settings (void)
{
  g_autoptr (ConfabModule) module = confab_module_new ("m", "s");
  g_autoptr (GPtrArray) branch = g_ptr_array_new ();
  g_autoptr (JsonObject) parameters = json_object_new ();
  g_autoptr (ConfabPrompt) prompt = NULL;

  g_assert_cmpstr (confab_module_get_title (module), ==, "");
  g_assert_true (confab_module_get_title_is_auto (module));
  json_object_set_int_member (parameters, "seed", 7);
  confab_module_set_title (module, "Title", FALSE);
  confab_module_set_title (module, confab_module_get_title (module), FALSE);
  confab_module_set_instructions (module, "Be short.");
  confab_module_set_provider (module, "openai");
  confab_module_set_model (module, "small");
  confab_module_set_parameters (module, parameters);
  confab_module_set_parameters (module, confab_module_get_parameters (module));
  prompt = confab_module_build_prompt (module, branch);

  g_assert_cmpstr (confab_module_get_title (module), ==, "Title");
  g_assert_false (confab_module_get_title_is_auto (module));
  g_assert_cmpstr (confab_module_get_provider (module), ==, "openai");
  g_assert_cmpstr (confab_prompt_get_model (prompt), ==, "small");
  g_assert_cmpstr (confab_prompt_get_instructions (prompt), ==, "Be short.");
  g_assert_cmpint (json_object_get_int_member (confab_prompt_get_parameters (prompt), "seed"), ==,
                   7);
}

static void
test_freed_while_running (void)
{
  g_autoptr (ConfabModule) module = confab_module_new ("m", "s");
  g_autoptr (ConfabGeneration) generation = g_object_ref (add_generation (module, "g", NULL));

  g_clear_object (&module);
  g_assert_true (confab_generation_stop (generation));
}

static void
items_changed_cb (GListModel *model, guint position, guint removed, guint added, gpointer user_data)
{
  g_string_append_printf (user_data, "%u-%u+%u;", position, removed, added);
}

static void
test_session (void)
{
  g_autoptr (ConfabSession) session = confab_session_new ("s");
  g_autoptr (ConfabModule) first = confab_module_new ("m", "s");
  g_autoptr (ConfabModule) second = confab_module_new ("n", "s");
  g_autoptr (GString) heard = g_string_new (NULL);
  g_autoptr (ConfabModule) item = NULL;
  GListModel *model = G_LIST_MODEL (session);

  g_signal_connect (session, "items-changed", G_CALLBACK (items_changed_cb), heard);
  confab_session_set_title (session, "Work");
  confab_session_add_module (session, first);
  confab_session_add_module (session, second);
  g_assert_cmpstr (confab_session_get_id (session), ==, "s");
  g_assert_cmpstr (confab_session_get_title (session), ==, "Work");
  g_assert_cmpint (confab_session_get_created_at (session), >, 0);
  g_assert_true (g_list_model_get_item_type (model) == CONFAB_TYPE_MODULE);
  g_assert_cmpuint (g_list_model_get_n_items (model), ==, 2);
  confab_session_remove_module (session, first);
  g_assert_cmpuint (g_list_model_get_n_items (model), ==, 1);
  item = g_list_model_get_item (model, 0);
  g_assert_true (item == second);
  g_assert_null (g_list_model_get_item (model, 1));
  g_assert_cmpstr (heard->str, ==, "0-0+1;1-0+1;0-1+0;");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/confab/module/turns", test_turns);
  g_test_add_func ("/confab/module/partial-answers-count", test_partial_answers_count);
  g_test_add_func ("/confab/module/running", test_running);
  g_test_add_func ("/confab/module/removal", test_removal);
  g_test_add_func ("/confab/module/add-from-end", test_add_from_end);
  g_test_add_func ("/confab/module/requests", test_requests);
  g_test_add_func ("/confab/module/head", test_head);
  g_test_add_func ("/confab/module/restore-empty-head", test_restore_empty_head);
  g_test_add_func ("/confab/module/settings", test_settings);
  g_test_add_func ("/confab/module/freed-while-running", test_freed_while_running);
  g_test_add_func ("/confab/module/session", test_session);

  return g_test_run ();
}

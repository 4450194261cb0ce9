/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-error.h"
#include "confab-session.h"

static ConfabGeneration *
ask (ConfabModule *module, const char *text)
{
  g_autoptr (GError) error = NULL;
  ConfabGeneration *generation = confab_module_ask (module, text, NULL, NULL, &error);

  g_assert_no_error (error);
  confab_generation_begin (generation);

  return generation;
}

static void
answer (ConfabModule *module, const char *text)
{
  ConfabGeneration *generation = confab_module_get_running (module);

  confab_generation_append (generation, CONFAB_DELTA_TEXT, text, strlen (text));
  confab_generation_complete (generation, confab_outcome_new (CONFAB_FINISH_STOP));
}

static void
assert_turns (ConfabModule *module, const char *expected)
{
  g_autoptr (ConfabPrompt) prompt = confab_module_build_prompt (module);
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

  assert_turns (module, "");
  ask (module, "one");
  assert_turns (module, "user:one;");
  answer (module, "1");
  ask (module, "two");
  assert_turns (module, "user:one;assistant:1;user:two;");
  answer (module, "2");
  assert_turns (module, "user:one;assistant:1;user:two;assistant:2;");
}

static void
test_partial_answers_count (void)
{
  g_autoptr (ConfabModule) module = confab_module_new ("m", "s");
  g_autoptr (GError) error =
      g_error_new_literal (CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_TRUNCATED, "cut");
  ConfabMessage *message;

  confab_generation_append (ask (module, "one"), CONFAB_DELTA_TEXT, "hal", 3);
  confab_generation_stop (confab_module_get_running (module));
  confab_generation_append (ask (module, "two"), CONFAB_DELTA_TEXT, "ved", 3);
  confab_generation_fail (confab_module_get_running (module), error);
  /* nothing came: nothing to say */
  ask (module, "three");
  confab_generation_fail (confab_module_get_running (module), error);

  assert_turns (module, "user:one;assistant:hal;user:two;assistant:ved;user:three;");
  message = confab_module_get_message (module, 3);
  g_assert_cmpint (confab_message_get_state (message), ==, CONFAB_STATE_FAILED);
}

static void
test_parents (void)
{
  g_autoptr (ConfabModule) module = confab_module_new ("m", "s");
  const char *parent_id = NULL;

  ask (module, "one");
  answer (module, "1");
  ask (module, "two");
  answer (module, "2");

  g_assert_cmpuint (confab_module_get_n_messages (module), ==, 4);
  for (guint i = 0; i < 4; i++)
    {
      ConfabMessage *message = confab_module_get_message (module, i);

      g_assert_cmpstr (confab_message_get_parent_id (message), ==, parent_id);
      g_assert_cmpint (confab_message_get_role (message), ==,
                       i % 2 == 0 ? CONFAB_ROLE_USER : CONFAB_ROLE_ASSISTANT);
      parent_id = confab_message_get_id (message);
      g_assert_true (confab_module_lookup_message (module, parent_id) == message);
    }
}

static void
test_busy (void)
{
  g_autoptr (ConfabModule) module = confab_module_new ("m", "s");
  g_autoptr (GError) error = NULL;

  ask (module, "one");
  g_assert_null (confab_module_ask (module, "two", NULL, "r", &error));
  g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_BUSY);
  g_assert_cmpuint (confab_module_get_n_messages (module), ==, 2);
  /* a refused request is not used up */
  g_assert_null (confab_module_lookup_request (module, "r"));

  answer (module, "1");
  g_assert_null (confab_module_get_running (module));
  ask (module, "two");
}

static void
next_question_cb (ConfabGeneration *generation, gpointer user_data)
{
  g_assert_null (confab_module_get_running (user_data));
  ask (user_data, "two");
}

static void
test_ask_from_end (void)
{
  g_autoptr (ConfabModule) module = confab_module_new ("m", "s");

  g_signal_connect (ask (module, "one"), "ended", G_CALLBACK (next_question_cb), module);
  answer (module, "1");
  g_assert_nonnull (confab_module_get_running (module));
  assert_turns (module, "user:one;assistant:1;user:two;");
}

static void
test_message_ids (void)
{
  g_autoptr (ConfabModule) module = confab_module_new ("m", "s");
  g_autoptr (GError) error = NULL;
  ConfabGeneration *generation = confab_module_ask (module, "one", "mine", NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (confab_message_get_id (confab_generation_get_question (generation)), ==, "mine");
  confab_generation_stop (generation);
  g_assert_null (confab_module_ask (module, "two", "mine", NULL, &error));
  g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST);
}

static void
test_requests (void)
{
  g_autoptr (ConfabModule) module = confab_module_new ("m", "s");
  ConfabGeneration *generation = confab_module_ask (module, "one", NULL, "r", NULL);
  const char *id = confab_generation_get_id (generation);

  g_assert_true (confab_module_lookup_request (module, "r") == generation);
  g_assert_null (confab_module_lookup_request (module, "other"));
  confab_generation_stop (generation);
  g_assert_true (confab_module_lookup_request (module, "r") == generation);
  g_assert_true (confab_module_had_generation (module, id));
  g_assert_false (confab_module_had_generation (module, "other"));
}

static void
test_settings (void)
{
  g_autoptr (ConfabModule) module = confab_module_new ("m", "s");
  g_autoptr (JsonObject) parameters = json_object_new ();
  g_autoptr (ConfabPrompt) prompt = NULL;

  json_object_set_int_member (parameters, "seed", 7);
  confab_module_set_title (module, "Title");
  confab_module_set_title (module, confab_module_get_title (module));
  confab_module_set_instructions (module, "Be short.");
  confab_module_set_provider (module, "openai");
  confab_module_set_model (module, "small");
  confab_module_set_parameters (module, parameters);
  prompt = confab_module_build_prompt (module);

  g_assert_cmpstr (confab_module_get_title (module), ==, "Title");
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
  g_autoptr (ConfabGeneration) generation = g_object_ref (ask (module, "one"));

  g_clear_object (&module);
  g_assert_true (confab_generation_stop (generation));
}

static void
test_session (void)
{
  g_autoptr (ConfabSession) session = confab_session_new ("s");
  g_autoptr (ConfabModule) module = confab_module_new ("m", "s");

  confab_session_set_title (session, "Work");
  confab_session_add_module (session, module);
  g_assert_cmpstr (confab_session_get_id (session), ==, "s");
  g_assert_cmpstr (confab_session_get_title (session), ==, "Work");
  g_assert_cmpuint (confab_session_get_n_modules (session), ==, 1);
  g_assert_true (confab_session_get_module (session, 0) == module);
  g_assert_cmpint (confab_session_get_created_at (session), >, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/confab/module/turns", test_turns);
  g_test_add_func ("/confab/module/partial-answers-count", test_partial_answers_count);
  g_test_add_func ("/confab/module/parents", test_parents);
  g_test_add_func ("/confab/module/busy", test_busy);
  g_test_add_func ("/confab/module/ask-from-end", test_ask_from_end);
  g_test_add_func ("/confab/module/message-ids", test_message_ids);
  g_test_add_func ("/confab/module/requests", test_requests);
  g_test_add_func ("/confab/module/settings", test_settings);
  g_test_add_func ("/confab/module/freed-while-running", test_freed_while_running);
  g_test_add_func ("/confab/module/session", test_session);

  return g_test_run ();
}

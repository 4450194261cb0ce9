/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-service-fixture.h"

#define GENERATE "ai:chat:generate"

/* What happens when the store cannot keep what it is given. */

static void
assert_change_refused (ServiceFixture *self, const char *call, JsonObject *payload)
{
  g_autoptr (GError) error = NULL;

  service_expect_refusal ();
  if (g_str_has_prefix (call, "session:"))
    g_assert_null (change_session (self, call, payload, &error));
  else
    g_assert_null (change_module (self, call, payload, &error));
  g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_STORAGE);
  g_test_assert_expected_messages ();
}

static void
test_full (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ConfabGeneration) first = converse (self, "m", "one", "1");
  g_autofree char *head = g_strdup (confab_module_get_head_id (lookup_module (self, "m")));
  g_autoptr (ConfabGeneration) again = NULL;

  g_string_truncate (self->heard, 0);
  service_fill_disk ();
  service_expect_refusal ();
  assert_not_generated (self, GENERATE,
                        fields ("moduleId", "m", "message", "two", "requestId", "r", NULL),
                        CONFAB_ERROR_STORAGE);
  g_test_assert_expected_messages ();
  service_expect_refusal ();
  assert_not_generated (self, GENERATE,
                        fields ("moduleId", "new", "message", "two", "sessionId", "s", NULL),
                        CONFAB_ERROR_STORAGE);
  g_test_assert_expected_messages ();

  g_assert_cmpstr (confab_module_get_head_id (lookup_module (self, "m")), ==, head);
  g_assert_cmpuint (confab_module_get_n_messages (lookup_module (self, "m")), ==, 2);
  g_assert_cmpstr (confab_module_get_title (lookup_module (self, "m")), ==, "one");
  g_assert_null (confab_service_lookup_module (self->service, "new"));
  g_assert_null (confab_service_lookup_session (self->service, "s"));
  g_assert_cmpuint (confab_service_get_n_running (self->service), ==, 0);
  g_assert_cmpuint (scripted_provider_get_n_runs (self->provider), ==, 1);
  g_assert_cmpstr (self->heard->str, ==, "");

  service_free_disk ();
  /* the refused request was not used up */
  again = generate (self, fields ("moduleId", "m", "message", "two", "requestId", "r", NULL));
  g_assert_cmpuint (confab_prompt_get_n_turns (await_run (self, 1)->prompt), ==, 3);
}

/* All who asked the same are told the same. */
static void
test_full_for_two (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (JsonObject) payload = fields ("moduleId", "m", "message", "x", "requestId", "r", NULL);
  g_autoptr (ConfabGeneration) generation = converse (self, "m", "one", "1");
  GAsyncResult *results[2] = { NULL };

  service_fill_disk ();
  service_expect_refusal ();
  for (guint i = 0; i < 2; i++)
    confab_service_generate_async (self->service, payload, store_ready_cb, &results[i]);
  for (guint i = 0; i < 2; i++)
    assert_asking_fails (self, &results[i], CONFAB_ERROR_STORAGE);
  g_test_assert_expected_messages ();
  service_free_disk ();
  assert_branch (self, "m", "user:one;assistant:1;");
}

static void
assert_both_refused (ServiceFixture *self, JsonObject *first, JsonObject *second)
{
  GAsyncResult *results[2] = { NULL };

  service_fill_disk ();
  service_expect_refusal ();
  service_expect_refusal ();
  confab_service_generate_async (self->service, first, store_ready_cb, &results[0]);
  confab_service_generate_async (self->service, second, store_ready_cb, &results[1]);
  for (guint i = 0; i < 2; i++)
    assert_asking_fails (self, &results[i], CONFAB_ERROR_STORAGE);
  g_test_assert_expected_messages ();
  service_free_disk ();
  json_object_unref (first);
  json_object_unref (second);
}

/* Two questions of one new module, and nothing of it stays behind. */
static void
test_full_for_queued (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ConfabGeneration) generation = NULL;

  confab_service_set_queue (self->service, TRUE);
  assert_both_refused (self, fields ("moduleId", "m", "message", "one", NULL),
                       fields ("moduleId", "m", "message", "two", NULL));
  g_assert_null (confab_service_lookup_module (self->service, "m"));
  g_assert_null (confab_service_lookup_session (self->service, CONFAB_DEFAULT_SESSION));
  generation = ask (self, "m", "three");
  g_assert_cmpuint (confab_prompt_get_n_turns (await_run (self, 0)->prompt), ==, 1);
}

/* Two new modules of one new session. */
static void
test_full_for_session (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ConfabGeneration) generation = NULL;

  assert_both_refused (self, fields ("moduleId", "m", "message", "one", NULL),
                       fields ("moduleId", "n", "message", "two", NULL));
  g_assert_null (confab_service_lookup_module (self->service, "m"));
  g_assert_null (confab_service_lookup_module (self->service, "n"));
  g_assert_null (confab_service_lookup_session (self->service, CONFAB_DEFAULT_SESSION));
  generation = ask (self, "m", "three");
}

/* A module that was made by hand keeps no trace of a question that was not kept. */
static void
test_full_keeps_title (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ConfabSession) session =
      change_session (self, "session:create", fields ("sessionId", "s", NULL), NULL);
  g_autoptr (ConfabModule) module =
      change_module (self, "module:create", fields ("sessionId", "s", "moduleId", "m", NULL), NULL);

  service_fill_disk ();
  service_expect_refusal ();
  assert_not_generated (self, GENERATE, fields ("moduleId", "m", "message", "one", NULL),
                        CONFAB_ERROR_STORAGE);
  g_test_assert_expected_messages ();
  service_free_disk ();
  g_assert_null (confab_module_get_head_id (module));
  g_assert_cmpuint (confab_module_get_n_messages (module), ==, 0);
  g_assert_cmpstr (confab_module_get_title (module), ==, "");
}

static void
test_full_for_changes (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ConfabSession) session =
      change_session (self, "session:create", fields ("sessionId", "s", "title", "a", NULL), NULL);
  g_autoptr (ConfabModule) module = change_module (
      self, "module:create",
      fields ("sessionId", "s", "moduleId", "m", "model", "a", "instructions", "b", NULL), NULL);

  service_fill_disk ();
  assert_change_refused (self, "session:create", fields ("sessionId", "t", NULL));
  assert_change_refused (self, "session:update", fields ("sessionId", "s", "title", "b", NULL));
  assert_change_refused (self, "module:create", fields ("sessionId", "s", "moduleId", "n", NULL));
  assert_change_refused (self, "module:update",
                         fields ("moduleId", "m", "model", "", "title", "x", NULL));
  assert_change_refused (self, "module:delete", fields ("moduleId", "m", NULL));
  assert_change_refused (self, "session:delete", fields ("sessionId", "s", NULL));
  service_free_disk ();

  g_assert_null (confab_service_lookup_session (self->service, "t"));
  g_assert_null (confab_service_lookup_module (self->service, "n"));
  g_assert_true (confab_service_lookup_session (self->service, "s") == session);
  g_assert_true (confab_service_lookup_module (self->service, "m") == module);
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (session)), ==, 1);
  g_assert_cmpstr (confab_session_get_title (session), ==, "a");
  g_assert_cmpstr (confab_module_get_model (module), ==, "a");
  g_assert_cmpstr (confab_module_get_instructions (module), ==, "b");
  g_assert_cmpstr (confab_module_get_title (module), ==, "");
  g_assert_true (confab_module_get_title_is_auto (module));
  g_assert_cmpstr (self->heard->str, ==, "session:s;session:s;module:m;");
}

/* Two changes in one breath: both are taken back, to what is on disk. */
static void
test_full_for_two_changes (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ConfabSession) session =
      change_session (self, "session:create", fields ("sessionId", "s", "title", "a", NULL), NULL);
  g_autoptr (ConfabModule) module = change_module (
      self, "module:create", fields ("sessionId", "s", "moduleId", "m", "model", "a", NULL), NULL);
  const char *const values[] = { "b", "c" };
  GAsyncResult *results[4] = { NULL };

  service_fill_disk ();
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (JsonObject) title = fields ("sessionId", "s", "title", values[i], NULL);
      g_autoptr (JsonObject) model = fields ("moduleId", "m", "model", values[i], NULL);

      service_expect_refusal ();
      service_expect_refusal ();
      confab_service_change_session_async (self->service, "session:update", title, store_ready_cb,
                                           &results[i]);
      confab_service_change_module_async (self->service, "module:update", model, store_ready_cb,
                                          &results[2 + i]);
    }
  for (guint i = 0; i < G_N_ELEMENTS (results); i++)
    {
      wait_for (&results[i]);
      g_object_unref (results[i]);
    }
  g_test_assert_expected_messages ();
  service_free_disk ();
  g_assert_cmpstr (confab_session_get_title (session), ==, "a");
  g_assert_cmpstr (confab_module_get_model (module), ==, "a");
}

/* The end is told although it cannot be kept; it is kept as soon as there is space. */
static void
test_full_at_end (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ConfabGeneration) generation =
      generate (self, fields ("moduleId", "m", "message", "one", "requestId", "r", NULL));
  ConfabModule *module = lookup_module (self, "m");
  g_autoptr (ConfabGeneration) again = NULL;
  g_autoptr (ConfabGeneration) found = NULL;
  gboolean repeated = FALSE;

  scripted_run_say (await_run (self, 0), "1");
  service_fill_disk ();
  g_test_expect_message ("Confab", G_LOG_LEVEL_WARNING, "The end of generation * not kept yet*");
  scripted_run_finish (await_run (self, 0));
  await_end (generation);
  g_test_assert_expected_messages ();
  g_assert_cmpint (confab_generation_get_state (generation), ==, CONFAB_STATE_COMPLETED);
  g_assert_cmpuint (confab_service_get_n_running (self->service), ==, 0);

  /* whoever asks for it is told the end, not what is on disk */
  again = try_generate (self, GENERATE,
                        fields ("moduleId", "m", "message", "one", "requestId", "r", NULL),
                        &repeated, NULL);
  found = recall (self, fields ("moduleId", "m", NULL), NULL);
  g_assert_true (again == generation && found == generation && repeated);
  assert_branch (self, "m", "user:one;assistant:1;");

  service_free_disk ();
  while (confab_module_get_n_generations (module) > 0)
    g_main_context_iteration (NULL, TRUE);
  {
    g_autoptr (ConfabExchange) exchange = find_request (self->store, "m", "r");

    g_assert_cmpint (exchange->generation->state, ==, CONFAB_STATE_COMPLETED);
    g_assert_cmpint (exchange->answer->state, ==, CONFAB_STATE_COMPLETED);
    g_assert_cmpstr (exchange->answer->text, ==, "1");
  }
  assert_branch (self, "m", "user:one;assistant:1;");
}

/* The service goes before its next try: it tries once more. */
static void
test_kept_at_shutdown (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ConfabGeneration) generation = ask (self, "m", "one");

  scripted_run_say (await_run (self, 0), "1");
  service_fill_disk ();
  g_test_expect_message ("Confab", G_LOG_LEVEL_WARNING, "The end of generation * not kept yet*");
  scripted_run_finish (await_run (self, 0));
  await_end (generation);
  g_test_assert_expected_messages ();
  service_free_disk ();
  g_clear_object (&generation);
  service_reopen (self);
  {
    g_autoptr (ConfabGeneration) found = recall (self, fields ("moduleId", "m", NULL), NULL);

    g_assert_cmpint (confab_generation_get_state (found), ==, CONFAB_STATE_COMPLETED);
    g_assert_cmpstr (confab_generation_get_text (found), ==, "1");
  }
}

/* Several ends wait, of modules that were deleted meanwhile too. */
static void
test_full_at_ends (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ConfabGeneration) first = ask (self, "m", "one");
  g_autoptr (ConfabGeneration) second = ask (self, "n", "two");
  g_autoptr (ConfabModule) deleted = NULL;
  ConfabModule *module = lookup_module (self, "n");

  await_run (self, 1);
  service_fill_disk ();
  for (guint i = 0; i < 2; i++)
    {
      g_test_expect_message ("Confab", G_LOG_LEVEL_WARNING,
                             "The end of generation * not kept yet*");
      scripted_run_say (await_run (self, i), "said");
      scripted_run_finish (await_run (self, i));
    }
  await_end (first);
  await_end (second);
  g_test_assert_expected_messages ();
  service_free_disk ();
  deleted = change_module (self, "module:delete", fields ("moduleId", "m", NULL), NULL);
  g_assert_nonnull (deleted);
  while (confab_module_get_n_generations (module) > 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (confab_module_get_n_generations (deleted), ==, 0);
  assert_branch (self, "n", "user:two;assistant:said;");
  g_assert_null (confab_service_lookup_module (self->service, "m"));
}

/* Stopped although the disk is full: that is told too. */
static void
test_stop_on_full (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ConfabGeneration) generation = ask (self, "m", "one");

  scripted_run_say (await_run (self, 0), "hal");
  service_fill_disk ();
  g_test_expect_message ("Confab", G_LOG_LEVEL_WARNING, "The end of generation * not kept yet*");
  g_assert_cmpint (stop (self, "m", NULL, NULL), ==, 1);
  g_test_assert_expected_messages ();
  g_assert_cmpint (confab_generation_get_state (generation), ==, CONFAB_STATE_STOPPED);
  g_assert_cmpint (stop (self, "m", NULL, NULL), ==, 0);
  service_free_disk ();
}

/* A question that was stopped before it could be kept: nothing stays behind. */
static void
test_stop_unkept (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (JsonObject) question = fields ("moduleId", "m", "message", "x", NULL);
  g_autoptr (ConfabGeneration) generation = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  gboolean repeated;

  service_fill_disk ();
  confab_service_generate_async (self->service, question, store_ready_cb, &result);
  service_expect_refusal ();
  stop (self, "m", NULL, NULL);
  wait_for (&result);
  g_test_assert_expected_messages ();
  g_assert_null (confab_service_generate_finish (self->service, result, &repeated, &error));
  g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_STORAGE);
  service_free_disk ();
  settle (self);
  g_assert_cmpuint (confab_service_get_n_running (self->service), ==, 0);
  g_assert_null (confab_service_lookup_module (self->service, "m"));
  generation = ask (self, "m", "y");
  g_assert_cmpuint (confab_prompt_get_n_turns (await_run (self, 0)->prompt), ==, 1);
}

/* It ends all the same, and says that not all could be kept. */
static void
test_shutdown_on_full (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ConfabGeneration) generation = ask (self, "m", "one");
  g_autoptr (GError) error = NULL;

  scripted_run_say (await_run (self, 0), "hal");
  service_fill_disk ();
  g_test_expect_message ("Confab", G_LOG_LEVEL_WARNING, "The end of generation * not kept yet*");
  g_assert_false (shut_down (self, &error));
  g_test_assert_expected_messages ();
  service_free_disk ();
  g_assert_nonnull (error);
  g_test_message ("%s", error->message);
  g_assert_cmpint (confab_generation_get_state (generation), ==, CONFAB_STATE_INTERRUPTED);
  g_clear_object (&generation);

  service_reopen (self);
  generation = recall (self, fields ("moduleId", "m", NULL), NULL);
  g_assert_cmpint (confab_generation_get_state (generation), ==, CONFAB_STATE_INTERRUPTED);
}

int
main (int argc, char **argv)
{
  static const ServiceTest tests[] = {
    { "full", test_full },
    { "full-for-two", test_full_for_two },
    { "full-for-queued", test_full_for_queued },
    { "full-for-session", test_full_for_session },
    { "full-keeps-title", test_full_keeps_title },
    { "full-for-changes", test_full_for_changes },
    { "full-for-two-changes", test_full_for_two_changes },
    { "full-at-end", test_full_at_end },
    { "full-at-ends", test_full_at_ends },
    { "kept-at-shutdown", test_kept_at_shutdown },
    { "stop-on-full", test_stop_on_full },
    { "stop-unkept", test_stop_unkept },
    { "shutdown-on-full", test_shutdown_on_full },
  };

  g_test_init (&argc, &argv, NULL);
  service_add_tests_on_disk ("full", tests, G_N_ELEMENTS (tests));

  return g_test_run ();
}

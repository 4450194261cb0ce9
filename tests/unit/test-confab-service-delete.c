/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-service-fixture.h"

/* Modules that are deleted while something of theirs is under way. */

static void
test_delete_running (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ConfabGeneration) first = NULL;
  g_autoptr (ConfabGeneration) second = NULL;
  g_autoptr (ConfabModule) deleted = NULL;
  ScriptedRun *run;

  confab_service_set_queue (self->service, TRUE);
  first = ask (self, "m", "one");
  second = ask (self, "m", "two");
  run = await_run (self, 0);
  scripted_run_say (run, "hal");
  deleted = change_module (self, "module:delete", fields ("moduleId", "m", NULL), NULL);
  g_assert_nonnull (deleted);
  g_assert_true (g_cancellable_is_cancelled (run->cancellable));
  g_assert_cmpint (confab_generation_get_state (first), ==, CONFAB_STATE_STOPPED);
  g_assert_cmpint (confab_generation_get_state (second), ==, CONFAB_STATE_STOPPED);
  g_assert_null (confab_service_lookup_module (self->service, "m"));
  g_assert_true (g_str_has_suffix (self->heard->str, "-module:m;session:default;"));
  scripted_run_say (run, "ved");
  scripted_run_finish (run);
  settle (self);
  g_assert_cmpuint (confab_service_get_n_running (self->service), ==, 0);
  g_clear_object (&first);
  g_clear_object (&second);
  g_clear_object (&deleted);

  service_reopen (self);
  g_assert_null (confab_service_lookup_module (self->service, "m"));
  /* its id is free again */
  first = converse (self, "m", "new", "1");
  assert_branch (self, "m", "user:new;assistant:1;");
}

/* Asked again while the old one of this id is on its way out. */
static void
test_ask_after_delete (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ConfabGeneration) first = ask (self, "m", "one");
  g_autoptr (JsonObject) payload = fields ("moduleId", "m", NULL);
  g_autoptr (ConfabGeneration) second = NULL;
  g_autoptr (GAsyncResult) result = NULL;

  await_run (self, 0);
  confab_service_change_module_async (self->service, "module:delete", payload, store_ready_cb,
                                      &result);
  second = converse (self, "m", "two", "2");
  wait_for (&result);
  g_assert_true (confab_generation_is_ended (first));
  assert_branch (self, "m", "user:two;assistant:2;");
}

/* What was asked before the delete, and is still being looked up, finds nothing of it. */
static void
test_delete_while_looked_up (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ConfabGeneration) first = converse (self, "m", "one", "1");
  g_autoptr (JsonObject) payload = fields ("moduleId", "m", NULL);
  g_autoptr (GAsyncResult) history = NULL;
  g_autoptr (GAsyncResult) recalled = NULL;
  g_autoptr (GAsyncResult) regenerated = NULL;
  g_autoptr (GAsyncResult) deleted = NULL;
  g_autoptr (GError) error = NULL;
  gboolean flag;

  confab_service_history_async (self->service, payload, store_ready_cb, &history);
  confab_service_recall_async (self->service, payload, store_ready_cb, &recalled);
  confab_service_regenerate_async (self->service, payload, store_ready_cb, &regenerated);
  confab_service_change_module_async (self->service, "module:delete", payload, store_ready_cb,
                                      &deleted);
  wait_for (&deleted);

  wait_for (&history);
  g_assert_null (confab_service_history_finish (self->service, history, &flag, &error));
  g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_UNKNOWN_MODULE);
  g_clear_error (&error);
  wait_for (&recalled);
  g_assert_null (confab_service_recall_finish (self->service, recalled, &error));
  g_assert_no_error (error);
  wait_for (&regenerated);
  g_assert_null (confab_service_generate_finish (self->service, regenerated, &flag, &error));
  g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_UNKNOWN_MODULE);
  g_assert_null (confab_service_lookup_module (self->service, "m"));
}

/* A repeat that comes with the delete of its module asks a new one: the old answer is gone. */
static void
test_delete_while_repeated (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (JsonObject) payload =
      fields ("moduleId", "m", "message", "one", "requestId", "r", NULL);
  g_autoptr (ConfabGeneration) first = generate (self, json_object_ref (payload));
  g_autoptr (ConfabGeneration) second = NULL;
  g_autoptr (GAsyncResult) repeat = NULL;
  g_autoptr (GAsyncResult) deleted = NULL;
  g_autoptr (GError) error = NULL;
  gboolean repeated = TRUE;

  await_run (self, 0);
  confab_service_generate_async (self->service, payload, store_ready_cb, &repeat);
  confab_service_change_module_async (self->service, "module:delete", payload, store_ready_cb,
                                      &deleted);
  wait_for (&deleted);
  wait_for (&repeat);
  second = confab_service_generate_finish (self->service, repeat, &repeated, &error);
  g_assert_no_error (error);
  g_assert_false (repeated);
  g_assert_true (second != first);
  scripted_run_say (await_run (self, 1), "1");
  scripted_run_finish (await_run (self, 1));
  await_end (second);
  g_assert_cmpint (confab_generation_get_state (first), ==, CONFAB_STATE_STOPPED);
  assert_branch (self, "m", "user:one;assistant:1;");
}

int
main (int argc, char **argv)
{
  static const ServiceTest tests[] = {
    { "delete-running", test_delete_running },
    { "ask-after-delete", test_ask_after_delete },
    { "delete-while-looked-up", test_delete_while_looked_up },
    { "delete-while-repeated", test_delete_while_repeated },
  };

  g_test_init (&argc, &argv, NULL);
  service_add_tests_on_disk ("delete", tests, G_N_ELEMENTS (tests));

  return g_test_run ();
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-service-fixture.h"

#define GENERATE "ai:chat:generate"

/* The service and its store: what is kept, and when, and what is read again. */

static void
copy_cb (gpointer provider, gpointer user_data)
{
  ServiceFixture *self = user_data;
  char **copy = (char **) g_object_get_data (G_OBJECT (provider), "copy");

  *copy = service_copy_files (self);
}

/* Power goes as the provider is asked: the question is there, its answer was interrupted. */
static void
test_question_before_provider (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ConfabGeneration) generation = NULL;
  g_autoptr (ConfabGeneration) found = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *copy = NULL;
  g_autofree char *id = NULL;

  g_object_set_data (G_OBJECT (self->provider), "copy", &copy);
  scripted_provider_set_asked (self->provider, copy_cb, self);
  generation = ask (self, "m", "Do not lose me");
  id = g_strdup (confab_generation_get_id (generation));
  await_run (self, 0);
  g_clear_object (&generation);

  service_open_copy (self, copy);
  assert_branch (self, "m", "user:Do not lose me;assistant:;");
  found = recall (self, fields ("moduleId", "m", "generationId", id, NULL), &error);
  g_assert_no_error (error);
  g_assert_cmpint (confab_generation_get_state (found), ==, CONFAB_STATE_INTERRUPTED);
  g_assert_error ((GError *) confab_generation_get_error (found), CONFAB_ERROR,
                  CONFAB_ERROR_INTERRUPTED);
}

/* What a question follows is read while it is written: once it is accepted nothing is waited for.
 */
static void
assert_asked_at_once (ServiceFixture *self, const char *call, JsonObject *payload, guint n_turns)
{
  guint n_runs = scripted_provider_get_n_runs (self->provider);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (ConfabGeneration) generation = NULL;
  ScriptedRun *run;

  begin_asking (self, call, payload, &result);
  wait_for (&result);
  g_assert_cmpuint (scripted_provider_get_n_runs (self->provider), ==, n_runs + 1);
  run = scripted_provider_get_run (self->provider, n_runs);
  g_assert_cmpuint (confab_prompt_get_n_turns (run->prompt), ==, n_turns);

  generation = end_asking (self, &result, NULL, NULL);
  answer (self, generation, n_runs, "well");
}

static void
test_asked_at_once (ServiceFixture *self, gconstpointer data)
{
  assert_asked_at_once (self, GENERATE, fields ("moduleId", "m", "message", "one", NULL), 1);
  assert_asked_at_once (self, GENERATE, fields ("moduleId", "m", "message", "two", NULL), 3);
  assert_asked_at_once (self, "ai:chat:regenerate", fields ("moduleId", "m", NULL), 3);
  service_reopen (self);
  assert_asked_at_once (self, GENERATE, fields ("moduleId", "m", "message", "three", NULL), 5);
}

/* One that waits behind another follows that one's answer, which was not there to be read ahead. */
static void
test_queued_follows_answer (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ConfabGeneration) first = NULL;
  g_autoptr (ConfabGeneration) second = NULL;

  confab_service_set_queue (self->service, TRUE);
  first = ask (self, "m", "one");
  second = ask (self, "m", "two");
  answer (self, first, 0, "1");
  g_assert_cmpuint (confab_prompt_get_n_turns (await_run (self, 1)->prompt), ==, 3);
  answer (self, second, 1, "2");
}

/* A crash takes a second of text at most, and what was interrupted counts as said. */
static void
test_orphans (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ConfabGeneration) generation = ask (self, "m", "one");
  g_autoptr (ConfabGeneration) found = NULL;
  g_autoptr (ConfabGeneration) next = NULL;
  g_autofree char *copy = NULL;
  gint64 until = g_get_monotonic_time () + 1500 * 1000;

  scripted_run_think (await_run (self, 0), "hm");
  scripted_run_say (await_run (self, 0), "hal");
  while (g_get_monotonic_time () < until)
    if (!g_main_context_iteration (NULL, FALSE))
      g_usleep (10000);
  settle (self);
  copy = service_copy_files (self);
  g_clear_object (&generation);

  service_open_copy (self, copy);
  g_assert_cmpuint (confab_service_get_n_running (self->service), ==, 0);
  found = recall (self, fields ("moduleId", "m", NULL), NULL);
  g_assert_cmpint (confab_generation_get_state (found), ==, CONFAB_STATE_INTERRUPTED);
  g_assert_cmpstr (confab_generation_get_text (found), ==, "hal");
  g_assert_cmpstr (confab_generation_get_reasoning (found), ==, "hm");
  g_assert_cmpuint (confab_generation_get_seq (found), ==, 2);
  next = ask (self, "m", "two");
  g_assert_cmpuint (confab_prompt_get_n_turns (await_run (self, 0)->prompt), ==, 3);
}

static void
test_reload (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ConfabSession) session = NULL;
  g_autoptr (ConfabModule) changed = NULL;
  g_autoptr (ConfabModule) item = NULL;
  g_autoptr (ConfabGeneration) generation = NULL;
  g_autoptr (ConfabGeneration) next = NULL;
  g_autoptr (JsonObject) parameters = json_object_new ();
  JsonObject *payload;

  session = change_session (self, "session:create",
                            fields ("sessionId", "s", "title", "Work", NULL), NULL);
  generation = generate (self, fields ("moduleId", "m", "message", "one", "sessionId", "s", NULL));
  scripted_run_say (await_run (self, 0), "1");
  scripted_run_finish (await_run (self, 0));
  await_end (generation);
  json_object_set_int_member (parameters, "seed", 7);
  payload = fields ("moduleId", "m", "instructions", "Be short.", "model", "small", NULL);
  json_object_set_object_member (payload, "parameters", json_object_ref (parameters));
  changed = change_module (self, "module:update", payload, NULL);
  g_assert_nonnull (changed);
  g_clear_object (&session);
  g_clear_object (&changed);
  g_clear_object (&generation);

  service_reopen (self);
  g_assert_cmpuint (g_list_model_get_n_items (confab_service_get_sessions (self->service)), ==, 1);
  session = g_list_model_get_item (confab_service_get_sessions (self->service), 0);
  g_assert_cmpstr (confab_session_get_title (session), ==, "Work");
  item = g_list_model_get_item (G_LIST_MODEL (session), 0);
  g_assert_true (item == lookup_module (self, "m"));
  g_assert_cmpstr (confab_module_get_title (item), ==, "one");
  g_assert_true (confab_module_get_title_is_auto (item));
  g_assert_cmpstr (confab_module_get_instructions (item), ==, "Be short.");
  g_assert_cmpstr (confab_module_get_model (item), ==, "small");
  g_assert_cmpint (json_object_get_int_member (confab_module_get_parameters (item), "seed"), ==, 7);
  g_assert_cmpuint (confab_module_get_n_messages (item), ==, 2);
  assert_branch (self, "m", "user:one;assistant:1;");
  next = ask (self, "m", "two");
  g_assert_cmpuint (confab_prompt_get_n_turns (await_run (self, 0)->prompt), ==, 3);
}

static void
test_repeat_from_disk (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ConfabGeneration) generation = generate (
      self, fields ("moduleId", "m", "message", "x", "requestId", "r", "userMessageId", "u", NULL));
  g_autofree char *id = g_strdup (confab_generation_get_id (generation));
  g_autoptr (ConfabGeneration) again = NULL;
  g_autoptr (GError) error = NULL;
  gboolean repeated = FALSE;

  scripted_run_say (await_run (self, 0), "yes");
  scripted_run_finish (await_run (self, 0));
  await_end (generation);
  g_clear_object (&generation);

  service_reopen (self);
  again = try_generate (self, GENERATE,
                        fields ("moduleId", "m", "message", "x", "requestId", "r", NULL), &repeated,
                        &error);
  g_assert_no_error (error);
  g_assert_true (repeated);
  g_assert_cmpstr (confab_generation_get_id (again), ==, id);
  g_assert_cmpint (confab_generation_get_state (again), ==, CONFAB_STATE_COMPLETED);
  g_assert_cmpstr (confab_generation_get_text (again), ==, "yes");
  g_assert_cmpint (confab_generation_get_outcome (again)->finish_reason, ==, CONFAB_FINISH_STOP);
  g_assert_cmpuint (confab_generation_get_seq (again), ==, 1);

  assert_not_generated (self, GENERATE,
                        fields ("moduleId", "m", "message", "z", "requestId", "r", NULL),
                        CONFAB_ERROR_INVALID_REQUEST);
  assert_not_generated (self, GENERATE,
                        fields ("moduleId", "m", "message", "z", "userMessageId", "u", NULL),
                        CONFAB_ERROR_INVALID_REQUEST);
  settle (self);
  g_assert_cmpuint (scripted_provider_get_n_runs (self->provider), ==, 0);
  assert_branch (self, "m", "user:x;assistant:yes;");
}

/* Sent twice in one breath, as by a client that reconnects, and once with another text. */
static void
assert_asked_once (ServiceFixture *self, const char *module_id)
{
  g_autoptr (JsonObject) same =
      fields ("moduleId", module_id, "message", "x", "requestId", "r", NULL);
  g_autoptr (JsonObject) other =
      fields ("moduleId", module_id, "message", "y", "requestId", "r", NULL);
  GAsyncResult *results[3] = { NULL };
  ConfabGeneration *generations[3] = { NULL };
  guint n_runs = scripted_provider_get_n_runs (self->provider);
  g_autoptr (GError) error = NULL;
  gboolean repeated[3];

  for (guint i = 0; i < G_N_ELEMENTS (results); i++)
    confab_service_generate_async (self->service, i < 2 ? same : other, store_ready_cb,
                                   &results[i]);
  for (guint i = 0; i < G_N_ELEMENTS (results); i++)
    {
      g_assert_no_error (error);
      wait_for (&results[i]);
      generations[i] =
          confab_service_generate_finish (self->service, results[i], &repeated[i], &error);
      g_object_unref (results[i]);
    }

  g_assert_nonnull (generations[0]);
  g_assert_true (generations[0] == generations[1]);
  g_assert_false (repeated[0]);
  g_assert_true (repeated[1]);
  g_assert_null (generations[2]);
  g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST);
  settle (self);
  g_assert_cmpuint (scripted_provider_get_n_runs (self->provider), ==, n_runs + 1);
  g_object_unref (generations[0]);
  g_object_unref (generations[1]);
}

static void
test_two_at_once (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ConfabGeneration) generation = converse (self, "m", "one", "1");

  assert_asked_once (self, "m");
  assert_asked_once (self, "new");
  assert_branch (self, "m", "user:one;assistant:1;user:x;assistant:;");
  assert_branch (self, "new", "user:x;assistant:;");
}

static void
test_queue (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ConfabGeneration) first = NULL;
  g_autoptr (ConfabGeneration) second = NULL;
  g_autoptr (ConfabGeneration) third = NULL;

  confab_service_set_queue (self->service, TRUE);
  first = ask (self, "m", "one");
  second = ask (self, "m", "two");
  third = ask (self, "m", "three");
  await_run (self, 0);
  settle (self);
  g_assert_cmpuint (scripted_provider_get_n_runs (self->provider), ==, 1);
  g_assert_cmpint (confab_generation_get_state (second), ==, CONFAB_STATE_QUEUED);
  g_string_truncate (self->heard, 0);

  scripted_run_say (await_run (self, 0), "1");
  scripted_run_finish (await_run (self, 0));
  /* the answer to the first is part of what the second is asked with */
  g_assert_cmpuint (confab_prompt_get_n_turns (await_run (self, 1)->prompt), ==, 3);
  scripted_run_say (await_run (self, 1), "2");
  scripted_run_finish (await_run (self, 1));
  g_assert_cmpuint (confab_prompt_get_n_turns (await_run (self, 2)->prompt), ==, 5);
  scripted_run_finish (await_run (self, 2));
  await_end (third);
  g_assert_cmpstr (self->heard->str, ==,
                   "ended:one:completed;started:two;module:m;"
                   "ended:two:completed;started:three;module:m;"
                   "ended:three:completed;module:m;");
  assert_branch (self, "m", "user:one;assistant:1;user:two;assistant:2;user:three;assistant:;");
}

static void
test_queue_limit (ServiceFixture *self, gconstpointer data)
{
  confab_service_set_queue (self->service, TRUE);
  for (guint i = 0; i < 1 + CONFAB_MAX_QUEUED; i++)
    {
      g_autoptr (ConfabGeneration) generation = ask (self, "m", "x");
    }
  assert_not_generated (self, GENERATE, fields ("moduleId", "m", "message", "x", NULL),
                        CONFAB_ERROR_BUSY);
  g_assert_cmpint (stop (self, "m", NULL, NULL), ==, 1 + CONFAB_MAX_QUEUED);
  g_assert_cmpuint (confab_service_get_n_running (self->service), ==, 0);
  settle (self);
  g_assert_cmpuint (scripted_provider_get_n_runs (self->provider), ==, 1);
}

static void
test_stop_queued (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ConfabGeneration) first = NULL;
  g_autoptr (ConfabGeneration) second = NULL;
  g_autoptr (ConfabGeneration) third = NULL;

  confab_service_set_queue (self->service, TRUE);
  first = ask (self, "m", "one");
  second = ask (self, "m", "two");
  third = ask (self, "m", "three");
  await_run (self, 0);
  g_assert_cmpint (stop (self, "m", confab_generation_get_id (second), NULL), ==, 1);
  g_assert_cmpint (confab_generation_get_state (second), ==, CONFAB_STATE_STOPPED);
  g_assert_cmpint (confab_generation_get_state (first), ==, CONFAB_STATE_CONNECTING);
  scripted_run_say (await_run (self, 0), "1");
  scripted_run_finish (await_run (self, 0));
  g_assert_cmpstr (confab_prompt_get_turn_content (await_run (self, 1)->prompt, 3), ==, "three");
  assert_branch (self, "m", "user:one;assistant:1;user:two;assistant:;user:three;assistant:;");
}

/* "2 3 more": the contents of a page, and whether there are older ones. */
static void
assert_page (ServiceFixture *self, const char *before, gint limit, const char *expected)
{
  JsonObject *payload = fields ("moduleId", "m", "before", before, NULL);
  g_autoptr (GString) told = g_string_new (NULL);
  g_autoptr (GPtrArray) messages = NULL;
  g_autoptr (GError) error = NULL;
  gboolean more = FALSE;

  json_object_set_int_member (payload, "limit", limit);
  messages = get_history (self, payload, &more, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < messages->len; i++)
    g_string_append_printf (told, "%s ",
                            confab_message_get_content (g_ptr_array_index (messages, i)));
  g_string_append (told, more ? "more" : "all");
  g_assert_cmpstr (told->str, ==, expected);
}

static void
test_history (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ConfabGeneration) first = converse (self, "m", "one", "1");
  g_autoptr (ConfabGeneration) second = converse (self, "m", "two", "2");
  g_autoptr (ConfabGeneration) third = ask (self, "m", "three");
  g_autoptr (GError) error = NULL;
  gboolean more;

  /* what is still being written is told as it stands */
  scripted_run_say (await_run (self, 2), "thr");
  assert_page (self, NULL, 2, "three thr more");
  assert_page (self, question_id (third), 3, "1 two 2 more");
  assert_page (self, answer_id (first), 3, "one all");
  assert_page (self, question_id (first), 3, "all");
  assert_page (self, NULL, 6, "one 1 two 2 three thr all");

  g_assert_null (
      get_history (self, fields ("moduleId", "m", "before", "nobody", NULL), &more, &error));
  g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_UNKNOWN_MESSAGE);
  g_clear_error (&error);
  g_assert_null (get_history (self, fields ("moduleId", "nobody", NULL), &more, &error));
  g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_UNKNOWN_MODULE);
}

/* Which one resume is about: the running one, else the last, else none; or the one asked for. */
static void
test_recall (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ConfabGeneration) first = converse (self, "m", "one", "1");
  g_autoptr (ConfabGeneration) second = converse (self, "m", "two", "2");
  g_autoptr (ConfabGeneration) last = recall (self, fields ("moduleId", "m", NULL), NULL);
  g_autoptr (ConfabGeneration) older = recall (
      self, fields ("moduleId", "m", "generationId", confab_generation_get_id (first), NULL), NULL);
  g_autoptr (ConfabGeneration) third = ask (self, "m", "three");
  g_autoptr (ConfabGeneration) running = recall (self, fields ("moduleId", "m", NULL), NULL);
  g_autoptr (GError) error = NULL;

  g_assert_cmpstr (confab_generation_get_id (last), ==, confab_generation_get_id (second));
  g_assert_cmpstr (confab_generation_get_text (last), ==, "2");
  g_assert_cmpstr (confab_generation_get_text (older), ==, "1");
  g_assert_true (running == third);
  g_assert_null (recall (self, fields ("moduleId", "nobody", NULL), &error));
  g_assert_no_error (error);
  g_assert_null (confab_service_lookup_module (self->service, "nobody"));
  g_assert_null (recall (self, fields ("moduleId", "m", "generationId", "nobody", NULL), &error));
  g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_UNKNOWN_GENERATION);
}

static void
test_search (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ConfabGeneration) generation = converse (self, "m", "Where is Oslo?", "In Norway");
  g_autoptr (JsonObject) payload = fields ("query", "norway", NULL);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GPtrArray) found = NULL;
  g_autoptr (GError) error = NULL;

  confab_service_search_async (self->service, payload, store_ready_cb, &result);
  wait_for (&result);
  found = confab_service_search_finish (self->service, result, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (found->len, ==, 1);
  g_assert_cmpstr (((ConfabSearchResult *) found->pdata[0])->message_id, ==,
                   answer_id (generation));
}

/* The requestId is used, and its answer has ended, after it was looked up. */
static void
test_used_meanwhile (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ConfabGeneration) before = converse (self, "m", "zero", "0");
  g_autoptr (JsonObject) payload =
      fields ("moduleId", "m", "message", "one", "requestId", "r", NULL);
  g_autoptr (ConfabBatch) batch = confab_batch_new (CONFAB_BATCH_DURABLE);
  GAsyncResult *results[2] = { NULL };

  for (guint i = 0; i < G_N_ELEMENTS (results); i++)
    confab_service_generate_async (self->service, payload, store_ready_cb, &results[i]);
  put_message (batch, "m", answer_id (before), "q", CONFAB_STATE_COMPLETED, "one");
  put_message (batch, "m", "q", "a", CONFAB_STATE_COMPLETED, "1");
  put_generation (batch, "m", "g", "r", "q", "a", CONFAB_STATE_COMPLETED);
  commit_ok (self->store, batch);

  for (guint i = 0; i < G_N_ELEMENTS (results); i++)
    {
      g_autoptr (GAsyncResult) result = NULL;
      g_autoptr (ConfabGeneration) generation = NULL;
      g_autoptr (GError) error = NULL;
      gboolean repeated = FALSE;

      wait_for (&results[i]);
      result = results[i];
      generation = confab_service_generate_finish (self->service, result, &repeated, &error);
      g_assert_no_error (error);
      g_assert_true (repeated);
      g_assert_cmpstr (confab_generation_get_id (generation), ==, "g");
    }
  settle (self);
  g_assert_cmpuint (scripted_provider_get_n_runs (self->provider), ==, 1);
}

int
main (int argc, char **argv)
{
  static const ServiceTest tests[] = {
    { "question-before-provider", test_question_before_provider },
    { "asked-at-once", test_asked_at_once },
    { "queued-follows-answer", test_queued_follows_answer },
    { "orphans", test_orphans },
    { "reload", test_reload },
    { "repeat-from-disk", test_repeat_from_disk },
    { "two-at-once", test_two_at_once },
    { "queue", test_queue },
    { "queue-limit", test_queue_limit },
    { "stop-queued", test_stop_queued },
    { "history", test_history },
    { "recall", test_recall },
    { "search", test_search },
    { "used-meanwhile", test_used_meanwhile },
  };

  g_test_init (&argc, &argv, NULL);
  service_add_tests_on_disk ("store", tests, G_N_ELEMENTS (tests));

  return g_test_run ();
}

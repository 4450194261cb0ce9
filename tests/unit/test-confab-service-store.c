/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "confab-service-fixture.h"

#define GENERATE "ai:chat:generate"
#define REGENERATE "ai:chat:regenerate"

/* The service and its store: what is kept, when, and what happens when it cannot be. */

static ConfabModule *
get_module (ServiceFixture *self, const char *id)
{
  ConfabModule *module = confab_service_lookup_module (self->service, id);

  g_assert_nonnull (module);

  return module;
}

static const char *
question_id (ConfabGeneration *generation)
{
  return confab_message_get_id (confab_generation_get_question (generation));
}

static const char *
answer_id (ConfabGeneration *generation)
{
  return confab_message_get_id (confab_generation_get_answer (generation));
}

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
  g_assert_true (item == get_module (self, "m"));
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
test_regenerate (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ConfabGeneration) first = converse (self, "m", "one", "1");
  g_autoptr (ConfabGeneration) second = converse (self, "m", "two", "2");
  g_autoptr (ConfabGeneration) anew = regenerate (self, fields ("moduleId", "m", NULL));
  ScriptedRun *run = await_run (self, 2);

  /* the last question, with a new answer; what was said before it is the prompt */
  g_assert_cmpstr (question_id (anew), ==, question_id (second));
  g_assert_cmpstr (answer_id (anew), !=, answer_id (second));
  g_assert_cmpuint (confab_prompt_get_n_turns (run->prompt), ==, 3);
  g_assert_cmpstr (confab_prompt_get_turn_content (run->prompt, 2), ==, "two");
  scripted_run_say (run, "zwei");
  scripted_run_finish (run);
  await_end (anew);
  assert_branch (self, "m", "user:one;assistant:1;user:two;assistant:zwei;");
  g_assert_cmpstr (confab_module_get_head_id (get_module (self, "m")), ==, answer_id (anew));
  g_assert_cmpuint (confab_module_get_n_messages (get_module (self, "m")), ==, 4);

  /* the one that left the branch is kept */
  {
    g_autoptr (ConfabMessageRecord) old = get_message (self->store, "m", answer_id (second));

    g_assert_cmpstr (old->text, ==, "2");
  }
}

static void
test_regenerate_with_text (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ConfabGeneration) first = converse (self, "m", "one", "1");
  g_autoptr (ConfabGeneration) second = converse (self, "m", "two", "2");
  g_autoptr (ConfabGeneration) third = converse (self, "m", "three", "3");
  /* by the answer of the question that changes */
  g_autoptr (ConfabGeneration) anew = regenerate (
      self, fields ("moduleId", "m", "messageId", answer_id (second), "message", "zwei?", NULL));
  ConfabMessage *question = confab_generation_get_question (anew);
  ScriptedRun *run = await_run (self, 3);

  g_assert_cmpstr (question_id (anew), !=, question_id (second));
  g_assert_cmpstr (confab_message_get_parent_id (question), ==, answer_id (first));
  g_assert_cmpuint (confab_prompt_get_n_turns (run->prompt), ==, 3);
  g_assert_cmpstr (confab_prompt_get_turn_content (run->prompt, 2), ==, "zwei?");
  scripted_run_say (run, "2!");
  scripted_run_finish (run);
  await_end (anew);
  assert_branch (self, "m", "user:one;assistant:1;user:zwei?;assistant:2!;");
  g_assert_cmpuint (confab_module_get_n_messages (get_module (self, "m")), ==, 4);

  g_clear_object (&first);
  g_clear_object (&second);
  g_clear_object (&third);
  g_clear_object (&anew);
  service_reopen (self);
  assert_branch (self, "m", "user:one;assistant:1;user:zwei?;assistant:2!;");
  g_assert_cmpuint (confab_module_get_n_messages (get_module (self, "m")), ==, 4);
}

/* The first question with another text: a branch of its own from the start, and a new title. */
static void
test_regenerate_first (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ConfabGeneration) first = converse (self, "m", "one", "1");
  g_autoptr (ConfabGeneration) second = converse (self, "m", "two", "2");
  g_autoptr (ConfabGeneration) anew = regenerate (
      self, fields ("moduleId", "m", "messageId", question_id (first), "message", "eins?", NULL));

  g_assert_cmpuint (confab_prompt_get_n_turns (await_run (self, 2)->prompt), ==, 1);
  assert_branch (self, "m", "user:eins?;assistant:;");
  g_assert_cmpuint (confab_module_get_n_messages (get_module (self, "m")), ==, 2);
  g_assert_cmpstr (confab_module_get_title (get_module (self, "m")), ==, "eins?");
}

static void
test_regenerate_refused (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ConfabSession) session =
      change_session (self, "session:create", fields ("sessionId", "s", NULL), NULL);
  g_autoptr (ConfabModule) empty = change_module (
      self, "module:create", fields ("sessionId", "s", "moduleId", "empty", NULL), NULL);
  g_autoptr (ConfabGeneration) elsewhere = converse (self, "n", "x", "y");

  assert_not_generated (self, REGENERATE, fields ("moduleId", "nobody", NULL),
                        CONFAB_ERROR_UNKNOWN_MODULE);
  assert_not_generated (self, REGENERATE, fields ("moduleId", "empty", NULL),
                        CONFAB_ERROR_UNKNOWN_MESSAGE);
  assert_not_generated (self, REGENERATE,
                        fields ("moduleId", "empty", "messageId", question_id (elsewhere), NULL),
                        CONFAB_ERROR_UNKNOWN_MESSAGE);
  assert_not_generated (self, REGENERATE, fields ("moduleId", "n", "message", " ", NULL),
                        CONFAB_ERROR_INVALID_REQUEST);
  g_assert_null (confab_module_get_head_id (empty));
}

static void
test_regenerate_repeated (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ConfabGeneration) first = converse (self, "m", "one", "1");
  g_autoptr (ConfabGeneration) anew =
      regenerate (self, fields ("moduleId", "m", "requestId", "r", NULL));
  g_autoptr (ConfabGeneration) again = NULL;
  gboolean repeated = FALSE;

  scripted_run_finish (await_run (self, 1));
  await_end (anew);
  again = try_generate (self, REGENERATE, fields ("moduleId", "m", "requestId", "r", NULL),
                        &repeated, NULL);
  g_assert_true (repeated);
  g_assert_cmpstr (confab_generation_get_id (again), ==, confab_generation_get_id (anew));
  g_assert_cmpuint (scripted_provider_get_n_runs (self->provider), ==, 2);
}

/* Asks with @payload and a requestId that was used before. */
static void
assert_repeats (ServiceFixture *self, const char *call, JsonObject *payload, const char *id)
{
  g_autoptr (GError) error = NULL;
  gboolean repeated = FALSE;
  g_autoptr (ConfabGeneration) again = try_generate (self, call, payload, &repeated, &error);

  g_assert_no_error (error);
  g_assert_true (repeated);
  g_assert_cmpstr (confab_generation_get_id (again), ==, id);
}

/* The three ways to ask, of which each has its requestId, and is told from the others by it. */
static void
assert_kinds_of_request (ServiceFixture *self, char *const *ids)
{
  const struct
  {
    const char *call;
    const char *message; /* nullable */
  } kinds[] = { { GENERATE, "one" }, { REGENERATE, NULL }, { REGENERATE, "one" } };
  const char *const requests[] = { "asked", "anew", "reworded" };

  for (guint i = 0; i < G_N_ELEMENTS (requests); i++)
    for (guint j = 0; j < G_N_ELEMENTS (kinds); j++)
      {
        JsonObject *payload = fields ("moduleId", "m", "requestId", requests[i], NULL);

        if (kinds[j].message != NULL)
          json_object_set_string_member (payload, "message", kinds[j].message);
        /* one that has another text is another message anyhow */
        if (g_str_equal (kinds[j].call, GENERATE) == (i == 0))
          assert_repeats (self, kinds[j].call, payload, ids[i]);
        else
          assert_not_generated (self, kinds[j].call, payload, CONFAB_ERROR_INVALID_REQUEST);
      }
}

static char *
answer_and_dup_id (ServiceFixture *self, ConfabGeneration *taken, guint run)
{
  g_autoptr (ConfabGeneration) generation = taken;

  scripted_run_finish (await_run (self, run));
  await_end (generation);

  return g_strdup (confab_generation_get_id (generation));
}

static void
test_regenerate_is_no_repeat (ServiceFixture *self, gconstpointer data)
{
  g_auto (GStrv) ids = g_new0 (char *, 4);

  ids[0] = answer_and_dup_id (
      self, generate (self, fields ("moduleId", "m", "message", "one", "requestId", "asked", NULL)),
      0);
  ids[1] = answer_and_dup_id (
      self, regenerate (self, fields ("moduleId", "m", "requestId", "anew", NULL)), 1);
  ids[2] = answer_and_dup_id (
      self,
      regenerate (self, fields ("moduleId", "m", "message", "one", "requestId", "reworded", NULL)),
      2);
  assert_kinds_of_request (self, ids);
  settle (self);
  g_assert_cmpuint (scripted_provider_get_n_runs (self->provider), ==, 3);

  service_reopen (self);
  assert_kinds_of_request (self, ids);
  settle (self);
  g_assert_cmpuint (scripted_provider_get_n_runs (self->provider), ==, 0);
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

/* The store refuses */

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
  g_autofree char *head = g_strdup (confab_module_get_head_id (get_module (self, "m")));
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

  g_assert_cmpstr (confab_module_get_head_id (get_module (self, "m")), ==, head);
  g_assert_cmpuint (confab_module_get_n_messages (get_module (self, "m")), ==, 2);
  g_assert_cmpstr (confab_module_get_title (get_module (self, "m")), ==, "one");
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
    {
      g_autoptr (GError) error = NULL;
      gboolean repeated;

      wait_for (&results[i]);
      g_assert_null (confab_service_generate_finish (self->service, results[i], &repeated, &error));
      g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_STORAGE);
      g_object_unref (results[i]);
    }
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
    {
      g_autoptr (GError) error = NULL;
      gboolean repeated;

      wait_for (&results[i]);
      g_assert_null (confab_service_generate_finish (self->service, results[i], &repeated, &error));
      g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_STORAGE);
      g_object_unref (results[i]);
    }
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
  ConfabModule *module = get_module (self, "m");
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
  ConfabModule *module = get_module (self, "n");

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
  static const struct
  {
    const char *name;
    void (*run) (ServiceFixture *, gconstpointer);
  } tests[] = {
    { "question-before-provider", test_question_before_provider },
    { "orphans", test_orphans },
    { "reload", test_reload },
    { "repeat-from-disk", test_repeat_from_disk },
    { "two-at-once", test_two_at_once },
    { "regenerate", test_regenerate },
    { "regenerate-with-text", test_regenerate_with_text },
    { "regenerate-first", test_regenerate_first },
    { "regenerate-refused", test_regenerate_refused },
    { "regenerate-repeated", test_regenerate_repeated },
    { "regenerate-is-no-repeat", test_regenerate_is_no_repeat },
    { "queue", test_queue },
    { "queue-limit", test_queue_limit },
    { "stop-queued", test_stop_queued },
    { "history", test_history },
    { "recall", test_recall },
    { "search", test_search },
    { "delete-running", test_delete_running },
    { "ask-after-delete", test_ask_after_delete },
    { "delete-while-looked-up", test_delete_while_looked_up },
    { "delete-while-repeated", test_delete_while_repeated },
    { "used-meanwhile", test_used_meanwhile },
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
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    {
      g_autofree char *path = g_strconcat ("/confab/service/store/", tests[i].name, NULL);

      g_test_add (path, ServiceFixture, NULL, service_set_up_on_disk, tests[i].run,
                  service_tear_down);
    }

  return g_test_run ();
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "confab-service-fixture.h"

#define GENERATE "ai:chat:generate"

static void
test_generate (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ConfabGeneration) generation = ask (self, "m", "Hello");
  ScriptedRun *run = await_run (self, 0);

  g_assert_cmpint (confab_generation_get_state (generation), ==, CONFAB_STATE_CONNECTING);
  g_assert_cmpuint (confab_service_get_n_running (self->service), ==, 1);
  scripted_run_think (run, "Hm");
  scripted_run_say (run, "Hi");
  scripted_run_say (run, " there");
  scripted_run_finish (run);
  await_end (generation);
  g_assert_cmpint (confab_generation_get_state (generation), ==, CONFAB_STATE_COMPLETED);
  g_assert_cmpstr (confab_generation_get_text (generation), ==, "Hi there");
  g_assert_cmpstr (confab_generation_get_reasoning (generation), ==, "Hm");
  g_assert_cmpuint (confab_service_get_n_running (self->service), ==, 0);
  assert_branch (self, "m", "user:Hello;assistant:Hi there;");
}

static void
hear_answer_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (ConfabGeneration) generation = NULL;
  gboolean repeated;

  generation = confab_service_generate_finish (CONFAB_SERVICE (source), result, &repeated, NULL);
  g_assert_nonnull (generation);
  g_string_append (user_data, "answer;");
}

/* The one who asked knows before anybody is told. */
static void
test_order (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (JsonObject) payload = fields ("moduleId", "m", "message", "Hello", NULL);

  confab_service_generate_async (self->service, payload, hear_answer_cb, self->heard);
  g_assert_cmpstr (self->heard->str, ==, "");
  scripted_run_finish (await_run (self, 0));
  settle (self);
  g_assert_true (g_str_has_prefix (self->heard->str, "answer;"));
  g_assert_nonnull (strstr (self->heard->str, "session:default;module:m;"));
  g_assert_nonnull (strstr (self->heard->str, "started:Hello;"));
  g_assert_true (g_str_has_suffix (self->heard->str, "ended:Hello:completed;module:m;"));
}

static void
test_sessions (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ConfabGeneration) first = ask (self, "m", "x");
  g_autoptr (ConfabGeneration) second =
      generate (self, fields ("moduleId", "n", "message", "x", "sessionId", "s", NULL));
  ConfabSession *session = confab_service_lookup_session (self->service, CONFAB_DEFAULT_SESSION);
  g_autoptr (ConfabModule) module = NULL;

  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (session)), ==, 1);
  session = confab_service_lookup_session (self->service, "s");
  module = g_list_model_get_item (G_LIST_MODEL (session), 0);
  g_assert_true (module == confab_service_lookup_module (self->service, "n"));
  g_assert_cmpuint (g_list_model_get_n_items (confab_service_get_sessions (self->service)), ==, 2);
}

static void
test_context (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ConfabGeneration) first = converse (self, "m", "one", "1");
  g_autoptr (ConfabGeneration) second = ask (self, "m", "two");
  ConfabPrompt *prompt = await_run (self, 1)->prompt;

  g_assert_cmpuint (confab_prompt_get_n_turns (prompt), ==, 3);
  g_assert_cmpstr (confab_prompt_get_turn_content (prompt, 0), ==, "one");
  g_assert_cmpstr (confab_prompt_get_turn_content (prompt, 1), ==, "1");
  g_assert_cmpstr (confab_prompt_get_turn_content (prompt, 2), ==, "two");
}

/* Each question follows the answer before it, whose text the client could choose the id of. */
static void
test_parents (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ConfabGeneration) first = converse (self, "m", "one", "1");
  g_autoptr (ConfabGeneration) second = converse (self, "m", "two", "2");
  g_autoptr (GPtrArray) messages = NULL;
  const char *parent_id = NULL;
  gboolean more;

  messages = get_history (self, fields ("moduleId", "m", NULL), &more, NULL);
  g_assert_cmpuint (messages->len, ==, 4);
  for (guint i = 0; i < messages->len; i++)
    {
      ConfabMessage *message = g_ptr_array_index (messages, i);

      g_assert_cmpstr (confab_message_get_parent_id (message), ==, parent_id);
      parent_id = confab_message_get_id (message);
    }
}

static void
test_invalid (ServiceFixture *self, gconstpointer data)
{
  const char *const payloads[][5] = {
    { NULL, "x" },
    { "", "x" },
    { "a b", "x" },
    { "m", NULL },
    { "m", "" },
    { "m", " \n\t\xc2\xa0" },
    { "m", "x", "" },
    { "m", "x", NULL, "a/b" },
    { "m", "x", NULL, NULL, "a b" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (payloads); i++)
    assert_not_generated (self, GENERATE,
                          fields ("moduleId", payloads[i][0], "message", payloads[i][1],
                                  "sessionId", payloads[i][2], "requestId", payloads[i][3],
                                  "userMessageId", payloads[i][4], NULL),
                          CONFAB_ERROR_INVALID_REQUEST);
  settle (self);
  g_assert_null (confab_service_lookup_module (self->service, "m"));
  g_assert_cmpuint (scripted_provider_get_n_runs (self->provider), ==, 0);
  g_assert_cmpstr (self->heard->str, ==, "");
}

static void
test_message_size (ServiceFixture *self, gconstpointer data)
{
  g_autofree char *largest = g_strnfill (CONFAB_MAX_MESSAGE_BYTES, 'x');
  g_autofree char *too_large = g_strnfill (CONFAB_MAX_MESSAGE_BYTES + 1, 'x');
  g_autoptr (ConfabGeneration) generation = NULL;

  assert_not_generated (self, GENERATE, fields ("moduleId", "m", "message", too_large, NULL),
                        CONFAB_ERROR_TOO_LARGE);
  generation = ask (self, "m", largest);
  g_assert_cmpstr (confab_prompt_get_turn_content (await_run (self, 0)->prompt, 0), ==, largest);
}

static void
test_user_message_id (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ConfabGeneration) generation =
      generate (self, fields ("moduleId", "m", "message", "one", "userMessageId", "mine", NULL));
  ConfabMessage *question = confab_generation_get_question (generation);

  g_assert_cmpstr (confab_message_get_id (question), ==, "mine");
  /* while it is here, and when only the store knows it */
  for (guint i = 0; i < 2; i++)
    {
      assert_not_generated (
          self, GENERATE, fields ("moduleId", "m", "message", "two", "userMessageId", "mine", NULL),
          CONFAB_ERROR_INVALID_REQUEST);
      if (i == 0)
        {
          scripted_run_finish (await_run (self, 0));
          await_end (generation);
        }
    }
  g_assert_cmpuint (scripted_provider_get_n_runs (self->provider), ==, 1);
}

static void
test_busy (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ConfabGeneration) first = ask (self, "m", "x");
  g_autoptr (ConfabGeneration) second = NULL;

  assert_not_generated (self, GENERATE,
                        fields ("moduleId", "m", "message", "y", "requestId", "r", NULL),
                        CONFAB_ERROR_BUSY);
  assert_not_generated (self, "ai:chat:regenerate", fields ("moduleId", "m", NULL),
                        CONFAB_ERROR_BUSY);
  scripted_run_finish (await_run (self, 0));
  await_end (first);
  /* the refused request was not used up */
  second = generate (self, fields ("moduleId", "m", "message", "y", "requestId", "r", NULL));
  g_assert_cmpuint (
      confab_module_get_n_messages (confab_service_lookup_module (self->service, "m")), ==, 4);
}

static void
next_question_cb (ConfabGeneration *generation, gpointer user_data)
{
  ServiceFixture *self = user_data;
  g_autoptr (JsonObject) payload = fields ("moduleId", "m", "message", "two", NULL);

  confab_service_generate_async (self->service, payload, hear_answer_cb, self->heard);
}

/* Who hears of the end may ask at once. */
static void
test_ask_from_end (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ConfabGeneration) first = ask (self, "m", "one");
  ScriptedRun *run = await_run (self, 0);

  g_signal_connect (first, "ended", G_CALLBACK (next_question_cb), self);
  scripted_run_say (run, "1");
  scripted_run_finish (run);
  g_assert_cmpuint (confab_prompt_get_n_turns (await_run (self, 1)->prompt), ==, 3);
  assert_branch (self, "m", "user:one;assistant:1;user:two;assistant:;");
}

static void
assert_repeated (ServiceFixture *self, const char *user_message_id, const char *generation_id)
{
  g_autoptr (ConfabGeneration) again = NULL;
  g_autoptr (GError) error = NULL;
  gboolean repeated = FALSE;

  again = try_generate (self, GENERATE,
                        fields ("moduleId", "m", "message", "y", "requestId", "r", "userMessageId",
                                user_message_id, NULL),
                        &repeated, &error);
  g_assert_no_error (error);
  g_assert_true (repeated);
  g_assert_cmpstr (confab_generation_get_id (again), ==, generation_id);
}

static void
test_repeat (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ConfabGeneration) generation = generate (
      self, fields ("moduleId", "m", "message", "y", "requestId", "r", "userMessageId", "u", NULL));
  ScriptedRun *run = await_run (self, 0);

  /* while it runs, and after it ended */
  for (guint i = 0; i < 2; i++)
    {
      assert_repeated (self, "u", confab_generation_get_id (generation));
      assert_repeated (self, NULL, confab_generation_get_id (generation));
      assert_not_generated (self, GENERATE,
                            fields ("moduleId", "m", "message", "z", "requestId", "r", NULL),
                            CONFAB_ERROR_INVALID_REQUEST);
      assert_not_generated (
          self, GENERATE,
          fields ("moduleId", "m", "message", "y", "requestId", "r", "userMessageId", "v", NULL),
          CONFAB_ERROR_INVALID_REQUEST);
      g_assert_cmpuint (scripted_provider_get_n_runs (self->provider), ==, 1);
      if (i == 0)
        {
          scripted_run_finish (run);
          await_end (generation);
        }
    }
}

static void
test_request_of_other_module (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ConfabGeneration) here =
      generate (self, fields ("moduleId", "m", "message", "x", "requestId", "r", NULL));
  g_autoptr (ConfabGeneration) there =
      generate (self, fields ("moduleId", "n", "message", "x", "requestId", "r", NULL));

  g_assert_true (here != there);
}

static void
test_max_running (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ConfabGeneration) first = NULL;
  g_autoptr (ConfabGeneration) second = NULL;

  confab_service_set_max_running (self->service, 1);
  first = ask (self, "m", "one");
  second = ask (self, "n", "two");
  await_run (self, 0);
  settle (self);
  g_assert_cmpuint (scripted_provider_get_n_runs (self->provider), ==, 1);
  g_assert_cmpint (confab_generation_get_state (second), ==, CONFAB_STATE_QUEUED);
  scripted_run_finish (scripted_provider_get_run (self->provider, 0));
  g_assert_cmpstr (confab_prompt_get_turn_content (await_run (self, 1)->prompt, 0), ==, "two");
}

static void
test_no_auto_create (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ConfabSession) session = NULL;
  g_autoptr (ConfabModule) module = NULL;
  g_autoptr (ConfabGeneration) generation = NULL;

  confab_service_set_auto_create_modules (self->service, FALSE);
  assert_not_generated (self, GENERATE, fields ("moduleId", "m", "message", "x", NULL),
                        CONFAB_ERROR_UNKNOWN_MODULE);
  session = change_session (self, "session:create", fields ("sessionId", "s", NULL), NULL);
  module =
      change_module (self, "module:create", fields ("sessionId", "s", "moduleId", "m", NULL), NULL);
  generation = ask (self, "m", "x");
}

static void
test_provider_of_module (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ScriptedProvider) other = g_object_new (SCRIPTED_TYPE_PROVIDER, NULL);
  g_autoptr (ConfabSession) session =
      change_session (self, "session:create", fields ("sessionId", "s", NULL), NULL);
  g_autoptr (ConfabModule) module = NULL;
  g_autoptr (ConfabGeneration) generation = NULL;
  g_autoptr (GError) error = NULL;

  confab_provider_registry_add (self->providers, "other", CONFAB_PROVIDER (other));
  g_assert_null (change_module (self, "module:create",
                                fields ("sessionId", "s", "provider", "nobody", NULL), &error));
  g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_NO_PROVIDER);
  module = change_module (self, "module:create",
                          fields ("sessionId", "s", "moduleId", "m", "provider", "other",
                                  "instructions", "Be short.", "model", "small", NULL),
                          NULL);
  generation = ask (self, "m", "x");
  while (scripted_provider_get_n_runs (other) == 0)
    g_main_context_iteration (NULL, TRUE);
  {
    ScriptedRun *run = scripted_provider_get_run (other, 0);

    g_assert_cmpstr (confab_prompt_get_instructions (run->prompt), ==, "Be short.");
    g_assert_cmpstr (confab_prompt_get_model (run->prompt), ==, "small");
    scripted_run_finish (run);
  }
  await_end (generation);
  g_assert_cmpuint (scripted_provider_get_n_runs (self->provider), ==, 0);
}

static void
test_changes (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ConfabSession) session = change_session (
      self, "session:create", fields ("sessionId", "s", "title", "Work", NULL), NULL);
  g_autoptr (ConfabSession) again = change_session (
      self, "session:create", fields ("sessionId", "s", "title", "Other", NULL), NULL);
  g_autoptr (ConfabModule) module = change_module (
      self, "module:create", fields ("sessionId", "s", "moduleId", "m", "model", "a", NULL), NULL);
  g_autoptr (ConfabModule) changed =
      change_module (self, "module:update", fields ("moduleId", "m", "title", "Mine", NULL), NULL);
  g_autoptr (ConfabModule) back =
      change_module (self, "module:update", fields ("moduleId", "m", "model", "", NULL), NULL);
  g_autoptr (ConfabSession) deleted =
      change_session (self, "session:delete", fields ("sessionId", "s", NULL), NULL);

  g_assert_true (session == again && module == changed && module == back && session == deleted);
  g_assert_cmpstr (confab_session_get_title (session), ==, "Work");
  g_assert_cmpstr (confab_module_get_title (module), ==, "Mine");
  g_assert_false (confab_module_get_title_is_auto (module));
  g_assert_null (confab_module_get_model (module));
  g_assert_cmpstr (self->heard->str, ==,
                   "session:s;session:s;module:m;module:m;module:m;-module:m;-session:s;");
  g_assert_null (confab_service_lookup_session (self->service, "s"));
  g_assert_null (confab_service_lookup_module (self->service, "m"));
}

static void
test_changes_refused (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ConfabSession) s =
      change_session (self, "session:create", fields ("sessionId", "s", NULL), NULL);
  g_autoptr (ConfabSession) t =
      change_session (self, "session:create", fields ("sessionId", "t", NULL), NULL);
  g_autoptr (ConfabModule) m =
      change_module (self, "module:create", fields ("sessionId", "s", "moduleId", "m", NULL), NULL);

  g_assert_null (change_session (self, "session:update",
                                 fields ("sessionId", "x", "title", "y", NULL), &error));
  g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_UNKNOWN_SESSION);
  g_clear_error (&error);
  g_assert_null (change_module (self, "module:create", fields ("sessionId", "x", NULL), &error));
  g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_UNKNOWN_SESSION);
  g_clear_error (&error);
  g_assert_null (change_module (self, "module:create",
                                fields ("sessionId", "t", "moduleId", "m", NULL), &error));
  g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST);
  g_clear_error (&error);
  g_assert_null (change_module (self, "module:delete", fields ("moduleId", "x", NULL), &error));
  g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_UNKNOWN_MODULE);
  g_clear_error (&error);
  g_assert_null (change_module (self, "module:update", fields ("title", "x", NULL), &error));
  g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST);
}

/* The first question names the module, until a person does. */
static void
test_titles (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ConfabGeneration) first = converse (self, "m", "How are\tyou?\nMore", "Fine");
  g_autoptr (ConfabGeneration) second = converse (self, "m", "And now?", "Fine");
  ConfabModule *module = confab_service_lookup_module (self->service, "m");
  g_autoptr (ConfabModule) same = NULL;
  g_autoptr (ConfabGeneration) anew = NULL;

  g_assert_cmpstr (confab_module_get_title (module), ==, "How are you?");
  same =
      change_module (self, "module:update", fields ("moduleId", "m", "title", "Mine", NULL), NULL);
  anew = regenerate (self,
                     fields ("moduleId", "m", "message", "Else?", "messageId",
                             confab_message_get_id (confab_generation_get_question (first)), NULL));
  g_assert_cmpstr (confab_module_get_title (module), ==, "Mine");
}

static void
test_no_provider (void)
{
  g_autoptr (ConfabStore) store = open_store (NULL);
  g_autoptr (ConfabService) service = confab_service_new (store);
  g_autoptr (JsonObject) payload = fields ("moduleId", "m", "message", "x", NULL);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  gboolean repeated;

  confab_service_generate_async (service, payload, store_ready_cb, &result);
  wait_for (&result);
  g_assert_null (confab_service_generate_finish (service, result, &repeated, &error));
  g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_NO_PROVIDER);
}

#define ADD(name, func)                                                                            \
  g_test_add ("/confab/service/" name, ServiceFixture, NULL, service_set_up, func,                 \
              service_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  ADD ("generate", test_generate);
  ADD ("order", test_order);
  ADD ("sessions", test_sessions);
  ADD ("context", test_context);
  ADD ("parents", test_parents);
  ADD ("invalid", test_invalid);
  ADD ("message-size", test_message_size);
  ADD ("user-message-id", test_user_message_id);
  ADD ("busy", test_busy);
  ADD ("ask-from-end", test_ask_from_end);
  ADD ("repeat", test_repeat);
  ADD ("request-of-other-module", test_request_of_other_module);
  ADD ("max-running", test_max_running);
  ADD ("no-auto-create", test_no_auto_create);
  ADD ("provider-of-module", test_provider_of_module);
  ADD ("changes", test_changes);
  ADD ("changes-refused", test_changes_refused);
  ADD ("titles", test_titles);
  g_test_add_func ("/confab/service/no-provider", test_no_provider);

  return g_test_run ();
}

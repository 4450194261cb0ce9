/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-service-fixture.h"

#define GENERATE "ai:chat:generate"
#define REGENERATE "ai:chat:regenerate"

/* Answers asked for again, and questions with another text. */

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
  g_assert_cmpstr (confab_module_get_head_id (lookup_module (self, "m")), ==, answer_id (anew));
  g_assert_cmpuint (confab_module_get_n_messages (lookup_module (self, "m")), ==, 4);

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
  g_assert_cmpuint (confab_module_get_n_messages (lookup_module (self, "m")), ==, 4);

  g_clear_object (&first);
  g_clear_object (&second);
  g_clear_object (&third);
  g_clear_object (&anew);
  service_reopen (self);
  assert_branch (self, "m", "user:one;assistant:1;user:zwei?;assistant:2!;");
  g_assert_cmpuint (confab_module_get_n_messages (lookup_module (self, "m")), ==, 4);
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
  g_assert_cmpuint (confab_module_get_n_messages (lookup_module (self, "m")), ==, 2);
  g_assert_cmpstr (confab_module_get_title (lookup_module (self, "m")), ==, "eins?");
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

int
main (int argc, char **argv)
{
  static const ServiceTest tests[] = {
    { "anew", test_regenerate },
    { "with-text", test_regenerate_with_text },
    { "first", test_regenerate_first },
    { "refused", test_regenerate_refused },
    { "repeated", test_regenerate_repeated },
    { "is-no-repeat", test_regenerate_is_no_repeat },
  };

  g_test_init (&argc, &argv, NULL);
  service_add_tests_on_disk ("regenerate", tests, G_N_ELEMENTS (tests));

  return g_test_run ();
}

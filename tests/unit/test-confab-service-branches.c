/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-service-fixture.h"

#define GENERATE "ai:chat:generate"

static ConfabModule *
get_module (ServiceFixture *self)
{
  ConfabModule *module = confab_service_lookup_module (self->service, "m");

  g_assert_nonnull (module);

  return module;
}

static char *
dup_head (ServiceFixture *self)
{
  return g_strdup (confab_module_get_head_id (get_module (self)));
}

static const char *
get_answer_id (ConfabGeneration *generation)
{
  return confab_message_get_id (confab_generation_get_answer (generation));
}

static const char *
get_question_id (ConfabGeneration *generation)
{
  return confab_message_get_id (confab_generation_get_question (generation));
}

/* Says @answer in the next run, and lets it end. */
static void
answer (ServiceFixture *self, ConfabGeneration *generation, guint run, const char *text)
{
  ScriptedRun *scripted = await_run (self, run);

  scripted_run_say (scripted, text);
  scripted_run_finish (scripted);
  await_end (generation);
}

/* one 1 two 2, and one 1 two 2' (visible) with three 3 behind it. */
typedef struct
{
  ConfabGeneration *one;
  ConfabGeneration *two;
  ConfabGeneration *two_anew;
  ConfabGeneration *three;
} Tree;

static void
tree_clear (Tree *tree)
{
  g_clear_object (&tree->one);
  g_clear_object (&tree->two);
  g_clear_object (&tree->two_anew);
  g_clear_object (&tree->three);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Tree, tree_clear)

static Tree
grow_tree (ServiceFixture *self)
{
  Tree tree = { NULL };

  tree.one = converse (self, "m", "one", "1");
  tree.two = converse (self, "m", "two", "2");
  tree.two_anew = regenerate (self, fields ("moduleId", "m", NULL));
  answer (self, tree.two_anew, 2, "2'");
  tree.three = converse (self, "m", "three", "3");
  settle (self);
  g_string_truncate (self->heard, 0);

  return tree;
}

#define WITHOUT_THREE "user:one;assistant:1;user:two;assistant:2;"
#define WITH_THREE "user:one;assistant:1;user:two;assistant:2';user:three;assistant:3;"

/* A switch on its way. */
static void
begin_switch (ServiceFixture *self, const char *message_id, GAsyncResult **result)
{
  g_autoptr (JsonObject) payload = fields ("moduleId", "m", "messageId", message_id, NULL);

  confab_service_switch_branch_async (self->service, payload, store_ready_cb, result);
}

static char *
end_switch (ServiceFixture *self, GAsyncResult **result, guint64 *n_messages, GError **error)
{
  g_autoptr (GAsyncResult) owned = NULL;
  guint64 length;
  char *head_id = NULL;

  wait_for (result);
  owned = g_steal_pointer (result);
  if (!confab_service_switch_branch_finish (self->service, owned, &head_id, &length, error))
    return NULL;
  if (n_messages != NULL)
    *n_messages = length;

  return head_id;
}

static void
assert_switch_ends (ServiceFixture *self, GAsyncResult **result, const char *head_id)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *told = end_switch (self, result, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (told, ==, head_id);
}

static void
assert_switch_fails (ServiceFixture *self, GAsyncResult **result, ConfabError code)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (end_switch (self, result, NULL, &error));
  g_assert_error (error, CONFAB_ERROR, (int) code);
}

static void
switch_to (ServiceFixture *self, const char *message_id, const char *head_id)
{
  GAsyncResult *result = NULL;

  begin_switch (self, message_id, &result);
  assert_switch_ends (self, &result, head_id);
}

static void
assert_not_switched (ServiceFixture *self, const char *message_id, ConfabError code)
{
  GAsyncResult *result = NULL;

  begin_switch (self, message_id, &result);
  assert_switch_fails (self, &result, code);
}

/* Until the new head is decided, and on its way to the disk. */
static void
await_writing (ServiceFixture *self, const char *head_before)
{
  while (g_strcmp0 (confab_module_get_head_id (get_module (self)), head_before) == 0)
    g_main_context_iteration (NULL, TRUE);
}

static void
test_switch (ServiceFixture *self, gconstpointer data)
{
  g_auto (Tree) tree = grow_tree (self);
  g_autoptr (ConfabGeneration) next = NULL;
  GAsyncResult *result = NULL;
  g_autofree char *head_id = NULL;
  gint64 updated_at = confab_module_get_updated_at (get_module (self));
  guint64 n_messages = 0;

  begin_switch (self, get_answer_id (tree.two), &result);
  head_id = end_switch (self, &result, &n_messages, NULL);
  g_assert_cmpstr (head_id, ==, get_answer_id (tree.two));
  g_assert_cmpuint (n_messages, ==, 4);
  g_assert_cmpstr (confab_module_get_head_id (get_module (self)), ==, head_id);
  g_assert_cmpuint (confab_module_get_n_messages (get_module (self)), ==, 4);
  g_assert_cmpint (confab_module_get_updated_at (get_module (self)), ==, updated_at);
  settle (self);
  g_assert_cmpstr (self->heard->str, ==, "branch:m:4;module:m;");
  assert_branch (self, "m", WITHOUT_THREE);

  /* and back, by a message that is not the last of its branch */
  switch_to (self, get_answer_id (tree.two_anew), get_answer_id (tree.three));
  assert_branch (self, "m", WITH_THREE);

  service_reopen (self);
  assert_branch (self, "m", WITH_THREE);
  switch_to (self, get_answer_id (tree.two), get_answer_id (tree.two));
  service_reopen (self);
  assert_branch (self, "m", WITHOUT_THREE);
  g_assert_cmpuint (confab_module_get_n_messages (get_module (self)), ==, 4);

  /* what is asked next follows what is visible */
  next = ask (self, "m", "four");
  g_assert_cmpstr (confab_message_get_parent_id (confab_generation_get_question (next)), ==,
                   get_answer_id (tree.two));
  g_assert_cmpuint (confab_prompt_get_n_turns (await_run (self, 0)->prompt), ==, 5);
}

/* Nothing is written for what can be seen already, and nobody is told. */
static void
test_visible (ServiceFixture *self, gconstpointer data)
{
  g_auto (Tree) tree = grow_tree (self);
  GAsyncResult *result = NULL;
  g_autofree char *head_id = NULL;
  guint64 n_messages = 0;

  service_fill_disk ();
  begin_switch (self, get_question_id (tree.one), &result);
  head_id = end_switch (self, &result, &n_messages, NULL);
  service_free_disk ();
  g_assert_cmpstr (head_id, ==, get_answer_id (tree.three));
  g_assert_cmpuint (n_messages, ==, 6);
  settle (self);
  g_assert_cmpstr (self->heard->str, ==, "");
}

static void
test_refused (ServiceFixture *self, gconstpointer data)
{
  g_auto (Tree) tree = grow_tree (self);
  g_autoptr (ConfabGeneration) elsewhere = converse (self, "n", "one", "1");
  const struct
  {
    const char *module_id;
    const char *message_id;
    ConfabError code;
  } cases[] = {
    { NULL, get_answer_id (tree.two), CONFAB_ERROR_INVALID_REQUEST },
    { "m", NULL, CONFAB_ERROR_INVALID_REQUEST },
    { "m", "no id", CONFAB_ERROR_INVALID_REQUEST },
    { "x", get_answer_id (tree.two), CONFAB_ERROR_UNKNOWN_MODULE },
    { "m", "nobody", CONFAB_ERROR_UNKNOWN_MESSAGE },
    { "m", get_answer_id (elsewhere), CONFAB_ERROR_UNKNOWN_MESSAGE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (JsonObject) payload =
          fields ("moduleId", cases[i].module_id, "messageId", cases[i].message_id, NULL);
      GAsyncResult *result = NULL;

      confab_service_switch_branch_async (self->service, payload, store_ready_cb, &result);
      assert_switch_fails (self, &result, cases[i].code);
    }
  assert_branch (self, "m", WITH_THREE);
}

/* Also while a question waits for its turn, or is not even on disk. */
static void
test_busy (ServiceFixture *self, gconstpointer data)
{
  g_auto (Tree) tree = grow_tree (self);
  g_autoptr (JsonObject) payload = fields ("moduleId", "m", "message", "four", NULL);
  g_autoptr (GAsyncResult) asked = NULL;
  g_autoptr (ConfabGeneration) four = NULL;
  g_autofree char *head = NULL;
  gboolean repeated;

  confab_service_generate_async (self->service, payload, store_ready_cb, &asked);
  assert_not_switched (self, get_answer_id (tree.two), CONFAB_ERROR_BUSY);
  wait_for (&asked);
  four = confab_service_generate_finish (self->service, asked, &repeated, NULL);
  head = dup_head (self);
  assert_not_switched (self, get_answer_id (tree.two), CONFAB_ERROR_BUSY);
  g_assert_cmpstr (confab_module_get_head_id (get_module (self)), ==, head);

  answer (self, four, 4, "4");
  settle (self);
  switch_to (self, get_answer_id (tree.two), get_answer_id (tree.two));
}

static void
assert_branches (ConfabMessage *message, guint index, guint count)
{
  const ConfabBranches *branches = confab_message_get_branches (message);

  if (count == 1)
    {
      g_assert_null (branches);
      return;
    }
  g_assert_nonnull (branches);
  g_assert_cmpuint (branches->index, ==, index);
  g_assert_cmpuint (branches->count, ==, count);
}

static void
assert_history_branches (ServiceFixture *self, const guint (*expected)[2], guint n)
{
  g_autoptr (GPtrArray) messages = NULL;
  gboolean more;

  messages = get_history (self, fields ("moduleId", "m", NULL), &more, NULL);
  g_assert_cmpuint (messages->len, ==, n);
  for (guint i = 0; i < n; i++)
    assert_branches (messages->pdata[i], expected[i][0], expected[i][1]);
}

/* Those who follow are told of siblings with the start, others with the history. */
static void
test_siblings (ServiceFixture *self, gconstpointer data)
{
  static const guint first[][2] = { { 1, 1 }, { 1, 1 }, { 1, 1 }, { 2, 2 }, { 1, 1 }, { 1, 1 } };
  static const guint third[][2] = { { 1, 1 }, { 1, 1 }, { 1, 1 }, { 3, 3 } };
  static const guint edited[][2] = { { 1, 1 }, { 1, 1 }, { 2, 2 }, { 1, 1 } };
  static const guint old[][2] = { { 1, 1 }, { 1, 1 }, { 1, 2 }, { 4, 4 } };
  g_auto (Tree) tree = grow_tree (self);
  g_autoptr (ConfabGeneration) anew = NULL;
  g_autoptr (ConfabGeneration) other = NULL;
  g_autoptr (ConfabGeneration) back = NULL;
  const ConfabBranches *branches;

  assert_branches (confab_generation_get_question (tree.one), 1, 1);
  assert_branches (confab_generation_get_answer (tree.one), 1, 1);
  assert_branches (confab_generation_get_question (tree.two_anew), 1, 1);
  assert_branches (confab_generation_get_answer (tree.two_anew), 2, 2);
  assert_branches (confab_generation_get_question (tree.three), 1, 1);
  assert_history_branches (self, first, G_N_ELEMENTS (first));

  /* while it runs too */
  anew = regenerate (self, fields ("moduleId", "m", "messageId", get_question_id (tree.two), NULL));
  branches = confab_message_get_branches (confab_generation_get_answer (anew));
  g_assert_cmpuint (branches->index, ==, 3);
  g_assert_cmpuint (branches->count, ==, 3);
  g_assert_cmpstr (branches->previous_id, ==, get_answer_id (tree.two_anew));
  g_assert_null (branches->next_id);
  assert_history_branches (self, third, G_N_ELEMENTS (third));
  answer (self, anew, 4, "2''");

  other = regenerate (self, fields ("moduleId", "m", "messageId", get_question_id (tree.two),
                                    "message", "deux", NULL));
  assert_branches (confab_generation_get_question (other), 2, 2);
  assert_branches (confab_generation_get_answer (other), 1, 1);
  assert_history_branches (self, edited, G_N_ELEMENTS (edited));
  answer (self, other, 5, "2'''");

  /* the question of a hidden branch is told where it stands */
  back = regenerate (self, fields ("moduleId", "m", "messageId", get_question_id (tree.two), NULL));
  assert_branches (confab_generation_get_question (back), 1, 2);
  assert_branches (confab_generation_get_answer (back), 4, 4);
  assert_history_branches (self, old, G_N_ELEMENTS (old));
}

/* Two of one question, the second of which waits for its turn. */
static void
test_siblings_queued (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (JsonObject) payload = NULL;
  g_autoptr (ConfabGeneration) one = converse (self, "m", "one", "1");
  GAsyncResult *results[2] = { NULL };

  confab_service_set_queue (self->service, TRUE);
  payload = fields ("moduleId", "m", "messageId", get_question_id (one), NULL);
  for (guint i = 0; i < 2; i++)
    confab_service_regenerate_async (self->service, payload, store_ready_cb, &results[i]);
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (ConfabGeneration) generation = NULL;
      gboolean repeated;

      wait_for (&results[i]);
      generation = confab_service_generate_finish (self->service, results[i], &repeated, NULL);
      assert_branches (confab_generation_get_answer (generation), i + 2, i + 2);
      g_object_unref (results[i]);
    }
}

/* A head that others follow already, as an import may bring it. */
static void
test_siblings_of_hidden (ServiceFixture *self, gconstpointer data)
{
  g_autofree char *last = NULL;
  const ConfabBranches *branches;

  {
    g_auto (Tree) tree = grow_tree (self);
    g_autoptr (ConfabBatch) batch = confab_batch_new (CONFAB_BATCH_RELAXED);

    last = g_strdup (get_question_id (tree.three));
    confab_batch_set_head (batch, "m", get_answer_id (tree.two_anew), 1);
    commit_ok (self->store, batch);
  }
  service_reopen (self);
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (ConfabGeneration) next = converse (self, "m", "more", "yes");

      branches = confab_message_get_branches (confab_generation_get_question (next));
      if (i == 1)
        {
          g_assert_null (branches);
          continue;
        }
      g_assert_cmpuint (branches->index, ==, 2);
      g_assert_cmpuint (branches->count, ==, 2);
      g_assert_cmpstr (branches->previous_id, ==, last);
    }
}

/* Races: while the store looks for the end of the branch, and while it writes */

static void
test_question_waits (ServiceFixture *self, gconstpointer data)
{
  gboolean is_writing = GPOINTER_TO_INT (data);
  g_auto (Tree) tree = grow_tree (self);
  g_autoptr (JsonObject) payload = fields ("moduleId", "m", "message", "four", NULL);
  g_autoptr (GAsyncResult) asked = NULL;
  g_autoptr (ConfabGeneration) four = NULL;
  GAsyncResult *result = NULL;
  gboolean repeated;

  begin_switch (self, get_answer_id (tree.two), &result);
  if (is_writing)
    await_writing (self, get_answer_id (tree.three));
  confab_service_generate_async (self->service, payload, store_ready_cb, &asked);
  g_assert_null (confab_module_get_running (get_module (self)));
  assert_switch_ends (self, &result, get_answer_id (tree.two));
  wait_for (&asked);
  four = confab_service_generate_finish (self->service, asked, &repeated, NULL);
  g_assert_cmpstr (confab_message_get_parent_id (confab_generation_get_question (four)), ==,
                   get_answer_id (tree.two));
  answer (self, four, 4, "4");
  assert_branch (self, "m", WITHOUT_THREE "user:four;assistant:4;");
  g_assert_true (g_str_has_prefix (self->heard->str, "branch:m:4;module:m;started:four;"));
}

/* Two that ask the same are one question. */
static void
test_repeat_waits (ServiceFixture *self, gconstpointer data)
{
  g_auto (Tree) tree = grow_tree (self);
  g_autoptr (JsonObject) payload =
      fields ("moduleId", "m", "message", "four", "requestId", "r", NULL);
  GAsyncResult *asked[2] = { NULL };
  GAsyncResult *result = NULL;

  begin_switch (self, get_answer_id (tree.two), &result);
  await_writing (self, get_answer_id (tree.three));
  for (guint i = 0; i < 2; i++)
    confab_service_generate_async (self->service, payload, store_ready_cb, &asked[i]);
  assert_switch_ends (self, &result, get_answer_id (tree.two));
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (ConfabGeneration) generation = NULL;
      gboolean repeated;

      wait_for (&asked[i]);
      generation = confab_service_generate_finish (self->service, asked[i], &repeated, NULL);
      g_assert_nonnull (generation);
      g_assert_cmpint (repeated, ==, i == 1);
      g_object_unref (asked[i]);
    }
}

/* “The last” is that of the branch which is visible when it is decided. */
static void
test_regenerate_looks_again (ServiceFixture *self, gconstpointer data)
{
  g_auto (Tree) tree = grow_tree (self);
  g_autoptr (JsonObject) payload = fields ("moduleId", "m", NULL);
  g_autoptr (GAsyncResult) asked = NULL;
  g_autoptr (ConfabGeneration) anew = NULL;
  GAsyncResult *result = NULL;
  gboolean repeated;

  /* its reads queue behind the switch's, each a step later */
  begin_switch (self, get_answer_id (tree.two), &result);
  confab_service_regenerate_async (self->service, payload, store_ready_cb, &asked);
  assert_switch_ends (self, &result, get_answer_id (tree.two));
  wait_for (&asked);
  anew = confab_service_generate_finish (self->service, asked, &repeated, NULL);
  g_assert_cmpstr (get_question_id (anew), ==, get_question_id (tree.two));
  assert_branches (confab_generation_get_answer (anew), 3, 3);
  answer (self, anew, 4, "2''");
  assert_branch (self, "m", "user:one;assistant:1;user:two;assistant:2'';");
}

static void
test_regenerate_waits (ServiceFixture *self, gconstpointer data)
{
  g_auto (Tree) tree = grow_tree (self);
  g_autoptr (JsonObject) payload = fields ("moduleId", "m", NULL);
  g_autoptr (GAsyncResult) asked = NULL;
  g_autoptr (ConfabGeneration) anew = NULL;
  GAsyncResult *result = NULL;
  gboolean repeated;

  begin_switch (self, get_answer_id (tree.two), &result);
  await_writing (self, get_answer_id (tree.three));
  confab_service_regenerate_async (self->service, payload, store_ready_cb, &asked);
  assert_switch_ends (self, &result, get_answer_id (tree.two));
  wait_for (&asked);
  anew = confab_service_generate_finish (self->service, asked, &repeated, NULL);
  g_assert_cmpstr (get_question_id (anew), ==, get_question_id (tree.two));
}

static void
test_full (ServiceFixture *self, gconstpointer data)
{
  g_auto (Tree) tree = grow_tree (self);

  service_fill_disk ();
  service_expect_refusal ();
  assert_not_switched (self, get_answer_id (tree.two), CONFAB_ERROR_STORAGE);
  g_test_assert_expected_messages ();
  service_free_disk ();
  settle (self);
  g_assert_cmpstr (confab_module_get_head_id (get_module (self)), ==, get_answer_id (tree.three));
  g_assert_cmpuint (confab_module_get_n_messages (get_module (self)), ==, 6);
  g_assert_cmpstr (self->heard->str, ==, "");
  assert_branch (self, "m", WITH_THREE);

  switch_to (self, get_answer_id (tree.two), get_answer_id (tree.two));
  assert_branch (self, "m", WITHOUT_THREE);
}

static void
free_disk_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  service_free_disk ();
  store_ready_cb (source, result, user_data);
}

/* A question that waited for a switch which fails follows the branch that stays. */
static void
test_question_after_full (ServiceFixture *self, gconstpointer data)
{
  g_auto (Tree) tree = grow_tree (self);
  g_autoptr (JsonObject) payload =
      fields ("moduleId", "m", "messageId", get_answer_id (tree.two), NULL);
  g_autoptr (JsonObject) question = fields ("moduleId", "m", "message", "four", NULL);
  g_autoptr (GAsyncResult) asked = NULL;
  g_autoptr (ConfabGeneration) four = NULL;
  GAsyncResult *result = NULL;
  gboolean repeated;

  service_fill_disk ();
  service_expect_refusal ();
  confab_service_switch_branch_async (self->service, payload, free_disk_cb, &result);
  await_writing (self, get_answer_id (tree.three));
  confab_service_generate_async (self->service, question, store_ready_cb, &asked);
  assert_switch_fails (self, &result, CONFAB_ERROR_STORAGE);
  g_test_assert_expected_messages ();
  wait_for (&asked);
  four = confab_service_generate_finish (self->service, asked, &repeated, NULL);
  answer (self, four, 4, "4");
  assert_branch (self, "m", WITH_THREE "user:four;assistant:4;");
}

/* Both fail, and the old branch is there with nothing behind it. */
static void
test_full_for_both (ServiceFixture *self, gconstpointer data)
{
  g_auto (Tree) tree = grow_tree (self);
  g_autoptr (JsonObject) question = fields ("moduleId", "m", "message", "four", NULL);
  g_autoptr (GAsyncResult) asked = NULL;
  g_autoptr (GError) error = NULL;
  GAsyncResult *result = NULL;
  gboolean repeated;

  service_fill_disk ();
  service_expect_refusal ();
  service_expect_refusal ();
  begin_switch (self, get_answer_id (tree.two), &result);
  await_writing (self, get_answer_id (tree.three));
  confab_service_generate_async (self->service, question, store_ready_cb, &asked);
  assert_switch_fails (self, &result, CONFAB_ERROR_STORAGE);
  wait_for (&asked);
  g_assert_null (confab_service_generate_finish (self->service, asked, &repeated, &error));
  g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_STORAGE);
  g_test_assert_expected_messages ();
  service_free_disk ();
  g_assert_cmpstr (confab_module_get_head_id (get_module (self)), ==, get_answer_id (tree.three));
  assert_branch (self, "m", WITH_THREE);
}

/* A question that cannot be kept goes back to the branch that was chosen before it. */
static void
test_rolls_back_to_switched (ServiceFixture *self, gconstpointer data)
{
  g_auto (Tree) tree = grow_tree (self);

  switch_to (self, get_answer_id (tree.two), get_answer_id (tree.two));
  service_fill_disk ();
  service_expect_refusal ();
  assert_not_generated (self, GENERATE, fields ("moduleId", "m", "message", "four", NULL),
                        CONFAB_ERROR_STORAGE);
  g_test_assert_expected_messages ();
  service_free_disk ();
  g_assert_cmpstr (confab_module_get_head_id (get_module (self)), ==, get_answer_id (tree.two));
  g_assert_cmpuint (confab_module_get_n_messages (get_module (self)), ==, 4);
  assert_branch (self, "m", WITHOUT_THREE);
}

static void
test_two_at_once (ServiceFixture *self, gconstpointer data)
{
  g_auto (Tree) tree = grow_tree (self);
  GAsyncResult *results[3] = { NULL };

  begin_switch (self, get_answer_id (tree.two), &results[0]);
  begin_switch (self, get_answer_id (tree.three), &results[1]);
  begin_switch (self, get_answer_id (tree.two), &results[2]);
  assert_switch_ends (self, &results[0], get_answer_id (tree.two));
  assert_switch_ends (self, &results[1], get_answer_id (tree.three));
  assert_switch_ends (self, &results[2], get_answer_id (tree.two));
  settle (self);
  g_assert_cmpstr (self->heard->str, ==,
                   "branch:m:4;module:m;branch:m:6;module:m;branch:m:4;module:m;");
  assert_branch (self, "m", WITHOUT_THREE);
}

static void
test_two_to_the_same (ServiceFixture *self, gconstpointer data)
{
  g_auto (Tree) tree = grow_tree (self);
  GAsyncResult *results[2] = { NULL };

  for (guint i = 0; i < 2; i++)
    begin_switch (self, get_answer_id (tree.two), &results[i]);
  for (guint i = 0; i < 2; i++)
    assert_switch_ends (self, &results[i], get_answer_id (tree.two));
  settle (self);
  g_assert_cmpstr (self->heard->str, ==, "branch:m:4;module:m;");
}

static void
delete_module (ServiceFixture *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ConfabModule) module =
      change_module (self, "module:delete", fields ("moduleId", "m", NULL), &error);

  g_assert_no_error (error);
}

static void
test_deleted (ServiceFixture *self, gconstpointer data)
{
  gboolean is_writing = GPOINTER_TO_INT (data);
  g_auto (Tree) tree = grow_tree (self);
  g_autoptr (JsonObject) question = fields ("moduleId", "m", "message", "new", NULL);
  g_autoptr (GAsyncResult) asked = NULL;
  g_autoptr (ConfabGeneration) generation = NULL;
  GAsyncResult *results[2] = { NULL };
  gboolean repeated;

  begin_switch (self, get_answer_id (tree.two), &results[0]);
  if (is_writing)
    await_writing (self, get_answer_id (tree.three));
  begin_switch (self, get_answer_id (tree.three), &results[1]);
  confab_service_generate_async (self->service, question, store_ready_cb, &asked);
  delete_module (self);
  assert_switch_fails (self, &results[0], CONFAB_ERROR_UNKNOWN_MODULE);
  assert_switch_fails (self, &results[1], CONFAB_ERROR_UNKNOWN_MODULE);
  /* the question that waited is the first of a new one */
  wait_for (&asked);
  generation = confab_service_generate_finish (self->service, asked, &repeated, NULL);
  answer (self, generation, 4, "4");
  assert_branch (self, "m", "user:new;assistant:4;");
  g_assert_null (strstr (self->heard->str, "branch:"));
}

/* Made anew under the same id: that one has no such message. */
static void
test_deleted_and_made_anew (ServiceFixture *self, gconstpointer data)
{
  g_auto (Tree) tree = grow_tree (self);
  g_autoptr (JsonObject) deletion = fields ("moduleId", "m", NULL);
  g_autoptr (GAsyncResult) deleted = NULL;
  g_autoptr (ConfabModule) module = NULL;
  GAsyncResult *result = NULL;

  begin_switch (self, get_answer_id (tree.two), &result);
  confab_service_change_module_async (self->service, "module:delete", deletion, store_ready_cb,
                                      &deleted);
  module =
      change_module (self, "module:create",
                     fields ("sessionId", CONFAB_DEFAULT_SESSION, "moduleId", "m", NULL), NULL);
  assert_switch_fails (self, &result, CONFAB_ERROR_UNKNOWN_MESSAGE);
  wait_for (&deleted);
  g_assert_null (confab_module_get_head_id (module));
}

/* A deletion that fails brings back the branch that was visible. */
static void
test_deletion_refused (ServiceFixture *self, gconstpointer data)
{
  g_auto (Tree) tree = grow_tree (self);
  g_autoptr (GError) error = NULL;

  switch_to (self, get_answer_id (tree.two), get_answer_id (tree.two));
  service_fill_disk ();
  service_expect_refusal ();
  g_assert_null (change_module (self, "module:delete", fields ("moduleId", "m", NULL), &error));
  g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_STORAGE);
  g_test_assert_expected_messages ();
  service_free_disk ();
  g_assert_cmpstr (confab_module_get_head_id (get_module (self)), ==, get_answer_id (tree.two));
  assert_branch (self, "m", WITHOUT_THREE);
  service_reopen (self);
  assert_branch (self, "m", WITHOUT_THREE);
}

/* Before its end is known it is refused; once it is being written it is done. */
static void
test_shutdown (ServiceFixture *self, gconstpointer data)
{
  gboolean is_writing = GPOINTER_TO_INT (data);
  g_auto (Tree) tree = grow_tree (self);
  GAsyncResult *results[2] = { NULL };

  begin_switch (self, get_answer_id (tree.two), &results[0]);
  if (is_writing)
    await_writing (self, get_answer_id (tree.three));
  begin_switch (self, get_answer_id (tree.three), &results[1]);
  g_assert_true (shut_down (self, NULL));
  if (is_writing)
    assert_switch_ends (self, &results[0], get_answer_id (tree.two));
  else
    assert_switch_fails (self, &results[0], CONFAB_ERROR_SHUTTING_DOWN);
  assert_switch_fails (self, &results[1], CONFAB_ERROR_SHUTTING_DOWN);
  assert_not_switched (self, get_answer_id (tree.two), CONFAB_ERROR_SHUTTING_DOWN);

  service_reopen (self);
  assert_branch (self, "m", is_writing ? WITHOUT_THREE : WITH_THREE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD_WITH(path, func, data)                                                                 \
  g_test_add ("/confab/service-branches/" path, ServiceFixture, data, service_set_up_on_disk,      \
              func, service_tear_down)
#define ADD(path, func) ADD_WITH (path, func, NULL)
  ADD ("switch", test_switch);
  ADD ("visible", test_visible);
  ADD ("refused", test_refused);
  ADD ("busy", test_busy);
  ADD ("siblings", test_siblings);
  ADD ("siblings-queued", test_siblings_queued);
  ADD ("siblings-of-hidden", test_siblings_of_hidden);
  ADD_WITH ("question-waits-for-look", test_question_waits, GINT_TO_POINTER (FALSE));
  ADD_WITH ("question-waits-for-write", test_question_waits, GINT_TO_POINTER (TRUE));
  ADD ("repeat-waits", test_repeat_waits);
  ADD ("regenerate-looks-again", test_regenerate_looks_again);
  ADD ("regenerate-waits", test_regenerate_waits);
  ADD ("full", test_full);
  ADD ("question-after-full", test_question_after_full);
  ADD ("full-for-both", test_full_for_both);
  ADD ("rolls-back-to-switched", test_rolls_back_to_switched);
  ADD ("two-at-once", test_two_at_once);
  ADD ("two-to-the-same", test_two_to_the_same);
  ADD_WITH ("deleted-while-looking", test_deleted, GINT_TO_POINTER (FALSE));
  ADD_WITH ("deleted-while-writing", test_deleted, GINT_TO_POINTER (TRUE));
  ADD ("deleted-and-made-anew", test_deleted_and_made_anew);
  ADD ("deletion-refused", test_deletion_refused);
  ADD_WITH ("shutdown-while-looking", test_shutdown, GINT_TO_POINTER (FALSE));
  ADD_WITH ("shutdown-while-writing", test_shutdown, GINT_TO_POINTER (TRUE));

  return g_test_run ();
}

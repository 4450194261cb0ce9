/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-branching-fixture.h"

static void
test_switch (ServiceFixture *self, gconstpointer data)
{
  g_auto (Tree) tree = grow_tree (self);
  g_autoptr (ConfabGeneration) next = NULL;
  GAsyncResult *result = NULL;
  g_autofree char *head_id = NULL;
  gint64 updated_at = confab_module_get_updated_at (lookup_module (self, "m"));
  guint64 n_messages = 0;

  begin_switch (self, answer_id (tree.two), &result);
  head_id = end_switch (self, &result, &n_messages, NULL);
  g_assert_cmpstr (head_id, ==, answer_id (tree.two));
  g_assert_cmpuint (n_messages, ==, 4);
  assert_head (self, head_id, 4);
  g_assert_cmpint (confab_module_get_updated_at (lookup_module (self, "m")), ==, updated_at);
  settle (self);
  g_assert_cmpstr (self->heard->str, ==, "branch:m:4;module:m;");
  assert_branch (self, "m", WITHOUT_THREE);

  /* and back, by a message that is not the last of its branch */
  switch_to (self, answer_id (tree.two_anew), answer_id (tree.three));
  assert_branch (self, "m", WITH_THREE);

  service_reopen (self);
  assert_branch (self, "m", WITH_THREE);
  switch_to (self, answer_id (tree.two), answer_id (tree.two));
  service_reopen (self);
  assert_branch (self, "m", WITHOUT_THREE);
  assert_head (self, answer_id (tree.two), 4);

  /* what is asked next follows what is visible */
  next = ask (self, "m", "four");
  g_assert_cmpstr (confab_message_get_parent_id (confab_generation_get_question (next)), ==,
                   answer_id (tree.two));
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
  begin_switch (self, question_id (tree.one), &result);
  head_id = end_switch (self, &result, &n_messages, NULL);
  service_free_disk ();
  g_assert_cmpstr (head_id, ==, answer_id (tree.three));
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
    { NULL, answer_id (tree.two), CONFAB_ERROR_INVALID_REQUEST },
    { "m", NULL, CONFAB_ERROR_INVALID_REQUEST },
    { "m", "no id", CONFAB_ERROR_INVALID_REQUEST },
    { "x", answer_id (tree.two), CONFAB_ERROR_UNKNOWN_MODULE },
    { "m", "nobody", CONFAB_ERROR_UNKNOWN_MESSAGE },
    { "m", answer_id (elsewhere), CONFAB_ERROR_UNKNOWN_MESSAGE },
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
  g_autoptr (ConfabGeneration) four = NULL;
  GAsyncResult *asked = NULL;

  begin_four (self, &asked);
  assert_not_switched (self, answer_id (tree.two), CONFAB_ERROR_BUSY);
  four = assert_asking_ends (self, &asked);
  assert_not_switched (self, answer_id (tree.two), CONFAB_ERROR_BUSY);
  assert_head (self, answer_id (four), 8);

  answer (self, four, 4, "4");
  settle (self);
  switch_to (self, answer_id (tree.two), answer_id (tree.two));
}

static void
assert_history_branches (ServiceFixture *self, const guint (*expected)[2], guint n)
{
  g_autoptr (GPtrArray) messages = NULL;
  gboolean more;

  messages = get_history (self, fields ("moduleId", "m", NULL), &more, NULL);
  g_assert_cmpuint (messages->len, ==, n);
  for (guint i = 0; i < n; i++)
    assert_siblings (messages->pdata[i], expected[i][0], expected[i][1]);
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

  assert_siblings (confab_generation_get_question (tree.one), 1, 1);
  assert_siblings (confab_generation_get_answer (tree.one), 1, 1);
  assert_siblings (confab_generation_get_question (tree.two_anew), 1, 1);
  assert_siblings (confab_generation_get_answer (tree.two_anew), 2, 2);
  assert_siblings (confab_generation_get_question (tree.three), 1, 1);
  assert_history_branches (self, first, G_N_ELEMENTS (first));

  /* while it runs too */
  anew = regenerate (self, fields ("moduleId", "m", "messageId", question_id (tree.two), NULL));
  branches = confab_message_get_branches (confab_generation_get_answer (anew));
  g_assert_cmpuint (branches->index, ==, 3);
  g_assert_cmpuint (branches->count, ==, 3);
  g_assert_cmpstr (branches->previous_id, ==, answer_id (tree.two_anew));
  g_assert_null (branches->next_id);
  assert_history_branches (self, third, G_N_ELEMENTS (third));
  answer (self, anew, 4, "2''");

  other = regenerate (
      self, fields ("moduleId", "m", "messageId", question_id (tree.two), "message", "deux", NULL));
  assert_siblings (confab_generation_get_question (other), 2, 2);
  assert_siblings (confab_generation_get_answer (other), 1, 1);
  assert_history_branches (self, edited, G_N_ELEMENTS (edited));
  answer (self, other, 5, "2'''");

  /* the question of a hidden branch is told where it stands */
  back = regenerate (self, fields ("moduleId", "m", "messageId", question_id (tree.two), NULL));
  assert_siblings (confab_generation_get_question (back), 1, 2);
  assert_siblings (confab_generation_get_answer (back), 4, 4);
  assert_history_branches (self, old, G_N_ELEMENTS (old));
}

/* Two of one question, the second of which waits for its turn. */
static void
test_siblings_queued (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ConfabGeneration) one = converse (self, "m", "one", "1");
  GAsyncResult *results[2] = { NULL };

  confab_service_set_queue (self->service, TRUE);
  for (guint i = 0; i < 2; i++)
    begin_asking (self, "ai:chat:regenerate",
                  fields ("moduleId", "m", "messageId", question_id (one), NULL), &results[i]);
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (ConfabGeneration) generation = assert_asking_ends (self, &results[i]);

      assert_siblings (confab_generation_get_answer (generation), i + 2, i + 2);
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

    last = g_strdup (question_id (tree.three));
    confab_batch_set_head (batch, "m", answer_id (tree.two_anew), 1);
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

int
main (int argc, char **argv)
{
  static const ServiceTest tests[] = {
    { "switch", test_switch },
    { "visible", test_visible },
    { "refused", test_refused },
    { "busy", test_busy },
    { "siblings", test_siblings },
    { "siblings-queued", test_siblings_queued },
    { "siblings-of-hidden", test_siblings_of_hidden },
  };

  g_test_init (&argc, &argv, NULL);
  service_add_tests_on_disk ("branches", tests, G_N_ELEMENTS (tests));

  return g_test_run ();
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-branching-fixture.h"

/* Until the new head is decided, and on its way to the disk. */
static void
await_writing (ServiceFixture *self, const char *head_before)
{
  while (g_strcmp0 (confab_module_get_head_id (lookup_module (self, "m")), head_before) == 0)
    g_main_context_iteration (NULL, TRUE);
}

/* Races: while the store looks for the end of the branch, and while it writes */

static void
test_question_waits (ServiceFixture *self, gconstpointer data)
{
  gboolean is_writing = GPOINTER_TO_INT (data);
  g_auto (Tree) tree = grow_tree (self);
  g_autoptr (ConfabGeneration) four = NULL;
  GAsyncResult *result = NULL, *asked = NULL;

  begin_switch (self, answer_id (tree.two), &result);
  if (is_writing)
    await_writing (self, answer_id (tree.three));
  begin_four (self, &asked);
  g_assert_null (confab_module_get_running (lookup_module (self, "m")));
  assert_switch_ends (self, &result, answer_id (tree.two));
  four = assert_asking_ends (self, &asked);
  g_assert_cmpstr (confab_message_get_parent_id (confab_generation_get_question (four)), ==,
                   answer_id (tree.two));
  answer (self, four, 4, "4");
  assert_branch (self, "m", WITHOUT_THREE "user:four;assistant:4;");
  g_assert_true (g_str_has_prefix (self->heard->str, "branch:m:4;module:m;started:four;"));
}

/* Two that ask the same are one question. */
static void
test_repeat_waits (ServiceFixture *self, gconstpointer data)
{
  g_auto (Tree) tree = grow_tree (self);
  GAsyncResult *asked[2] = { NULL };
  GAsyncResult *result = NULL;

  begin_switch (self, answer_id (tree.two), &result);
  await_writing (self, answer_id (tree.three));
  for (guint i = 0; i < 2; i++)
    begin_asking (self, "ai:chat:generate",
                  fields ("moduleId", "m", "message", "four", "requestId", "r", NULL), &asked[i]);
  assert_switch_ends (self, &result, answer_id (tree.two));
  for (guint i = 0; i < 2; i++)
    {
      gboolean repeated;
      g_autoptr (ConfabGeneration) generation = end_asking (self, &asked[i], &repeated, NULL);

      g_assert_nonnull (generation);
      g_assert_cmpint (repeated, ==, i == 1);
    }
}

/* “The last” is that of the branch which is visible when it is decided. */
static void
test_regenerate_looks_again (ServiceFixture *self, gconstpointer data)
{
  g_auto (Tree) tree = grow_tree (self);
  g_autoptr (ConfabGeneration) anew = NULL;
  GAsyncResult *result = NULL, *asked = NULL;

  /* its reads queue behind the switch's, each a step later */
  begin_switch (self, answer_id (tree.two), &result);
  begin_asking (self, "ai:chat:regenerate", fields ("moduleId", "m", NULL), &asked);
  assert_switch_ends (self, &result, answer_id (tree.two));
  anew = assert_asking_ends (self, &asked);
  g_assert_cmpstr (question_id (anew), ==, question_id (tree.two));
  assert_siblings (confab_generation_get_answer (anew), 3, 3);
  answer (self, anew, 4, "2''");
  assert_branch (self, "m", "user:one;assistant:1;user:two;assistant:2'';");
}

static void
test_regenerate_waits (ServiceFixture *self, gconstpointer data)
{
  g_auto (Tree) tree = grow_tree (self);
  g_autoptr (ConfabGeneration) anew = NULL;
  GAsyncResult *result = NULL, *asked = NULL;

  begin_switch (self, answer_id (tree.two), &result);
  await_writing (self, answer_id (tree.three));
  begin_asking (self, "ai:chat:regenerate", fields ("moduleId", "m", NULL), &asked);
  assert_switch_ends (self, &result, answer_id (tree.two));
  anew = assert_asking_ends (self, &asked);
  g_assert_cmpstr (question_id (anew), ==, question_id (tree.two));
}

static void
test_full (ServiceFixture *self, gconstpointer data)
{
  g_auto (Tree) tree = grow_tree (self);

  service_fill_disk ();
  service_expect_refusal ();
  assert_not_switched (self, answer_id (tree.two), CONFAB_ERROR_STORAGE);
  g_test_assert_expected_messages ();
  service_free_disk ();
  settle (self);
  assert_head (self, answer_id (tree.three), 6);
  g_assert_cmpstr (self->heard->str, ==, "");
  assert_branch (self, "m", WITH_THREE);

  switch_to (self, answer_id (tree.two), answer_id (tree.two));
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
      fields ("moduleId", "m", "messageId", answer_id (tree.two), NULL);
  g_autoptr (ConfabGeneration) four = NULL;
  GAsyncResult *result = NULL, *asked = NULL;

  service_fill_disk ();
  service_expect_refusal ();
  confab_service_switch_branch_async (self->service, payload, free_disk_cb, &result);
  await_writing (self, answer_id (tree.three));
  begin_four (self, &asked);
  assert_switch_fails (self, &result, CONFAB_ERROR_STORAGE);
  g_test_assert_expected_messages ();
  four = assert_asking_ends (self, &asked);
  answer (self, four, 4, "4");
  assert_branch (self, "m", WITH_THREE "user:four;assistant:4;");
}

/* Both fail, and the old branch is there with nothing behind it. */
static void
test_full_for_both (ServiceFixture *self, gconstpointer data)
{
  g_auto (Tree) tree = grow_tree (self);
  GAsyncResult *result = NULL, *asked = NULL;

  service_fill_disk ();
  service_expect_refusal ();
  service_expect_refusal ();
  begin_switch (self, answer_id (tree.two), &result);
  await_writing (self, answer_id (tree.three));
  begin_four (self, &asked);
  assert_switch_fails (self, &result, CONFAB_ERROR_STORAGE);
  assert_asking_fails (self, &asked, CONFAB_ERROR_STORAGE);
  g_test_assert_expected_messages ();
  service_free_disk ();
  assert_head (self, answer_id (tree.three), 6);
  assert_branch (self, "m", WITH_THREE);
}

/* A question that cannot be kept goes back to the branch that was chosen before it. */
static void
test_rolls_back_to_switched (ServiceFixture *self, gconstpointer data)
{
  g_auto (Tree) tree = grow_tree (self);

  switch_to (self, answer_id (tree.two), answer_id (tree.two));
  service_fill_disk ();
  service_expect_refusal ();
  assert_not_generated (self, "ai:chat:generate", fields ("moduleId", "m", "message", "four", NULL),
                        CONFAB_ERROR_STORAGE);
  g_test_assert_expected_messages ();
  service_free_disk ();
  assert_head (self, answer_id (tree.two), 4);
  assert_branch (self, "m", WITHOUT_THREE);
}

static void
test_two_at_once (ServiceFixture *self, gconstpointer data)
{
  g_auto (Tree) tree = grow_tree (self);
  GAsyncResult *results[3] = { NULL };

  begin_switch (self, answer_id (tree.two), &results[0]);
  begin_switch (self, answer_id (tree.three), &results[1]);
  begin_switch (self, answer_id (tree.two), &results[2]);
  assert_switch_ends (self, &results[0], answer_id (tree.two));
  assert_switch_ends (self, &results[1], answer_id (tree.three));
  assert_switch_ends (self, &results[2], answer_id (tree.two));
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
    begin_switch (self, answer_id (tree.two), &results[i]);
  for (guint i = 0; i < 2; i++)
    assert_switch_ends (self, &results[i], answer_id (tree.two));
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
  g_autoptr (ConfabGeneration) generation = NULL;
  GAsyncResult *results[2] = { NULL }, *asked = NULL;

  begin_switch (self, answer_id (tree.two), &results[0]);
  if (is_writing)
    await_writing (self, answer_id (tree.three));
  begin_switch (self, answer_id (tree.three), &results[1]);
  begin_asking (self, "ai:chat:generate", fields ("moduleId", "m", "message", "new", NULL), &asked);
  delete_module (self);
  assert_switch_fails (self, &results[0], CONFAB_ERROR_UNKNOWN_MODULE);
  assert_switch_fails (self, &results[1], CONFAB_ERROR_UNKNOWN_MODULE);
  /* the question that waited is the first of a new one */
  generation = assert_asking_ends (self, &asked);
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

  begin_switch (self, answer_id (tree.two), &result);
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

  switch_to (self, answer_id (tree.two), answer_id (tree.two));
  service_fill_disk ();
  service_expect_refusal ();
  g_assert_null (change_module (self, "module:delete", fields ("moduleId", "m", NULL), &error));
  g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_STORAGE);
  g_test_assert_expected_messages ();
  service_free_disk ();
  assert_head (self, answer_id (tree.two), 4);
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

  begin_switch (self, answer_id (tree.two), &results[0]);
  if (is_writing)
    await_writing (self, answer_id (tree.three));
  begin_switch (self, answer_id (tree.three), &results[1]);
  g_assert_true (shut_down (self, NULL));
  if (is_writing)
    assert_switch_ends (self, &results[0], answer_id (tree.two));
  else
    assert_switch_fails (self, &results[0], CONFAB_ERROR_SHUTTING_DOWN);
  assert_switch_fails (self, &results[1], CONFAB_ERROR_SHUTTING_DOWN);
  assert_not_switched (self, answer_id (tree.two), CONFAB_ERROR_SHUTTING_DOWN);

  service_reopen (self);
  assert_branch (self, "m", is_writing ? WITHOUT_THREE : WITH_THREE);
}

int
main (int argc, char **argv)
{
  static const ServiceTest tests[] = {
    { "question-waits-for-look", test_question_waits, GINT_TO_POINTER (FALSE) },
    { "question-waits-for-write", test_question_waits, GINT_TO_POINTER (TRUE) },
    { "repeat-waits", test_repeat_waits },
    { "regenerate-looks-again", test_regenerate_looks_again },
    { "regenerate-waits", test_regenerate_waits },
    { "full", test_full },
    { "question-after-full", test_question_after_full },
    { "full-for-both", test_full_for_both },
    { "rolls-back-to-switched", test_rolls_back_to_switched },
    { "two-at-once", test_two_at_once },
    { "two-to-the-same", test_two_to_the_same },
    { "deleted-while-looking", test_deleted, GINT_TO_POINTER (FALSE) },
    { "deleted-while-writing", test_deleted, GINT_TO_POINTER (TRUE) },
    { "deleted-and-made-anew", test_deleted_and_made_anew },
    { "deletion-refused", test_deletion_refused },
    { "shutdown-while-looking", test_shutdown, GINT_TO_POINTER (FALSE) },
    { "shutdown-while-writing", test_shutdown, GINT_TO_POINTER (TRUE) },
  };

  g_test_init (&argc, &argv, NULL);
  service_add_tests_on_disk ("branch-races", tests, G_N_ELEMENTS (tests));

  return g_test_run ();
}

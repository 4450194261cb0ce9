/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-store-branches.h"

#include "confab-db.h"
#include "confab-store-fixture.h"

/* "LEAF N" of the branch of "m" through that message, with "*" if it is the visible one. */
static char *
describe_end (ConfabStore *store, const char *message_id, const char **parent_id)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (ConfabBranchEnd) end = NULL;
  g_autoptr (GError) error = NULL;

  confab_store_branch_end_async (store, "m", message_id, store_ready_cb, &result);
  wait_for (&result);
  end = confab_store_branch_end_finish (store, result, &error);
  g_assert_no_error (error);
  if (parent_id != NULL)
    *parent_id = g_intern_string (end->parent_id);

  return g_strdup_printf ("%s %" G_GUINT64_FORMAT "%s", end->leaf_id, end->n_messages,
                          end->visible ? "*" : "");
}

static void
assert_end (ConfabStore *store, const char *message_id, const char *expected)
{
  g_autofree char *end = describe_end (store, message_id, NULL);

  g_assert_cmpstr (end, ==, expected);
}

/* "2/3 PREVIOUS NEXT", or "-" without siblings. */
static char *
describe_branches (const ConfabBranches *branches)
{
  if (branches == NULL)
    return g_strdup ("-");

  return g_strdup_printf ("%" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT " %s %s", branches->index,
                          branches->count,
                          branches->previous_id != NULL ? branches->previous_id : "",
                          branches->next_id != NULL ? branches->next_id : "");
}

static ConfabFork *
read_fork (ConfabStore *store, const char *module_id, const char *message_id, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  confab_store_fork_async (store, module_id, message_id, store_ready_cb, &result);
  wait_for (&result);

  return confab_store_fork_finish (store, result, error);
}

static void
assert_branches (ConfabStore *store, const char *message_id, const char *expected)
{
  g_autoptr (ConfabFork) fork = read_fork (store, "m", message_id, NULL);
  g_autofree char *branches = describe_branches (fork->branches);

  g_assert_cmpstr (branches, ==, expected);
}

/* Of one more message that follows @parent_id. */
static void
assert_next (ConfabStore *store, const char *parent_id, const char *expected)
{
  g_autoptr (ConfabFork) fork = read_fork (store, "m", parent_id, NULL);
  g_autofree char *branches = describe_branches (fork->next);

  g_assert_cmpstr (branches, ==, expected);
}

static void
put_more (ConfabStore *store, const char *parent_id, const char *id)
{
  g_autoptr (ConfabBatch) batch = confab_batch_new (CONFAB_BATCH_RELAXED);

  put_message (batch, "m", parent_id, id, CONFAB_STATE_COMPLETED, id);
  commit_ok (store, batch);
}

static void
set_head (ConfabStore *store, const char *head_id)
{
  g_autoptr (ConfabBatch) batch = confab_batch_new (CONFAB_BATCH_RELAXED);

  confab_batch_set_head (batch, "m", head_id, 5);
  commit_ok (store, batch);
}

static void
test_end (Fixture *self, gconstpointer data)
{
  ConfabStore *store = open_store (self->path);
  g_autofree char *end = NULL;
  const char *parent_id;

  put_tree (store);
  assert_end (store, "a2", "a3 6");
  assert_end (store, "a3", "a3 6");
  assert_end (store, "q3", "a3 6");
  /* those that both have in common lead to the visible one */
  assert_end (store, "q1", "b3 6*");
  assert_end (store, "q2", "b3 6*");
  assert_end (store, "b3", "b3 6*");

  end = describe_end (store, "a2", &parent_id);
  g_assert_cmpstr (parent_id, ==, "q2");
  g_free (end);
  end = describe_end (store, "q1", &parent_id);
  g_assert_null (parent_id);
  close_store (store);
}

/* At each fork the newest one, however long the others are. */
static void
test_newest_at_each_fork (Fixture *self, gconstpointer data)
{
  ConfabStore *store = open_store (self->path);

  put_tree (store);
  put_more (store, "a2", "s3");
  assert_end (store, "a2", "s3 5");
  put_more (store, "q3", "c3");
  assert_end (store, "a2", "s3 5");
  assert_end (store, "q3", "c3 6");
  put_more (store, "s3", "d3");
  assert_end (store, "a2", "d3 6");
  close_store (store);
}

/* A head that others follow, as an import may bring, stays what is visible. */
static void
test_head_within_a_branch (Fixture *self, gconstpointer data)
{
  ConfabStore *store = open_store (self->path);

  put_tree (store);
  set_head (store, "q2");
  assert_end (store, "q1", "q2 3*");
  assert_end (store, "q2", "q2 3*");
  assert_end (store, "b2", "b3 6");
  set_head (store, NULL);
  assert_end (store, "q1", "b3 6");
  close_store (store);
}

static void
test_first_messages (Fixture *self, gconstpointer data)
{
  g_autoptr (ConfabBatch) batch = confab_batch_new (CONFAB_BATCH_RELAXED);
  ConfabStore *store = open_store (self->path);

  put_tree (store);
  assert_branches (store, "q1", "-");
  assert_next (store, NULL, "2/2 q1 ");
  put_more (store, NULL, "z1");
  put_more (store, "z1", "z2");
  assert_branches (store, "q1", "1/2  z1");
  assert_branches (store, "z1", "2/2 q1 ");
  assert_branches (store, "z2", "-");
  assert_end (store, "z1", "z2 2");

  /* those of another module are no siblings */
  put_module (batch, "s", "n", "Another");
  put_message (batch, "n", NULL, "n1", CONFAB_STATE_COMPLETED, "in n");
  put_message (batch, "n", NULL, "q1", CONFAB_STATE_COMPLETED, "in n");
  commit_ok (store, batch);
  assert_branches (store, "z1", "2/2 q1 ");
  assert_next (store, NULL, "3/3 z1 ");
  close_store (store);
}

static void
test_siblings (Fixture *self, gconstpointer data)
{
  ConfabStore *store = open_store (self->path);

  put_tree (store);
  assert_branches (store, "q2", "-");
  assert_branches (store, "a2", "1/2  b2");
  assert_branches (store, "b2", "2/2 a2 ");
  put_more (store, "q2", "c2");
  assert_branches (store, "a2", "1/3  b2");
  assert_branches (store, "b2", "2/3 a2 c2");
  assert_branches (store, "c2", "3/3 b2 ");
  assert_next (store, "q2", "4/4 c2 ");
  assert_next (store, "c2", "-");
  close_store (store);
}

/* Each message of a page has them, those of a whole branch have not. */
static void
test_siblings_of_page (Fixture *self, gconstpointer data)
{
  static const char *const expected[] = { "1/2  z1", "-", "-", "2/3 a2 c2", "-", "-" };
  ConfabStore *store = open_store (self->path);
  g_autoptr (GPtrArray) page = NULL;
  g_autoptr (GPtrArray) whole = NULL;
  gboolean more;

  put_tree (store);
  put_more (store, "q2", "c2");
  put_more (store, NULL, "z1");
  page = history (store, "m", NULL, 10, &more, NULL);
  assert_ids (page, "q1 a1 q2 b2 r3 b3");
  for (guint i = 0; i < page->len; i++)
    {
      const ConfabMessageRecord *message = page->pdata[i];
      g_autofree char *branches = describe_branches (message->branches);

      g_assert_cmpstr (branches, ==, expected[i]);
    }

  whole = branch (store, "m", NULL);
  for (guint i = 0; i < whole->len; i++)
    g_assert_null (((ConfabMessageRecord *) whole->pdata[i])->branches);
  close_store (store);
}

static void
test_not_found (Fixture *self, gconstpointer data)
{
  static const char *const places[][2] = { { "m", "nobody" }, { "other", "q1" } };
  ConfabStore *store = open_store (self->path);

  put_tree (store);
  for (guint i = 0; i < G_N_ELEMENTS (places); i++)
    {
      g_autoptr (GAsyncResult) end = NULL;
      g_autoptr (GError) no_end = NULL;
      g_autoptr (GError) no_fork = NULL;

      confab_store_branch_end_async (store, places[i][0], places[i][1], store_ready_cb, &end);
      wait_for (&end);
      g_assert_null (confab_store_branch_end_finish (store, end, &no_end));
      g_assert_error (no_end, CONFAB_STORE_ERROR, CONFAB_STORE_ERROR_NOT_FOUND);

      g_assert_null (read_fork (store, places[i][0], places[i][1], &no_fork));
      g_assert_error (no_fork, CONFAB_STORE_ERROR, CONFAB_STORE_ERROR_NOT_FOUND);
    }
  close_store (store);
}

/* Measures; asserts only that the answers are right. */
static void
test_ten_thousand (Fixture *self, gconstpointer data)
{
  g_autoptr (ConfabBatch) batch = confab_batch_new (CONFAB_BATCH_RELAXED);
  ConfabStore *store = open_store (self->path);
  g_autoptr (GPtrArray) page = NULL;
  gboolean more;
  gint64 start;

  put_ground (store);
  put_message (batch, "m", NULL, "root", CONFAB_STATE_COMPLETED, "root");
  for (guint i = 0; i < 10000; i++)
    {
      g_autofree char *id = g_strdup_printf ("m%u", i);
      g_autofree char *parent = i > 0 ? g_strdup_printf ("m%u", i - 1) : g_strdup ("root");
      g_autofree char *other = g_strdup_printf ("o%u", i);

      put_message (batch, "m", parent, other, CONFAB_STATE_COMPLETED, "other");
      put_message (batch, "m", parent, id, CONFAB_STATE_COMPLETED, "text");
    }
  confab_batch_set_head (batch, "m", "o0", 1);
  commit_ok (store, batch);

  start = g_get_monotonic_time ();
  assert_end (store, "m0", "m9999 10001");
  g_test_message ("the leaf below 10,000 took %.1f ms", (g_get_monotonic_time () - start) / 1000.0);

  set_head (store, "m9999");
  start = g_get_monotonic_time ();
  assert_end (store, "m0", "m9999 10001*");
  assert_end (store, "o0", "o0 2");
  g_test_message ("twice up 10,000 took %.1f ms", (g_get_monotonic_time () - start) / 1000.0);

  start = g_get_monotonic_time ();
  page = history (store, "m", NULL, 200, &more, NULL);
  g_test_message ("a page of 200 with siblings took %.1f ms",
                  (g_get_monotonic_time () - start) / 1000.0);
  g_assert_cmpuint (page->len, ==, 200);
  for (guint i = 0; i < page->len; i++)
    g_assert_cmpuint (((ConfabMessageRecord *) page->pdata[i])->branches->index, ==, 2);
  close_store (store);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD(path, func)                                                                            \
  g_test_add ("/confab/store-branches/" path, Fixture, NULL, fixture_set_up, func,                 \
              fixture_tear_down)
  ADD ("end", test_end);
  ADD ("newest-at-each-fork", test_newest_at_each_fork);
  ADD ("head-within-a-branch", test_head_within_a_branch);
  ADD ("first-messages", test_first_messages);
  ADD ("siblings", test_siblings);
  ADD ("siblings-of-page", test_siblings_of_page);
  ADD ("not-found", test_not_found);
  ADD ("ten-thousand", test_ten_thousand);

  return g_test_run ();
}

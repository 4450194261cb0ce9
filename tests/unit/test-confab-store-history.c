/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-store-fixture.h"

static void
test_history_pages (Fixture *self, gconstpointer data)
{
  ConfabStore *store = open_store (self->path);

  put_tree (store);
  assert_history (store, NULL, 2, "r3 b3", TRUE);
  assert_history (store, "r3", 2, "q2 b2", TRUE);
  assert_history (store, "q2", 2, "q1 a1", FALSE);
  assert_history (store, "q1", 2, "", FALSE);
  assert_history (store, NULL, 6, "q1 a1 q2 b2 r3 b3", FALSE);
  assert_history (store, NULL, 5, "a1 q2 b2 r3 b3", TRUE);
  assert_history (store, NULL, G_MAXUINT, "q1 a1 q2 b2 r3 b3", FALSE);
  close_store (store);
}

static void
test_history_before_hidden (Fixture *self, gconstpointer data)
{
  ConfabStore *store = open_store (self->path);

  put_tree (store);
  /* a3 follows the visible q1, a1, q2 */
  assert_history (store, "a3", 10, "q1 a1 q2", FALSE);
  assert_history (store, "a2", 1, "q2", TRUE);
  close_store (store);
}

static void
test_history_of_changed_head (Fixture *self, gconstpointer data)
{
  g_autoptr (ConfabBatch) other = confab_batch_new (CONFAB_BATCH_RELAXED);
  g_autoptr (ConfabBatch) none = confab_batch_new (CONFAB_BATCH_RELAXED);
  g_autoptr (ConfabOverview) overview = NULL;
  ConfabStore *store = open_store (self->path);
  ConfabModuleRecord *module;

  put_tree (store);
  confab_batch_set_head (other, "m", "q3", 4);
  commit_ok (store, other);
  assert_history (store, NULL, 10, "q1 a1 q2 a2 q3", FALSE);
  assert_history (store, "b3", 10, "q1 a1 q2", FALSE);

  overview = confab_store_read_overview (store, NULL);
  module = overview->modules->pdata[0];
  g_assert_cmpstr (module->head_id, ==, "q3");
  g_assert_cmpuint (module->n_messages, ==, 5);

  confab_batch_set_head (none, "m", NULL, 5);
  commit_ok (store, none);
  assert_history (store, NULL, 10, "", FALSE);
  assert_history (store, "b3", 10, "", FALSE);
  close_store (store);
}

static void
test_history_two_roots (Fixture *self, gconstpointer data)
{
  g_autoptr (ConfabBatch) batch = confab_batch_new (CONFAB_BATCH_RELAXED);
  ConfabStore *store = open_store (NULL);

  put_tree (store);
  put_message (batch, "m", NULL, "z1", CONFAB_STATE_COMPLETED, "anew");
  put_message (batch, "m", "z1", "z2", CONFAB_STATE_COMPLETED, "anew");
  confab_batch_set_head (batch, "m", "z2", 3);
  commit_ok (store, batch);
  assert_history (store, NULL, 10, "z1 z2", FALSE);
  assert_history (store, "b3", 10, "", FALSE);
  close_store (store);
}

static void
test_history_not_found (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) no_module = NULL;
  g_autoptr (GError) no_message = NULL;
  ConfabStore *store = open_store (self->path);

  put_tree (store);
  g_assert_null (history (store, "other", NULL, 5, NULL, &no_module));
  g_assert_error (no_module, CONFAB_STORE_ERROR, CONFAB_STORE_ERROR_NOT_FOUND);
  g_assert_null (history (store, "m", "nobody", 5, NULL, &no_message));
  g_assert_error (no_message, CONFAB_STORE_ERROR, CONFAB_STORE_ERROR_NOT_FOUND);
  close_store (store);
}

static void
test_branches (Fixture *self, gconstpointer data)
{
  ConfabStore *store = open_store (self->path);
  g_autoptr (GPtrArray) visible = NULL;
  g_autoptr (GPtrArray) hidden = NULL;
  g_autoptr (GPtrArray) part = NULL;

  put_tree (store);
  visible = branch (store, "m", NULL);
  assert_ids (visible, "q1 a1 q2 b2 r3 b3");
  hidden = branch (store, "m", "a3");
  assert_ids (hidden, "q1 a1 q2 a2 q3 a3");
  part = branch (store, "m", "q2");
  assert_ids (part, "q1 a1 q2");
  close_store (store);
}

/* The same ids in another module are other messages. */
static void
test_ids_belong_to_modules (Fixture *self, gconstpointer data)
{
  g_autoptr (ConfabBatch) batch = confab_batch_new (CONFAB_BATCH_RELAXED);
  g_autoptr (ConfabBatch) alien = confab_batch_new (CONFAB_BATCH_RELAXED);
  g_autoptr (ConfabMessageRecord) message = NULL;
  g_autoptr (GError) error = NULL;
  ConfabStore *store = open_store (NULL);

  put_tree (store);
  put_module (batch, "s", "n", "Another");
  put_message (batch, "n", NULL, "q1", CONFAB_STATE_COMPLETED, "in n");
  commit_ok (store, batch);
  message = get_message (store, "n", "q1");
  g_assert_cmpstr (message->text, ==, "in n");
  assert_history (store, NULL, 10, "q1 a1 q2 b2 r3 b3", FALSE);

  put_message (alien, "n", "a1", "x", CONFAB_STATE_COMPLETED, "a parent of m");
  g_assert_false (commit (store, alien, &error));
  g_assert_error (error, CONFAB_STORE_ERROR, CONFAB_STORE_ERROR_INVALID);
  close_store (store);
}

/* Times run backwards from row to row; nothing comes out in another order for that. */
static void
test_clock_going_backwards (Fixture *self, gconstpointer data)
{
  g_autoptr (ConfabBatch) batch = confab_batch_new (CONFAB_BATCH_RELAXED);
  g_autoptr (ConfabOverview) overview = NULL;
  g_autoptr (ConfabExchange) last = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  ConfabStore *store = open_store (self->path);

  put_ground (store);
  confab_batch_put_session (batch,
                            &(ConfabSessionRecord){ (char *) "s0", (char *) "later", -5, -5 });
  for (int i = 0; i < 6; i++)
    {
      g_autofree char *id = g_strdup_printf ("c%d", i);
      g_autofree char *parent = i > 0 ? g_strdup_printf ("c%d", i - 1) : NULL;
      g_autofree char *generation = g_strdup_printf ("g%d", i);

      confab_batch_put_message (batch, &(ConfabMessageRecord){ .id = id,
                                                               .module_id = (char *) "m",
                                                               .parent_id = parent,
                                                               .parts = (char *) "[]",
                                                               .state = CONFAB_STATE_COMPLETED,
                                                               .created_at = 1000 - 100 * i });
      confab_batch_put_generation (batch,
                                   &(ConfabGenerationRecord){ .id = generation,
                                                              .module_id = (char *) "m",
                                                              .question_id = id,
                                                              .answer_id = id,
                                                              .state = CONFAB_STATE_COMPLETED,
                                                              .created_at = 1000 - 100 * i });
    }
  confab_batch_set_head (batch, "m", "c5", 0);
  commit_ok (store, batch);

  assert_history (store, NULL, 4, "c2 c3 c4 c5", TRUE);
  assert_history (store, "c2", 4, "c0 c1", FALSE);
  overview = confab_store_read_overview (store, NULL);
  g_assert_cmpstr (((ConfabSessionRecord *) overview->sessions->pdata[1])->id, ==, "s0");

  confab_store_last_generation_async (store, "m", NULL, store_ready_cb, &result);
  wait_for (&result);
  last = confab_store_exchange_finish (store, result, NULL);
  g_assert_cmpstr (last->generation->id, ==, "g5");
  close_store (store);
}

static double
ms_since (gint64 start)
{
  return (g_get_monotonic_time () - start) / 1000.0;
}

/* Ten thousand messages of a thousand bytes in "m", one after the other, "m0" to "m9999". */
static void
put_ten_thousand (ConfabStore *store)
{
  g_autoptr (ConfabBatch) batch = confab_batch_new (CONFAB_BATCH_RELAXED);
  g_autofree char *words = g_strnfill (1000, 'x');
  gint64 start;

  for (guint i = 0; i < 1000; i += 8)
    words[i] = ' ';
  put_ground (store);
  for (guint i = 0; i < 10000; i++)
    {
      g_autofree char *id = g_strdup_printf ("m%u", i);
      g_autofree char *parent = i > 0 ? g_strdup_printf ("m%u", i - 1) : NULL;

      put_message (batch, "m", parent, id, CONFAB_STATE_COMPLETED, words);
    }
  confab_batch_set_head (batch, "m", "m9999", 1);
  start = g_get_monotonic_time ();
  commit_ok (store, batch);
  g_test_message ("10,000 messages of 1,000 bytes written in %.0f ms", ms_since (start));
}

/* Measures; asserts only that the answers are right. */
static void
test_ten_thousand (Fixture *self, gconstpointer data)
{
  g_autoptr (ConfabBatch) end = confab_batch_new (CONFAB_BATCH_RELAXED);
  g_autoptr (ConfabOverview) overview = NULL;
  ConfabStore *store = open_store (self->path);
  double worst = 0;
  gint64 start;

  put_ten_thousand (store);
  close_store (store);

  start = g_get_monotonic_time ();
  store = open_store (self->path);
  g_assert_true (confab_store_recover (store, NULL, NULL));
  overview = confab_store_read_overview (store, NULL);
  g_test_message ("opened, recovered and read the overview in %.1f ms", ms_since (start));
  g_assert_cmpuint (((ConfabModuleRecord *) overview->modules->pdata[0])->n_messages, ==, 10000);

  for (int before = 10000; before > 0; before -= 1000)
    {
      g_autofree char *id = before < 10000 ? g_strdup_printf ("m%d", before) : NULL;
      g_autofree char *first = g_strdup_printf ("m%d", before - 200);
      g_autoptr (GPtrArray) page = NULL;
      gboolean more;

      start = g_get_monotonic_time ();
      page = history (store, "m", id, 200, &more, NULL);
      worst = MAX (worst, ms_since (start));
      g_assert_cmpuint (page->len, ==, 200);
      g_assert_cmpstr (((ConfabMessageRecord *) page->pdata[0])->id, ==, first);
      g_assert_true (more);
    }
  g_test_message ("the slowest page of 200 took %.1f ms", worst);

  start = g_get_monotonic_time ();
  g_ptr_array_unref (branch (store, "m", NULL));
  g_test_message ("the whole branch took %.1f ms", ms_since (start));
  start = g_get_monotonic_time ();
  g_ptr_array_unref (search (store, "xxxxxxx x", 20));
  g_test_message ("a search that finds all of them took %.1f ms", ms_since (start));

  start = g_get_monotonic_time ();
  confab_batch_delete_module (end, "m");
  commit_ok (store, end);
  g_test_message ("deleting the module took %.0f ms", ms_since (start));
  close_store (store);
}

int
main (int argc, char **argv)
{
  static const StoreTest tests[] = {
    { "history-pages", test_history_pages },
    { "history-before-hidden", test_history_before_hidden },
    { "history-of-changed-head", test_history_of_changed_head },
    { "history-two-roots", test_history_two_roots },
    { "history-not-found", test_history_not_found },
    { "branches", test_branches },
    { "ids-belong-to-modules", test_ids_belong_to_modules },
    { "clock-going-backwards", test_clock_going_backwards },
    { "ten-thousand", test_ten_thousand },
  };

  g_test_init (&argc, &argv, NULL);
  store_add_tests ("store/history", tests, G_N_ELEMENTS (tests));

  return g_test_run ();
}

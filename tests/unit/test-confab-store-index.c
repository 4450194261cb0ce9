/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "confab-import-reader.h"
#include "confab-store-fixture.h"
#include "confab-store-index.h"
#include "confab-store-merge.h"

/* Far more than is indexed in one go. */
#define N_MESSAGES 3000

static ConfabStaging *
stage_many (void)
{
  g_autoptr (GString) text = g_string_new (
      "{\"format\":\"confab-export\",\"version\":1,\"records\":["
      "{\"type\":\"session\",\"sessionId\":\"s\",\"title\":\"Far session\","
      "\"createdAt\":1,\"updatedAt\":1},"
      "{\"type\":\"module\",\"moduleId\":\"m\",\"sessionId\":\"s\",\"title\":\"Far module\","
      "\"titleIsAuto\":false,\"createdAt\":1,\"updatedAt\":1}");
  g_autoptr (ConfabImportReader) reader = NULL;
  g_autoptr (GError) error = NULL;
  ConfabStaging *staging = confab_staging_new ();

  for (guint i = 0; i < N_MESSAGES; i++)
    g_string_append_printf (text,
                            ",{\"type\":\"message\",\"messageId\":\"m%u\",\"role\":\"user\","
                            "\"state\":\"completed\",\"createdAt\":1,"
                            "\"parts\":[{\"type\":\"text\",\"text\":\"all number%04u\"}]}",
                            i, i);
  g_string_append (text, "]}");
  reader = confab_import_reader_new (staging);
  confab_import_reader_feed (reader, text->str, text->len, &error);
  g_assert_no_error (error);
  confab_import_reader_finish (reader, &error);
  g_assert_no_error (error);

  return staging;
}

/* Merges it, as session "s2" with module "m2". */
static void
begin_merge (ConfabStore *store, GAsyncResult **result)
{
  static const char *const session_ids[] = { "s2", NULL };
  static const char *const module_ids[] = { "m2", NULL };
  g_autoptr (ConfabStaging) staging = stage_many ();

  confab_store_merge_async (store, staging, session_ids, module_ids, NULL, store_ready_cb, result);
}

static void
assert_found (ConfabStore *store, const char *query, guint n)
{
  g_autoptr (GPtrArray) found = search (store, query, 200);

  g_assert_cmpuint (found->len, ==, n);
}

static void
index_all (ConfabStore *store)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  confab_store_index_async (store, store_ready_cb, &result);
  wait_for (&result);
  confab_store_index_finish (store, result, &error);
  g_assert_no_error (error);
}

/* A store in which all is written and nothing indexed, as it is after a crash. */
static ConfabStore *
open_unindexed (Fixture *self)
{
  ConfabStore *store = open_store (self->path);
  g_autoptr (GAsyncResult) merged = NULL;
  g_autoptr (GError) error = NULL;

  put_ground (store);
  g_assert_true (confab_store_is_indexed (store));
  begin_merge (store, &merged);
  g_assert_true (confab_store_close (store, -1, &error));
  g_assert_no_error (error);
  wait_for (&merged);
  /* it is on the disk */
  confab_store_merge_finish (store, merged, &error);
  g_assert_no_error (error);
  close_store (store);

  return open_store (self->path);
}

static void
test_others_get_between (Fixture *self, gconstpointer data)
{
  ConfabStore *store = open_store (self->path);
  g_autoptr (ConfabBatch) batch = confab_batch_new (CONFAB_BATCH_DURABLE);
  g_autoptr (GAsyncResult) merged = NULL;
  g_autoptr (GAsyncResult) committed = NULL;
  g_autoptr (GError) error = NULL;

  put_ground (store);
  begin_merge (store, &merged);
  put_message (batch, "m", NULL, "mine", CONFAB_STATE_COMPLETED, "mine");
  confab_store_commit_async (store, batch, store_ready_cb, &committed);
  wait_for (&committed);
  g_assert_true (confab_store_commit_finish (store, committed, NULL));
  g_assert_null (merged);
  /* what is indexed at once is found at once */
  assert_found (store, "mine", 1);
  g_assert_null (merged);

  wait_for (&merged);
  confab_store_merge_finish (store, merged, &error);
  g_assert_no_error (error);
  g_assert_true (confab_store_is_indexed (store));
  assert_found (store, "number0000", 1);
  assert_found (store, "number2999", 1);
  assert_found (store, "far", 2);
  close_store (store);
}

static void
test_goes_on_later (Fixture *self, gconstpointer data)
{
  ConfabStore *store = open_unindexed (self);

  g_assert_false (confab_store_is_indexed (store));
  assert_found (store, "number0007", 0);
  index_all (store);
  g_assert_true (confab_store_is_indexed (store));
  assert_found (store, "number0007", 1);
  assert_found (store, "far", 2);
  close_store (store);
}

/* What was renamed or deleted before its turn, and what came to be under the numbers of that. */
static void
test_changed_before_its_turn (Fixture *self, gconstpointer data)
{
  ConfabStore *store = open_unindexed (self);
  g_autoptr (ConfabBatch) deletion = confab_batch_new (CONFAB_BATCH_RELAXED);
  g_autoptr (ConfabBatch) batch = confab_batch_new (CONFAB_BATCH_RELAXED);

  confab_batch_delete_module (deletion, "m2");
  commit_ok (store, deletion);
  put_session (batch, "s2", "Near session");
  put_module (batch, "s2", "m3", "Near module");
  put_message (batch, "m3", NULL, "mine", CONFAB_STATE_COMPLETED, "mine");
  put_message (batch, "m3", NULL, "runs", CONFAB_STATE_STREAMING, "half");
  commit_ok (store, batch);
  index_all (store);

  assert_found (store, "all", 0);
  assert_found (store, "far", 0);
  assert_found (store, "near", 2);
  assert_found (store, "mine", 1);
  assert_found (store, "half", 0);
  close_store (store);
}

/* An answer that ends under such a number is indexed by that, and once. */
static void
test_ended_before_its_turn (Fixture *self, gconstpointer data)
{
  ConfabStore *store = open_unindexed (self);
  g_autoptr (ConfabBatch) deletion = confab_batch_new (CONFAB_BATCH_RELAXED);
  g_autoptr (ConfabBatch) start = confab_batch_new (CONFAB_BATCH_RELAXED);
  g_autoptr (ConfabBatch) end = confab_batch_new (CONFAB_BATCH_RELAXED);

  confab_batch_delete_module (deletion, "m2");
  commit_ok (store, deletion);
  put_message (start, "m", NULL, "runs", CONFAB_STATE_STREAMING, "half");
  commit_ok (store, start);
  put_message (end, "m", NULL, "runs", CONFAB_STATE_COMPLETED, "whole");
  commit_ok (store, end);
  assert_found (store, "whole", 1);
  index_all (store);
  assert_found (store, "whole", 1);
  close_store (store);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD(path, func)                                                                            \
  g_test_add ("/confab/store-index/" path, Fixture, NULL, fixture_set_up, func, fixture_tear_down)
  ADD ("others-get-between", test_others_get_between);
  ADD ("goes-on-later", test_goes_on_later);
  ADD ("changed-before-its-turn", test_changed_before_its_turn);
  ADD ("ended-before-its-turn", test_ended_before_its_turn);

  return g_test_run ();
}

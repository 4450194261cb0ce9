/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib/gstdio.h>
#include <string.h>

#include "confab-error.h"
#include "confab-export.h"
#include "confab-import-reader.h"
#include "confab-import-scanner.h"
#include "confab-service.h"
#include "confab-staging-private.h"
#include "confab-store-cut.h"
#include "confab-store-fixture.h"
#include "confab-store-merge.h"

static ConfabStaging *
stage (const char *text)
{
  g_autoptr (GError) error = NULL;
  ConfabStaging *staging = confab_staging_new ();
  g_autoptr (ConfabImportReader) reader = confab_import_reader_new (staging);

  confab_import_reader_feed (reader, text, strlen (text), &error);
  g_assert_no_error (error);
  confab_import_reader_finish (reader, &error);
  g_assert_no_error (error);

  return staging;
}

static gboolean
merge (ConfabStore *store,
       ConfabStaging *staging,
       const char *session_id,
       const char *module_id,
       GCancellable *cancellable,
       GError **error)
{
  const char *session_ids[] = { session_id, NULL };
  const char *module_ids[] = { module_id, NULL };
  g_autoptr (GAsyncResult) result = NULL;

  confab_store_merge_async (store, staging, session_ids, module_ids, cancellable, store_ready_cb,
                            &result);
  wait_for (&result);

  return confab_store_merge_finish (store, result, error);
}

/* Transfers */

typedef struct
{
  ConfabStore *store;
  GHashTable *ids;
  gboolean ended;
  GError *error;
  guint64 done;
  guint64 total;
} Run;

static gboolean
export_run (ConfabTransfer *transfer, gpointer user_data, GError **error)
{
  Run *run = user_data;

  return confab_export_run (transfer, run->store, run->ids, "test", error);
}

static void
ended_cb (ConfabTransfer *transfer, const GError *error, gpointer user_data)
{
  Run *run = user_data;

  run->ended = TRUE;
  run->error = error != NULL ? g_error_copy (error) : NULL;
}

static void
progress_cb (guint64 done, guint64 total, gpointer user_data)
{
  Run *run = user_data;

  g_assert_cmpuint (done, >, run->done);
  run->done = done;
  run->total = total;
}

/* Returns: what was written; NULL: it failed, see run->error */
static char *
export_text (ConfabStore *store, Run *run)
{
  g_autofree char *path = NULL;
  int fd = g_file_open_tmp ("confab-XXXXXX", &path, NULL);
  g_autoptr (ConfabTransfer) transfer = confab_transfer_new (fd, NULL, progress_cb, run);
  char *text = NULL;

  run->store = store;
  confab_transfer_start (transfer, export_run, ended_cb, run);
  while (!run->ended)
    g_main_context_iteration (NULL, TRUE);
  if (run->error == NULL)
    g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_unlink (path);

  return text;
}

/* What is in @from is in @to as well, under these ids. */
static void
carry (ConfabStore *from, ConfabStore *to, const char *session_id, const char *module_id)
{
  Run run = { NULL };
  g_autofree char *text = export_text (from, &run);
  g_autoptr (ConfabStaging) staging = stage (text);
  g_autoptr (GError) error = NULL;

  merge (to, staging, session_id, module_id, NULL, &error);
  g_assert_no_error (error);
}

/* All but the line with the time. */
static const char *
get_records (const char *text)
{
  const char *records = strstr (text, "\"records\":[");

  g_assert_nonnull (records);

  return records;
}

static void
put_answer (ConfabBatch *batch, const char *id, const char *generation_id, ConfabState state)
{
  ConfabMessageRecord record = {
    .id = (char *) id,
    .module_id = (char *) "m",
    .parent_id = (char *) "r3",
    .role = CONFAB_ROLE_ASSISTANT,
    .parts = (char *) "[{\"type\":\"text\",\"text\":\"half\"}]",
    .state = state,
    .generation_id = (char *) generation_id,
    .has_usage = TRUE,
    .usage = { 1, -1, 0, 7 },
    .created_at = 5,
  };

  confab_batch_put_message (batch, &record);
}

static void
put_answers (ConfabStore *store)
{
  g_autoptr (ConfabBatch) batch = confab_batch_new (CONFAB_BATCH_RELAXED);

  put_tree (store);
  put_answer (batch, "done", "g", CONFAB_STATE_COMPLETED);
  put_answer (batch, "run", "h", CONFAB_STATE_STREAMING);
  put_generation (batch, "m", "g", "r", "r3", "done", CONFAB_STATE_COMPLETED);
  put_generation (batch, "m", "h", NULL, "r3", "run", CONFAB_STATE_STREAMING);
  commit_ok (store, batch);
}

static void
test_round_trip (Fixture *self, gconstpointer data)
{
  ConfabStore *store = open_store (self->path);
  ConfabStore *other = open_store (NULL);
  g_autoptr (ConfabStaging) staging = NULL;
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;
  g_autoptr (GError) error = NULL;
  Run run = { NULL };
  Run again = { NULL };

  put_tree (store);
  first = export_text (store, &run);
  g_assert_no_error (run.error);
  g_assert_cmpuint (run.done, ==, 1);
  g_assert_cmpuint (run.total, ==, 1);

  staging = stage (first);
  merge (other, staging, "s", "m", NULL, &error);
  g_assert_no_error (error);
  second = export_text (other, &again);
  g_assert_cmpstr (get_records (second), ==, get_records (first));
  /* the visible branch, and by its words */
  assert_history (other, NULL, 10, "q1 a1 q2 b2 r3 b3", FALSE);

  close_store (store);
  close_store (other);
}

static void
test_running_is_interrupted (Fixture *self, gconstpointer data)
{
  ConfabStore *store = open_store (self->path);
  ConfabStore *other = open_store (NULL);
  g_autoptr (ConfabMessageRecord) answer = NULL;

  put_answers (store);
  carry (store, other, "s", "m");
  answer = get_message (other, "m", "run");
  g_assert_cmpint (answer->state, ==, CONFAB_STATE_INTERRUPTED);
  g_assert_cmpstr (answer->text, ==, "half");
  g_assert_cmpstr (answer->error_code, ==, "interrupted");

  close_store (store);
  close_store (other);
}

/* A long answer of characters that JSON writes as six bytes each; the longest fits as well. */
G_STATIC_ASSERT (CONFAB_MAX_ANSWER_BYTES * 7 < CONFAB_IMPORT_MAX_RECORD_BYTES);

static void
test_long_answer (Fixture *self, gconstpointer data)
{
  ConfabStore *store = open_store (self->path);
  ConfabStore *other = open_store (NULL);
  g_autoptr (ConfabBatch) batch = confab_batch_new (CONFAB_BATCH_RELAXED);
  g_autofree char *longest = g_strnfill (CONFAB_MAX_ANSWER_BYTES / 16, '\001');
  g_autofree char *parts = confab_parts_new (longest, NULL);
  ConfabMessageRecord record = { .id = (char *) "long",
                                 .module_id = (char *) "m",
                                 .role = CONFAB_ROLE_ASSISTANT,
                                 .parts = parts,
                                 .state = CONFAB_STATE_COMPLETED };
  g_autoptr (ConfabMessageRecord) answer = NULL;

  put_ground (store);
  confab_batch_put_message (batch, &record);
  commit_ok (store, batch);
  carry (store, other, "s", "m");
  answer = get_message (other, "m", "long");
  g_assert_true (g_str_equal (answer->text, longest));

  close_store (store);
  close_store (other);
}

static void
test_merge_behind_what_is_there (Fixture *self, gconstpointer data)
{
  ConfabStore *store = open_store (self->path);
  g_autoptr (GPtrArray) branch_before = NULL;
  g_autoptr (GPtrArray) branch_after = NULL;
  g_autoptr (ConfabExchange) exchange = NULL;
  g_autoptr (GPtrArray) found = NULL;

  put_answers (store);
  carry (store, store, "s2", "m2");

  branch_before = branch (store, "m", NULL);
  branch_after = branch (store, "m2", NULL);
  g_assert_cmpuint (branch_before->len, ==, 6);
  g_assert_cmpuint (branch_after->len, ==, 6);
  for (guint i = 0; i < branch_after->len; i++)
    {
      ConfabMessageRecord *before = branch_before->pdata[i];
      ConfabMessageRecord *after = branch_after->pdata[i];

      g_assert_cmpstr (after->id, ==, before->id);
      g_assert_cmpstr (after->parent_id, ==, before->parent_id);
      g_assert_cmpstr (after->module_id, ==, "m2");
      g_assert_cmpuint (after->depth, ==, before->depth);
    }
  exchange = find_request (store, "m2", "r");
  g_assert_cmpstr (exchange->answer->id, ==, "done");
  g_assert_cmpint (exchange->answer->usage.output_tokens, ==, -1);
  g_assert_cmpint (exchange->answer->usage.cached_input_tokens, ==, 7);
  g_assert_cmpstr (exchange->question->module_id, ==, "m2");
  found = search (store, "b3", 10);
  g_assert_cmpuint (found->len, ==, 2);

  close_store (store);
}

static void
test_merge_of_a_taken_id (Fixture *self, gconstpointer data)
{
  ConfabStore *store = open_store (self->path);
  g_autoptr (ConfabStaging) staging = NULL;
  g_autoptr (ConfabOverview) overview = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  g_autofree char *after = NULL;
  Run run = { NULL };
  Run again = { NULL };

  put_tree (store);
  text = export_text (store, &run);
  staging = stage (text);
  g_assert_false (merge (store, staging, "s2", "m", NULL, &error));
  g_assert_error (error, CONFAB_STORE_ERROR, CONFAB_STORE_ERROR_INVALID);
  after = export_text (store, &again);
  g_assert_cmpstr (get_records (after), ==, get_records (text));

  close_store (store);
}

static void
test_merge_cancelled (Fixture *self, gconstpointer data)
{
  ConfabStore *store = open_store (self->path);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (ConfabStaging) staging = NULL;
  g_autoptr (ConfabOverview) overview = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  Run run = { NULL };

  put_tree (store);
  text = export_text (store, &run);
  staging = stage (text);
  g_cancellable_cancel (cancellable);
  g_assert_false (merge (store, staging, "s2", "m2", cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  overview = confab_store_read_overview (store, NULL);
  g_assert_cmpuint (overview->sessions->len, ==, 1);

  close_store (store);
}

/* What comes after the moment of the cut is not in it, and what was deleted since is told. */
static void
test_cut (Fixture *self, gconstpointer data)
{
  ConfabStore *store = open_store (self->path);
  g_autoptr (ConfabBatch) later = confab_batch_new (CONFAB_BATCH_RELAXED);
  g_autoptr (ConfabBatch) gone = confab_batch_new (CONFAB_BATCH_RELAXED);
  g_autoptr (ConfabCut) cut = NULL;
  g_autoptr (GPtrArray) page = NULL;
  g_autoptr (GArray) seqs = NULL;
  g_autoptr (GError) error = NULL;
  ConfabCutModule *module;

  put_tree (store);
  cut = confab_store_read_cut (store, &error);
  g_assert_no_error (error);
  module = cut->modules->pdata[0];
  put_message (later, "m", "b3", "later", CONFAB_STATE_COMPLETED, "later");
  confab_batch_set_head (later, "m", "later", 9);
  commit_ok (store, later);

  seqs = confab_store_list_messages (store, cut, module, &error);
  g_assert_cmpuint (seqs->len, ==, 9);
  g_assert_cmpstr (module->record->head_id, ==, "b3");
  page = confab_store_read_page (store, module, (gint64 *) (gpointer) seqs->data, 9, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (page->len, ==, 9);

  /* another one gets its id, and its place */
  confab_batch_delete_module (gone, "m");
  put_module (gone, "s", "m", "Another");
  commit_ok (store, gone);
  module->record->created_at--;
  g_assert_null (confab_store_list_messages (store, cut, module, &error));
  g_assert_error (error, CONFAB_STORE_ERROR, CONFAB_STORE_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_assert_null (
      confab_store_read_page (store, module, (gint64 *) (gpointer) seqs->data, 9, &error));
  g_assert_error (error, CONFAB_STORE_ERROR, CONFAB_STORE_ERROR_NOT_FOUND);

  close_store (store);
}

static void
test_pages_are_bounded (Fixture *self, gconstpointer data)
{
  ConfabStore *store = open_store (self->path);
  g_autoptr (ConfabBatch) batch = confab_batch_new (CONFAB_BATCH_RELAXED);
  g_autofree char *text = g_strnfill (100 * 1024, 'x');
  g_autoptr (ConfabCut) cut = NULL;
  g_autoptr (GPtrArray) page = NULL;
  g_autoptr (GArray) seqs = NULL;

  put_ground (store);
  for (guint i = 0; i < 8; i++)
    {
      g_autofree char *id = g_strdup_printf ("x%u", i);

      put_message (batch, "m", NULL, id, CONFAB_STATE_COMPLETED, text);
    }
  commit_ok (store, batch);
  cut = confab_store_read_cut (store, NULL);
  seqs = confab_store_list_messages (store, cut, cut->modules->pdata[0], NULL);
  page = confab_store_read_page (store, cut->modules->pdata[0], (gint64 *) (gpointer) seqs->data,
                                 seqs->len, NULL);
  g_assert_cmpuint (seqs->len, ==, 8);
  g_assert_cmpuint (page->len, ==, 3);

  close_store (store);
}

static void
test_export_of_an_unknown_session (Fixture *self, gconstpointer data)
{
  ConfabStore *store = open_store (self->path);
  g_autoptr (GHashTable) ids = g_hash_table_new (g_str_hash, g_str_equal);
  Run run = { .ids = ids };

  put_tree (store);
  g_hash_table_add (ids, (char *) "s");
  g_hash_table_add (ids, (char *) "t");
  g_assert_null (export_text (store, &run));
  g_assert_error (run.error, CONFAB_ERROR, CONFAB_ERROR_UNKNOWN_SESSION);
  g_clear_error (&run.error);

  close_store (store);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD(path, func)                                                                            \
  g_test_add ("/confab/transfer/" path, Fixture, NULL, fixture_set_up, func, fixture_tear_down)
  ADD ("round-trip", test_round_trip);
  ADD ("running-is-interrupted", test_running_is_interrupted);
  ADD ("long-answer", test_long_answer);
  ADD ("merge-behind-what-is-there", test_merge_behind_what_is_there);
  ADD ("merge-of-a-taken-id", test_merge_of_a_taken_id);
  ADD ("merge-cancelled", test_merge_cancelled);
  ADD ("cut", test_cut);
  ADD ("pages-are-bounded", test_pages_are_bounded);
  ADD ("export-of-an-unknown-session", test_export_of_an_unknown_session);

  return g_test_run ();
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-store-fixture.h"

#include <glib/gstdio.h>
#include <sched.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/mount.h>

void
remove_tree (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);

      if (g_file_test (path, G_FILE_TEST_IS_DIR) && !g_file_test (path, G_FILE_TEST_IS_SYMLINK))
        remove_tree (path);
      else
        g_unlink (path);
    }
  g_rmdir (folder);
}

void
fixture_set_up (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  self->folder = g_dir_make_tmp ("confab-store-XXXXXX", &error);
  g_assert_no_error (error);
  self->path = g_build_filename (self->folder, "confab.db", NULL);
}

void
fixture_tear_down (Fixture *self, gconstpointer data)
{
  remove_tree (self->folder);
  g_free (self->folder);
  g_free (self->path);
}

void
store_add_tests (const char *prefix, const StoreTest *tests, gsize n_tests)
{
  for (gsize i = 0; i < n_tests; i++)
    {
      g_autofree char *path = g_strdup_printf ("/%s/%s", prefix, tests[i].name);

      g_test_add (path, Fixture, NULL, fixture_set_up, tests[i].func, fixture_tear_down);
    }
}

gboolean
mount_small (const char *folder, const char *size)
{
  return unshare (CLONE_NEWNS) == 0 && mount ("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0
         && mount ("tmpfs", folder, "tmpfs", 0, size) == 0;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

char *
snapshot (const char *folder)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  GString *lines = g_string_new (NULL);
  const char *name;

  g_assert_nonnull (dir);
  while ((name = g_dir_read_name (dir)) != NULL)
    g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, compare_names);

  for (guint i = 0; i < names->len; i++)
    {
      g_autofree char *path = g_build_filename (folder, names->pdata[i], NULL);
      g_autofree char *bytes = NULL;
      g_autofree char *sum = NULL;
      gsize length = 0;
      GStatBuf info;

      g_assert_cmpint (g_stat (path, &info), ==, 0);
      if (S_ISREG (info.st_mode))
        g_assert_true (g_file_get_contents (path, &bytes, &length, NULL));
      sum = g_compute_checksum_for_data (G_CHECKSUM_SHA256, (const guchar *) bytes, length);
      g_string_append_printf (lines, "%s %o %" G_GSIZE_FORMAT " %ld.%09ld %s\n",
                              (const char *) names->pdata[i], info.st_mode, length,
                              (long) info.st_mtim.tv_sec, (long) info.st_mtim.tv_nsec, sum);
    }

  return g_string_free (lines, FALSE);
}

ConfabStore *
open_store (const char *path)
{
  g_autoptr (GError) error = NULL;
  ConfabStore *store = confab_store_open (path, &error);

  g_assert_no_error (error);
  g_assert_nonnull (store);

  return store;
}

void
close_store (ConfabStore *store)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (confab_store_close (store, -1, &error));
  g_assert_no_error (error);
  g_object_unref (store);
}

void
store_ready_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GAsyncResult **slot = user_data;

  g_assert_null (*slot);
  *slot = g_object_ref (result);
}

void
wait_for (GAsyncResult **result)
{
  while (*result == NULL)
    g_main_context_iteration (NULL, TRUE);
}

gboolean
commit (ConfabStore *store, ConfabBatch *batch, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  confab_store_commit_async (store, batch, store_ready_cb, &result);
  wait_for (&result);

  return confab_store_commit_finish (store, result, error);
}

void
commit_ok (ConfabStore *store, ConfabBatch *batch)
{
  g_autoptr (GError) error = NULL;
  gboolean ok = commit (store, batch, &error);

  g_assert_no_error (error);
  g_assert_true (ok);
}

GPtrArray *
history (ConfabStore *store,
         const char *module_id,
         const char *before_id,
         guint limit,
         gboolean *more,
         GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  confab_store_history_async (store, module_id, before_id, limit, NULL, store_ready_cb, &result);
  wait_for (&result);

  return confab_store_history_finish (store, result, more, error);
}

GPtrArray *
branch (ConfabStore *store, const char *module_id, const char *leaf_id)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  GPtrArray *messages;

  confab_store_branch_async (store, module_id, leaf_id, NULL, store_ready_cb, &result);
  wait_for (&result);
  messages = confab_store_branch_finish (store, result, &error);
  g_assert_no_error (error);

  return messages;
}

ConfabMessageRecord *
get_message (ConfabStore *store, const char *module_id, const char *message_id)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  ConfabMessageRecord *message;

  confab_store_get_message_async (store, module_id, message_id, NULL, store_ready_cb, &result);
  wait_for (&result);
  message = confab_store_get_message_finish (store, result, &error);
  g_assert_no_error (error);

  return message;
}

ConfabExchange *
find_request (ConfabStore *store, const char *module_id, const char *request_id)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  ConfabExchange *exchange;

  confab_store_find_request_async (store, module_id, request_id, NULL, store_ready_cb, &result);
  wait_for (&result);
  exchange = confab_store_exchange_finish (store, result, &error);
  g_assert_no_error (error);

  return exchange;
}

GPtrArray *
search (ConfabStore *store, const char *query, guint limit)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  GPtrArray *results;

  confab_store_search_async (store, query, limit, NULL, store_ready_cb, &result);
  wait_for (&result);
  results = confab_store_search_finish (store, result, &error);
  g_assert_no_error (error);

  return results;
}

char *
join_ids (GPtrArray *messages)
{
  GString *ids = g_string_new (NULL);

  for (guint i = 0; i < messages->len; i++)
    {
      ConfabMessageRecord *message = messages->pdata[i];

      g_string_append_printf (ids, "%s%s", i > 0 ? " " : "", message->id);
    }

  return g_string_free (ids, FALSE);
}

void
put_session (ConfabBatch *batch, const char *id, const char *title)
{
  confab_batch_put_session (batch, &(ConfabSessionRecord){ (char *) id, (char *) title, 1, 2 });
}

void
put_module (ConfabBatch *batch, const char *session_id, const char *id, const char *title)
{
  confab_batch_put_module (batch, &(ConfabModuleRecord){ .id = (char *) id,
                                                         .session_id = (char *) session_id,
                                                         .title = (char *) title,
                                                         .created_at = 1,
                                                         .updated_at = 2 });
}

void
put_message (ConfabBatch *batch,
             const char *module_id,
             const char *parent_id,
             const char *id,
             ConfabState state,
             const char *text)
{
  g_autofree char *parts = confab_parts_new (text, NULL);

  confab_batch_put_message (batch, &(ConfabMessageRecord){ .id = (char *) id,
                                                           .module_id = (char *) module_id,
                                                           .parent_id = (char *) parent_id,
                                                           .role = CONFAB_ROLE_USER,
                                                           .parts = parts,
                                                           .state = state,
                                                           .created_at = 1 });
}

void
put_generation (ConfabBatch *batch,
                const char *module_id,
                const char *id,
                const char *request_id,
                const char *question_id,
                const char *answer_id,
                ConfabState state)
{
  confab_batch_put_generation (batch,
                               &(ConfabGenerationRecord){ .id = (char *) id,
                                                          .module_id = (char *) module_id,
                                                          .request_id = (char *) request_id,
                                                          .question_id = (char *) question_id,
                                                          .answer_id = (char *) answer_id,
                                                          .state = state,
                                                          .created_at = 1 });
}

void
put_ground (ConfabStore *store)
{
  g_autoptr (ConfabBatch) batch = confab_batch_new (CONFAB_BATCH_RELAXED);

  put_session (batch, "s", "A session");
  put_module (batch, "s", "m", "A module");
  commit_ok (store, batch);
}

void
assert_ids (GPtrArray *messages, const char *expected)
{
  g_autofree char *ids = NULL;

  g_assert_nonnull (messages);
  ids = join_ids (messages);
  g_assert_cmpstr (ids, ==, expected);
}

void
assert_history (ConfabStore *store,
                const char *before_id,
                guint limit,
                const char *expected,
                gboolean expected_more)
{
  g_autoptr (GPtrArray) messages = NULL;
  g_autoptr (GError) error = NULL;
  gboolean more;

  messages = history (store, "m", before_id, limit, &more, &error);
  g_assert_no_error (error);
  assert_ids (messages, expected);
  g_assert_cmpint (more, ==, expected_more);
}

/*  q1 ─ a1 ─ q2 ─ a2 ─ q3 ─ a3
 *             └─ b2 ─ r3 ─ b3      (the visible one)  */
void
put_tree (ConfabStore *store)
{
  static const char *const tree[][2] = { { "q1", NULL }, { "a1", "q1" }, { "q2", "a1" },
                                         { "a2", "q2" }, { "q3", "a2" }, { "a3", "q3" },
                                         { "b2", "q2" }, { "r3", "b2" }, { "b3", "r3" } };
  g_autoptr (ConfabBatch) batch = confab_batch_new (CONFAB_BATCH_RELAXED);

  put_ground (store);
  for (guint i = 0; i < G_N_ELEMENTS (tree); i++)
    put_message (batch, "m", tree[i][1], tree[i][0], CONFAB_STATE_COMPLETED, tree[i][0]);
  confab_batch_set_head (batch, "m", "b3", 3);
  commit_ok (store, batch);
}

/* A database with content, closed cleanly. */
void
make_database (const char *path)
{
  g_autoptr (ConfabBatch) batch = confab_batch_new (CONFAB_BATCH_DURABLE);
  ConfabStore *store = open_store (path);

  put_session (batch, "s", "A session");
  put_module (batch, "s", "m", "A module");
  for (guint i = 0; i < 40; i++)
    {
      g_autofree char *id = g_strdup_printf ("m%u", i);
      g_autofree char *parent = i > 0 ? g_strdup_printf ("m%u", i - 1) : NULL;
      g_autofree char *text = g_strnfill (100 + 37 * i, 'a' + i % 26);

      put_message (batch, "m", parent, id, CONFAB_STATE_COMPLETED, text);
    }
  confab_batch_set_head (batch, "m", "m39", 1);
  commit_ok (store, batch);
  close_store (store);
}

/* All that make_database() wrote can be read. */
void
check_database (const char *path)
{
  ConfabStore *store = open_store (path);
  g_autoptr (GPtrArray) messages = branch (store, "m", NULL);

  g_assert_cmpuint (messages->len, ==, 40);
  for (guint i = 0; i < messages->len; i++)
    {
      g_autofree char *text = g_strnfill (100 + 37 * i, 'a' + i % 26);

      g_assert_cmpstr (((ConfabMessageRecord *) messages->pdata[i])->text, ==, text);
    }
  close_store (store);
}

/* Runs @sql on a database with a connection of its own, as another program would. */
void
run_sql (const char *path, const char *sql)
{
  sqlite3 *other = NULL;

  g_assert_cmpint (sqlite3_open (path, &other), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_exec (other, sql, NULL, NULL, NULL), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_close (other), ==, SQLITE_OK);
}

void
assert_is_sentence (const GError *error, const char *path)
{
  g_assert_nonnull (strstr (error->message, path));
  g_assert_true (g_str_has_suffix (error->message, "."));
  g_assert_null (strchr (error->message, '\n'));
}

/* Refused with @code, in one sentence, and nothing in the folder is other than before. */
void
assert_refused (Fixture *self, ConfabStoreError code)
{
  g_autofree char *before = snapshot (self->folder);
  g_autofree char *after = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_null (confab_store_open (self->path, &error));
  g_assert_error (error, CONFAB_STORE_ERROR, (int) code);
  assert_is_sentence (error, self->path);
  after = snapshot (self->folder);
  g_assert_cmpstr (after, ==, before);
  g_test_message ("%s", error->message);
}

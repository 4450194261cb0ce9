/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-store-fixture.h"

#include <glib/gstdio.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "confab-db.h"

static void
test_private_modes (Fixture *self, gconstpointer data)
{
  g_autofree char *folder = g_build_filename (self->folder, "a", "b", NULL);
  g_autofree char *path = g_build_filename (folder, "confab.db", NULL);
  g_autofree char *log = g_strconcat (path, "-wal", NULL);
  mode_t mask = umask (0);
  ConfabStore *store = open_store (path);
  GStatBuf info;

  umask (mask);
  put_ground (store);
  g_assert_cmpint (g_stat (folder, &info), ==, 0);
  g_assert_cmpint (info.st_mode & 07777, ==, 0700);
  g_assert_cmpint (g_stat (path, &info), ==, 0);
  g_assert_cmpint (info.st_mode & 07777, ==, 0600);
  g_assert_cmpint (g_stat (log, &info), ==, 0);
  g_assert_cmpint (info.st_mode & 07777, ==, 0600);
  close_store (store);

  /* one that was too open is closed */
  g_assert_cmpint (g_chmod (path, 0644), ==, 0);
  close_store (open_store (path));
  g_assert_cmpint (g_stat (path, &info), ==, 0);
  g_assert_cmpint (info.st_mode & 07777, ==, 0600);
}

/* A rollback journal, whose recovery writes before anything can be looked at, is never needed. */
static void
test_born_with_log (Fixture *self, gconstpointer data)
{
  g_autofree char *bytes = NULL;
  gsize length;

  g_assert_true (confab_db_create_file (self->path, confab_db_get_newest_version (), NULL));
  g_assert_true (g_file_get_contents (self->path, &bytes, &length, NULL));
  g_assert_cmpint (bytes[18], ==, 2);
  g_assert_cmpint (bytes[19], ==, 2);
  close_store (open_store (self->path));
}

static void
test_clean_close_leaves_one_file (Fixture *self, gconstpointer data)
{
  g_autoptr (GDir) dir = NULL;

  make_database (self->path);
  dir = g_dir_open (self->folder, 0, NULL);
  g_assert_cmpstr (g_dir_read_name (dir), ==, "confab.db");
  g_assert_null (g_dir_read_name (dir));
}

static void
test_relative_and_odd_names (Fixture *self, gconstpointer data)
{
  static const char *const names[] = { "file:x?mode=memory", "with space", "100%", "ä'\"",
                                       ":memory:" };
  g_autofree char *before = g_get_current_dir ();

  g_assert_cmpint (g_chdir (self->folder), ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      make_database (names[i]);
      g_assert_true (g_file_test (names[i], G_FILE_TEST_IS_REGULAR));
      check_database (names[i]);
    }
  g_assert_cmpint (g_chdir (before), ==, 0);
}

static void
test_not_a_file (Fixture *self, gconstpointer data)
{
  g_assert_cmpint (g_mkdir (self->path, 0700), ==, 0);
  assert_refused (self, CONFAB_STORE_ERROR_FAILED);
}

static void
test_folder_cannot_be_made (Fixture *self, gconstpointer data)
{
  g_autofree char *blocker = g_build_filename (self->folder, "file", NULL);

  g_assert_true (g_file_set_contents (blocker, "", -1, NULL));
  g_free (self->path);
  self->path = g_build_filename (self->folder, "file", "folder", "confab.db", NULL);
  {
    g_autofree char *before = snapshot (self->folder);
    g_autofree char *after = NULL;
    g_autoptr (GError) error = NULL;

    g_assert_null (confab_store_open (self->path, &error));
    g_assert_error (error, CONFAB_STORE_ERROR, CONFAB_STORE_ERROR_FAILED);
    after = snapshot (self->folder);
    g_assert_cmpstr (after, ==, before);
  }
}

/* Read-only as any user but root meets it: by mode. Root's own rights are laid down for it. */
static void
test_read_only_by_mode (Fixture *self, gconstpointer data)
{
  gboolean is_root = geteuid () == 0;

  make_database (self->path);
  if (is_root)
    {
      g_assert_cmpint (chown (self->folder, 65534, 65534), ==, 0);
      g_assert_cmpint (chown (self->path, 65534, 65534), ==, 0);
      g_assert_cmpint (seteuid (65534), ==, 0);
    }

  g_chmod (self->path, 0400);
  assert_refused (self, CONFAB_STORE_ERROR_READ_ONLY);
  g_chmod (self->path, 0600);
  g_chmod (self->folder, 0500);
  assert_refused (self, CONFAB_STORE_ERROR_READ_ONLY);

  /* nor can a new one be made there */
  g_free (self->path);
  self->path = g_build_filename (self->folder, "new.db", NULL);
  assert_refused (self, CONFAB_STORE_ERROR_READ_ONLY);

  g_chmod (self->folder, 0700);
  if (is_root)
    g_assert_cmpint (seteuid (0), ==, 0);
}

static void
test_read_only_file_system (Fixture *self, gconstpointer data)
{
  if (!mount_small (self->folder, "size=4m"))
    {
      g_test_skip ("no right to mount");
      return;
    }

  make_database (self->path);
  g_assert_cmpint (mount ("tmpfs", self->folder, "tmpfs", MS_REMOUNT | MS_RDONLY, NULL), ==, 0);
  assert_refused (self, CONFAB_STORE_ERROR_READ_ONLY);
  g_free (self->path);
  self->path = g_build_filename (self->folder, "new.db", NULL);
  assert_refused (self, CONFAB_STORE_ERROR_READ_ONLY);
  g_assert_cmpint (umount (self->folder), ==, 0);
}

static void
test_locked_by_store (Fixture *self, gconstpointer data)
{
  ConfabStore *store;
  g_autoptr (GError) error = NULL;

  make_database (self->path);
  store = open_store (self->path);
  g_assert_null (confab_store_open (self->path, &error));
  g_assert_error (error, CONFAB_STORE_ERROR, CONFAB_STORE_ERROR_LOCKED);

  /* the refusal has not taken the lock away from the first */
  put_ground (store);
  g_clear_error (&error);
  g_assert_null (confab_store_open (self->path, &error));
  g_assert_error (error, CONFAB_STORE_ERROR, CONFAB_STORE_ERROR_LOCKED);
  close_store (store);
  check_database (self->path);
}

static const char *
find_python (void)
{
  return g_file_test ("/usr/bin/python3", G_FILE_TEST_IS_EXECUTABLE) ? "/usr/bin/python3" : NULL;
}

/* Another process that runs @sql, says so, and stays until its input is closed. */
static GSubprocess *
start_other (const char *path, const char *sql)
{
  static const char script[] = "import sqlite3, sys\n"
                               "db = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
                               "db.execute(sys.argv[2]).fetchall()\n"
                               "print('ready', flush=True)\n"
                               "sys.stdin.read()\n";
  g_autoptr (GError) error = NULL;
  GSubprocess *other =
      g_subprocess_new (G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error,
                        find_python (), "-c", script, path, sql, NULL);
  char ready[6];

  g_assert_no_error (error);
  g_assert_true (g_input_stream_read_all (g_subprocess_get_stdout_pipe (other), ready, sizeof ready,
                                          NULL, NULL, &error));

  return other;
}

static void
stop_other (GSubprocess *other)
{
  g_output_stream_close (g_subprocess_get_stdin_pipe (other), NULL, NULL);
  g_assert_true (g_subprocess_wait_check (other, NULL, NULL));
}

static void
test_locked_by_other (Fixture *self, gconstpointer data)
{
  static const char *const locks[] = { "BEGIN EXCLUSIVE", "BEGIN IMMEDIATE",
                                       "SELECT * FROM messages" };

  if (find_python () == NULL)
    {
      g_test_skip ("no python3");
      return;
    }

  make_database (self->path);
  for (guint i = 0; i < G_N_ELEMENTS (locks); i++)
    {
      g_autoptr (GSubprocess) other = start_other (self->path, locks[i]);
      gint64 start = g_get_monotonic_time ();

      assert_refused (self, CONFAB_STORE_ERROR_LOCKED);
      g_test_message ("%s: after %.0f ms", locks[i], (g_get_monotonic_time () - start) / 1000.0);
      g_assert_cmpint (g_get_monotonic_time () - start, <, 5 * G_USEC_PER_SEC);
      stop_other (other);
    }
  check_database (self->path);
}

/* What we have open nobody else can read half-way, or write. */
static void
test_locks_others_out (Fixture *self, gconstpointer data)
{
  ConfabStore *store;
  sqlite3 *other = NULL;

  make_database (self->path);
  store = open_store (self->path);
  g_assert_cmpint (sqlite3_open (self->path, &other), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_exec (other, "SELECT * FROM messages", NULL, NULL, NULL), ==,
                   SQLITE_BUSY);
  g_assert_cmpint (sqlite3_exec (other, "DELETE FROM messages", NULL, NULL, NULL), ==, SQLITE_BUSY);
  sqlite3_close (other);
  close_store (store);
  check_database (self->path);
}

static void
test_rollback_mode_is_taken (Fixture *self, gconstpointer data)
{
  make_database (self->path);
  run_sql (self->path, "PRAGMA journal_mode = DELETE; VACUUM");
  check_database (self->path);
}

static void
collect_schema (const char *path, GString *lines)
{
  sqlite3_stmt *select = NULL;
  sqlite3 *other = NULL;

  g_assert_cmpint (sqlite3_open (path, &other), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_prepare_v2 (other,
                                       "SELECT type || ' ' || name || ' ' || coalesce(sql, '')"
                                       "  FROM sqlite_master ORDER BY 1",
                                       -1, &select, NULL),
                   ==, SQLITE_OK);
  while (sqlite3_step (select) == SQLITE_ROW)
    g_string_append_printf (lines, "%s\n", sqlite3_column_text (select, 0));
  sqlite3_finalize (select);
  sqlite3_close (other);
}

/* What a Confab that knew version 1 only would have left. */
static const char content_of_version_1[] =
    "INSERT INTO sessions VALUES (1, 's', 'Old session', 1, 1);"
    "INSERT INTO modules VALUES (1, 1, 'm', 'Old module', 0, NULL, NULL, NULL, NULL, 3, 1, 1);"
    "INSERT INTO messages (seq, module, id, parent, depth, role, state, created_at, parts) VALUES"
    "  (1, 1, 'q', NULL, 1, 'user', 'completed', 1, '[{\"type\":\"text\",\"text\":\"gold\"}]'),"
    "  (2, 1, 'a', 1, 2, 'assistant', 'completed', 1,"
    "    '[{\"type\":\"reasoning\",\"text\":\"lead\"},{\"type\":\"text\",\"text\":\"sil\"},"
    "      {\"type\":\"text\",\"text\":\"ver\"}]'),"
    "  (3, 1, 'p', 1, 2, 'assistant', 'streaming', 1, '[{\"type\":\"text\",\"text\":\"tin\"}]');"
    "INSERT INTO generations (module, id, request_id, question, answer, state, event_seq,"
    "  created_at, ended_at) VALUES (1, 'g', 'r', 1, 2, 'completed', 4, 1, 1);";

/* From each earlier version: the content is all there, and the schema is that of a new database. */
static void
test_migration (Fixture *self, gconstpointer data)
{
  g_autofree char *fresh = g_strconcat (self->path, "-fresh", NULL);
  g_autoptr (GString) expected = g_string_new (NULL);

  close_store (open_store (fresh));
  collect_schema (fresh, expected);
  g_assert_cmpint (confab_db_get_newest_version (), >=, 2);

  for (int version = 1; version < confab_db_get_newest_version (); version++)
    {
      g_autofree char *path = g_strdup_printf ("%s-%d", self->path, version);
      g_autoptr (GString) schema = g_string_new (NULL);
      g_autoptr (GPtrArray) messages = NULL;
      g_autoptr (GPtrArray) page = NULL;
      g_autoptr (GPtrArray) gold = NULL;
      g_autoptr (GPtrArray) silver = NULL;
      g_autoptr (GPtrArray) titles = NULL;
      g_autoptr (GPtrArray) unindexed = NULL;
      g_autoptr (ConfabExchange) exchange = NULL;
      g_autoptr (ConfabBatch) batch = confab_batch_new (CONFAB_BATCH_RELAXED);
      g_autofree char *ids = NULL;
      g_autoptr (GError) error = NULL;
      const ConfabMessageRecord *answer;
      ConfabStore *store;

      g_assert_true (confab_db_create_file (path, version, &error));
      g_assert_no_error (error);
      run_sql (path, content_of_version_1);

      store = open_store (path);
      messages = branch (store, "m", "a");
      ids = join_ids (messages);
      g_assert_cmpstr (ids, ==, "q a");
      page = history (store, "m", NULL, 1, NULL, NULL);
      answer = page->pdata[0];
      g_assert_cmpstr (answer->id, ==, "p");
      g_assert_cmpuint (answer->branches->index, ==, 2);
      g_assert_cmpstr (answer->branches->previous_id, ==, "a");
      exchange = find_request (store, "m", "r");
      g_assert_cmpstr (exchange->answer->text, ==, "silver");
      gold = search (store, "gold", 10);
      g_assert_cmpuint (gold->len, ==, 1);
      silver = search (store, "silver", 10);
      g_assert_cmpuint (silver->len, ==, 1);
      titles = search (store, "old", 10);
      g_assert_cmpuint (titles->len, ==, 2);
      unindexed = search (store, "tin", 10);
      g_assert_cmpuint (unindexed->len, ==, 0);

      /* and it works on */
      put_message (batch, "m", "p", "q2", CONFAB_STATE_COMPLETED, "more");
      commit_ok (store, batch);
      close_store (store);
      collect_schema (path, schema);
      g_assert_cmpstr (schema->str, ==, expected->str);
    }
}

/* A text that grew, and parameters, as versions up to 3 wrote them, with U+001F as it is in JSON.
 */
static void
test_raw_control (Fixture *self, gconstpointer data)
{
  for (int version = 1; version <= 3; version++)
    {
      g_autofree char *path = g_strdup_printf ("%s-%d", self->path, version);
      g_autoptr (GPtrArray) messages = NULL;
      g_autoptr (GPtrArray) found = NULL;
      g_autoptr (GError) error = NULL;
      ConfabStore *store;

      g_assert_true (confab_db_create_file (path, version, &error));
      g_assert_no_error (error);
      run_sql (path, content_of_version_1);
      run_sql (path, "UPDATE messages SET parts = '[{\"type\":\"text\",\"text\":\"a\037tin\"}]'"
                     "  WHERE seq = 3;"
                     "UPDATE modules SET parameters = '{\"stop\":\"\037\"}' WHERE seq = 1;");

      store = open_store (path);
      messages = branch (store, "m", "p");
      g_assert_cmpuint (messages->len, ==, 2);
      g_assert_cmpstr (((ConfabMessageRecord *) messages->pdata[1])->text, ==, "a\037tin");
      close_store (store);

      /* and SQLite takes it for JSON, when the answer ends too */
      run_sql (path, "SELECT json_extract (parameters, '$.stop') FROM modules");
      run_sql (path, "UPDATE messages SET state = 'interrupted' WHERE seq = 3");
      store = open_store (path);
      found = search (store, "tin", 10);
      g_assert_cmpuint (found->len, ==, 1);
      close_store (store);
    }
}

/* A step that fails, here on content that it cannot read, leaves the version before it. */
static void
test_failed_migration (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) before = g_string_new (NULL);
  g_autoptr (GString) after = g_string_new (NULL);

  g_assert_true (confab_db_create_file (self->path, 1, &error));
  run_sql (self->path, content_of_version_1);
  run_sql (self->path, "UPDATE messages SET parts = 'not JSON' WHERE seq = 2");
  collect_schema (self->path, before);
  g_assert_null (confab_store_open (self->path, &error));
  g_assert_error (error, CONFAB_STORE_ERROR, CONFAB_STORE_ERROR_FAILED);
  assert_is_sentence (error, self->path);
  collect_schema (self->path, after);
  g_assert_cmpstr (after->str, ==, before->str);
}

/* Several first starts at once, each in a thread: one makes the database, the others find it. */
static gpointer
open_in_thread (gpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ConfabStore) store = confab_store_open (data, &error);

  if (store == NULL)
    g_assert_error (error, CONFAB_STORE_ERROR, CONFAB_STORE_ERROR_LOCKED);

  return GINT_TO_POINTER (store != NULL);
}

static void
test_first_starts_at_once (Fixture *self, gconstpointer data)
{
  GThread *threads[4];
  guint n = 0;

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("first", open_in_thread, self->path);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    n += GPOINTER_TO_INT (g_thread_join (threads[i]));
  g_assert_cmpuint (n, >=, 1);
  make_database (self->path);
  check_database (self->path);
  test_clean_close_leaves_one_file (self, NULL);
}

int
main (int argc, char **argv)
{
  static const StoreTest tests[] = {
    { "private-modes", test_private_modes },
    { "born-with-log", test_born_with_log },
    { "clean-close-leaves-one-file", test_clean_close_leaves_one_file },
    { "relative-and-odd-names", test_relative_and_odd_names },
    { "not-a-file", test_not_a_file },
    { "folder-cannot-be-made", test_folder_cannot_be_made },
    { "read-only-by-mode", test_read_only_by_mode },
    { "read-only-file-system", test_read_only_file_system },
    { "locked-by-store", test_locked_by_store },
    { "locked-by-other", test_locked_by_other },
    { "locks-others-out", test_locks_others_out },
    { "rollback-mode-is-taken", test_rollback_mode_is_taken },
    { "migration", test_migration },
    { "raw-control", test_raw_control },
    { "failed-migration", test_failed_migration },
    { "first-starts-at-once", test_first_starts_at_once },
  };

  g_test_init (&argc, &argv, NULL);
  store_add_tests ("store/open", tests, G_N_ELEMENTS (tests));

  return g_test_run ();
}

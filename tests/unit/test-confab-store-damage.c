/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-store-fixture.h"

#include <glib/gstdio.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

#include "confab-db.h"

static void
test_text_file (Fixture *self, gconstpointer data)
{
  g_autofree char *line = g_strnfill (5000, 'x');

  g_assert_true (g_file_set_contents (self->path, "shopping list\n", -1, NULL));
  assert_refused (self, CONFAB_STORE_ERROR_CORRUPT);
  g_assert_true (g_file_set_contents (self->path, line, -1, NULL));
  assert_refused (self, CONFAB_STORE_ERROR_CORRUPT);
}

static void
test_foreign_database (Fixture *self, gconstpointer data)
{
  run_sql (self->path, "CREATE TABLE sessions (seq); INSERT INTO sessions VALUES (1)");
  assert_refused (self, CONFAB_STORE_ERROR_CORRUPT);
  run_sql (self->path, "PRAGMA journal_mode = WAL; PRAGMA user_version = 1");
  assert_refused (self, CONFAB_STORE_ERROR_CORRUPT);
}

/* A rollback journal of another program's database is that program's to play back. */
static void
test_foreign_hot_journal (Fixture *self, gconstpointer data)
{
  g_autofree char *journal = g_strconcat (self->path, "-journal", NULL);
  g_autofree char *kept = g_strconcat (self->path, "-kept", NULL);
  g_autofree char *bytes = NULL;
  sqlite3 *other = NULL;
  gsize length;

  run_sql (self->path, "CREATE TABLE t (a); INSERT INTO t VALUES (zeroblob (20000))");
  g_assert_cmpint (sqlite3_open (self->path, &other), ==, SQLITE_OK);
  g_assert_cmpint (
      sqlite3_exec (other,
                    "PRAGMA cache_size = 1; BEGIN; UPDATE t SET a = randomblob (20000);"
                    "INSERT INTO t VALUES (randomblob (50000))",
                    NULL, NULL, NULL),
      ==, SQLITE_OK);
  g_assert_true (g_file_get_contents (journal, &bytes, &length, NULL));
  g_assert_cmpuint (length, >, 512);
  g_assert_true (g_file_set_contents (kept, bytes, length, NULL));
  g_assert_cmpint (sqlite3_close (other), ==, SQLITE_OK);
  g_assert_cmpint (g_rename (kept, journal), ==, 0);

  assert_refused (self, CONFAB_STORE_ERROR_CORRUPT);
}

static void
test_newer (Fixture *self, gconstpointer data)
{
  g_autofree char *sql =
      g_strdup_printf ("PRAGMA user_version = %d", confab_db_get_newest_version () + 1);

  make_database (self->path);
  run_sql (self->path, sql);
  assert_refused (self, CONFAB_STORE_ERROR_NEWER);
}

static void
test_without_version (Fixture *self, gconstpointer data)
{
  make_database (self->path);
  run_sql (self->path, "PRAGMA user_version = 0");
  assert_refused (self, CONFAB_STORE_ERROR_CORRUPT);
  run_sql (self->path, "PRAGMA user_version = -3");
  assert_refused (self, CONFAB_STORE_ERROR_CORRUPT);
}

/* A version that has less than the file holds: its steps would fail half-way. */
static void
test_wrong_version (Fixture *self, gconstpointer data)
{
  make_database (self->path);
  for (int version = 1; version < confab_db_get_newest_version (); version++)
    {
      g_autofree char *sql = g_strdup_printf ("PRAGMA user_version = %d", version);

      run_sql (self->path, sql);
      assert_refused (self, CONFAB_STORE_ERROR_CORRUPT);
    }
}

static void
test_missing_table (Fixture *self, gconstpointer data)
{
  make_database (self->path);
  run_sql (self->path, "DROP TABLE generations");
  assert_refused (self, CONFAB_STORE_ERROR_CORRUPT);
}

/* Copies the database with its log while a store has it open: what a kill leaves. */
static void
make_unclean (Fixture *self)
{
  static const char *const suffixes[] = { "", "-wal" };
  g_autofree char *live = g_build_filename (self->folder, "live", NULL);
  g_autofree char *live_path = g_build_filename (live, "confab.db", NULL);
  ConfabStore *store;

  make_database (live_path);
  store = open_store (live_path);
  put_ground (store);
  for (guint i = 0; i < G_N_ELEMENTS (suffixes); i++)
    {
      g_autofree char *from = g_strconcat (live_path, suffixes[i], NULL);
      g_autofree char *to = g_strconcat (self->path, suffixes[i], NULL);
      g_autofree char *bytes = NULL;
      gsize length;

      g_assert_true (g_file_get_contents (from, &bytes, &length, NULL));
      g_assert_cmpuint (length, >, 0);
      g_assert_true (g_file_set_contents (to, bytes, length, NULL));
    }
  close_store (store);
  remove_tree (live);
}

static void
test_newer_unclean (Fixture *self, gconstpointer data)
{
  sqlite3 *other = NULL;

  /* the newer version is in the log alone, which must not be moved into the file */
  make_unclean (self);
  g_assert_cmpint (sqlite3_open (self->path, &other), ==, SQLITE_OK);
  sqlite3_db_config (other, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
  g_assert_cmpint (sqlite3_exec (other, "PRAGMA user_version = 99", NULL, NULL, NULL), ==,
                   SQLITE_OK);
  g_assert_cmpint (sqlite3_close (other), ==, SQLITE_OK);
  assert_refused (self, CONFAB_STORE_ERROR_NEWER);
}

static void
test_unclean_is_taken (Fixture *self, gconstpointer data)
{
  make_unclean (self);
  check_database (self->path);
}

static void
test_log_without_database (Fixture *self, gconstpointer data)
{
  make_unclean (self);
  g_assert_cmpint (g_unlink (self->path), ==, 0);
  assert_refused (self, CONFAB_STORE_ERROR_CORRUPT);
}

static void
test_log_is_torn (Fixture *self, gconstpointer data)
{
  g_autofree char *log = g_strconcat (self->path, "-wal", NULL);
  GStatBuf info;

  /* half a commit at the end is no commit, and no damage */
  make_unclean (self);
  g_assert_cmpint (g_stat (log, &info), ==, 0);
  g_assert_cmpint (truncate (log, info.st_size - 1000), ==, 0);
  check_database (self->path);
}

static void
test_truncated (Fixture *self, gconstpointer data)
{
  g_autofree char *bytes = NULL;
  gsize length;

  make_database (self->path);
  g_assert_true (g_file_get_contents (self->path, &bytes, &length, NULL));
  g_assert_cmpuint (length, >, 5 * 4096);
  {
    const gsize lengths[] = { 0,
                              1,
                              15,
                              16,
                              99,
                              100,
                              101,
                              512,
                              4095,
                              4096,
                              4097,
                              length / 2,
                              length - 4097,
                              length - 4096,
                              length - 4095,
                              length - 1 };

    for (guint i = 0; i < G_N_ELEMENTS (lengths); i++)
      {
        g_assert_true (g_file_set_contents (self->path, bytes, lengths[i], NULL));
        assert_refused (self, CONFAB_STORE_ERROR_CORRUPT);
      }
  }
  g_assert_true (g_file_set_contents (self->path, bytes, length, NULL));
  check_database (self->path);
}

static void
test_truncated_unclean (Fixture *self, gconstpointer data)
{
  GStatBuf info;

  make_unclean (self);
  g_assert_cmpint (g_stat (self->path, &info), ==, 0);
  g_assert_cmpint (truncate (self->path, info.st_size / 2 / 4096 * 4096), ==, 0);
  assert_refused (self, CONFAB_STORE_ERROR_CORRUPT);
}

/* Any one byte of the header flipped: either refused without a change, or without consequence. */
static void
test_flipped_header (Fixture *self, gconstpointer data)
{
  g_autofree char *bytes = NULL;
  guint n_refused = 0;
  gsize length;

  make_database (self->path);
  g_assert_true (g_file_get_contents (self->path, &bytes, &length, NULL));
  for (gsize i = 0; i < 100; i++)
    for (guint bit = 0; bit < 8; bit += 7)
      {
        g_autofree char *before = NULL;
        g_autofree char *after = NULL;
        g_autoptr (GError) error = NULL;
        g_autoptr (ConfabStore) store = NULL;

        bytes[i] ^= 1 << bit;
        g_assert_true (g_file_set_contents (self->path, bytes, length, NULL));
        bytes[i] ^= 1 << bit;
        before = snapshot (self->folder);
        store = confab_store_open (self->path, &error);
        if (store != NULL)
          {
            g_assert_true (confab_store_close (store, -1, NULL));
            check_database (self->path);
            continue;
          }
        n_refused++;
        assert_is_sentence (error, self->path);
        if (error->code != CONFAB_STORE_ERROR_NEWER)
          g_assert_error (error, CONFAB_STORE_ERROR, CONFAB_STORE_ERROR_CORRUPT);
        after = snapshot (self->folder);
        g_assert_cmpstr (after, ==, before);
      }
  g_test_message ("%u of 200 refused", n_refused);
  g_assert_cmpuint (n_refused, >=, 60);
}

/* The head of every page overwritten, one page at a time. */
static void
test_broken_pages (Fixture *self, gconstpointer data)
{
  g_autofree char *bytes = NULL;
  guint n_refused = 0;
  gsize length;

  make_database (self->path);
  g_assert_true (g_file_get_contents (self->path, &bytes, &length, NULL));
  for (gsize at = 4096; at < length; at += 4096)
    {
      g_autofree char *broken = g_memdup2 (bytes, length);
      g_autofree char *before = NULL;
      g_autofree char *after = NULL;
      g_autoptr (GError) error = NULL;
      g_autoptr (ConfabStore) store = NULL;

      memset (broken + at, 0x5a, 12);
      g_assert_true (g_file_set_contents (self->path, broken, length, NULL));
      before = snapshot (self->folder);
      store = confab_store_open (self->path, &error);
      if (store != NULL)
        continue;
      n_refused++;
      g_assert_error (error, CONFAB_STORE_ERROR, CONFAB_STORE_ERROR_CORRUPT);
      assert_is_sentence (error, self->path);
      after = snapshot (self->folder);
      g_assert_cmpstr (after, ==, before);
    }

  /* the rest are pages of pure text, whose bytes nothing checks */
  g_test_message ("%u of %u pages noticed", n_refused, (guint) (length / 4096 - 1));
  g_assert_cmpuint (n_refused, >=, (length / 4096 - 1) * 9 / 10);
}

/* A damaged part of a large file, where no check at the start looks: errors, never an abort. */
static void
test_damage_found_late (Fixture *self, gconstpointer data)
{
  g_autofree char *text = g_strnfill (2000, 'x');
  g_autofree char *noise = g_strnfill (4096, 'Z');
  g_autoptr (ConfabBatch) fill = confab_batch_new (CONFAB_BATCH_RELAXED);
  g_autoptr (ConfabBatch) end = confab_batch_new (CONFAB_BATCH_RELAXED);
  g_autoptr (GError) error = NULL;
  g_autoptr (ConfabStore) store = open_store (self->path);
  guint n_damaged = 0;
  GStatBuf info;
  FILE *file;

  put_ground (store);
  for (guint i = 0; i < 6000; i++)
    {
      g_autofree char *id = g_strdup_printf ("m%u", i);

      put_message (fill, "m", NULL, id, CONFAB_STATE_COMPLETED, text);
    }
  commit_ok (store, fill);
  g_assert_true (confab_store_close (store, -1, NULL));
  g_clear_object (&store);

  g_assert_cmpint (g_stat (self->path, &info), ==, 0);
  g_assert_cmpint (info.st_size, >, 17 * 1024 * 1024);
  file = g_fopen (self->path, "r+");
  for (long at = info.st_size / 4096 * 2 / 5 * 4096; at < info.st_size * 3 / 5; at += 4096)
    {
      g_assert_cmpint (fseek (file, at, SEEK_SET), ==, 0);
      g_assert_cmpint (fwrite (noise, 1, 4096, file), ==, 4096);
    }
  fclose (file);

  store = open_store (self->path);
  for (guint i = 0; i < 6000; i += 50)
    {
      g_autofree char *id = g_strdup_printf ("m%u", i);
      g_autoptr (GAsyncResult) result = NULL;
      g_autoptr (ConfabMessageRecord) message = NULL;

      confab_store_get_message_async (store, "m", id, NULL, store_ready_cb, &result);
      wait_for (&result);
      message = confab_store_get_message_finish (store, result, &error);
      if (error != NULL)
        {
          g_assert_error (error, CONFAB_STORE_ERROR, CONFAB_STORE_ERROR_CORRUPT);
          g_clear_error (&error);
          n_damaged++;
        }
    }
  g_test_message ("%u of 120 messages could not be read", n_damaged);
  g_assert_cmpuint (n_damaged, >, 0);
  g_assert_cmpuint (n_damaged, <, 120);

  confab_batch_delete_module (end, "m");
  g_assert_false (commit (store, end, &error));
  g_assert_error (error, CONFAB_STORE_ERROR, CONFAB_STORE_ERROR_CORRUPT);
}

int
main (int argc, char **argv)
{
  static const StoreTest tests[] = {
    { "text-file", test_text_file },
    { "foreign-database", test_foreign_database },
    { "foreign-hot-journal", test_foreign_hot_journal },
    { "newer", test_newer },
    { "without-version", test_without_version },
    { "wrong-version", test_wrong_version },
    { "missing-table", test_missing_table },
    { "newer-unclean", test_newer_unclean },
    { "unclean-is-taken", test_unclean_is_taken },
    { "log-without-database", test_log_without_database },
    { "log-is-torn", test_log_is_torn },
    { "truncated", test_truncated },
    { "truncated-unclean", test_truncated_unclean },
    { "flipped-header", test_flipped_header },
    { "broken-pages", test_broken_pages },
    { "damage-found-late", test_damage_found_late },
  };

  g_test_init (&argc, &argv, NULL);
  store_add_tests ("store/damage", tests, G_N_ELEMENTS (tests));

  return g_test_run ();
}

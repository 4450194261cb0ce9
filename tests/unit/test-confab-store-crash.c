/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-store-fixture.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ROUNDS 20

/* Syncs to the disk since the last look. SQLite's calls come here: a program's own symbol goes
 * before that of a library. */
static int n_syncs;

__attribute__ ((visibility ("default"))) int fdatasync (int fd);
__attribute__ ((visibility ("default"))) int fsync (int fd);

int
fdatasync (int fd)
{
  g_atomic_int_inc (&n_syncs);
  return syscall (SYS_fdatasync, fd);
}

int
fsync (int fd)
{
  g_atomic_int_inc (&n_syncs);
  return syscall (SYS_fsync, fd);
}

static int
take_syncs (void)
{
  int n = g_atomic_int_get (&n_syncs);

  g_atomic_int_set (&n_syncs, 0);

  return n;
}

/* A durable commit is reported after a sync, and at that price alone; a relaxed one without. */
static void
test_durable_is_synced (Fixture *self, gconstpointer data)
{
  ConfabStore *store = open_store (self->path);

  put_ground (store);
  for (guint i = 0; i < 40; i++)
    {
      gboolean durable = i % 4 == 3;
      g_autoptr (ConfabBatch) batch =
          confab_batch_new (durable ? CONFAB_BATCH_DURABLE : CONFAB_BATCH_RELAXED);
      g_autofree char *id = g_strdup_printf ("m%u", i);

      put_message (batch, "m", NULL, id, CONFAB_STATE_COMPLETED, "text");
      take_syncs ();
      commit_ok (store, batch);
      if (durable)
        g_assert_cmpint (take_syncs (), >=, 1);
      else
        g_assert_cmpint (take_syncs (), ==, 0);
    }
  close_store (store);
}

static void
test_group_shares_syncs (Fixture *self, gconstpointer data)
{
  GAsyncResult *results[100] = { NULL };
  ConfabStore *store = open_store (self->path);
  int n;

  put_ground (store);
  take_syncs ();
  for (guint i = 0; i < G_N_ELEMENTS (results); i++)
    {
      g_autoptr (ConfabBatch) batch = confab_batch_new (CONFAB_BATCH_DURABLE);
      g_autofree char *id = g_strdup_printf ("m%u", i);

      put_message (batch, "m", NULL, id, CONFAB_STATE_COMPLETED, "text");
      confab_store_commit_async (store, batch, store_ready_cb, &results[i]);
    }
  for (guint i = 0; i < G_N_ELEMENTS (results); i++)
    {
      wait_for (&results[i]);
      g_assert_true (confab_store_commit_finish (store, results[i], NULL));
      g_object_unref (results[i]);
    }
  n = take_syncs ();
  g_test_message ("100 durable batches, %d syncs", n);
  g_assert_cmpint (n, >=, 1);
  close_store (store);
}

static const char *
get_message_id (guint round, guint n, char *buffer, gsize size)
{
  g_snprintf (buffer, size, "r%u-%u", round, n);
  return buffer;
}

typedef struct
{
  guint round;
  guint n; /* of the next acknowledgement */
} Child;

static void
acknowledge_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Child *child = user_data;
  g_autoptr (GError) error = NULL;
  char line[32];
  int length;

  if (!confab_store_commit_finish (CONFAB_STORE (source), result, &error))
    g_error ("%s", error->message);

  length = g_snprintf (line, sizeof line, "%u\n", child->n++);
  if (write (STDOUT_FILENO, line, length) != length)
    _exit (1);
}

/* Commits chains of two messages with a head and a generation, several batches at a time, and tells
 * each that is acknowledged, until it is killed. */
G_NORETURN static void
run_child (const char *path, guint round)
{
  g_autoptr (ConfabStore) store = open_store (path);
  Child child = { round, 0 };

  for (guint n = 0; TRUE; n++)
    {
      g_autoptr (ConfabBatch) batch =
          confab_batch_new (n % 2 == 0 ? CONFAB_BATCH_DURABLE : CONFAB_BATCH_RELAXED);
      g_autofree char *answer = g_strdup_printf ("r%u-%u-answer", round, n);
      g_autofree char *generation = g_strdup_printf ("r%u-%u-generation", round, n);
      char id[32];
      g_autofree char *text = g_strnfill (200 + n % 5000, 'x');

      get_message_id (round, n, id, sizeof id);
      put_message (batch, "m", NULL, id, CONFAB_STATE_COMPLETED, text);
      put_message (batch, "m", id, answer, CONFAB_STATE_STREAMING, text);
      put_generation (batch, "m", generation, id, id, answer, CONFAB_STATE_STREAMING);
      confab_batch_set_head (batch, "m", answer, n);
      confab_store_commit_async (store, batch, acknowledge_cb, &child);
      while (child.n + 8 < n)
        g_main_context_iteration (NULL, TRUE);
    }
}

/* Runs this program again, in one of the modes that main() knows. By the name that the link has:
 * valgrind refuses to execute the link itself. */
static GSubprocess *
spawn_self (GSubprocessFlags flags, const char *mode, const char *path, guint round)
{
  g_autofree char *number = g_strdup_printf ("%u", round);
  g_autoptr (GError) error = NULL;
  g_autofree char *program = g_file_read_link ("/proc/self/exe", &error);
  GSubprocess *child;

  g_assert_no_error (error);
  child = g_subprocess_new (flags, &error, program, mode, path, number, NULL);
  g_assert_no_error (error);

  return child;
}

/* It must not have ended by itself: else nothing was tried. */
static void
assert_killed (GSubprocess *child)
{
  g_subprocess_wait (child, NULL, NULL);
  g_assert_true (g_subprocess_get_if_signaled (child));
  g_assert_cmpint (g_subprocess_get_term_sig (child), ==, SIGKILL);
}

/* Returns: how many batches the child had acknowledged when it was killed */
static guint
kill_child (const char *path, guint round)
{
  g_autoptr (GSubprocess) child =
      spawn_self (G_SUBPROCESS_FLAGS_STDOUT_PIPE, "--child", path, round);
  g_autoptr (GDataInputStream) lines = NULL;
  guint n = 0;
  guint kill_at = g_test_rand_int_range (1, 120);

  lines = g_data_input_stream_new (g_subprocess_get_stdout_pipe (child));
  while (TRUE)
    {
      g_autofree char *line = g_data_input_stream_read_line (lines, NULL, NULL, NULL);

      if (line == NULL)
        break;
      g_assert_cmpint (atoi (line), ==, n);
      if (++n == kill_at)
        {
          g_usleep (g_test_rand_int_range (0, 3000));
          g_subprocess_send_signal (child, SIGKILL);
        }
    }
  assert_killed (child);

  return n;
}

/* All or nothing of each batch, and no gap among them. Returns: how many there are */
static guint
count_batches (ConfabStore *store, guint round)
{
  guint n = 0;

  while (TRUE)
    {
      g_autoptr (ConfabMessageRecord) question = NULL;
      g_autoptr (ConfabMessageRecord) answer = NULL;
      g_autoptr (ConfabExchange) exchange = NULL;
      char id[32];
      g_autofree char *answer_id = NULL;

      get_message_id (round, n, id, sizeof id);
      answer_id = g_strconcat (id, "-answer", NULL);
      question = get_message (store, "m", id);
      answer = get_message (store, "m", answer_id);
      exchange = find_request (store, "m", id);
      if (question == NULL)
        {
          g_assert_null (answer);
          g_assert_null (exchange);
          return n;
        }
      g_assert_nonnull (answer);
      g_assert_nonnull (exchange);
      g_assert_cmpuint (strlen (question->text), ==, 200 + n % 5000);
      g_assert_cmpuint (strlen (answer->text), ==, 200 + n % 5000);
      n++;
    }
}

static void
test_kill (Fixture *self, gconstpointer data)
{
  guint n_acknowledged = 0;
  guint n_stored = 0;

  {
    ConfabStore *store = open_store (self->path);

    put_ground (store);
    close_store (store);
  }

  for (guint round = 0; round < ROUNDS; round++)
    {
      guint acknowledged = kill_child (self->path, round);
      ConfabStore *store = open_store (self->path);
      guint stored = count_batches (store, round);
      guint n_recovered;

      g_assert_cmpuint (stored, >=, acknowledged);
      g_assert_true (confab_store_recover (store, &n_recovered, NULL));
      g_assert_cmpuint (n_recovered, ==, stored);
      n_acknowledged += acknowledged;
      n_stored += stored;

      /* let every other round start on a log that was not moved into the file */
      if (round % 2 == 0)
        close_store (store);
      else
        g_object_unref (store);
    }
  g_test_message ("%d kills: %u batches acknowledged, %u found", ROUNDS, n_acknowledged, n_stored);
}

/* Killed at whatever point of its first start: the next one finds a database, or makes it. */
static void
test_kill_at_birth (Fixture *self, gconstpointer data)
{
  guint n_born = 0;

  for (guint round = 0; round < ROUNDS; round++)
    {
      g_autofree char *path = g_strdup_printf ("%s-%u", self->path, round);
      g_autoptr (GSubprocess) child = spawn_self (G_SUBPROCESS_FLAGS_NONE, "--birth", path, round);

      g_usleep (g_test_rand_int_range (2000, 25000));
      g_subprocess_send_signal (child, SIGKILL);
      assert_killed (child);
      n_born += g_file_test (path, G_FILE_TEST_EXISTS);
      close_store (open_store (path));
    }
  g_test_message ("%u of %d had made a database", n_born, ROUNDS);
}

/* Commits until there is no space left. Returns: how many batches were taken */
static guint
fill_up (ConfabStore *store, const char *prefix)
{
  g_autofree char *text = g_strnfill (20000, 'x');

  for (guint n = 0; n < 10000; n++)
    {
      g_autoptr (ConfabBatch) batch = confab_batch_new (CONFAB_BATCH_DURABLE);
      g_autofree char *id = g_strdup_printf ("%s%u", prefix, n);
      g_autofree char *second = g_strdup_printf ("%s%u-b", prefix, n);
      g_autoptr (ConfabMessageRecord) message = NULL;
      g_autoptr (GError) error = NULL;

      put_message (batch, "m", NULL, id, CONFAB_STATE_COMPLETED, text);
      put_message (batch, "m", NULL, second, CONFAB_STATE_COMPLETED, text);
      if (commit (store, batch, &error))
        continue;

      g_assert_error (error, CONFAB_STORE_ERROR, CONFAB_STORE_ERROR_FULL);
      g_test_message ("%s", error->message);

      /* nothing of it, and what was there is still readable */
      g_assert_null (get_message (store, "m", id));
      g_assert_null (get_message (store, "m", second));
      message = get_message (store, "m", "first");
      g_assert_cmpstr (message->text, ==, "before");

      return n;
    }

  g_assert_not_reached ();
}

static void
put_first (ConfabStore *store)
{
  g_autoptr (ConfabBatch) batch = confab_batch_new (CONFAB_BATCH_DURABLE);

  put_message (batch, "m", NULL, "first", CONFAB_STATE_COMPLETED, "before");
  commit_ok (store, batch);
}

/* The batch that failed goes through on a second try, and so does all after it. */
static void
assert_works_again (ConfabStore *store, const char *path, guint n, const char *prefix)
{
  g_autoptr (ConfabBatch) batch = confab_batch_new (CONFAB_BATCH_DURABLE);
  ConfabStore *again;

  put_message (batch, "m", NULL, "after", CONFAB_STATE_COMPLETED, "there is space");
  commit_ok (store, batch);
  close_store (store);

  again = open_store (path);
  for (guint i = 0; i <= n; i++)
    {
      g_autofree char *id = g_strdup_printf ("%s%u", prefix, i);
      g_autoptr (ConfabMessageRecord) message = get_message (again, "m", id);

      g_assert_true ((message != NULL) == (i < n));
    }
  {
    g_autoptr (ConfabMessageRecord) message = get_message (again, "m", "after");

    g_assert_cmpstr (message->text, ==, "there is space");
  }
  close_store (again);
}

static void
test_disk_full (Fixture *self, gconstpointer data)
{
  ConfabStore *store;
  guint n;

  if (!mount_small (self->folder, "size=4m"))
    {
      g_test_skip ("no right to mount");
      return;
    }

  store = open_store (self->path);
  put_ground (store);
  put_first (store);
  n = fill_up (store, "a");
  g_assert_cmpuint (n, >, 5);
  fill_up (store, "b");

  g_assert_cmpint (mount ("tmpfs", self->folder, "tmpfs", MS_REMOUNT, "size=16m"), ==, 0);
  assert_works_again (store, self->path, n, "a");
  g_assert_cmpint (umount (self->folder), ==, 0);
}

/* Closed while the disk is full: what was committed is found at the next start. */
static void
test_close_on_full_disk (Fixture *self, gconstpointer data)
{
  g_autoptr (ConfabMessageRecord) last = NULL;
  g_autofree char *last_id = NULL;
  g_autoptr (GError) error = NULL;
  ConfabStore *store;
  guint n;

  if (!mount_small (self->folder, "size=3m"))
    {
      g_test_skip ("no right to mount");
      return;
    }

  store = open_store (self->path);
  put_ground (store);
  put_first (store);
  n = fill_up (store, "a");
  g_assert_cmpuint (n, >, 0);
  last_id = g_strdup_printf ("a%u", n - 1);
  if (!confab_store_close (store, -1, &error))
    g_assert_error (error, CONFAB_STORE_ERROR, CONFAB_STORE_ERROR_FULL);
  g_test_message ("closed: %s", error != NULL ? error->message : "whole");
  g_object_unref (store);

  g_assert_cmpint (mount ("tmpfs", self->folder, "tmpfs", MS_REMOUNT, "size=16m"), ==, 0);
  store = open_store (self->path);
  last = get_message (store, "m", last_id);
  g_assert_nonnull (last);
  close_store (store);
  g_assert_cmpint (umount (self->folder), ==, 0);
}

static void
test_no_space_for_new (Fixture *self, gconstpointer data)
{
  g_autofree char *ballast = g_build_filename (self->folder, "ballast", NULL);
  g_autofree char *bytes = g_malloc0 (64 * 1024);
  g_autofree char *before = NULL;
  g_autofree char *after = NULL;
  g_autoptr (GError) error = NULL;

  if (!mount_small (self->folder, "size=64k"))
    {
      g_test_skip ("no right to mount");
      return;
    }

  g_assert_true (g_file_set_contents (ballast, bytes, 60 * 1024, NULL));
  before = snapshot (self->folder);
  g_assert_null (confab_store_open (self->path, &error));
  g_assert_error (error, CONFAB_STORE_ERROR, CONFAB_STORE_ERROR_FULL);
  after = snapshot (self->folder);
  g_assert_cmpstr (after, ==, before);
  g_assert_cmpint (umount (self->folder), ==, 0);
}

/* The same without a mount: no file of this process may grow beyond a limit, as with a quota. */
static void
test_file_size_limit (Fixture *self, gconstpointer data)
{
  ConfabStore *store = open_store (self->path);
  struct rlimit old;
  struct rlimit limit;
  guint n;

  put_ground (store);
  put_first (store);
  signal (SIGXFSZ, SIG_IGN);
  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &old), ==, 0);
  limit = old;
  limit.rlim_cur = 2 * 1024 * 1024;
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);
  n = fill_up (store, "a");
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &old), ==, 0);
  g_assert_cmpuint (n, >, 5);
  assert_works_again (store, self->path, n, "a");
}

/* A group in which all fail for want of space tells so to each. */
static void
test_full_group (Fixture *self, gconstpointer data)
{
  GAsyncResult *results[20] = { NULL };
  g_autofree char *text = g_strnfill (300000, 'x');
  ConfabStore *store = open_store (self->path);
  struct rlimit old;
  struct rlimit limit;
  guint n_full = 0;
  guint n_stored = 0;

  put_ground (store);
  signal (SIGXFSZ, SIG_IGN);
  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &old), ==, 0);
  limit = old;
  limit.rlim_cur = 2 * 1024 * 1024;
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (results); i++)
    {
      g_autoptr (ConfabBatch) batch = confab_batch_new (CONFAB_BATCH_RELAXED);
      g_autofree char *id = g_strdup_printf ("m%u", i);

      put_message (batch, "m", NULL, id, CONFAB_STATE_COMPLETED, text);
      confab_store_commit_async (store, batch, store_ready_cb, &results[i]);
    }
  for (guint i = 0; i < G_N_ELEMENTS (results); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *id = g_strdup_printf ("m%u", i);
      g_autoptr (ConfabMessageRecord) message = NULL;
      gboolean ok;

      wait_for (&results[i]);
      ok = confab_store_commit_finish (store, results[i], &error);
      g_object_unref (results[i]);
      if (!ok)
        g_assert_error (error, CONFAB_STORE_ERROR, CONFAB_STORE_ERROR_FULL);
      message = get_message (store, "m", id);
      g_assert_true ((message != NULL) == ok);
      n_full += !ok;
      n_stored += ok;
    }
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &old), ==, 0);
  g_test_message ("%u stored, %u told that there is no space", n_stored, n_full);
  g_assert_cmpuint (n_full, >, 0);
  g_assert_cmpuint (n_stored, >, 0);
  close_store (store);
}

/* Much is written and read: the log stays bounded. */
static void
test_log_is_bounded (Fixture *self, gconstpointer data)
{
  g_autofree char *log = g_strconcat (self->path, "-wal", NULL);
  g_autofree char *text = g_strnfill (50000, 'x');
  ConfabStore *store = open_store (self->path);
  goffset largest = 0;

  put_ground (store);
  for (guint i = 0; i < 400; i++)
    {
      g_autoptr (ConfabBatch) batch = confab_batch_new (CONFAB_BATCH_RELAXED);
      GStatBuf info;

      put_message (batch, "m", NULL, "growing", CONFAB_STATE_STREAMING, text + i);
      commit_ok (store, batch);
      g_assert_cmpint (g_stat (log, &info), ==, 0);
      largest = MAX (largest, info.st_size);
    }
  g_test_message ("the log grew to %" G_GOFFSET_FORMAT " KiB", largest / 1024);
  g_assert_cmpint (largest, <, 9 * 1024 * 1024);
  close_store (store);
}

int
main (int argc, char **argv)
{
  static const StoreTest tests[] = {
    { "durable-is-synced", test_durable_is_synced },
    { "group-shares-syncs", test_group_shares_syncs },
    { "kill", test_kill },
    { "kill-at-birth", test_kill_at_birth },
    { "disk-full", test_disk_full },
    { "close-on-full-disk", test_close_on_full_disk },
    { "no-space-for-new", test_no_space_for_new },
    { "file-size-limit", test_file_size_limit },
    { "full-group", test_full_group },
    { "log-is-bounded", test_log_is_bounded },
  };

  if (argc == 4 && strcmp (argv[1], "--child") == 0)
    run_child (argv[2], atoi (argv[3]));

  if (argc == 4 && strcmp (argv[1], "--birth") == 0)
    {
      g_autoptr (ConfabStore) store = open_store (argv[2]);

      put_ground (store);
      pause ();
    }

  g_test_init (&argc, &argv, NULL);
  store_add_tests ("store/crash", tests, G_N_ELEMENTS (tests));

  return g_test_run ();
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-store-fixture.h"
#include "confab-store-private.h"

/* Many batches at once, of which some fail: each hears of its own fate, in order. */
static void
test_group_commit (Fixture *self, gconstpointer data)
{
  enum
  {
    N = 200
  };
  GAsyncResult *results[N] = { NULL };
  ConfabStore *store = open_store (self->path);
  g_autoptr (GPtrArray) messages = NULL;

  put_ground (store);
  for (guint i = 0; i < N; i++)
    {
      g_autoptr (ConfabBatch) batch =
          confab_batch_new (i % 3 == 0 ? CONFAB_BATCH_DURABLE : CONFAB_BATCH_RELAXED);
      g_autofree char *id = g_strdup_printf ("m%u", i);
      g_autofree char *parent = i > 0 ? g_strdup_printf ("m%u", i - 1 - (i % 50 == 1)) : NULL;

      /* those at 50, 100, 150 fail, and leave nothing; those after them skip over them */
      put_message (batch, "m", parent, id, CONFAB_STATE_COMPLETED, id);
      if (i % 50 == 0 && i > 0)
        put_message (batch, "m", "nobody", "x", CONFAB_STATE_COMPLETED, "");
      if (i == 1)
        {
          g_clear_pointer (&batch, confab_batch_unref);
          batch = confab_batch_new (CONFAB_BATCH_RELAXED);
          put_message (batch, "m", "m0", id, CONFAB_STATE_COMPLETED, id);
        }
      confab_batch_set_head (batch, "m", id, i);
      confab_store_commit_async (store, batch, store_ready_cb, &results[i]);
    }

  messages = branch (store, "m", NULL);
  g_assert_cmpuint (messages->len, ==, N - 3);
  for (guint i = 0; i < N; i++)
    {
      g_autoptr (GError) error = NULL;

      wait_for (&results[i]);
      confab_store_commit_finish (store, results[i], &error);
      if (i % 50 == 0 && i > 0)
        g_assert_error (error, CONFAB_STORE_ERROR, CONFAB_STORE_ERROR_INVALID);
      else
        g_assert_no_error (error);
      g_object_unref (results[i]);
    }
  close_store (store);
}

typedef struct
{
  GString *order;
  const char *name;
} Named;

static void
note_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Named *named = user_data;

  g_string_append (named->order, named->name);
}

static gpointer
wait_in_thread (ConfabDb *db, gpointer input, GError **error)
{
  g_mutex_lock (input);
  g_mutex_unlock (input);

  return NULL;
}

/* What is called aside waits for no commit, and lets them stay together; other reads see what was
 * committed before them. */
static void
test_aside (Fixture *self, gconstpointer data)
{
  ConfabStore *store = open_store (self->path);
  g_autoptr (GString) order = g_string_new (NULL);
  Named named[] = { { order, "held;" }, { order, "one;" },   { order, "aside;" }, { order, "two;" },
                    { order, "read;" }, { order, "three;" }, { order, "after;" } };
  g_autoptr (GTask) held = NULL;
  GMutex mutex;

  put_tree (store);
  g_mutex_init (&mutex);
  g_mutex_lock (&mutex);
  held = g_task_new (store, NULL, note_cb, &named[0]);
  confab_store_thread_push (confab_store_get_thread (store), g_object_ref (held), wait_in_thread,
                            &mutex, NULL, NULL);
  for (guint i = 1; i < G_N_ELEMENTS (named); i++)
    {
      g_autoptr (ConfabBatch) batch = confab_batch_new (CONFAB_BATCH_DURABLE);

      if (i == 2 || i == 6)
        confab_store_lead_async (store, "m", "b3", NULL, note_cb, &named[i]);
      else if (i == 4)
        confab_store_branch_async (store, "m", NULL, NULL, note_cb, &named[i]);
      else
        confab_store_commit_async (store, batch, note_cb, &named[i]);
    }
  g_mutex_unlock (&mutex);
  while (strstr (order->str, "three;") == NULL || strstr (order->str, "after;") == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpstr (order->str, ==, "held;aside;one;two;read;after;three;");
  g_mutex_clear (&mutex);
  close_store (store);
}

typedef struct
{
  GMainContext *context;
  GThread *thread;
  gboolean called;
} Caller;

static void
note_thread_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Caller *caller = user_data;

  g_assert_true (g_thread_self () == caller->thread);
  g_assert_true (g_main_context_is_owner (caller->context));
  g_assert_true (confab_store_commit_finish (CONFAB_STORE (source), result, NULL));
  caller->called = TRUE;
}

static gpointer
call_from_thread (gpointer data)
{
  ConfabStore *store = data;
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (ConfabBatch) batch = confab_batch_new (CONFAB_BATCH_RELAXED);
  Caller caller = { context, g_thread_self (), FALSE };

  g_main_context_push_thread_default (context);
  put_session (batch, "t", "from a thread");
  confab_store_commit_async (store, batch, note_thread_cb, &caller);
  g_assert_false (caller.called);
  while (!caller.called)
    g_main_context_iteration (context, TRUE);
  g_main_context_pop_thread_default (context);

  return NULL;
}

static void
test_callers_context (Fixture *self, gconstpointer data)
{
  ConfabStore *store = open_store (NULL);
  GThread *threads[4];
  ConfabHistogram latency;
  guint64 counted = 0;

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("caller", call_from_thread, store);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);

  /* they were told each in a thread of its own, and counted together */
  confab_store_get_latency (store, &latency);
  for (guint i = 0; i < G_N_ELEMENTS (latency.counts); i++)
    counted += latency.counts[i];
  g_assert_cmpuint (counted, ==, G_N_ELEMENTS (threads));
  close_store (store);
}

static void
test_cancelled_read (Fixture *self, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  ConfabStore *store = open_store (NULL);

  put_tree (store);
  confab_store_branch_async (store, "m", NULL, cancellable, store_ready_cb, &result);
  g_cancellable_cancel (cancellable);
  wait_for (&result);
  g_assert_null (confab_store_branch_finish (store, result, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  close_store (store);
}

static void
test_close_drains (Fixture *self, gconstpointer data)
{
  GAsyncResult *results[50] = { NULL };
  g_autofree char *log = g_strconcat (self->path, "-wal", NULL);
  g_autoptr (GAsyncResult) closed = NULL;
  g_autoptr (GAsyncResult) late = NULL;
  g_autoptr (ConfabBatch) after = confab_batch_new (CONFAB_BATCH_RELAXED);
  g_autoptr (ConfabOverview) overview = NULL;
  g_autoptr (GError) error = NULL;
  ConfabStore *store = open_store (self->path);

  for (guint i = 0; i < G_N_ELEMENTS (results); i++)
    {
      g_autoptr (ConfabBatch) batch = confab_batch_new (CONFAB_BATCH_RELAXED);
      g_autofree char *id = g_strdup_printf ("s%u", i);

      put_session (batch, id, id);
      confab_store_commit_async (store, batch, store_ready_cb, &results[i]);
    }
  confab_store_close_async (store, store_ready_cb, &closed);
  put_session (after, "late", "late");
  confab_store_commit_async (store, after, store_ready_cb, &late);

  wait_for (&closed);
  g_assert_true (confab_store_close_finish (store, closed, &error));
  g_assert_no_error (error);
  g_assert_false (g_file_test (log, G_FILE_TEST_EXISTS));
  for (guint i = 0; i < G_N_ELEMENTS (results); i++)
    {
      wait_for (&results[i]);
      g_assert_true (confab_store_commit_finish (store, results[i], NULL));
      g_object_unref (results[i]);
    }
  wait_for (&late);
  g_assert_false (confab_store_commit_finish (store, late, &error));
  g_assert_error (error, CONFAB_STORE_ERROR, CONFAB_STORE_ERROR_CLOSED);
  g_assert_null (confab_store_read_overview (store, NULL));
  close_store (store);

  store = open_store (self->path);
  overview = confab_store_read_overview (store, NULL);
  g_assert_cmpuint (overview->sessions->len, ==, 50);
  close_store (store);
}

/* Dropped without a close, with commits pending: they come through, and the last reference goes in
 * the caller's context. */
static void
test_freed_without_close (Fixture *self, gconstpointer data)
{
  g_autofree char *log = g_strconcat (self->path, "-wal", NULL);
  ConfabStore *store = open_store (self->path);
  g_autoptr (ConfabBatch) batch = confab_batch_new (CONFAB_BATCH_RELAXED);
  g_autoptr (ConfabOverview) overview = NULL;

  put_session (batch, "s", "kept");
  confab_store_commit_async (store, batch, NULL, NULL);
  g_object_add_weak_pointer (G_OBJECT (store), (gpointer *) &store);
  g_object_unref (store);
  while (store != NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_false (g_file_test (log, G_FILE_TEST_EXISTS));

  store = open_store (self->path);
  overview = confab_store_read_overview (store, NULL);
  g_assert_cmpuint (overview->sessions->len, ==, 1);
  close_store (store);
}

static void
test_close_timeout (Fixture *self, gconstpointer data)
{
  g_autoptr (ConfabBatch) batch = confab_batch_new (CONFAB_BATCH_DURABLE);
  g_autoptr (GError) error = NULL;
  ConfabStore *store = open_store (self->path);
  gint64 start;

  put_ground (store);
  for (guint i = 0; i < 20000; i++)
    {
      g_autofree char *id = g_strdup_printf ("m%u", i);

      put_message (batch, "m", NULL, id, CONFAB_STATE_COMPLETED, "many words to index here");
    }
  confab_store_commit_async (store, batch, NULL, NULL);
  start = g_get_monotonic_time ();
  g_assert_false (confab_store_close (store, 20, &error));
  g_assert_error (error, CONFAB_STORE_ERROR, CONFAB_STORE_ERROR_FAILED);
  g_assert_cmpint (g_get_monotonic_time () - start, <, 10 * G_USEC_PER_SEC);

  /* it goes on nevertheless, and a second close waits for it */
  g_assert_true (confab_store_close (store, -1, NULL));
  g_object_unref (store);
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

int
main (int argc, char **argv)
{
  static const StoreTest tests[] = {
    { "group-commit", test_group_commit },
    { "aside", test_aside },
    { "callers-context", test_callers_context },
    { "cancelled-read", test_cancelled_read },
    { "close-drains", test_close_drains },
    { "freed-without-close", test_freed_without_close },
    { "close-timeout", test_close_timeout },
  };

  g_test_init (&argc, &argv, NULL);
  store_add_tests ("store/thread", tests, G_N_ELEMENTS (tests));

  return g_test_run ();
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-store-private.h"

struct _ConfabStore
{
  GObject parent_instance;

  /* Pending tasks hold a reference on the store, so none is left when that is finalized. */
  ConfabStoreThread *thread;

  GMutex mutex;
  ConfabHistogram latency; /* of commits; guarded by @mutex, as any thread may have asked for one */

  /* A close took too long: do not wait for the thread again. */
  gboolean given_up;
};

G_DEFINE_FINAL_TYPE (ConfabStore, confab_store, G_TYPE_OBJECT)

static void
confab_store_finalize (GObject *object)
{
  ConfabStore *self = CONFAB_STORE (object);

  if (self->thread != NULL)
    confab_store_thread_free (self->thread, !self->given_up);
  g_mutex_clear (&self->mutex);

  G_OBJECT_CLASS (confab_store_parent_class)->finalize (object);
}

static void
confab_store_class_init (ConfabStoreClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = confab_store_finalize;
}

static void
confab_store_init (ConfabStore *self)
{
  g_mutex_init (&self->mutex);
}

/**
 * confab_store_open:
 * @path: (nullable) (type filename): the database, which is made with mode 0600, in a folder of
 * mode 0700, where there is none; %NULL: a private one in memory
 * @error: return location for a %CONFAB_STORE_ERROR: LOCKED, READ_ONLY, NEWER, CORRUPT, FULL or
 *   FAILED, with one sentence for people
 *
 * Opens the database, brings it to the newest format, and keeps every other program out of it until
 * it is closed. Blocks; waits at most a second for another program. A refusal leaves the file, and
 * all that is beside it, as it was.
 *
 * Returns: (transfer full) (nullable): the store
 */
ConfabStore *
confab_store_open (const char *path, GError **error)
{
  /* absolute: SQLite would read a path that begins with "file:" as a URI */
  g_autofree char *absolute = path != NULL ? g_canonicalize_filename (path, NULL) : NULL;
  g_autoptr (ConfabStore) self = NULL;
  ConfabDb *db;

  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  db = confab_db_open (absolute, error);
  if (db == NULL)
    return NULL;

  self = g_object_new (CONFAB_TYPE_STORE, NULL);
  self->thread = confab_store_thread_new (db);

  return g_steal_pointer (&self);
}

static gpointer
recover_in_thread (ConfabDb *db, gpointer input, GError **error)
{
  guint n;

  if (!confab_db_recover (db, &n, error))
    return NULL;

  return GUINT_TO_POINTER (n);
}

/**
 * confab_store_recover:
 * @self: a store, before the first generation of this process
 * @n_recovered: (out) (optional): how many answers were unfinished
 * @error: return location
 *
 * Turns generations and messages that a crash left without an end into `interrupted`, with error
 * code "interrupted" and the text that they had. Blocks.
 *
 * Returns: whether it succeeded; else none was changed
 */
gboolean
confab_store_recover (ConfabStore *self, guint *n_recovered, GError **error)
{
  g_autoptr (GError) reason = NULL;
  gpointer n;

  g_return_val_if_fail (CONFAB_IS_STORE (self), FALSE);

  n = confab_store_thread_call (self->thread, recover_in_thread, NULL, &reason);
  if (reason != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&reason));
      return FALSE;
    }

  if (n_recovered != NULL)
    *n_recovered = GPOINTER_TO_UINT (n);

  return TRUE;
}

static gpointer
overview_in_thread (ConfabDb *db, gpointer input, GError **error)
{
  return confab_db_read_overview (db, error);
}

/**
 * confab_store_read_overview:
 * @self: a store
 * @error: return location
 *
 * Reads all sessions and modules, without their messages. Blocks.
 *
 * Returns: (transfer full) (nullable): both in the order in which they were made
 */
ConfabOverview *
confab_store_read_overview (ConfabStore *self, GError **error)
{
  g_return_val_if_fail (CONFAB_IS_STORE (self), NULL);

  return confab_store_thread_call (self->thread, overview_in_thread, NULL, error);
}

ConfabStoreThread *
confab_store_get_thread (ConfabStore *self)
{
  return self->thread;
}

/* When a commit was asked for, on its task. */
static GQuark
begun_quark (void)
{
  return g_quark_from_static_string ("confab-store-begun");
}

/**
 * confab_store_commit_async:
 * @self: a store
 * @batch: what to write; from here on it cannot be added to
 * @callback: (scope async): called when it is written, or failed
 * @user_data: for @callback
 *
 * Writes @batch whole or not at all. Batches are written in the order of the calls; a failed one
 * does not hold up those after it. It cannot be cancelled.
 */
void
confab_store_commit_async (ConfabStore *self,
                           ConfabBatch *batch,
                           GAsyncReadyCallback callback,
                           gpointer user_data)
{
  GTask *task;

  g_return_if_fail (CONFAB_IS_STORE (self) && batch != NULL);

  task = g_task_new (self, NULL, callback, user_data);
  g_task_set_source_tag (task, confab_store_commit_async);
  g_object_set_qdata_full (G_OBJECT (task), begun_quark (),
                           g_memdup2 (&(gint64){ g_get_monotonic_time () }, sizeof (gint64)),
                           g_free);
  confab_store_thread_push_batch (self->thread, task, batch);
}

/**
 * confab_store_commit_finish:
 * @self: a store
 * @result: the result
 * @error: return location: FULL where there was no space: commit the batch again later;
 *   INVALID where it contradicts what is stored: it never can be written
 *
 * Returns: whether the batch is written, for a durable one to the disk itself
 */
gboolean
confab_store_commit_finish (ConfabStore *self, GAsyncResult *result, GError **error)
{
  const gint64 *begun;

  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  begun = g_object_get_qdata (G_OBJECT (result), begun_quark ());
  if (begun != NULL)
    {
      g_mutex_lock (&self->mutex);
      confab_histogram_observe (&self->latency, g_get_monotonic_time () - *begun);
      g_mutex_unlock (&self->mutex);
    }

  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * confab_store_close_async:
 * @self: a store
 * @callback: (scope async) (nullable): called when it is closed
 * @user_data: for @callback
 *
 * Does all that was asked for before, moves the write-ahead log into the file, and unlocks it.
 * Calls after this one fail with %CONFAB_STORE_ERROR_CLOSED.
 *
 * A store that is freed without this does the same, and blocks for it.
 */
void
confab_store_close_async (ConfabStore *self, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task;

  g_return_if_fail (CONFAB_IS_STORE (self));

  task = g_task_new (self, NULL, callback, user_data);
  g_task_set_source_tag (task, confab_store_close_async);
  confab_store_thread_push_close (self->thread, task);
}

/**
 * confab_store_close_finish:
 * @self: a store
 * @result: the result
 * @error: return location
 *
 * Returns: whether the file is whole by itself; else what was committed is in the log beside it and
 *   found there at the next start
 */
gboolean
confab_store_close_finish (ConfabStore *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * confab_store_close:
 * @self: a store
 * @timeout_ms: how long to wait at most, in ms; below 0: without end
 * @error: return location
 *
 * The same as confab_store_close_async(), but waits; also for a close that is under way. Callbacks
 * of what was asked for before still come, when their contexts run. After a timeout the store is
 * left to itself: freeing it does not wait.
 *
 * Returns: as confab_store_close_finish()
 */
gboolean
confab_store_close (ConfabStore *self, gint64 timeout_ms, GError **error)
{
  gint64 end_time;

  g_return_val_if_fail (CONFAB_IS_STORE (self), FALSE);

  end_time = timeout_ms < 0 ? -1 : g_get_monotonic_time () + timeout_ms * 1000;
  confab_store_thread_push_close (self->thread, NULL);
  return confab_store_thread_wait_closed (self->thread, end_time, &self->given_up, error);
}

/**
 * confab_store_get_latency:
 * @self: the store
 * @latency: (out caller-allocates): how long commits took, from being asked for to being told
 */
void
confab_store_get_latency (ConfabStore *self, ConfabHistogram *latency)
{
  g_return_if_fail (CONFAB_IS_STORE (self) && latency != NULL);

  g_mutex_lock (&self->mutex);
  *latency = self->latency;
  g_mutex_unlock (&self->mutex);
}

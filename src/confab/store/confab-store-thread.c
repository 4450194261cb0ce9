/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-store-thread.h"

#include <glib/gi18n-lib.h>

/* Batches that one transaction takes at most, so that the first does not wait for ever. */
#define MAX_GROUP 64

typedef enum
{
  JOB_CALL,
  JOB_ASIDE,
  JOB_COMMIT,
  JOB_CLOSE,
} JobKind;

/* Owned by the queue, then by the thread, then by the source that answers the task (or by the
 * caller that waits): one at a time. */
typedef struct
{
  JobKind kind;

  /* Its references are taken and dropped in the context of the task alone: the last one may free
   * the store, which waits for the thread. NULL: somebody waits, or nobody cares. */
  GTask *task;

  ConfabBatch *batch; /* of JOB_COMMIT */

  ConfabStoreFunc run; /* of JOB_CALL and JOB_ASIDE, as what follows */
  gpointer input;
  GDestroyNotify free_input;
  gpointer result;
  GDestroyNotify free_result;

  GError *error;
  gboolean done; /* guarded by the thread's mutex, for those who wait */
} Job;

struct _ConfabStoreThread
{
  /* one for the owner, one for the thread itself */
  gatomicrefcount refs;

  GThread *thread; /* the owner's */

  GAsyncQueue *jobs; /* of Job; its lock guards @closing too */
  gboolean closing;  /* nothing is pushed any more */

  GMutex mutex;
  GCond cond;          /* with @mutex: a Job is done, or @closed */
  gboolean closed;     /* guarded by @mutex, as the next */
  GError *close_error; /* why the close left a log behind */

  ConfabDb *db; /* the thread's alone */
};

static void
job_free (gpointer data)
{
  Job *job = data;

  if (job->input != NULL && job->free_input != NULL)
    job->free_input (job->input);
  if (job->result != NULL && job->free_result != NULL)
    job->free_result (job->result);
  g_clear_pointer (&job->batch, confab_batch_unref);
  g_clear_error (&job->error);
  g_clear_object (&job->task);
  g_free (job);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Job, job_free)

static void
confab_store_thread_unref (ConfabStoreThread *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;

  g_async_queue_unref (self->jobs);
  g_mutex_clear (&self->mutex);
  g_cond_clear (&self->cond);
  g_clear_error (&self->close_error);
  g_free (self);
}

static gboolean
answer_cb (gpointer data)
{
  Job *job = data;

  if (job->error != NULL)
    g_task_return_error (job->task, g_steal_pointer (&job->error));
  else if (job->kind == JOB_CALL || job->kind == JOB_ASIDE)
    g_task_return_pointer (job->task, g_steal_pointer (&job->result), job->free_result);
  else
    g_task_return_boolean (job->task, TRUE);

  return G_SOURCE_REMOVE;
}

/* Hands @job to whom it belongs; the thread must not look at it again. */
static void
answer (ConfabStoreThread *self, Job *job)
{
  g_autoptr (GMainContext) context = NULL;
  g_autoptr (GSource) source = NULL;

  if (job->task == NULL)
    {
      g_mutex_lock (&self->mutex);
      job->done = TRUE;
      g_cond_broadcast (&self->cond);
      g_mutex_unlock (&self->mutex);
      return;
    }

  context = g_main_context_ref (g_task_get_context (job->task));
  source = g_idle_source_new ();
  g_source_set_priority (source, g_task_get_priority (job->task));
  g_source_set_static_name (source, "[confab] store answer");
  g_source_set_callback (source, answer_cb, job, job_free);
  g_source_attach (source, context);
}

static void
run_call (ConfabStoreThread *self, Job *job)
{
  GCancellable *cancellable = job->task != NULL ? g_task_get_cancellable (job->task) : NULL;

  if (!g_cancellable_set_error_if_cancelled (cancellable, &job->error))
    job->result = job->run (self->db, job->input, &job->error);

  answer (self, job);
}

/* Commits @first together with the commits that wait right behind it: while one group is being
 * synced to the disk, the next gathers. What may be called aside between them does not part them.
 * Returns: the job after them, if it is at hand */
static Job *
run_commits (ConfabStoreThread *self, Job *first)
{
  ConfabBatch *batches[MAX_GROUP] = { NULL };
  GError *errors[MAX_GROUP] = { NULL };
  Job *group[MAX_GROUP];
  Job *next = NULL;
  guint n = 0;

  for (Job *job = first; job != NULL;
       job = n < MAX_GROUP ? g_async_queue_try_pop (self->jobs) : NULL)
    {
      if (job->kind == JOB_ASIDE)
        {
          run_call (self, job);
          continue;
        }
      if (job->kind != JOB_COMMIT)
        {
          next = job;
          break;
        }
      batches[n] = job->batch;
      group[n++] = job;
    }

  confab_db_commit (self->db, batches, n, errors);
  for (guint i = 0; i < n; i++)
    {
      group[i]->error = errors[i];
      answer (self, group[i]);
    }

  return next;
}

static void
run_close (ConfabStoreThread *self, Job *job)
{
  GError *error = NULL;

  confab_db_close (g_steal_pointer (&self->db), &error);

  g_mutex_lock (&self->mutex);
  self->closed = TRUE;
  self->close_error = error;
  if (job->task != NULL && error != NULL)
    job->error = g_error_copy (error);
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->mutex);

  if (job->task != NULL)
    answer (self, job);
  else
    job_free (job);
}

static gpointer
thread_main (gpointer data)
{
  ConfabStoreThread *self = data;
  Job *next = NULL;

  while (self->db != NULL)
    {
      Job *job = next != NULL ? g_steal_pointer (&next) : g_async_queue_pop (self->jobs);

      switch (job->kind)
        {
        case JOB_CALL:
        case JOB_ASIDE:
          run_call (self, job);
          break;
        case JOB_COMMIT:
          next = run_commits (self, job);
          break;
        case JOB_CLOSE:
          run_close (self, job);
          break;
        default:
          g_assert_not_reached ();
        }
    }

  confab_store_thread_unref (self);

  return NULL;
}

/**
 * confab_store_thread_new:
 * @db: (transfer full): the database, which no other thread uses from here on
 *
 * Returns: (transfer full): the thread, which runs until it is told to close
 */
ConfabStoreThread *
confab_store_thread_new (ConfabDb *db)
{
  ConfabStoreThread *self = g_new0 (ConfabStoreThread, 1);

  g_atomic_ref_count_init (&self->refs);
  g_atomic_ref_count_inc (&self->refs);
  self->jobs = g_async_queue_new ();
  g_mutex_init (&self->mutex);
  g_cond_init (&self->cond);
  self->db = db;

  self->thread = g_thread_new ("confab-store", thread_main, self);

  return self;
}

/**
 * confab_store_thread_free:
 * @self: (transfer full): a thread
 * @wait: whether to wait until the database is closed; else that happens behind the caller's back
 *
 * Closes the database if it is not closed yet.
 */
void
confab_store_thread_free (ConfabStoreThread *self, gboolean wait)
{
  confab_store_thread_push_close (self, NULL);
  if (wait)
    g_thread_join (self->thread);
  else
    g_thread_unref (self->thread);
  confab_store_thread_unref (self);
}

/* Takes @job. Returns: FALSE: the store was closed, @error is set and @job freed but for its task
 */
static gboolean
push (ConfabStoreThread *self, Job *job, GError **error)
{
  gboolean closing;

  g_async_queue_lock (self->jobs);
  closing = self->closing;
  if (!closing)
    {
      self->closing = job->kind == JOB_CLOSE;
      g_async_queue_push_unlocked (self->jobs, job);
    }
  g_async_queue_unlock (self->jobs);

  if (closing)
    {
      g_set_error_literal (error, CONFAB_STORE_ERROR, CONFAB_STORE_ERROR_CLOSED,
                           _ ("The database was closed."));
      job_free (job);
    }

  return !closing;
}

/* Takes @job, the task in it too, and answers that if the store was closed. */
static void
push_for_task (ConfabStoreThread *self, Job *job)
{
  g_autoptr (GTask) task = g_object_ref (job->task);
  g_autoptr (GError) error = NULL;

  if (!push (self, job, &error))
    g_task_return_error (task, g_steal_pointer (&error));
}

static void
push_call (ConfabStoreThread *self,
           JobKind kind,
           GTask *task,
           ConfabStoreFunc run,
           gpointer input,
           GDestroyNotify free_input,
           GDestroyNotify free_result)
{
  Job *job = g_new0 (Job, 1);

  job->kind = kind;
  job->task = task;
  job->run = run;
  job->input = input;
  job->free_input = free_input;
  job->free_result = free_result;
  push_for_task (self, job);
}

void
confab_store_thread_push (ConfabStoreThread *self,
                          GTask *task,
                          ConfabStoreFunc run,
                          gpointer input,
                          GDestroyNotify free_input,
                          GDestroyNotify free_result)
{
  push_call (self, JOB_CALL, task, run, input, free_input, free_result);
}

void
confab_store_thread_push_aside (ConfabStoreThread *self,
                                GTask *task,
                                ConfabStoreFunc run,
                                gpointer input,
                                GDestroyNotify free_input,
                                GDestroyNotify free_result)
{
  push_call (self, JOB_ASIDE, task, run, input, free_input, free_result);
}

void
confab_store_thread_push_batch (ConfabStoreThread *self, GTask *task, ConfabBatch *batch)
{
  Job *job = g_new0 (Job, 1);

  confab_batch_seal (batch);
  job->kind = JOB_COMMIT;
  job->task = task;
  job->batch = confab_batch_ref (batch);
  push_for_task (self, job);
}

gpointer
confab_store_thread_call (ConfabStoreThread *self,
                          ConfabStoreFunc run,
                          gpointer input,
                          GError **error)
{
  g_autoptr (Job) job = NULL;
  Job *pushed = g_new0 (Job, 1);

  pushed->kind = JOB_CALL;
  pushed->run = run;
  pushed->input = input;
  if (!push (self, pushed, error))
    return NULL;

  job = pushed;
  g_mutex_lock (&self->mutex);
  while (!job->done)
    g_cond_wait (&self->cond, &self->mutex);
  g_mutex_unlock (&self->mutex);

  if (job->error != NULL)
    g_propagate_error (error, g_steal_pointer (&job->error));

  return g_steal_pointer (&job->result);
}

void
confab_store_thread_push_close (ConfabStoreThread *self, GTask *task)
{
  Job *job = g_new0 (Job, 1);

  job->kind = JOB_CLOSE;
  job->task = task;
  if (task != NULL)
    push_for_task (self, job);
  else
    push (self, job, NULL);
}

/**
 * confab_store_thread_wait_closed:
 * @self: a thread that was told to close
 * @end_time: as of g_get_monotonic_time(); -1: without end
 * @timed_out: (out): whether it is not closed by then
 * @error: return location
 *
 * Returns: whether it closed without an error
 */
gboolean
confab_store_thread_wait_closed (ConfabStoreThread *self,
                                 gint64 end_time,
                                 gboolean *timed_out,
                                 GError **error)
{
  gboolean ok;

  *timed_out = FALSE;
  g_mutex_lock (&self->mutex);
  while (!self->closed && !*timed_out)
    {
      if (end_time < 0)
        g_cond_wait (&self->cond, &self->mutex);
      else
        *timed_out = !g_cond_wait_until (&self->cond, &self->mutex, end_time) && !self->closed;
    }

  ok = self->closed && self->close_error == NULL;
  if (!self->closed)
    g_set_error_literal (error, CONFAB_STORE_ERROR, CONFAB_STORE_ERROR_FAILED,
                         _ ("The database did not finish its writes in time."));
  else if (!ok && error != NULL)
    *error = g_error_copy (self->close_error);
  g_mutex_unlock (&self->mutex);

  return ok;
}

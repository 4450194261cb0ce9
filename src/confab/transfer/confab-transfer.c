/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-transfer.h"

#include <unistd.h>

#define PROGRESS_INTERVAL_MS 250

struct _ConfabTransfer
{
  ConfabPump pump;
  GCancellable *cancellable; /* its own */
  GCancellable *outer;       /* the caller's, nullable */
  gulong outer_handler;

  ConfabTransferProgress progress;
  gpointer progress_data;
  GSource *progress_source;
  guint64 last_done;

  GThread *thread;
  GMainContext *context;
  ConfabTransferRun run;
  ConfabTransferEnd end;
  gpointer user_data;

  GMutex mutex;
  guint64 done;  /* guarded by @mutex */
  guint64 total; /* the same */

  GError *error; /* the thread's, then the other's */
};

static void
outer_cancelled_cb (GCancellable *outer, gpointer user_data)
{
  g_cancellable_cancel (user_data);
}

ConfabTransfer *
confab_transfer_new (int fd,
                     GCancellable *cancellable,
                     ConfabTransferProgress progress,
                     gpointer progress_data)
{
  ConfabTransfer *self = g_new0 (ConfabTransfer, 1);

  self->cancellable = g_cancellable_new ();
  self->pump = (ConfabPump){ fd, CONFAB_PUMP_PATIENCE_MS, self->cancellable };
  self->progress = progress;
  self->progress_data = progress_data;
  self->context = g_main_context_ref_thread_default ();
  g_mutex_init (&self->mutex);
  if (g_set_object (&self->outer, cancellable))
    self->outer_handler = g_cancellable_connect (cancellable, G_CALLBACK (outer_cancelled_cb),
                                                 g_object_ref (self->cancellable), g_object_unref);

  return self;
}

void
confab_transfer_free (ConfabTransfer *self)
{
  g_assert (self->thread == NULL);

  if (self->outer != NULL)
    g_cancellable_disconnect (self->outer, self->outer_handler);
  g_clear_object (&self->outer);
  g_clear_object (&self->cancellable);
  g_clear_pointer (&self->context, g_main_context_unref);
  g_clear_error (&self->error);
  g_mutex_clear (&self->mutex);
  close (self->pump.fd);
  g_free (self);
}

static gboolean
progress_cb (gpointer user_data)
{
  ConfabTransfer *self = user_data;
  guint64 done, total;

  g_mutex_lock (&self->mutex);
  done = self->done;
  total = self->total;
  g_mutex_unlock (&self->mutex);

  if (done != self->last_done)
    self->progress (done, total, self->progress_data);
  self->last_done = done;

  return G_SOURCE_CONTINUE;
}

static gboolean
ended_cb (gpointer user_data)
{
  ConfabTransfer *self = user_data;

  g_thread_join (g_steal_pointer (&self->thread));
  if (self->progress_source != NULL)
    {
      progress_cb (self);
      g_source_destroy (self->progress_source);
    }
  g_clear_pointer (&self->progress_source, g_source_unref);
  self->end (self, self->error, self->user_data);

  return G_SOURCE_REMOVE;
}

static gpointer
thread_main (gpointer data)
{
  ConfabTransfer *self = data;
  g_autoptr (GMainContext) context = g_main_context_ref (self->context);
  g_autoptr (GSource) source = g_idle_source_new ();

  self->run (self, self->user_data, &self->error);

  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_static_name (source, "[confab] transfer ended");
  g_source_set_callback (source, ended_cb, self, NULL);
  g_source_attach (source, context);

  return NULL;
}

/**
 * confab_transfer_start:
 * @self: a transfer that was not started yet
 * @run: what it does
 * @end: called once, when that is over
 * @user_data: for both
 */
void
confab_transfer_start (ConfabTransfer *self,
                       ConfabTransferRun run,
                       ConfabTransferEnd end,
                       gpointer user_data)
{
  self->run = run;
  self->end = end;
  self->user_data = user_data;
  if (self->progress != NULL)
    {
      self->progress_source = g_timeout_source_new (PROGRESS_INTERVAL_MS);
      g_source_set_static_name (self->progress_source, "[confab] transfer progress");
      g_source_set_callback (self->progress_source, progress_cb, self, NULL);
      g_source_attach (self->progress_source, self->context);
    }
  self->thread = g_thread_new ("confab-transfer", thread_main, self);
}

void
confab_transfer_cancel (ConfabTransfer *self)
{
  g_cancellable_cancel (self->cancellable);
}

GCancellable *
confab_transfer_get_cancellable (ConfabTransfer *self)
{
  return self->cancellable;
}

ConfabPump *
confab_transfer_get_pump (ConfabTransfer *self)
{
  return &self->pump;
}

void
confab_transfer_report (ConfabTransfer *self, guint64 done, guint64 total)
{
  g_mutex_lock (&self->mutex);
  self->done = done;
  self->total = total;
  g_mutex_unlock (&self->mutex);
}

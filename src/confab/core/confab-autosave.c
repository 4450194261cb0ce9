/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-run.h"

/* Text that a crash may take. */
#define SAVE_INTERVAL_MS 1000

static gboolean
save_cb (gpointer user_data)
{
  ConfabService *self = CONFAB_SERVICE (user_data);
  g_autoptr (GPtrArray) unsaved = g_steal_pointer (&self->unsaved);

  g_clear_pointer (&self->save_source, g_source_unref);
  /* side by side, so that the store takes them in one transaction */
  for (guint i = 0; i < unsaved->len; i++)
    confab_run_save (g_ptr_array_index (unsaved, i));

  return G_SOURCE_REMOVE;
}

/* The source must not keep the service: it is cleared with it. */
static void
arm (ConfabService *self)
{
  self->save_source = g_timeout_source_new (SAVE_INTERVAL_MS);
  g_source_set_static_name (self->save_source, "[confab] partial text");
  g_source_set_callback (self->save_source, save_cb, self, NULL);
  g_source_attach (self->save_source, g_main_context_get_thread_default ());
}

/**
 * confab_service_save_soon:
 * @self: the service
 * @run: a run that has got new text since it was saved
 *
 * Each has at most one row a second written, and none while nothing comes; one timer does for all.
 */
void
confab_service_save_soon (ConfabService *self, ConfabRun *run)
{
  if (self->unsaved == NULL)
    self->unsaved = g_ptr_array_new_with_free_func ((GDestroyNotify) confab_run_unref);
  g_ptr_array_add (self->unsaved, confab_run_ref (run));
  if (self->save_source == NULL)
    arm (self);
}

/* It has ended: its end will be kept with all of its text. */
void
confab_service_forget_unsaved (ConfabService *self, ConfabRun *run)
{
  if (self->unsaved != NULL)
    g_ptr_array_remove_fast (self->unsaved, run);
}

void
confab_service_clear_unsaved (ConfabService *self)
{
  g_clear_pointer (&self->unsaved, g_ptr_array_unref);
  if (self->save_source != NULL)
    g_source_destroy (self->save_source);
  g_clear_pointer (&self->save_source, g_source_unref);
}

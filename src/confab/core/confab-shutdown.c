/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib/gi18n-lib.h>

#include "confab-error.h"
#include "confab-run.h"
#include "confab-service-transfer-private.h"

static void
closed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;

  if (confab_store_close_finish (CONFAB_STORE (source), result, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

void
confab_service_continue_shutdown (ConfabService *self)
{
  if (self->shutdown_task != NULL && g_hash_table_size (self->runs) == 0
      && self->transfers->len == 0)
    confab_store_close_async (self->store, closed_cb, g_steal_pointer (&self->shutdown_task));
}

/**
 * confab_service_shutdown_async:
 * @self: the service
 * @callback: called when every end was told and kept, and the store is closed
 * @user_data: for @callback
 *
 * Ends every running generation with %CONFAB_ERROR_SHUTTING_DOWN and starts no more.
 */
void
confab_service_shutdown_async (ConfabService *self,
                               GAsyncReadyCallback callback,
                               gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autolist (GObject) generations = NULL;
  GTask *task;

  g_return_if_fail (CONFAB_IS_SERVICE (self) && !self->shut_down);

  task = g_task_new (self, NULL, callback, user_data);
  g_task_set_source_tag (task, confab_service_shutdown_async);
  self->shut_down = TRUE;
  self->shutdown_task = task;

  error = g_error_new_literal (CONFAB_ERROR, CONFAB_ERROR_SHUTTING_DOWN,
                               _ ("Confab is shutting down; the answer was interrupted."));
  generations = g_hash_table_get_keys (self->runs);
  g_list_foreach (generations, (GFunc) (void (*) (void)) g_object_ref, NULL);
  for (GList *l = generations; l != NULL; l = l->next)
    {
      ConfabRun *run = g_hash_table_lookup (self->runs, l->data);

      if (run != NULL && confab_run_is_accepted (run))
        confab_run_interrupt (run, error);
    }

  confab_service_cancel_transfers (self);
  confab_service_flush_unwritten (self);
  confab_service_continue_shutdown (self);
}

/**
 * confab_service_shutdown_finish:
 *
 * Returns: whether the store took everything
 */
gboolean
confab_service_shutdown_finish (ConfabService *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-run-private.h"

#include "confab-error.h"
#include "confab-rows.h"

void
confab_run_leave_service (ConfabRun *self)
{
  g_autoptr (ConfabRun) guard G_GNUC_UNUSED = confab_run_ref (self);
  ConfabGeneration *next;
  ConfabRun *run;

  g_hash_table_remove (self->service->runs, self->generation);
  next = confab_module_get_running (self->module);
  run = next != NULL ? g_hash_table_lookup (self->service->runs, next) : NULL;
  if (run != NULL)
    confab_run_announce (run);
  confab_scheduler_remove (self->service->scheduler, self->module, self);
  confab_service_continue_shutdown (self->service);
}

static void
tell_end (ConfabRun *self)
{
  g_autoptr (GArray) waiting = NULL;

  confab_run_meter_ended (self->meter, self->end_state, self->outcome, self->error);
  switch (self->end_state)
    {
    case CONFAB_STATE_COMPLETED:
      confab_generation_complete (self->generation, g_steal_pointer (&self->outcome));
      break;
    case CONFAB_STATE_STOPPED:
      confab_generation_stop (self->generation);
      break;
    case CONFAB_STATE_FAILED:
      confab_generation_fail (self->generation, self->error);
      break;
    default:
      confab_generation_interrupt (self->generation, self->error);
      break;
    }

  waiting = g_steal_pointer (&self->waiting_for_end);
  for (guint i = 0; waiting != NULL && i < waiting->len; i++)
    {
      ConfabRunWaiting *one = &g_array_index (waiting, ConfabRunWaiting, i);

      one->func (one->data);
    }
}

static void
end_written_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (ConfabRun) self = user_data;
  const char *module_id = confab_generation_get_module_id (self->generation);
  g_autoptr (GError) error = NULL;

  confab_store_commit_finish (CONFAB_STORE (source), result, &error);

  if (g_error_matches (error, CONFAB_STORE_ERROR, CONFAB_STORE_ERROR_INVALID))
    {
      /* its module was deleted meanwhile */
      g_debug ("The end of generation %s has no place: %s",
               confab_generation_get_id (self->generation), error->message);
      g_clear_error (&error);
    }

  /* Whoever hears of the end may ask for it, so that it stays here until it can be found there. */
  if (error != NULL)
    {
      g_warning ("The end of generation %s is not kept yet: %s",
                 confab_generation_get_id (self->generation), error->message);
      confab_service_keep_unwritten (self->service, self->module, self->generation,
                                     self->end_batch);
    }
  tell_end (self);
  if (error == NULL)
    confab_module_remove_generation (self->module, self->generation);
  confab_run_leave_service (self);
  /* it is idle now, or the next one runs */
  if (confab_service_lookup_module (self->service, module_id) == self->module)
    confab_service_emit_module (self->service, module_id, self->module);
}

gboolean
confab_run_end (ConfabRun *self, ConfabState state, ConfabOutcome *outcome, const GError *error)
{
  ConfabRowsEnd row = { .state = state, .outcome = outcome, .error = error };

  if (self->ending)
    {
      g_clear_pointer (&outcome, confab_outcome_free);
      return FALSE;
    }

  self->ending = TRUE;
  self->end_state = state;
  self->outcome = outcome;
  self->error = error != NULL ? g_error_copy (error) : NULL;
  if (self->unsaved)
    confab_service_forget_unsaved (self->service, self);
  g_cancellable_cancel (self->cancellable);

  self->end_batch = confab_batch_new (CONFAB_BATCH_DURABLE);
  confab_rows_put_answer (self->end_batch, self->module, self->generation, &row);
  confab_rows_put_generation (self->end_batch, self->generation, &row);
  confab_store_commit_async (self->service->store, self->end_batch, end_written_cb,
                             confab_run_ref (self));

  return TRUE;
}

gboolean
confab_run_fail (ConfabRun *self, const GError *error)
{
  const char *id = confab_generation_get_id (self->generation);
  const char *code = confab_error_to_code (error);

  /* The sentence may be the model server's, which may repeat what it was asked: no text of a chat
   * comes into logs. */
  g_log_structured (G_LOG_DOMAIN, G_LOG_LEVEL_MESSAGE, "CONFAB_GENERATION_ID", id,
                    "CONFAB_MODULE_ID", confab_generation_get_module_id (self->generation),
                    "CONFAB_CODE", code, "MESSAGE", "Generation %s failed: %s", id, code);

  return confab_run_end (self, CONFAB_STATE_FAILED, NULL, error);
}

/**
 * confab_run_stop:
 * @self: a run that was accepted
 * @stopped: (out) (optional): whether that ends it; %FALSE if its end stood already
 * @func: (nullable): called when the end is kept and was told
 * @user_data: for @func
 *
 * Ends it as somebody asked. The connection to its upstream is closed at once; what has come so far
 * is the answer.
 *
 * Returns: %FALSE if the end has been told already; @func is not called then
 */
gboolean
confab_run_stop (ConfabRun *self, gboolean *stopped, ConfabRunFunc func, gpointer user_data)
{
  ConfabRunWaiting waiting = { func, user_data };
  gboolean ends;

  ends =
      confab_run_end (self, CONFAB_STATE_STOPPED, confab_outcome_new (CONFAB_FINISH_STOPPED), NULL);
  if (stopped != NULL)
    *stopped = ends;
  if (self->waiting_for_end == NULL)
    return FALSE;

  if (func != NULL)
    g_array_append_val (self->waiting_for_end, waiting);

  return TRUE;
}

/**
 * confab_run_interrupt:
 * @self: a run that was accepted
 * @error: what comes between
 *
 * Returns: %FALSE if the end stood already
 */
gboolean
confab_run_interrupt (ConfabRun *self, const GError *error)
{
  return confab_run_end (self, CONFAB_STATE_INTERRUPTED, NULL, error);
}

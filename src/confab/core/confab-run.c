/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-run-private.h"

#include <glib/gi18n-lib.h>

#include "confab-error.h"
#include "confab-rows.h"

/* Which model is asked: told of every answer, however it ends. */
static void
name_model (ConfabRun *self)
{
  ConfabProvider *provider = confab_service_find_provider (self->service, self->module);
  const char *model = confab_module_get_model (self->module);

  if (model == NULL && provider != NULL)
    model = confab_provider_get_model (provider);
  confab_message_set_model (confab_generation_get_answer (self->generation), model);
}

ConfabRun *
confab_run_new (ConfabService *service, ConfabModule *module, ConfabGeneration *generation)
{
  ConfabRun *self = g_new0 (ConfabRun, 1);

  g_atomic_ref_count_init (&self->refs);
  self->service = g_object_ref (service);
  self->module = g_object_ref (module);
  self->generation = g_object_ref (generation);
  self->waiters = g_ptr_array_new_with_free_func (g_object_unref);
  self->cancellable = g_cancellable_new ();
  self->waiting_for_end = g_array_new (FALSE, FALSE, sizeof (ConfabRunWaiting));
  self->meter =
      confab_run_meter_new (service->metrics, confab_service_find_provider_name (service, module));
  name_model (self);

  return self;
}

ConfabRun *
confab_run_ref (ConfabRun *self)
{
  g_atomic_ref_count_inc (&self->refs);

  return self;
}

void
confab_run_unref (ConfabRun *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;

  g_clear_pointer (&self->waiters, g_ptr_array_unref);
  g_clear_pointer (&self->waiting_for_end, g_array_unref);
  g_clear_pointer (&self->end_batch, confab_batch_unref);
  g_clear_pointer (&self->outcome, confab_outcome_free);
  g_clear_error (&self->error);
  g_clear_object (&self->provider);
  g_clear_object (&self->cancellable);
  g_clear_pointer (&self->lead, g_ptr_array_unref);
  confab_run_meter_free (self->meter);
  g_clear_object (&self->generation);
  g_clear_object (&self->module);
  g_clear_object (&self->service);
  g_free (self);
}

ConfabGeneration *
confab_run_get_generation (ConfabRun *self)
{
  return self->generation;
}

const char *
confab_run_get_provider_name (ConfabRun *self)
{
  return confab_run_meter_get_provider_name (self->meter);
}

gboolean
confab_run_is_accepted (ConfabRun *self)
{
  return self->waiters == NULL;
}

void
confab_run_add_waiter (ConfabRun *self, GTask *task)
{
  g_return_if_fail (self->waiters != NULL);

  g_ptr_array_add (self->waiters, g_object_ref (task));
}

/**
 * confab_run_steal_waiters:
 * @self: a run that is neither accepted nor abandoned yet
 *
 * Returns: (transfer full) (element-type GTask): those who wait for that
 */
GPtrArray *
confab_run_steal_waiters (ConfabRun *self)
{
  return g_steal_pointer (&self->waiters);
}

void
confab_run_announce (ConfabRun *self)
{
  if (self->announced || self->ending || !confab_run_is_accepted (self)
      || confab_module_get_running (self->module) != self->generation)
    return;

  self->announced = TRUE;
  confab_service_emit_started (self->service, self->generation);
}

static void
partial_written_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (ConfabRun) self = user_data;
  g_autoptr (GError) error = NULL;

  /* the end is what counts: it comes with all of the text, and is written again until it is kept */
  if (!confab_store_commit_finish (CONFAB_STORE (source), result, &error))
    g_debug ("Text so far of generation %s is not kept: %s",
             confab_generation_get_id (self->generation), error->message);
}

/**
 * confab_run_save:
 * @self: a run
 *
 * Writes down how far it has come, unless its end is being written.
 */
void
confab_run_save (ConfabRun *self)
{
  g_autoptr (ConfabBatch) batch = NULL;

  self->unsaved = FALSE;
  if (self->ending)
    return;

  batch = confab_batch_new (CONFAB_BATCH_RELAXED);
  confab_rows_grow_answer (batch, self->generation);
  /* the seq that this text reaches: after a crash both are told */
  confab_rows_put_generation (batch, self->generation, NULL);
  confab_store_commit_async (self->service->store, batch, partial_written_cb,
                             confab_run_ref (self));
}

static void
save_soon (ConfabRun *self)
{
  if (self->unsaved)
    return;

  self->unsaved = TRUE;
  confab_service_save_soon (self->service, self);
}

static void
delta_cb (ConfabDeltaKind kind, const char *text, gsize length, gpointer user_data)
{
  /* who hears of the delta may stop the run */
  g_autoptr (ConfabRun) self = confab_run_ref (user_data);
  gint64 noticed = confab_run_meter_get_turn_time ();

  if (self->ending || !confab_generation_append (self->generation, kind, text, length)
      || self->ending)
    return;

  confab_run_meter_told (self->meter, kind, length, noticed);
  save_soon (self);
  self->received += length;
  if (self->received > CONFAB_MAX_ANSWER_BYTES)
    confab_run_end (self, CONFAB_STATE_COMPLETED, confab_outcome_new (CONFAB_FINISH_LENGTH), NULL);
}

static void
answered_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (ConfabRun) self = user_data;
  g_autoptr (ConfabOutcome) outcome = NULL;
  g_autoptr (GError) error = NULL;

  outcome = confab_provider_generate_finish (self->provider, result, &error);
  if (outcome != NULL)
    confab_run_end (self, CONFAB_STATE_COMPLETED, g_steal_pointer (&outcome), NULL);
  else if (!self->ending)
    confab_run_fail (self, error);
}

/* @branch: up to the question and with it */
static void
ask_provider (ConfabRun *self, GPtrArray *branch)
{
  g_autoptr (ConfabPrompt) prompt = confab_module_build_prompt (self->module, branch);

  confab_provider_generate_async (self->provider, prompt, delta_cb, self, self->cancellable,
                                  answered_cb, confab_run_ref (self));
}

static void
branch_read_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (ConfabRun) self = user_data;
  g_autoptr (GPtrArray) messages = NULL;
  g_autoptr (GPtrArray) records = NULL;
  g_autoptr (GError) storage_error = NULL;
  g_autoptr (GError) error = NULL;

  records = confab_store_branch_finish (CONFAB_STORE (source), result, &error);
  if (self->ending)
    return;
  if (records == NULL)
    {
      storage_error = confab_service_storage_error (error);
      confab_run_fail (self, storage_error);
      return;
    }

  messages = confab_rows_read_messages (records);
  ask_provider (self, messages);
}

static void
lead_read_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (ConfabRun) self = user_data;
  g_autoptr (GPtrArray) records = NULL;
  g_autoptr (GError) error = NULL;

  records = confab_store_branch_finish (CONFAB_STORE (source), result, &error);
  if (records != NULL && !confab_run_is_accepted (self))
    self->lead = confab_rows_read_messages (records);
  else if (records == NULL)
    g_debug ("What generation %s is to follow is read when its turn comes: %s",
             confab_generation_get_id (self->generation), error->message);
}

/**
 * confab_run_read_ahead:
 * @self: a run whose question is about to be written
 *
 * Reads what the question follows while that is written, so that the provider can be asked as soon
 * as the question is on disk. Only if its turn is bound to come first in its module: what it
 * follows is on disk then.
 */
void
confab_run_read_ahead (ConfabRun *self)
{
  ConfabMessage *question = confab_generation_get_question (self->generation);
  const char *parent_id = confab_message_get_parent_id (question);

  if (confab_module_get_n_generations (self->module) > 1)
    return;

  if (parent_id == NULL)
    self->lead = g_ptr_array_new_with_free_func (g_object_unref);
  else
    confab_store_lead_async (self->service->store, confab_module_get_id (self->module), parent_id,
                             self->cancellable, lead_read_cb, confab_run_ref (self));
}

/**
 * confab_run_begin:
 * @self: a run whose turn has come
 */
void
confab_run_begin (ConfabRun *self)
{
  ConfabMessage *question = confab_generation_get_question (self->generation);
  ConfabProvider *provider = confab_service_find_provider (self->service, self->module);

  if (self->ending)
    return;

  /* the module may have been given another while the question waited */
  name_model (self);
  confab_generation_begin (self->generation);
  /* whoever heard of that may have stopped it */
  if (self->ending)
    return;
  if (provider == NULL)
    {
      g_autoptr (GError) error = g_error_new_literal (CONFAB_ERROR, CONFAB_ERROR_NO_PROVIDER,
                                                      _ ("No model is set up to answer."));

      confab_run_fail (self, error);
      return;
    }

  self->provider = g_object_ref (provider);
  confab_run_meter_asked (self->meter,
                          confab_service_find_provider_name (self->service, self->module));
  if (self->lead == NULL)
    {
      confab_store_branch_async (self->service->store, confab_module_get_id (self->module),
                                 confab_message_get_id (question), self->cancellable,
                                 branch_read_cb, confab_run_ref (self));
      return;
    }

  g_ptr_array_add (self->lead, g_object_ref (question));
  ask_provider (self, self->lead);
  g_clear_pointer (&self->lead, g_ptr_array_unref);
}

/**
 * confab_run_accept:
 * @self: a new run whose question is on disk
 */
void
confab_run_accept (ConfabRun *self)
{
  g_return_if_fail (confab_run_is_accepted (self));

  confab_run_meter_accepted (self->meter);
  confab_run_announce (self);
  if (!self->ending && !self->service->shut_down)
    confab_scheduler_add (self->service->scheduler, self->module, self);
  /* others go first, and it may take long: it is read again then */
  g_clear_pointer (&self->lead, g_ptr_array_unref);
}

/**
 * confab_run_abandon:
 * @self: a new run whose question is not on disk
 */
void
confab_run_abandon (ConfabRun *self)
{
  self->ending = TRUE;
  confab_module_remove_generation (self->module, self->generation);
  confab_run_leave_service (self);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib/gi18n-lib.h>

#include "confab-error.h"
#include "confab-run.h"

/* One call that waits for the ends that it asked for. */
typedef struct
{
  gint stopped;
  gint awaited;
} Stopping;

static void
ended_cb (gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Stopping *stopping = g_task_get_task_data (task);

  if (--stopping->awaited == 0)
    g_task_return_int (task, stopping->stopped);
}

static void
stop_run (GTask *task, ConfabGeneration *generation)
{
  ConfabService *self = g_task_get_source_object (task);
  ConfabRun *run = g_hash_table_lookup (self->runs, generation);
  Stopping *stopping = g_task_get_task_data (task);
  gboolean stopped;

  /* also of one whose end is on its way: no chunk follows the answer to this */
  if (run == NULL || !confab_run_stop (run, &stopped, ended_cb, task))
    return;

  g_object_ref (task);
  stopping->stopped += stopped ? 1 : 0;
  stopping->awaited++;
}

static void
generation_read_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (ConfabExchange) exchange = NULL;
  g_autoptr (GError) error = NULL;

  exchange = confab_store_exchange_finish (CONFAB_STORE (source), result, &error);
  if (error != NULL)
    g_task_return_error (task, confab_service_storage_error (error));
  else if (exchange == NULL)
    confab_service_refuse (task, CONFAB_ERROR_UNKNOWN_GENERATION,
                           _ ("There is no answer with this generationId."));
  else
    g_task_return_int (task, 0);
}

/**
 * confab_service_stop_async:
 * @self: the service
 * @payload: of `ai:chat:stop`
 * @callback: called when it is stopped: its end is kept and was told
 * @user_data: for @callback
 *
 * Ends a running generation with what it has; without a generationId all of the module, those that
 * wait included. The connection to its upstream is closed at once.
 */
void
confab_service_stop_async (ConfabService *self,
                           JsonObject *payload,
                           GAsyncReadyCallback callback,
                           gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  const char *module_id, *generation_id;
  ConfabGeneration *generation;
  ConfabModule *module;
  GError *error = NULL;

  g_return_if_fail (CONFAB_IS_SERVICE (self));

  task = g_task_new (self, NULL, callback, user_data);
  g_task_set_source_tag (task, confab_service_stop_async);
  g_task_set_task_data (task, g_new0 (Stopping, 1), g_free);
  if (!confab_rules_check ("ai:chat:stop", payload, &error))
    {
      g_task_return_error (task, error);
      return;
    }

  module_id = confab_rules_get_string (payload, "moduleId");
  generation_id = confab_rules_get_string (payload, "generationId");
  module = g_hash_table_lookup (self->modules, module_id);
  if (module == NULL)
    {
      confab_service_refuse (task, CONFAB_ERROR_UNKNOWN_MODULE,
                             _ ("There is no conversation with this moduleId."));
      return;
    }

  generation =
      generation_id != NULL ? confab_module_lookup_generation (module, generation_id) : NULL;
  if (generation_id != NULL && generation == NULL)
    {
      confab_store_get_generation_async (self->store, module_id, generation_id, NULL,
                                         generation_read_cb, g_object_ref (task));
      return;
    }

  for (guint i = 0; i < confab_module_get_n_generations (module); i++)
    if (generation == NULL || confab_module_get_generation (module, i) == generation)
      stop_run (task, confab_module_get_generation (module, i));
  if (((Stopping *) g_task_get_task_data (task))->awaited == 0)
    g_task_return_int (task, 0);
}

/**
 * confab_service_stop_finish:
 *
 * Returns: how many were stopped; 0 if the end stood already; -1 on error
 */
gint
confab_service_stop_finish (ConfabService *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), -1);

  return (gint) g_task_propagate_int (G_TASK (result), error);
}

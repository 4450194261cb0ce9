/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib/gi18n-lib.h>

#include "confab-error.h"
#include "confab-rows.h"
#include "confab-service-private.h"
#include "confab-store-branches.h"

/*
 * ai:chat:branch. The store is asked where the branch ends, and then made to keep that as the head.
 * Meanwhile the module is held: questions and other switches wait, so that each finds the head that
 * those before it left.
 */
typedef struct
{
  JsonObject *payload;
  const char *module_id;
  const char *message_id;

  ConfabModule *module; /* that is held; maybe deleted by now, or made anew under its id */
  ConfabBranchEnd *end;
} Switch;

static void
switch_free (gpointer data)
{
  Switch *change = data;

  json_object_unref (change->payload);
  g_clear_object (&change->module);
  confab_branch_end_free (change->end);
  g_free (change);
}

/* Those who wait: data of the module while it is held */

typedef struct
{
  void (*again) (GTask *task);
  GTask *task;
} Waiter;

static void
waiter_clear (gpointer data)
{
  g_object_unref (((Waiter *) data)->task);
}

static GQuark
get_quark (void)
{
  static GQuark quark;

  if (quark == 0)
    quark = g_quark_from_static_string ("confab-switch-waiters");

  return quark;
}

static void
hold (ConfabModule *module)
{
  GArray *waiters = g_array_new (FALSE, FALSE, sizeof (Waiter));

  g_array_set_clear_func (waiters, waiter_clear);
  g_object_set_qdata_full (G_OBJECT (module), get_quark (), waiters,
                           (GDestroyNotify) g_array_unref);
}

/* The first of those who wait may be a switch too, for which the others wait again. */
static void
release (ConfabModule *module)
{
  g_autoptr (GArray) waiters = g_object_steal_qdata (G_OBJECT (module), get_quark ());

  for (guint i = 0; i < waiters->len; i++)
    {
      const Waiter *waiter = &g_array_index (waiters, Waiter, i);

      waiter->again (waiter->task);
    }
}

gboolean
confab_service_await_switch (ConfabService *self,
                             ConfabModule *module,
                             void (*again) (GTask *task),
                             GTask *task)
{
  GArray *waiters = g_object_get_qdata (G_OBJECT (module), get_quark ());
  Waiter waiter = { again, task };

  if (waiters == NULL)
    return FALSE;

  g_object_ref (task);
  g_array_append_val (waiters, waiter);

  return TRUE;
}

static void
tell (ConfabService *self, const Switch *change)
{
  const ConfabBranchChange told = {
    .module = change->module,
    .message_id = change->message_id,
    .parent_id = change->end->parent_id,
    .head_id = change->end->leaf_id,
    .n_messages = change->end->n_messages,
  };

  confab_service_emit_branch (self, &told);
  confab_service_emit_module (self, change->module_id, change->module);
}

static void
written_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  ConfabService *self = g_task_get_source_object (task);
  Switch *change = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;

  if (!confab_store_commit_finish (CONFAB_STORE (source), result, &error))
    {
      confab_module_restore_head (change->module);
      g_task_return_error (task, confab_service_storage_error (error));
    }
  else
    {
      confab_module_set_kept_head (change->module, change->end->leaf_id, change->end->n_messages);
      /* unless it was deleted meanwhile, which may still fail */
      if (g_hash_table_lookup (self->modules, change->module_id) != change->module)
        confab_service_refuse (task, CONFAB_ERROR_UNKNOWN_MODULE,
                               _ ("There is no conversation with this moduleId."));
      else
        {
          g_task_return_boolean (task, TRUE);
          tell (self, change);
        }
    }
  release (change->module);
}

static void
write_head (GTask *task)
{
  ConfabService *self = g_task_get_source_object (task);
  Switch *change = g_task_get_task_data (task);
  g_autoptr (ConfabBatch) batch = confab_batch_new (CONFAB_BATCH_DURABLE);

  confab_module_set_head (change->module, change->end->leaf_id, change->end->n_messages);
  confab_module_mark_head_last (change->module);
  confab_rows_put_head (batch, change->module);
  confab_store_commit_async (self->store, batch, written_cb, g_object_ref (task));
}

static void end_read_cb (GObject *source, GAsyncResult *result, gpointer user_data);

/* Begins, or begins again, with what is here. */
static void
look_up (GTask *task)
{
  ConfabService *self = g_task_get_source_object (task);
  Switch *change = g_task_get_task_data (task);
  ConfabModule *module = g_hash_table_lookup (self->modules, change->module_id);

  g_clear_pointer (&change->end, confab_branch_end_free);
  if (self->shut_down)
    confab_service_refuse (task, CONFAB_ERROR_SHUTTING_DOWN, _ ("Confab is shutting down."));
  else if (module == NULL)
    confab_service_refuse (task, CONFAB_ERROR_UNKNOWN_MODULE,
                           _ ("There is no conversation with this moduleId."));
  else if (confab_service_await_switch (self, module, look_up, task))
    return;
  else if (confab_module_get_running (module) != NULL)
    confab_service_refuse (task, CONFAB_ERROR_BUSY,
                           _ ("This conversation is still being answered."));
  else
    {
      g_set_object (&change->module, module);
      hold (module);
      confab_store_branch_end_async (self->store, change->module_id, change->message_id,
                                     end_read_cb, g_object_ref (task));
    }
}

/* Returns: whether the head is being written; else the end is told */
static gboolean
decide (GTask *task, const GError *error)
{
  Switch *change = g_task_get_task_data (task);

  if (g_error_matches (error, CONFAB_STORE_ERROR, CONFAB_STORE_ERROR_NOT_FOUND))
    confab_service_refuse (task, CONFAB_ERROR_UNKNOWN_MESSAGE,
                           _ ("There is no message with this messageId."));
  else if (error != NULL)
    g_task_return_error (task, confab_service_storage_error (error));
  else if (change->end->visible)
    g_task_return_boolean (task, TRUE);
  else
    {
      write_head (task);
      return TRUE;
    }

  return FALSE;
}

static void
end_read_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  ConfabService *self = g_task_get_source_object (task);
  Switch *change = g_task_get_task_data (task);
  g_autoptr (ConfabModule) module = g_object_ref (change->module);
  g_autoptr (GError) error = NULL;

  change->end = confab_store_branch_end_finish (CONFAB_STORE (source), result, &error);
  if (g_hash_table_lookup (self->modules, change->module_id) != module)
    look_up (task);
  else if (decide (task, error))
    return;

  release (module);
}

/**
 * confab_service_switch_branch_async:
 * @self: the service
 * @payload: of `ai:chat:branch`; it must not change afterwards
 * @callback: called when the head is on disk, or refused
 * @user_data: for @callback
 *
 * Makes that branch of a module the visible one which runs through a message: from there on by the
 * newest message wherever it forks. If that message is visible already, nothing changes. Refused
 * as busy while the module is being answered.
 */
void
confab_service_switch_branch_async (ConfabService *self,
                                    JsonObject *payload,
                                    GAsyncReadyCallback callback,
                                    gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  Switch *change;

  g_return_if_fail (CONFAB_IS_SERVICE (self));

  task = confab_service_begin_call (self, "ai:chat:branch", payload,
                                    confab_service_switch_branch_async, callback, user_data);
  if (task == NULL)
    return;

  change = g_new0 (Switch, 1);
  change->payload = json_object_ref (payload);
  change->module_id = confab_rules_get_string (payload, "moduleId");
  change->message_id = confab_rules_get_string (payload, "messageId");
  g_task_set_task_data (task, change, switch_free);
  look_up (task);
}

/**
 * confab_service_switch_branch_finish:
 * @self: the service
 * @result: of confab_service_switch_branch_async()
 * @head_id: (out) (transfer full): the message that ends the visible branch
 * @n_messages: (out): how many messages that has
 * @error: return location for a %CONFAB_ERROR
 *
 * Returns: whether the message is visible
 */
gboolean
confab_service_switch_branch_finish (ConfabService *self,
                                     GAsyncResult *result,
                                     char **head_id,
                                     guint64 *n_messages,
                                     GError **error)
{
  const Switch *change;

  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  if (!g_task_propagate_boolean (G_TASK (result), error))
    return FALSE;

  change = g_task_get_task_data (G_TASK (result));
  *head_id = g_strdup (change->end->leaf_id);
  *n_messages = change->end->n_messages;

  return TRUE;
}

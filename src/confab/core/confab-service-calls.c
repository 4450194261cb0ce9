/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-service-private.h"

#include <glib/gi18n-lib.h>

#include "confab-error.h"

/* How calls begin, and how they are refused. */

void
confab_service_refuse (GTask *task, ConfabError code, const char *message)
{
  g_task_return_new_error (task, CONFAB_ERROR, (int) code, "%s", message);
}

/**
 * confab_service_begin_call:
 * @self: the service
 * @call: its name in the contract
 * @payload: what came with it
 * @tag: the function that was called
 * @callback: called when the task returns
 * @user_data: for @callback
 *
 * Returns: (transfer full) (nullable): the call's task; %NULL if it has been refused already:
 * @payload is unfit, or the service is shut down
 */
GTask *
confab_service_begin_call (ConfabService *self,
                           const char *call,
                           JsonObject *payload,
                           gpointer tag,
                           GAsyncReadyCallback callback,
                           gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  GError *error = NULL;

  (g_task_set_source_tag) (task, tag);
  if (!confab_rules_check (call, payload, &error))
    {
      g_task_return_error (task, error);
      return NULL;
    }
  if (self->shut_down)
    {
      confab_service_refuse (task, CONFAB_ERROR_SHUTTING_DOWN, _ ("Confab is shutting down."));
      return NULL;
    }

  return g_steal_pointer (&task);
}

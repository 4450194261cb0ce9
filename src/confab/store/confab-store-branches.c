/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-store-branches.h"

#include "confab-store-private.h"

typedef struct
{
  char *module_id;
  char *message_id; /* nullable */
} Place;

static Place *
place_new (const char *module_id, const char *message_id)
{
  Place *place = g_new (Place, 1);

  *place = (Place){ g_strdup (module_id), g_strdup (message_id) };

  return place;
}

static void
place_free (gpointer data)
{
  Place *place = data;

  g_free (place->module_id);
  g_free (place->message_id);
  g_free (place);
}

static gpointer
branch_end_in_thread (ConfabDb *db, gpointer input, GError **error)
{
  const Place *place = input;

  return confab_db_read_branch_end (db, place->module_id, place->message_id, error);
}

/**
 * confab_store_branch_end_async:
 * @self: a store
 * @module_id: a module
 * @message_id: a message of it, on whatever branch
 * @callback: (scope async): called with the end of a branch that runs through it
 * @user_data: for @callback
 *
 * Of the branches that run through the message this finds the visible one, else the one that goes
 * on with the newest message wherever it forks.
 */
void
confab_store_branch_end_async (ConfabStore *self,
                               const char *module_id,
                               const char *message_id,
                               GAsyncReadyCallback callback,
                               gpointer user_data)
{
  GTask *task;

  g_return_if_fail (CONFAB_IS_STORE (self) && module_id != NULL && message_id != NULL);

  task = g_task_new (self, NULL, callback, user_data);
  g_task_set_source_tag (task, confab_store_branch_end_async);
  confab_store_thread_push (confab_store_get_thread (self), task, branch_end_in_thread,
                            place_new (module_id, message_id), place_free,
                            (GDestroyNotify) confab_branch_end_free);
}

/**
 * confab_store_branch_end_finish:
 * @self: a store
 * @result: the result
 * @error: return location; NOT_FOUND: there is no such module or message
 *
 * Returns: (transfer full) (nullable): the end of the branch
 */
ConfabBranchEnd *
confab_store_branch_end_finish (ConfabStore *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

static gpointer
fork_in_thread (ConfabDb *db, gpointer input, GError **error)
{
  const Place *place = input;

  return confab_db_read_fork (db, place->module_id, place->message_id, error);
}

/**
 * confab_store_fork_async:
 * @self: a store
 * @module_id: a module
 * @parent_id: (nullable): a message of it; %NULL: what comes before the first ones
 * @callback: (scope async): called with the places of that message and of one that would follow it
 * @user_data: for @callback
 */
void
confab_store_fork_async (ConfabStore *self,
                         const char *module_id,
                         const char *parent_id,
                         GAsyncReadyCallback callback,
                         gpointer user_data)
{
  GTask *task;

  g_return_if_fail (CONFAB_IS_STORE (self) && module_id != NULL);

  task = g_task_new (self, NULL, callback, user_data);
  g_task_set_source_tag (task, confab_store_fork_async);
  confab_store_thread_push (confab_store_get_thread (self), task, fork_in_thread,
                            place_new (module_id, parent_id), place_free,
                            (GDestroyNotify) confab_fork_free);
}

/**
 * confab_store_fork_finish:
 * @self: a store
 * @result: the result
 * @error: return location; NOT_FOUND: there is no such module or message
 *
 * Returns: (transfer full) (nullable): where the message stands among its siblings, and where the
 *   next one to follow it will stand among its own
 */
ConfabFork *
confab_store_fork_finish (ConfabStore *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

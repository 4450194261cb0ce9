/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-store-index.h"

#include "confab-store-private.h"

static void push_slice (GTask *task);

/* Returns: not %NULL: there is more */
static gpointer
index_in_thread (ConfabDb *db, gpointer input, GError **error)
{
  gboolean more = FALSE;

  confab_db_index (db, &more, error);

  return GINT_TO_POINTER (more);
}

static void
sliced_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;
  gpointer more = g_task_propagate_pointer (G_TASK (result), &error);

  if (error != NULL)
    {
      /* all of it is written, and is indexed some other time then */
      if (!g_error_matches (error, CONFAB_STORE_ERROR, CONFAB_STORE_ERROR_CLOSED))
        g_message ("Some of what was imported is not in the search yet: %s", error->message);
      g_task_return_error (task, g_steal_pointer (&error));
    }
  else if (more == NULL)
    g_task_return_boolean (task, TRUE);
  else
    push_slice (g_steal_pointer (&task));
}

/* Takes @task. Each slice queues behind what others have asked for meanwhile. */
static void
push_slice (GTask *task)
{
  ConfabStore *self = g_task_get_source_object (task);
  GTask *slice = g_task_new (self, NULL, sliced_cb, task);

  g_task_set_source_tag (slice, push_slice);
  confab_store_thread_push (confab_store_get_thread (self), slice, index_in_thread, NULL, NULL,
                            NULL);
}

static gpointer
look_in_thread (ConfabDb *db, gpointer input, GError **error)
{
  gint64 n = 0;

  confab_db_get_int (db, "SELECT count(*) FROM unindexed", &n, error);

  return GINT_TO_POINTER (n > 0);
}

/**
 * confab_store_is_indexed:
 * @self: a store
 *
 * Blocks.
 *
 * Returns: whether the search finds all that is stored; also if that cannot be told
 */
gboolean
confab_store_is_indexed (ConfabStore *self)
{
  g_return_val_if_fail (CONFAB_IS_STORE (self), TRUE);

  return confab_store_thread_call (confab_store_get_thread (self), look_in_thread, NULL, NULL)
         == NULL;
}

/**
 * confab_store_index_async:
 * @self: a store
 * @callback: (scope async) (nullable): called when the search finds all, or it failed, which is
 * logged
 * @user_data: for @callback
 *
 * Indexes what a merge has left to index, a little at a time, also of an earlier run: what is left
 * when the store is closed, is left for the next time.
 */
void
confab_store_index_async (ConfabStore *self, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task;

  g_return_if_fail (CONFAB_IS_STORE (self));

  task = g_task_new (self, NULL, callback, user_data);
  g_task_set_source_tag (task, confab_store_index_async);
  push_slice (task);
}

/**
 * confab_store_index_finish:
 * @self: a store
 * @result: the result
 * @error: return location
 *
 * Returns: whether the search finds all that is stored
 */
gboolean
confab_store_index_finish (ConfabStore *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

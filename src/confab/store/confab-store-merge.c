/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-store-merge.h"

#include "confab-staging-private.h"
#include "confab-store-index.h"
#include "confab-store-private.h"

typedef struct
{
  ConfabStaging *staging;
  char **session_ids;
  char **module_ids;
  GCancellable *cancellable;
} Merge;

static void
merge_free (gpointer data)
{
  Merge *merge = data;

  g_object_unref (merge->staging);
  g_strfreev (merge->session_ids);
  g_strfreev (merge->module_ids);
  g_clear_object (&merge->cancellable);
  g_free (merge);
}

static gpointer
merge_in_thread (ConfabDb *db, gpointer input, GError **error)
{
  const Merge *merge = input;

  confab_db_merge (db, confab_staging_get_db (merge->staging),
                   (const char *const *) merge->session_ids,
                   (const char *const *) merge->module_ids, merge->cancellable, error);

  return NULL;
}

static void
indexed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;

  /* it is written in any case */
  confab_store_index_finish (CONFAB_STORE (source), result, NULL);
  g_task_return_boolean (task, TRUE);
}

static void
merged_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;

  /* there is no result but that it worked */
  g_task_propagate_pointer (G_TASK (result), &error);
  if (error != NULL)
    g_task_return_error (task, error);
  else
    confab_store_index_async (CONFAB_STORE (source), indexed_cb, g_steal_pointer (&task));
}

/**
 * confab_store_merge_async:
 * @self: a store
 * @staging: what to add, sealed; nobody else uses it until @callback is called
 * @session_ids: (array zero-terminated=1): the ids that its sessions shall have, in their order
 * @module_ids: (array zero-terminated=1): the same of its modules
 * @cancellable: (nullable): to give up as long as it is not written
 * @callback: (scope async): called when it is on the disk and the search finds it, or it failed
 * @user_data: for @callback
 *
 * Adds all of @staging or nothing. Other calls wait while it is written, and get between while it
 * is indexed.
 */
void
confab_store_merge_async (ConfabStore *self,
                          ConfabStaging *staging,
                          const char *const *session_ids,
                          const char *const *module_ids,
                          GCancellable *cancellable,
                          GAsyncReadyCallback callback,
                          gpointer user_data)
{
  GTask *task, *job;
  Merge *merge;

  g_return_if_fail (CONFAB_IS_STORE (self) && CONFAB_IS_STAGING (staging));
  g_return_if_fail (session_ids != NULL && module_ids != NULL);

  merge = g_new0 (Merge, 1);
  merge->staging = g_object_ref (staging);
  merge->session_ids = g_strdupv ((char **) session_ids);
  merge->module_ids = g_strdupv ((char **) module_ids);
  g_set_object (&merge->cancellable, cancellable);

  /* the task does not know of @cancellable: what is written by then is not to be called cancelled
   */
  task = g_task_new (self, NULL, callback, user_data);
  g_task_set_source_tag (task, confab_store_merge_async);
  job = g_task_new (self, NULL, merged_cb, task);
  g_task_set_source_tag (job, merged_cb);
  confab_store_thread_push (confab_store_get_thread (self), job, merge_in_thread, merge, merge_free,
                            NULL);
}

/**
 * confab_store_merge_finish:
 * @self: a store
 * @result: the result
 * @error: return location; FULL: there was no space; INVALID: an id is taken
 *
 * Returns: whether all of it is on the disk; else nothing is
 */
gboolean
confab_store_merge_finish (ConfabStore *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

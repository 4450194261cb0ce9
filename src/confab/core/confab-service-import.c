/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib/gi18n-lib.h>

#include "confab-error.h"
#include "confab-id.h"
#include "confab-import.h"
#include "confab-kept.h"
#include "confab-rows.h"
#include "confab-service-transfer-private.h"
#include "confab-store-merge.h"

/*
 * An import has three parts: all is read and checked, in a thread; it is given its ids and written;
 * and it is told. As with all that is new, sessions and modules are in memory from when they are
 * being written, so that nobody else takes their ids, and go if that fails.
 */

/* Objects that are told of in one go. */
#define TOLD_AT_ONCE 50

typedef struct
{
  ConfabTransfer *transfer; /* the service's */
  gboolean all_parameters;
  ConfabStaging *staging; /* of the thread, until that has ended; the same is true of the next */
  ConfabOverview *overview;
  GPtrArray *sessions; /* of ConfabSession */
  GPtrArray *modules;  /* of ConfabModule */
  guint n_told;        /* of both, sessions first */
} Import;

static void
import_free (gpointer data)
{
  Import *import = data;

  g_clear_object (&import->staging);
  g_clear_pointer (&import->overview, confab_overview_free);
  g_ptr_array_unref (import->sessions);
  g_ptr_array_unref (import->modules);
  g_free (import);
}

/* Takes @task. */
static void
end (GTask *task)
{
  Import *import = g_task_get_task_data (task);

  confab_service_remove_transfer (g_task_get_source_object (task),
                                  g_steal_pointer (&import->transfer));
  g_object_unref (task);
}

/* Telling */

static void
tell_one (ConfabService *self, Import *import, guint index)
{
  guint n_sessions = import->sessions->len;

  if (index < n_sessions)
    {
      ConfabSession *session = g_ptr_array_index (import->sessions, index);
      const char *id = confab_session_get_id (session);

      /* unless it was deleted meanwhile */
      if (g_hash_table_lookup (self->sessions, id) == session)
        confab_service_emit_session (self, id, session);
    }
  else
    {
      ConfabModule *module = g_ptr_array_index (import->modules, index - n_sessions);
      const char *id = confab_module_get_id (module);

      if (g_hash_table_lookup (self->modules, id) == module)
        confab_service_emit_module (self, id, module);
    }
}

static gboolean
tell_cb (gpointer user_data)
{
  GTask *task = user_data;
  ConfabService *self = g_task_get_source_object (task);
  Import *import = g_task_get_task_data (task);
  guint n_all = import->sessions->len + import->modules->len;

  for (guint i = 0; i < TOLD_AT_ONCE && import->n_told < n_all; i++)
    tell_one (self, import, import->n_told++);
  if (import->n_told < n_all)
    return G_SOURCE_CONTINUE;

  g_task_return_pointer (task, g_ptr_array_ref (import->sessions),
                         (GDestroyNotify) g_ptr_array_unref);
  end (task);

  return G_SOURCE_REMOVE;
}

/* Takes @task. */
static void
tell (GTask *task)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_static_name (source, "[confab] tell of what was imported");
  g_source_set_callback (source, tell_cb, task, NULL);
  g_source_attach (source, g_task_get_context (task));
}

/* Writing */

static void
take_back (ConfabService *self, Import *import)
{
  for (guint i = 0; i < import->modules->len; i++)
    if (confab_kept_refused (g_ptr_array_index (import->modules, i)))
      confab_service_remove_module (self, g_ptr_array_index (import->modules, i));

  for (guint i = 0; i < import->sessions->len; i++)
    {
      ConfabSession *session = g_ptr_array_index (import->sessions, i);

      /* unless it was deleted meanwhile, and another one has its id */
      if (confab_kept_refused (session)
          && g_hash_table_lookup (self->sessions, confab_session_get_id (session)) == session)
        confab_service_remove_session (self, session);
    }
}

static void
set_kept (GPtrArray *objects)
{
  for (guint i = 0; i < objects->len; i++)
    confab_kept_written (g_ptr_array_index (objects, i),
                         confab_snapshot_new (g_ptr_array_index (objects, i)));
}

static void
merged_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  ConfabService *self = g_task_get_source_object (task);
  Import *import = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;

  if (confab_store_merge_finish (CONFAB_STORE (source), result, &error))
    {
      set_kept (import->sessions);
      set_kept (import->modules);
      tell (g_steal_pointer (&task));
      return;
    }

  take_back (self, import);
  g_task_return_error (task, confab_service_transfer_error (self, error));
  end (g_steal_pointer (&task));
}

/* A free id in place of @id, which is freed. */
static void
choose_id (GHashTable *taken, char **id)
{
  if (!g_hash_table_contains (taken, *id))
    return;

  g_free (*id);
  *id = confab_id_new ();
}

/* Makes the objects, under ids that nobody else has. */
static void
take_objects (ConfabService *self, Import *import)
{
  g_autoptr (GHashTable) ids = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);

  for (guint i = 0; i < import->overview->sessions->len; i++)
    {
      ConfabSessionRecord *record = g_ptr_array_index (import->overview->sessions, i);
      g_autofree char *old = g_strdup (record->id);
      ConfabSession *session;

      choose_id (self->sessions, &record->id);
      g_hash_table_insert (ids, g_steal_pointer (&old), g_strdup (record->id));
      session = confab_rows_read_session (record);
      g_ptr_array_add (import->sessions, session);
      confab_service_take_session (self, session);
      confab_kept_begin (session, TRUE);
    }
  for (guint i = 0; i < import->overview->modules->len; i++)
    {
      ConfabModuleRecord *record = g_ptr_array_index (import->overview->modules, i);
      const char *session_id = g_hash_table_lookup (ids, record->session_id);
      ConfabModule *module;

      choose_id (self->modules, &record->id);
      g_free (record->session_id);
      record->session_id = g_strdup (session_id);
      module = confab_rows_read_module (record);
      g_ptr_array_add (import->modules, module);
      confab_service_take_module (self, module);
      confab_kept_begin (module, TRUE);
    }
}

static gboolean
has_room (ConfabService *self, Import *import, GError **error)
{
  if (g_hash_table_size (self->sessions) + import->overview->sessions->len <= CONFAB_MAX_SESSIONS
      && g_hash_table_size (self->modules) + import->overview->modules->len <= CONFAB_MAX_MODULES)
    return TRUE;

  g_set_error_literal (error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST,
                       _ ("There would be too many sessions or conversations; delete some first, "
                          "or import fewer."));

  return FALSE;
}

static void
read_cb (ConfabTransfer *transfer, const GError *reason, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  ConfabService *self = g_task_get_source_object (task);
  Import *import = g_task_get_task_data (task);
  g_autoptr (GPtrArray) session_ids = g_ptr_array_new ();
  g_autoptr (GPtrArray) module_ids = g_ptr_array_new ();
  GError *error = NULL;

  if (reason != NULL || !has_room (self, import, &error))
    {
      g_task_return_error (task,
                           reason != NULL ? confab_service_transfer_error (self, reason) : error);
      end (g_steal_pointer (&task));
      return;
    }

  take_objects (self, import);
  for (guint i = 0; i < import->sessions->len; i++)
    g_ptr_array_add (session_ids,
                     (char *) confab_session_get_id (g_ptr_array_index (import->sessions, i)));
  for (guint i = 0; i < import->modules->len; i++)
    g_ptr_array_add (module_ids,
                     (char *) confab_module_get_id (g_ptr_array_index (import->modules, i)));
  g_ptr_array_add (session_ids, NULL);
  g_ptr_array_add (module_ids, NULL);
  confab_store_merge_async (self->store, import->staging, (const char *const *) session_ids->pdata,
                            (const char *const *) module_ids->pdata,
                            confab_transfer_get_cancellable (transfer), merged_cb,
                            g_object_ref (task));
}

/* Reading */

static gboolean
read_run (ConfabTransfer *transfer, gpointer user_data, GError **error)
{
  Import *import = g_task_get_task_data (user_data);

  import->staging = confab_import_run (transfer, import->all_parameters, error);
  if (import->staging != NULL)
    import->overview = confab_staging_read_overview (import->staging, error);

  return import->overview != NULL;
}

/**
 * confab_service_import_async:
 * @self: the service
 * @fd: (transfer full): what to read, to its end
 * @all_parameters: whether modules may have parameters that do more than shape answers, which are
 *   refused otherwise, since they could take what is said elsewhere
 * @cancellable: (nullable): to give up
 * @progress: (nullable): told of bytes
 * @progress_data: for @progress
 * @callback: called when all is kept and told, or it failed
 * @user_data: for @callback
 *
 * Adds all that an export holds, or nothing. Sessions and modules whose ids are taken get new ones.
 */
void
confab_service_import_async (ConfabService *self,
                             int fd,
                             gboolean all_parameters,
                             GCancellable *cancellable,
                             ConfabTransferProgress progress,
                             gpointer progress_data,
                             GAsyncReadyCallback callback,
                             gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  ConfabTransfer *transfer;
  Import *import;

  g_return_if_fail (CONFAB_IS_SERVICE (self));

  task = g_task_new (self, NULL, callback, user_data);
  g_task_set_source_tag (task, confab_service_import_async);
  transfer = confab_service_open_transfer (self, fd, cancellable, progress, progress_data, task);
  if (transfer == NULL)
    return;

  import = g_new0 (Import, 1);
  import->transfer = transfer;
  import->all_parameters = all_parameters;
  import->sessions = g_ptr_array_new_with_free_func (g_object_unref);
  import->modules = g_ptr_array_new_with_free_func (g_object_unref);
  g_task_set_task_data (task, import, import_free);
  confab_transfer_start (transfer, read_run, read_cb, g_steal_pointer (&task));
}

/**
 * confab_service_import_finish:
 * @self: the service
 * @result: of confab_service_import_async()
 * @error: return location for a %CONFAB_ERROR
 *
 * Returns: (transfer full) (nullable) (element-type ConfabSession): the new sessions
 */
GPtrArray *
confab_service_import_finish (ConfabService *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

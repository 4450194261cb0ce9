/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-service-transfer-private.h"

#include <glib/gi18n-lib.h>
#include <unistd.h>

#include "confab-error.h"
#include "confab-export.h"

/* What an export and an import have in common, and the export. */

static gboolean
may_transfer (ConfabService *self, GError **error)
{
  if (self->shut_down)
    g_set_error_literal (error, CONFAB_ERROR, CONFAB_ERROR_SHUTTING_DOWN,
                         _ ("Confab is shutting down."));
  else if (self->transfers->len >= CONFAB_MAX_TRANSFERS)
    g_set_error_literal (error, CONFAB_ERROR, CONFAB_ERROR_BUSY,
                         _ ("Too many exports and imports run; try again later."));
  else
    return TRUE;

  return FALSE;
}

/**
 * confab_service_open_transfer:
 * @self: the service
 * @fd: (transfer full): what to read or write; closed in any case
 * @cancellable: (nullable): to give up
 * @progress: (nullable): told how far it is
 * @progress_data: for @progress
 * @task: fails with %CONFAB_ERROR_BUSY or %CONFAB_ERROR_SHUTTING_DOWN if it may not be
 *
 * Returns: (transfer none) (nullable): the service's, until confab_service_remove_transfer(); to be
 *   started now
 */
ConfabTransfer *
confab_service_open_transfer (ConfabService *self,
                              int fd,
                              GCancellable *cancellable,
                              ConfabTransferProgress progress,
                              gpointer progress_data,
                              GTask *task)
{
  ConfabTransfer *transfer = confab_transfer_new (fd, cancellable, progress, progress_data);
  GError *error = NULL;

  if (!may_transfer (self, &error))
    {
      confab_transfer_free (transfer);
      g_task_return_error (task, error);
      return NULL;
    }

  g_ptr_array_add (self->transfers, transfer);

  return transfer;
}

/* It has ended; whatever it was for is over. */
void
confab_service_remove_transfer (ConfabService *self, ConfabTransfer *transfer)
{
  g_ptr_array_remove (self->transfers, transfer);
  confab_service_continue_shutdown (self);
}

void
confab_service_cancel_transfers (ConfabService *self)
{
  for (guint i = 0; i < self->transfers->len; i++)
    confab_transfer_cancel (g_ptr_array_index (self->transfers, i));
}

/**
 * confab_service_transfer_error:
 * @self: the service
 * @cause: why a transfer failed
 *
 * Returns: (transfer full): the %CONFAB_ERROR for clients
 */
GError *
confab_service_transfer_error (ConfabService *self, const GError *cause)
{
  if (cause->domain == CONFAB_ERROR)
    return g_error_copy (cause);
  if (!g_error_matches (cause, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return confab_service_storage_error (cause);
  if (self->shut_down)
    return g_error_new_literal (CONFAB_ERROR, CONFAB_ERROR_SHUTTING_DOWN,
                                _ ("Confab is shutting down."));

  return g_error_new_literal (CONFAB_ERROR, CONFAB_ERROR_INTERRUPTED,
                              _ ("This was given up before its end."));
}

guint
confab_service_get_n_transfers (ConfabService *self)
{
  g_return_val_if_fail (CONFAB_IS_SERVICE (self), 0);

  return self->transfers->len;
}

/* The export */

typedef struct
{
  ConfabStore *store;
  GHashTable *session_ids; /* nullable */
} Export;

static void
export_free (gpointer data)
{
  Export *export = data;

  g_object_unref (export->store);
  g_clear_pointer (&export->session_ids, g_hash_table_unref);
  g_free (export);
}

static gboolean
export_run (ConfabTransfer *transfer, gpointer user_data, GError **error)
{
  Export *export = g_task_get_task_data (user_data);

  return confab_export_run (transfer, export->store, export->session_ids, "confab " CONFAB_VERSION,
                            error);
}

static void
export_ended_cb (ConfabTransfer *transfer, const GError *error, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  ConfabService *self = g_task_get_source_object (task);

  if (error == NULL)
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, confab_service_transfer_error (self, error));
  confab_service_remove_transfer (self, transfer);
}

/**
 * confab_service_export_async:
 * @self: the service
 * @session_ids: (array zero-terminated=1) (nullable): ids of sessions; %NULL or none for all
 * @fd: (transfer full): where to
 * @cancellable: (nullable): to give up
 * @progress: (nullable): told of modules
 * @progress_data: for @progress
 * @callback: called when all is written, or it failed
 * @user_data: for @callback
 *
 * Writes sessions with all that is in them, in the format of docs/export-format.md. Of answers that
 * are being written there is what has been kept.
 */
void
confab_service_export_async (ConfabService *self,
                             const char *const *session_ids,
                             int fd,
                             GCancellable *cancellable,
                             ConfabTransferProgress progress,
                             gpointer progress_data,
                             GAsyncReadyCallback callback,
                             gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  ConfabTransfer *transfer;
  Export *export;

  g_return_if_fail (CONFAB_IS_SERVICE (self));

  task = g_task_new (self, NULL, callback, user_data);
  g_task_set_source_tag (task, confab_service_export_async);
  transfer = confab_service_open_transfer (self, fd, cancellable, progress, progress_data, task);
  if (transfer == NULL)
    return;

  export = g_new0 (Export, 1);
  export->store = g_object_ref (self->store);
  if (session_ids != NULL && session_ids[0] != NULL)
    {
      export->session_ids = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
      for (guint i = 0; session_ids[i] != NULL; i++)
        g_hash_table_add (export->session_ids, g_strdup (session_ids[i]));
    }
  g_task_set_task_data (task, export, export_free);
  confab_transfer_start (transfer, export_run, export_ended_cb, g_steal_pointer (&task));
}

/**
 * confab_service_export_finish:
 * @self: the service
 * @result: of confab_service_export_async()
 * @error: return location for a %CONFAB_ERROR
 *
 * Returns: whether all is written
 */
gboolean
confab_service_export_finish (ConfabService *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

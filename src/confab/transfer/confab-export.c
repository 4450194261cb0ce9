/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-export.h"

#include <glib/gi18n-lib.h>

#include "confab-error.h"
#include "confab-export-writer.h"
#include "confab-store-cut.h"

/* What is gathered before it is written. */
#define BUFFER_BYTES (64 * 1024)

typedef struct
{
  ConfabTransfer *transfer;
  ConfabStore *store;
  ConfabCut *cut;
  GHashTable *modules; /* id of a session → GPtrArray of its ConfabCutModule */
  ConfabExportWriter writer;
  guint64 n_done;
  guint64 n_modules;
} Export;

static gboolean
flush (Export *self, gsize limit, GError **error)
{
  GString *out = self->writer.out;

  if (out->len < limit)
    return TRUE;
  if (!confab_pump_write (confab_transfer_get_pump (self->transfer), out->str, out->len, error))
    return FALSE;

  g_string_truncate (out, 0);

  return TRUE;
}

static gboolean
write_messages (Export *self, const ConfabCutModule *module, GArray *seqs, GError **error)
{
  guint at = 0;

  while (at < seqs->len)
    {
      g_autoptr (GError) reason = NULL;
      g_autoptr (GPtrArray) page = confab_store_read_page (
          self->store, module, &g_array_index (seqs, gint64, at), seqs->len - at, &reason);

      if (g_error_matches (reason, CONFAB_STORE_ERROR, CONFAB_STORE_ERROR_NOT_FOUND))
        {
          g_set_error (error, CONFAB_ERROR, CONFAB_ERROR_UNKNOWN_MODULE,
                       _ ("The conversation “%s” was deleted while it was exported; export again."),
                       module->record->id);
          return FALSE;
        }
      if (page == NULL)
        {
          g_propagate_error (error, g_steal_pointer (&reason));
          return FALSE;
        }

      for (guint i = 0; i < page->len; i++)
        confab_export_write_message (&self->writer, g_ptr_array_index (page, i));
      if (!flush (self, BUFFER_BYTES, error))
        return FALSE;
      at += page->len;
    }

  return TRUE;
}

static gboolean
write_module (Export *self, const ConfabCutModule *module, GError **error)
{
  g_autoptr (GError) reason = NULL;
  g_autoptr (GArray) seqs = confab_store_list_messages (self->store, self->cut, module, &reason);

  /* deleted by now, and nothing of it is written yet */
  if (g_error_matches (reason, CONFAB_STORE_ERROR, CONFAB_STORE_ERROR_NOT_FOUND))
    return TRUE;
  if (seqs == NULL)
    {
      g_propagate_error (error, g_steal_pointer (&reason));
      return FALSE;
    }

  confab_export_write_module (&self->writer, module->record);

  return write_messages (self, module, seqs, error);
}

static gboolean
write_session (Export *self, const ConfabSessionRecord *session, GError **error)
{
  GPtrArray *modules = g_hash_table_lookup (self->modules, session->id);

  confab_export_write_session (&self->writer, session);
  for (guint i = 0; modules != NULL && i < modules->len; i++)
    {
      if (!write_module (self, g_ptr_array_index (modules, i), error)
          || !flush (self, BUFFER_BYTES, error))
        return FALSE;
      confab_transfer_report (self->transfer, ++self->n_done, self->n_modules);
    }

  return TRUE;
}

/* Leaves only what is wanted in the cut. */
static gboolean
choose (Export *self, GHashTable *session_ids, GError **error)
{
  guint n_found = 0;

  for (guint i = 0; i < self->cut->sessions->len; i++)
    {
      const ConfabSessionRecord *session = g_ptr_array_index (self->cut->sessions, i);

      if (session_ids != NULL && !g_hash_table_contains (session_ids, session->id))
        continue;
      n_found++;
      g_hash_table_insert (self->modules, session->id, g_ptr_array_new ());
    }
  if (session_ids != NULL && n_found < g_hash_table_size (session_ids))
    {
      g_set_error_literal (error, CONFAB_ERROR, CONFAB_ERROR_UNKNOWN_SESSION,
                           _ ("There is no session with this sessionId."));
      return FALSE;
    }

  for (guint i = 0; i < self->cut->modules->len; i++)
    {
      ConfabCutModule *module = g_ptr_array_index (self->cut->modules, i);
      GPtrArray *of_session = g_hash_table_lookup (self->modules, module->record->session_id);

      if (of_session == NULL)
        continue;
      g_ptr_array_add (of_session, module);
      self->n_modules++;
    }

  return TRUE;
}

static gboolean
write_all (Export *self, const char *generator, GError **error)
{
  confab_export_write_begin (&self->writer, generator, g_get_real_time () / 1000);
  for (guint i = 0; i < self->cut->sessions->len; i++)
    {
      const ConfabSessionRecord *session = g_ptr_array_index (self->cut->sessions, i);

      if (g_hash_table_contains (self->modules, session->id)
          && !write_session (self, session, error))
        return FALSE;
    }
  confab_export_write_end (&self->writer);

  return flush (self, 0, error);
}

gboolean
confab_export_run (ConfabTransfer *transfer,
                   ConfabStore *store,
                   GHashTable *session_ids,
                   const char *generator,
                   GError **error)
{
  g_autoptr (ConfabCut) cut = confab_store_read_cut (store, error);
  g_autoptr (GHashTable) modules =
      g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) g_ptr_array_unref);
  g_autoptr (GString) out = g_string_new (NULL);
  Export self = { transfer, store, cut, modules, { out, FALSE } };

  return cut != NULL && choose (&self, session_ids, error) && write_all (&self, generator, error);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-db-rows.h"

#include <string.h>

/* Of text that one page brings, more or less: the thread of the store has others waiting. */
#define PAGE_BYTES (256 * 1024)

static gboolean
read_module_seqs (ConfabDb *self, GArray *seqs, GError **error)
{
  g_autoptr (ConfabStatement) select =
      confab_db_prepare (self, "SELECT seq FROM modules ORDER BY seq", error);
  gboolean has_row;

  if (select == NULL)
    return FALSE;

  while (confab_db_step (self, select, &has_row, error))
    {
      gint64 seq;

      if (!has_row)
        return TRUE;
      seq = sqlite3_column_int64 (select, 0);
      g_array_append_val (seqs, seq);
    }

  return FALSE;
}

/**
 * confab_db_read_cut:
 * @self: a database
 * @error: return location
 *
 * Returns: (transfer full) (nullable): what there is now
 */
ConfabCut *
confab_db_read_cut (ConfabDb *self, GError **error)
{
  g_autoptr (GArray) seqs = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_autoptr (ConfabOverview) overview = confab_db_read_overview (self, error);
  g_autoptr (ConfabCut) cut = confab_cut_new ();

  if (overview == NULL || !read_module_seqs (self, seqs, error)
      || !confab_db_get_int (self, "SELECT coalesce(max(seq), 0) FROM messages", &cut->last_message,
                             error))
    return NULL;
  /* both are in the order of seq */
  if (seqs->len != overview->modules->len)
    {
      confab_db_fail_damaged (self, "session of a module", error);
      return NULL;
    }

  g_ptr_array_unref (cut->sessions);
  cut->sessions = g_ptr_array_ref (overview->sessions);
  for (guint i = 0; i < seqs->len; i++)
    confab_cut_add_module (cut, g_array_index (seqs, gint64, i),
                           g_steal_pointer (&overview->modules->pdata[i]));

  return g_steal_pointer (&cut);
}

/* Whether the row is still that of @module: its number goes to another one when it is deleted. */
static gboolean
check_module (ConfabDb *self, const ConfabCutModule *module, GError **error)
{
  g_autoptr (ConfabStatement) select = confab_db_prepare (
      self, "SELECT 1 FROM modules WHERE seq = ? AND id = ? AND created_at = ?", error);
  gboolean has_row;

  if (select == NULL)
    return FALSE;

  confab_statement_bind (select, "isi", module->seq, module->record->id,
                         module->record->created_at);
  if (!confab_db_step (self, select, &has_row, error))
    return FALSE;
  if (!has_row)
    g_set_error (error, CONFAB_STORE_ERROR, CONFAB_STORE_ERROR_NOT_FOUND,
                 "The database “%s” has no module “%s” any more.", confab_db_get_path (self),
                 module->record->id);

  return has_row;
}

/**
 * confab_db_list_messages:
 * @self: a database
 * @module: of a cut
 * @last: seq of the newest message of that cut
 * @error: return location; NOT_FOUND: the module was deleted since
 *
 * Returns: (transfer full) (nullable) (element-type gint64): seq of all messages of @module, in
 *   their order
 */
GArray *
confab_db_list_messages (ConfabDb *self, const ConfabCutModule *module, gint64 last, GError **error)
{
  g_autoptr (GArray) seqs = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_autoptr (ConfabStatement) select = NULL;
  gboolean has_row;

  if (!check_module (self, module, error))
    return NULL;
  select = confab_db_prepare (
      self, "SELECT seq FROM messages WHERE module = ? AND seq <= ? ORDER BY seq", error);
  if (select == NULL)
    return NULL;

  confab_statement_bind (select, "ii", module->seq, last);
  while (confab_db_step (self, select, &has_row, error))
    {
      gint64 seq;

      if (!has_row)
        return g_steal_pointer (&seqs);
      seq = sqlite3_column_int64 (select, 0);
      g_array_append_val (seqs, seq);
    }

  return NULL;
}

static gboolean
read_generation (ConfabDb *self,
                 gint64 module,
                 gint64 answer,
                 const char *id,
                 ConfabGenerationRecord **generation,
                 GError **error)
{
  static const char sql[] = "SELECT" CONFAB_GENERATION_COLUMNS "FROM generations g"
                            "  WHERE g.module = ? AND g.id = ? AND g.answer = ?";
  g_autoptr (ConfabStatement) select = confab_db_prepare (self, sql, error);
  gboolean has_row;

  if (select == NULL)
    return FALSE;

  confab_statement_bind (select, "isi", module, id, answer);
  if (!confab_db_step (self, select, &has_row, error))
    return FALSE;
  if (has_row)
    *generation = confab_row_read_generation (self, select, error);

  return !has_row || *generation != NULL;
}

static ConfabCutMessage *
read_message (ConfabDb *self, gint64 module, gint64 seq, GError **error)
{
  static const char sql[] =
      "SELECT" CONFAB_MESSAGE_COLUMNS "FROM messages m WHERE m.seq = ? AND m.module = ?";
  g_autoptr (ConfabStatement) select = confab_db_prepare (self, sql, error);
  g_autoptr (ConfabCutMessage) found = g_new0 (ConfabCutMessage, 1);
  gboolean has_row;

  if (select == NULL)
    return NULL;

  confab_statement_bind (select, "ii", seq, module);
  if (!confab_db_step (self, select, &has_row, error))
    return NULL;
  if (!has_row)
    {
      confab_db_fail_damaged (self, "place of a message", error);
      return NULL;
    }

  found->message = confab_row_read_message (self, select, error);
  if (found->message == NULL
      || (found->message->generation_id != NULL
          && !read_generation (self, module, seq, found->message->generation_id, &found->generation,
                               error)))
    return NULL;

  return g_steal_pointer (&found);
}

/**
 * confab_db_read_page:
 * @self: a database
 * @module: of a cut
 * @seqs: (array length=n_seqs): messages of it, as they were listed
 * @n_seqs: how many, at least 1
 * @error: return location; NOT_FOUND: the module was deleted since
 *
 * Returns: (transfer full) (nullable) (element-type ConfabCutMessage): the first of them, at least
 *   one, and as many as are not too large together
 */
GPtrArray *
confab_db_read_page (ConfabDb *self,
                     const ConfabCutModule *module,
                     const gint64 *seqs,
                     gsize n_seqs,
                     GError **error)
{
  g_autoptr (GPtrArray) page =
      g_ptr_array_new_with_free_func ((GDestroyNotify) confab_cut_message_free);
  gsize size = 0;

  if (!check_module (self, module, error))
    return NULL;

  for (gsize i = 0; i < n_seqs && size < PAGE_BYTES; i++)
    {
      ConfabCutMessage *message = read_message (self, module->seq, seqs[i], error);

      if (message == NULL)
        return NULL;
      g_ptr_array_add (page, message);
      /* what a message costs besides its text */
      size += strlen (message->message->parts) + 1024;
    }

  return g_steal_pointer (&page);
}

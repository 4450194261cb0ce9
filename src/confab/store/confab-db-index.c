/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-db.h"

/*
 * To index a text for the search costs twenty times what it costs to store it. What an import
 * brings is stored first, in one transaction, and marked as not indexed yet; then it is indexed a
 * little at a time, so that others get between, and goes on after the next start if that ends.
 */

/* How long one slice may take, so that nobody notices it. */
#define SLICE_US (10 * 1000)
/* Rows between two looks at the clock. */
#define ROWS_PER_LOOK 16

typedef struct
{
  gint64 rowid;
  int kind;
  gint64 first;
  gint64 last;
} Range;

static gboolean
read_range (ConfabDb *self, Range *range, gboolean *found, GError **error)
{
  g_autoptr (ConfabStatement) select = confab_db_prepare (
      self, "SELECT rowid, kind, first, last FROM unindexed ORDER BY rowid LIMIT 1", error);

  if (select == NULL || !confab_db_step (self, select, found, error))
    return FALSE;

  if (*found)
    *range = (Range){ sqlite3_column_int64 (select, 0), sqlite3_column_int (select, 1),
                      sqlite3_column_int64 (select, 2), sqlite3_column_int64 (select, 3) };

  return TRUE;
}

/* What has been deleted since, or runs again under the same number, is not in the tables' answer;
 * and what was indexed since then is replaced. */
static gboolean
index_rows (ConfabDb *self, int kind, gint64 first, gint64 last, GError **error)
{
  static const char *const sql[] = {
    [CONFAB_INDEXED_MESSAGE] = "INSERT OR REPLACE INTO search (rowid, text)"
                               "  SELECT 3 * seq, " CONFAB_DB_TEXT_OF (
                                   "parts") "  FROM messages WHERE seq BETWEEN ?1 AND ?2"
                                            "    AND NOT " CONFAB_DB_RUNS,
    [CONFAB_INDEXED_MODULE] = "INSERT OR REPLACE INTO search (rowid, title)"
                              "  SELECT 3 * seq + 1, title FROM modules"
                              "  WHERE seq BETWEEN ?1 AND ?2",
    [CONFAB_INDEXED_SESSION] = "INSERT OR REPLACE INTO search (rowid, title)"
                               "  SELECT 3 * seq + 2, title FROM sessions"
                               "  WHERE seq BETWEEN ?1 AND ?2",
  };
  g_autoptr (ConfabStatement) insert = confab_db_prepare (self, sql[kind], error);

  if (insert == NULL)
    return FALSE;

  confab_statement_bind (insert, "ii", first, last);

  return confab_db_run (self, insert, error);
}

static gboolean
keep_range (ConfabDb *self, const Range *range, GError **error)
{
  g_autoptr (ConfabStatement) change = confab_db_prepare (
      self,
      range->first > range->last ? "DELETE FROM unindexed WHERE rowid = ?1"
                                 : "UPDATE unindexed SET first = ?2 WHERE rowid = ?1",
      error);

  if (change == NULL)
    return FALSE;

  if (range->first > range->last)
    confab_statement_bind (change, "i", range->rowid);
  else
    confab_statement_bind (change, "ii", range->rowid, range->first);

  return confab_db_run (self, change, error);
}

static gboolean
index_slice (ConfabDb *self, Range *range, GError **error)
{
  gint64 end = g_get_monotonic_time () + SLICE_US;

  while (range->first <= range->last && g_get_monotonic_time () < end)
    {
      gint64 last = MIN (range->first + ROWS_PER_LOOK - 1, range->last);

      if (!index_rows (self, range->kind, range->first, last, error))
        return FALSE;
      range->first = last + 1;
    }

  return keep_range (self, range, error);
}

/**
 * confab_db_mark_unindexed:
 * @self: a database in a transaction
 * @kind: of what
 * @first: the first seq of what is not indexed when it is stored
 * @last: the last one; nothing happens if it is before @first
 * @error: return location
 *
 * Returns: whether it succeeded
 */
gboolean
confab_db_mark_unindexed (ConfabDb *self,
                          ConfabIndexed kind,
                          gint64 first,
                          gint64 last,
                          GError **error)
{
  g_autoptr (ConfabStatement) insert = NULL;

  if (first > last)
    return TRUE;

  insert =
      confab_db_prepare (self, "INSERT INTO unindexed (kind, first, last) VALUES (?, ?, ?)", error);
  if (insert == NULL)
    return FALSE;
  confab_statement_bind (insert, "iii", (gint64) kind, first, last);

  return confab_db_run (self, insert, error);
}

/**
 * confab_db_index:
 * @self: a database
 * @more: (out): whether there is more to index
 * @error: return location
 *
 * Indexes a little of what is marked.
 *
 * Returns: whether it succeeded
 */
gboolean
confab_db_index (ConfabDb *self, gboolean *more, GError **error)
{
  Range range = { 0 };

  if (!read_range (self, &range, more, error))
    return FALSE;
  if (!*more)
    return TRUE;

  if (!confab_db_begin (self, FALSE, error))
    return FALSE;
  if (!index_slice (self, &range, error) || !confab_db_end (self, error))
    {
      confab_db_rollback (self);
      return FALSE;
    }

  return TRUE;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-db.h"

#include <string.h>

/* More words than these narrow nothing, they only cost. */
#define MAX_WORDS 32
#define MAX_WORD_BYTES 256

/* Quoted, no character of a word means anything to FTS5. A NUL cannot get here. */
static void
append_quoted (GString *expression, const char *word)
{
  g_autofree char *valid = g_utf8_make_valid (word, strnlen (word, MAX_WORD_BYTES));

  if (expression->len > 0)
    g_string_append_c (expression, ' ');
  g_string_append_c (expression, '"');
  for (const char *p = valid; *p != '\0'; p++)
    {
      if (*p == '"')
        g_string_append_c (expression, '"');
      g_string_append_c (expression, *p);
    }
  g_string_append_c (expression, '"');
}

static gboolean
has_word_character (const char *word)
{
  for (const char *p = word; *p != '\0'; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char_validated (p, -1);

      if (c == (gunichar) -1 || c == (gunichar) -2)
        return FALSE;
      if (g_unichar_isalnum (c) || g_unichar_ismark (c) || c >= 0x80)
        return TRUE;
    }

  return FALSE;
}

/**
 * confab_db_search_expression:
 * @query: what a person typed, of whatever content
 *
 * Returns: (transfer full) (nullable): an FTS5 expression for all words of @query, of which the
 * last may be the beginning of one; %NULL if there is no word in it
 */
char *
confab_db_search_expression (const char *query)
{
  g_autofree char *valid = g_utf8_make_valid (query, -1);
  g_auto (GStrv) words = g_strsplit_set (valid, " \t\r\n\v\f", -1);
  g_autoptr (GString) expression = g_string_new (NULL);
  guint n = 0;

  for (guint i = 0; words[i] != NULL && n < MAX_WORDS; i++)
    {
      if (!has_word_character (words[i]))
        continue;
      append_quoted (expression, words[i]);
      n++;
    }
  if (n == 0)
    return NULL;

  g_string_append_c (expression, '*');

  return g_string_free (g_steal_pointer (&expression), FALSE);
}

static ConfabSearchResult *
read_result (ConfabStatement *row)
{
  ConfabSearchResult *result = g_new0 (ConfabSearchResult, 1);

  result->session_id = g_strdup ((const char *) sqlite3_column_text (row, 0));
  result->module_id = g_strdup ((const char *) sqlite3_column_text (row, 1));
  result->message_id = g_strdup ((const char *) sqlite3_column_text (row, 2));
  result->title = g_strdup ((const char *) sqlite3_column_text (row, 3));
  result->snippet = g_strdup ((const char *) sqlite3_column_text (row, 4));
  result->created_at = sqlite3_column_int64 (row, 5);

  return result;
}

/* Best first; a hit in a title weighs four in a text. */
GPtrArray *
confab_db_search (ConfabDb *self, const char *query, guint limit, GError **error)
{
  static const char sql[] =
      "SELECT s.id, d.id, m.id, coalesce(d.title, s.title),"
      "    snippet(search, -1, '', '', '…', 24),"
      "    coalesce(m.created_at, d.created_at, s.created_at)"
      "  FROM search"
      "  LEFT JOIN messages m ON search.rowid % 3 = 0 AND m.seq = search.rowid / 3"
      "  LEFT JOIN modules d"
      "    ON d.seq = iif(search.rowid % 3 = 1, search.rowid / 3, m.module)"
      "  LEFT JOIN sessions s"
      "    ON s.seq = iif(search.rowid % 3 = 2, search.rowid / 3, d.session)"
      "  WHERE search MATCH ?1 AND rank MATCH 'bm25(4.0, 1.0)'"
      "  ORDER BY rank LIMIT ?2";
  g_autoptr (GPtrArray) results =
      g_ptr_array_new_with_free_func ((GDestroyNotify) confab_search_result_free);
  g_autofree char *expression = confab_db_search_expression (query);
  g_autoptr (ConfabStatement) select = NULL;
  gboolean has_row;

  if (expression == NULL)
    return g_steal_pointer (&results);

  select = confab_db_prepare (self, sql, error);
  if (select == NULL)
    return NULL;

  confab_statement_bind (select, "si", expression, (gint64) limit);
  while (confab_db_step (self, select, &has_row, error))
    {
      if (!has_row)
        return g_steal_pointer (&results);
      g_ptr_array_add (results, read_result (select));
    }

  return NULL;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-db-rows.h"
#include "confab-db-tree.h"

/* All rows of @statement, which has CONFAB_MESSAGE_COLUMNS. */
static GPtrArray *
read_messages (ConfabDb *self, ConfabStatement *statement, GError **error)
{
  g_autoptr (GPtrArray) messages =
      g_ptr_array_new_with_free_func ((GDestroyNotify) confab_message_record_free);
  gboolean has_row;

  while (confab_db_step (self, statement, &has_row, error))
    {
      ConfabMessageRecord *message;

      if (!has_row)
        return g_steal_pointer (&messages);

      message = confab_row_read_message (self, statement, error);
      if (message == NULL)
        return NULL;
      g_ptr_array_add (messages, message);
    }

  return NULL;
}

static gboolean
read_sessions (ConfabDb *self, GPtrArray *sessions, GError **error)
{
  g_autoptr (ConfabStatement) select = confab_db_prepare (
      self, "SELECT id, title, created_at, updated_at FROM sessions ORDER BY seq", error);
  gboolean has_row;

  if (select == NULL)
    return FALSE;

  while (confab_db_step (self, select, &has_row, error))
    {
      ConfabSessionRecord *session;

      if (!has_row)
        return TRUE;

      session = g_new0 (ConfabSessionRecord, 1);
      session->id = confab_row_dup_text (select, 0);
      session->title = confab_row_dup_text (select, 1);
      session->created_at = sqlite3_column_int64 (select, 2);
      session->updated_at = sqlite3_column_int64 (select, 3);
      g_ptr_array_add (sessions, session);
    }

  return FALSE;
}

static gboolean
read_modules (ConfabDb *self, GPtrArray *modules, GError **error)
{
  static const char sql[] =
      "SELECT m.id, s.id, m.title, m.title_is_auto, m.instructions, m.provider, m.model,"
      "  m.parameters, m.created_at, m.updated_at, h.id, coalesce(h.depth, 0)"
      "  FROM modules m JOIN sessions s ON s.seq = m.session"
      "  LEFT JOIN messages h ON h.seq = m.head ORDER BY m.seq";
  g_autoptr (ConfabStatement) select = confab_db_prepare (self, sql, error);
  gboolean has_row;

  if (select == NULL)
    return FALSE;

  while (confab_db_step (self, select, &has_row, error))
    {
      ConfabModuleRecord *module;

      if (!has_row)
        return TRUE;

      module = g_new0 (ConfabModuleRecord, 1);
      module->id = confab_row_dup_text (select, 0);
      module->session_id = confab_row_dup_text (select, 1);
      module->title = confab_row_dup_text (select, 2);
      module->title_is_auto = sqlite3_column_int (select, 3) != 0;
      module->instructions = confab_row_dup_text (select, 4);
      module->provider = confab_row_dup_text (select, 5);
      module->model = confab_row_dup_text (select, 6);
      module->parameters = confab_row_dup_text (select, 7);
      module->created_at = sqlite3_column_int64 (select, 8);
      module->updated_at = sqlite3_column_int64 (select, 9);
      module->head_id = confab_row_dup_text (select, 10);
      module->n_messages = sqlite3_column_int64 (select, 11);
      g_ptr_array_add (modules, module);
    }

  return FALSE;
}

ConfabOverview *
confab_db_read_overview (ConfabDb *self, GError **error)
{
  g_autoptr (ConfabOverview) overview = g_new0 (ConfabOverview, 1);

  overview->sessions = g_ptr_array_new_with_free_func ((GDestroyNotify) confab_session_record_free);
  overview->modules = g_ptr_array_new_with_free_func ((GDestroyNotify) confab_module_record_free);
  if (!read_sessions (self, overview->sessions, error)
      || !read_modules (self, overview->modules, error))
    return NULL;

  return g_steal_pointer (&overview);
}

/* The last messages of the branch that ends at ?1, oldest first; at most ?2, below 0: all. */
#define SELECT_PATH(columns)                                                                       \
  "WITH RECURSIVE path (seq, parent, n) AS ("                                                      \
  "  SELECT seq, parent, 1 FROM messages INDEXED BY messages_path WHERE seq = ?1"                  \
  "  UNION ALL"                                                                                    \
  "  SELECT m.seq, m.parent, path.n + 1 FROM path"                                                 \
  "    CROSS JOIN messages m INDEXED BY messages_path ON m.seq = path.parent"                      \
  "    WHERE m.seq < path.seq AND (?2 < 0 OR path.n < ?2))"                                        \
  " SELECT" columns "FROM path CROSS JOIN messages m ON m.seq = path.seq ORDER BY path.seq"

static GPtrArray *
read_path (ConfabDb *self, const char *sql, gint64 end, gint64 limit, GError **error)
{
  g_autoptr (ConfabStatement) select = confab_db_prepare (self, sql, error);

  if (select == NULL)
    return NULL;

  confab_statement_bind (select, "ii", end, limit);

  return read_messages (self, select, error);
}

GPtrArray *
confab_db_read_history (ConfabDb *self,
                        const char *module_id,
                        const char *before_id,
                        guint limit,
                        gboolean *more,
                        GError **error)
{
  static const char sql[] = SELECT_PATH (CONFAB_MESSAGE_COLUMNS "," CONFAB_BRANCHES_COLUMNS);
  g_autoptr (GPtrArray) messages = NULL;
  gint64 module;
  gint64 before;
  gint64 end;
  ConfabNode node;

  if (!confab_db_find_module (self, module_id, &module, &end, error))
    return NULL;
  if (before_id != NULL
      && (!confab_db_find_message (self, module, before_id, &before, error)
          || !confab_db_find_end_before (self, end, before, &end, error)))
    return NULL;
  if (!confab_db_read_node (self, end, &node, error))
    return NULL;

  messages = read_path (self, sql, end, limit, error);
  if (messages == NULL)
    return NULL;

  *more = node.depth > messages->len;

  return g_steal_pointer (&messages);
}

GPtrArray *
confab_db_read_branch (ConfabDb *self, const char *module_id, const char *leaf_id, GError **error)
{
  static const char sql[] = SELECT_PATH (CONFAB_MESSAGE_COLUMNS);
  gint64 module;
  gint64 end;

  if (!confab_db_find_module (self, module_id, &module, &end, error)
      || (leaf_id != NULL && !confab_db_find_message (self, module, leaf_id, &end, error)))
    return NULL;

  return read_path (self, sql, end, -1, error);
}

static ConfabMessageRecord *
read_message_at (ConfabDb *self, gint64 seq, GError **error)
{
  g_autoptr (ConfabStatement) select = confab_db_prepare (
      self, "SELECT" CONFAB_MESSAGE_COLUMNS "FROM messages m WHERE m.seq = ?", error);
  gboolean has_row;

  if (select == NULL)
    return NULL;

  confab_statement_bind (select, "i", seq);
  if (!confab_db_step (self, select, &has_row, error))
    return NULL;
  if (!has_row)
    {
      confab_db_fail_damaged (self, "message of a generation", error);
      return NULL;
    }

  return confab_row_read_message (self, select, error);
}

/* @message is set to NULL where there is none, which is no error. */
gboolean
confab_db_read_message (ConfabDb *self,
                        const char *module_id,
                        const char *message_id,
                        ConfabMessageRecord **message,
                        GError **error)
{
  static const char sql[] =
      "SELECT" CONFAB_MESSAGE_COLUMNS "FROM messages m"
      "  WHERE m.module = (SELECT seq FROM modules WHERE id = ?1) AND m.id = ?2";
  g_autoptr (ConfabStatement) select = confab_db_prepare (self, sql, error);
  gboolean has_row;

  *message = NULL;
  if (select == NULL)
    return FALSE;

  confab_statement_bind (select, "ss", module_id, message_id);
  if (!confab_db_step (self, select, &has_row, error))
    return FALSE;
  if (has_row)
    *message = confab_row_read_message (self, select, error);

  return !has_row || *message != NULL;
}

/* @exchange is set to NULL where there is none, which is no error. */
gboolean
confab_db_read_exchange (ConfabDb *self,
                         ConfabExchangeKey key,
                         const char *module_id,
                         const char *id,
                         ConfabExchange **exchange,
                         GError **error)
{
/* A question that is asked, and its answer, are the first in their place of the tree. One that was
 * there before and has no other answer, as an import may leave it, is older than the generation:
 * else both are made at the same time, up to the grain of the clock. */
#define ANEW                                                                                       \
  ", g.created_at > (SELECT created_at FROM messages WHERE seq = g.question) + 1000"               \
  "  OR EXISTS (SELECT 1 FROM messages m, messages s"                                              \
  "    WHERE m.seq IN (g.question, g.answer) AND s.module = m.module"                              \
  "      AND s.parent IS m.parent AND s.seq < m.seq) "
#define SELECT_GENERATION                                                                          \
  "SELECT" CONFAB_GENERATION_COLUMNS ANEW "FROM generations g"                                     \
  "  WHERE g.module = (SELECT seq FROM modules WHERE id = ?1) "
  static const char *const sql[] = {
    [CONFAB_EXCHANGE_BY_REQUEST] = SELECT_GENERATION "AND g.request_id = ?2",
    [CONFAB_EXCHANGE_BY_GENERATION] = SELECT_GENERATION "AND g.id = ?2",
    [CONFAB_EXCHANGE_LAST] = SELECT_GENERATION "ORDER BY g.seq DESC LIMIT 1",
  };
  g_autoptr (ConfabStatement) select = confab_db_prepare (self, sql[key], error);
  g_autoptr (ConfabExchange) found = NULL;
  gboolean has_row;

  *exchange = NULL;
  if (select == NULL)
    return FALSE;

  confab_statement_bind (select, key == CONFAB_EXCHANGE_LAST ? "s" : "ss", module_id, id);
  if (!confab_db_step (self, select, &has_row, error))
    return FALSE;
  if (!has_row)
    return TRUE;

  found = g_new0 (ConfabExchange, 1);
  if ((found->generation = confab_row_read_generation (self, select, error)) == NULL
      || (found->question = read_message_at (self, sqlite3_column_int64 (select, 0), error)) == NULL
      || (found->answer = read_message_at (self, sqlite3_column_int64 (select, 1), error)) == NULL)
    return FALSE;
  found->anew = sqlite3_column_int (select, CONFAB_N_GENERATION_COLUMNS) != 0;
  *exchange = g_steal_pointer (&found);

  return TRUE;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-db-tree.h"

#include "confab-db-rows.h"

static gboolean
not_found (ConfabDb *self, const char *what, const char *id, GError **error)
{
  g_set_error (error, CONFAB_STORE_ERROR, CONFAB_STORE_ERROR_NOT_FOUND,
               "The database “%s” has no %s “%s”.", confab_db_get_path (self), what, id);
  return FALSE;
}

gboolean
confab_db_find_module (ConfabDb *self, const char *id, gint64 *module, gint64 *head, GError **error)
{
  g_autoptr (ConfabStatement) select =
      confab_db_prepare (self, "SELECT seq, coalesce(head, 0) FROM modules WHERE id = ?", error);
  gboolean has_row;

  if (select == NULL)
    return FALSE;

  confab_statement_bind (select, "s", id);
  if (!confab_db_step (self, select, &has_row, error))
    return FALSE;
  if (!has_row)
    return not_found (self, "module", id, error);

  *module = sqlite3_column_int64 (select, 0);
  *head = sqlite3_column_int64 (select, 1);

  return TRUE;
}

gboolean
confab_db_find_message (ConfabDb *self, gint64 module, const char *id, gint64 *seq, GError **error)
{
  g_autoptr (ConfabStatement) select =
      confab_db_prepare (self, "SELECT seq FROM messages WHERE module = ? AND id = ?", error);
  gboolean has_row;

  if (select == NULL)
    return FALSE;

  confab_statement_bind (select, "is", module, id);
  if (!confab_db_step (self, select, &has_row, error))
    return FALSE;
  if (!has_row)
    return not_found (self, "message", id, error);

  *seq = sqlite3_column_int64 (select, 0);

  return TRUE;
}

gboolean
confab_db_read_node (ConfabDb *self, gint64 seq, ConfabNode *node, GError **error)
{
  g_autoptr (ConfabStatement) select = NULL;
  gboolean has_row;

  *node = (ConfabNode){ 0, 0, 0 };
  if (seq == 0)
    return TRUE;

  select = confab_db_prepare (self,
                              "SELECT coalesce(parent, 0), depth FROM messages"
                              "  INDEXED BY messages_path WHERE seq = ?",
                              error);
  if (select == NULL)
    return FALSE;

  confab_statement_bind (select, "i", seq);
  if (!confab_db_step (self, select, &has_row, error))
    return FALSE;
  if (!has_row)
    return confab_db_fail_damaged (self, "parent of a message", error);

  *node = (ConfabNode){ seq, sqlite3_column_int64 (select, 0), sqlite3_column_int64 (select, 1) };

  /* so that no walk can go round in circles, whatever the file holds */
  if (node->parent >= seq)
    return confab_db_fail_damaged (self, "order of messages", error);

  return TRUE;
}

/* The newest message of the branch that ends at @head and at the same time before @before: its
 * parent, or, for a message of a hidden branch, where that left the visible one. */
gboolean
confab_db_find_end_before (ConfabDb *self, gint64 head, gint64 before, gint64 *end, GError **error)
{
  ConfabNode visible;
  ConfabNode node;

  if (!confab_db_read_node (self, head, &visible, error)
      || !confab_db_read_node (self, before, &node, error))
    return FALSE;

  while (visible.seq != node.seq)
    {
      ConfabNode *later = visible.depth >= node.depth ? &visible : &node;

      if (!confab_db_read_node (self, later->parent, later, error))
        return FALSE;
    }

  *end = node.seq == before ? node.parent : node.seq;

  return TRUE;
}

/* The newest message of the newest branch through @seq. */
static gboolean
find_leaf (ConfabDb *self, gint64 module, gint64 seq, gint64 *leaf, GError **error)
{
  /* always later ones, so that it comes to an end whatever the file holds */
  static const char sql[] = "WITH RECURSIVE down (seq) AS (SELECT ?2 UNION ALL"
                            "  SELECT (SELECT m.seq FROM messages m INDEXED BY messages_siblings"
                            "      WHERE m.module = ?1 AND m.parent = down.seq AND m.seq > down.seq"
                            "      ORDER BY m.seq DESC LIMIT 1)"
                            "    FROM down WHERE down.seq IS NOT NULL)"
                            " SELECT max(seq) FROM down";
  g_autoptr (ConfabStatement) select = confab_db_prepare (self, sql, error);
  gboolean has_row;

  if (select == NULL)
    return FALSE;

  confab_statement_bind (select, "ii", module, seq);
  if (!confab_db_step (self, select, &has_row, error))
    return FALSE;

  *leaf = sqlite3_column_int64 (select, 0);

  return TRUE;
}

/* Whether @seq is on the branch that ends at @end. */
static gboolean
is_on_path (ConfabDb *self, gint64 end, gint64 seq, gboolean *is_on, GError **error)
{
  static const char sql[] =
      "WITH RECURSIVE up (seq, parent) AS ("
      "  SELECT seq, parent FROM messages INDEXED BY messages_path WHERE seq = ?1"
      "  UNION ALL"
      "  SELECT m.seq, m.parent FROM up"
      "    CROSS JOIN messages m INDEXED BY messages_path ON m.seq = up.parent"
      "    WHERE m.seq < up.seq AND up.seq > ?2)"
      " SELECT 1 FROM up WHERE seq = ?2";
  g_autoptr (ConfabStatement) select = confab_db_prepare (self, sql, error);

  if (select == NULL)
    return FALSE;

  confab_statement_bind (select, "ii", end, seq);

  return confab_db_step (self, select, is_on, error);
}

/* Parent, leaf and length of the branch that ends at @leaf and of which @seq is a message. */
static gboolean
read_branch_end (ConfabDb *self, gint64 seq, gint64 leaf, ConfabBranchEnd *end, GError **error)
{
  static const char sql[] =
      "SELECT (SELECT p.id FROM messages m JOIN messages p ON p.seq = m.parent WHERE m.seq = ?1),"
      "  id, depth FROM messages WHERE seq = ?2";
  g_autoptr (ConfabStatement) select = confab_db_prepare (self, sql, error);
  gboolean has_row;

  if (select == NULL)
    return FALSE;

  confab_statement_bind (select, "ii", seq, leaf);
  if (!confab_db_step (self, select, &has_row, error))
    return FALSE;
  if (!has_row)
    return confab_db_fail_damaged (self, "end of a branch", error);

  end->parent_id = confab_row_dup_text (select, 0);
  end->leaf_id = confab_row_dup_text (select, 1);
  end->n_messages = sqlite3_column_int64 (select, 2);

  return TRUE;
}

/**
 * confab_db_read_branch_end:
 * @self: a database
 * @module_id: a module
 * @message_id: a message of it, on whatever branch
 * @error: return location; NOT_FOUND: there is no such module or message
 *
 * Returns: (transfer full) (nullable): where the branch ends that runs through the message; of
 *   those that do, the visible one, else the one that goes on with the newest message at each fork
 */
ConfabBranchEnd *
confab_db_read_branch_end (ConfabDb *self,
                           const char *module_id,
                           const char *message_id,
                           GError **error)
{
  g_autoptr (ConfabBranchEnd) end = g_new0 (ConfabBranchEnd, 1);
  gint64 module;
  gint64 leaf;
  gint64 seq;

  if (!confab_db_find_module (self, module_id, &module, &leaf, error)
      || !confab_db_find_message (self, module, message_id, &seq, error)
      || !is_on_path (self, leaf, seq, &end->visible, error)
      || (!end->visible && !find_leaf (self, module, seq, &leaf, error))
      || !read_branch_end (self, seq, leaf, end, error))
    return NULL;

  return g_steal_pointer (&end);
}

static gboolean
read_branches (ConfabDb *self, gint64 seq, ConfabBranches **branches, GError **error)
{
  g_autoptr (ConfabStatement) select = confab_db_prepare (
      self, "SELECT" CONFAB_BRANCHES_COLUMNS "FROM messages m WHERE m.seq = ?", error);
  gboolean has_row;

  if (select == NULL)
    return FALSE;

  confab_statement_bind (select, "i", seq);
  if (!confab_db_step (self, select, &has_row, error))
    return FALSE;
  if (has_row)
    *branches = confab_row_read_branches (select, 0);

  return TRUE;
}

/* Of the next one to follow @parent. */
static gboolean
read_next (ConfabDb *self, gint64 module, gint64 parent, ConfabBranches **branches, GError **error)
{
  static const char sql[] =
      "SELECT n, (SELECT id FROM messages WHERE seq = last) FROM ("
      "  SELECT count(*) AS n, max(m.seq) AS last FROM messages m INDEXED BY messages_siblings"
      "    WHERE m.module = ?1 AND m.parent IS nullif(?2, 0))";
  g_autoptr (ConfabStatement) select = confab_db_prepare (self, sql, error);
  ConfabBranches next = { 0 };
  gboolean has_row;

  if (select == NULL)
    return FALSE;

  confab_statement_bind (select, "ii", module, parent);
  if (!confab_db_step (self, select, &has_row, error))
    return FALSE;

  next.index = next.count = sqlite3_column_int64 (select, 0) + 1;
  next.previous_id = (char *) sqlite3_column_text (select, 1);
  *branches = next.count > 1 ? confab_branches_copy (&next) : NULL;

  return TRUE;
}

/**
 * confab_db_read_fork:
 * @self: a database
 * @module_id: a module
 * @parent_id: (nullable): a message of it; %NULL: what comes before the first ones
 * @error: return location; NOT_FOUND: there is no such module or message
 *
 * Returns: (transfer full) (nullable): where that message stands among its siblings, and where the
 *   next one to follow it will stand among its own
 */
ConfabFork *
confab_db_read_fork (ConfabDb *self, const char *module_id, const char *parent_id, GError **error)
{
  g_autoptr (ConfabFork) fork = g_new0 (ConfabFork, 1);
  gint64 parent = 0;
  gint64 module;
  gint64 head;

  if (!confab_db_find_module (self, module_id, &module, &head, error)
      || (parent_id != NULL && !confab_db_find_message (self, module, parent_id, &parent, error))
      || !read_branches (self, parent, &fork->branches, error)
      || !read_next (self, module, parent, &fork->next, error))
    return NULL;

  return g_steal_pointer (&fork);
}

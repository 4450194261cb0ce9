/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-db.h"

/*
 * Rows are copied as they stand. They refer to each other by seq alone, so that all it takes to put
 * those of one database behind those of another is to add what the other has already.
 */

/* How many rows are copied between two looks whether that is still wanted. */
#define ROWS_PER_LOOK 64

typedef struct
{
  gint64 sessions;
  gint64 modules;
  gint64 messages;
  gint64 generations;
} Offsets;

/* A column that is not copied as it is: its value is shifted, or it is one of @ids. */
typedef struct
{
  int column;
  gint64 offset;
} Shift;

typedef struct
{
  const char *read;
  const char *write;
  int n_columns;
  const Shift *shifts;    /* ends with an offset below 0 */
  const char *const *ids; /* for column 1; NULL: as it is */
} Table;

#define SESSION_COLUMNS "seq, id, title, created_at, updated_at"
#define MODULE_COLUMNS                                                                             \
  "seq, id, session, title, title_is_auto, instructions, provider, model, parameters, head,"       \
  " created_at, updated_at"
#define MESSAGE_COLUMNS                                                                            \
  "seq, id, module, parent, depth, role, state, generation_id, finish_reason, provider, model,"    \
  " input_tokens, output_tokens, reasoning_tokens, cached_input_tokens, error_code,"               \
  " error_message, created_at, parts"
#define GENERATION_COLUMNS                                                                         \
  "seq, id, module, request_id, question, answer, state, event_seq, finish_reason, error_code,"    \
  " error_message, created_at, ended_at"

#define FIVE "?, ?, ?, ?, ?"
#define READ(table, columns) "SELECT " columns " FROM " table " ORDER BY seq"
#define WRITE(table, columns, values) "INSERT INTO " table " (" columns ") VALUES (" values ")"

static gboolean
read_offsets (ConfabDb *self, Offsets *offsets, GError **error)
{
#define LAST(table) "SELECT coalesce(max(seq), 0) FROM " table
  return confab_db_get_int (self, LAST ("sessions"), &offsets->sessions, error)
         && confab_db_get_int (self, LAST ("modules"), &offsets->modules, error)
         && confab_db_get_int (self, LAST ("messages"), &offsets->messages, error)
         && confab_db_get_int (self, LAST ("generations"), &offsets->generations, error);
}

static void
bind_row (ConfabStatement *write, ConfabStatement *read, const Table *table, gint64 index)
{
  for (int i = 0; i < table->n_columns; i++)
    sqlite3_bind_value (write, i + 1, sqlite3_column_value (read, i));

  if (table->ids != NULL)
    sqlite3_bind_text (write, 2, table->ids[index], -1, SQLITE_STATIC);

  /* null stays null: a message without parent, a module without head */
  for (const Shift *shift = table->shifts; shift->offset >= 0; shift++)
    if (sqlite3_column_type (read, shift->column) != SQLITE_NULL)
      sqlite3_bind_int64 (write, shift->column + 1,
                          sqlite3_column_int64 (read, shift->column) + shift->offset);
}

static gboolean
copy_table (ConfabDb *self,
            ConfabDb *from,
            const Table *table,
            GCancellable *cancellable,
            GError **error)
{
  g_autoptr (ConfabStatement) read = confab_db_prepare (from, table->read, error);
  gboolean has_row;

  if (read == NULL)
    return FALSE;

  for (gint64 n = 0; confab_db_step (from, read, &has_row, error); n++)
    {
      g_autoptr (ConfabStatement) write = NULL;

      if (!has_row)
        return TRUE;
      if (n % ROWS_PER_LOOK == 0 && g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;
      write = confab_db_prepare (self, table->write, error);
      if (write == NULL)
        return FALSE;
      bind_row (write, read, table, n);
      if (!confab_db_run (self, write, error))
        return FALSE;
    }

  return FALSE;
}

/* To index all of it now would take the others' time. */
static gboolean
mark_unindexed (ConfabDb *self, ConfabDb *from, const Offsets *last, GError **error)
{
  Offsets added;

  return read_offsets (from, &added, error)
         && confab_db_mark_unindexed (self, CONFAB_INDEXED_SESSION, last->sessions + 1,
                                      last->sessions + added.sessions, error)
         && confab_db_mark_unindexed (self, CONFAB_INDEXED_MODULE, last->modules + 1,
                                      last->modules + added.modules, error)
         && confab_db_mark_unindexed (self, CONFAB_INDEXED_MESSAGE, last->messages + 1,
                                      last->messages + added.messages, error);
}

static gboolean
copy_tables (ConfabDb *self,
             ConfabDb *from,
             const char *const *session_ids,
             const char *const *module_ids,
             GCancellable *cancellable,
             GError **error)
{
  Offsets last;

  if (!read_offsets (self, &last, error) || !mark_unindexed (self, from, &last, error))
    return FALSE;

  const Shift of_sessions[] = { { 0, last.sessions }, { 0, -1 } };
  const Shift of_modules[] = {
    { 0, last.modules }, { 2, last.sessions }, { 9, last.messages }, { 0, -1 }
  };
  const Shift of_messages[] = {
    { 0, last.messages }, { 2, last.modules }, { 3, last.messages }, { 0, -1 }
  };
  const Shift of_generations[] = { { 0, last.generations },
                                   { 2, last.modules },
                                   { 4, last.messages },
                                   { 5, last.messages },
                                   { 0, -1 } };
  const Table tables[] = {
    { READ ("sessions", SESSION_COLUMNS), WRITE ("sessions", SESSION_COLUMNS, FIVE), 5, of_sessions,
      session_ids },
    { READ ("modules", MODULE_COLUMNS), WRITE ("modules", MODULE_COLUMNS, FIVE ", " FIVE ", ?, ?"),
      12, of_modules, module_ids },
    { READ ("messages", MESSAGE_COLUMNS),
      WRITE ("messages", MESSAGE_COLUMNS, FIVE ", " FIVE ", " FIVE ", ?, ?, ?, ?"), 19, of_messages,
      NULL },
    { READ ("generations", GENERATION_COLUMNS),
      WRITE ("generations", GENERATION_COLUMNS, FIVE ", " FIVE ", ?, ?, ?"), 13, of_generations,
      NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (tables); i++)
    if (!copy_table (self, from, &tables[i], cancellable, error))
      return FALSE;

  return TRUE;
}

/**
 * confab_db_merge:
 * @self: a database
 * @from: another one, of which only sessions, modules, messages and generations are read
 * @session_ids: (array zero-terminated=1): the ids that its sessions shall have, in their order
 * @module_ids: (array zero-terminated=1): the same of its modules
 * @cancellable: (nullable): to give up
 * @error: return location; INVALID: an id is taken
 *
 * Adds all that is in @from, in one durable transaction. The search finds it by and by, as
 * confab_db_index() gets to it.
 *
 * Returns: whether it succeeded; else nothing has changed
 */
gboolean
confab_db_merge (ConfabDb *self,
                 ConfabDb *from,
                 const char *const *session_ids,
                 const char *const *module_ids,
                 GCancellable *cancellable,
                 GError **error)
{
  if (!confab_db_begin (self, TRUE, error))
    return FALSE;

  if (!copy_tables (self, from, session_ids, module_ids, cancellable, error)
      || !confab_db_end (self, error))
    {
      confab_db_rollback (self);
      return FALSE;
    }

  return TRUE;
}

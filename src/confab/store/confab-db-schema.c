/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-db.h"

/*
 * The steps from nothing to the newest version. Each is one transaction and is never changed once
 * it was released: a new version adds a step, and a new database runs through all of them, so that
 * it cannot differ from a migrated one.
 *
 * `seq` is the order of making, whatever the clock says. Rows refer to each other by it. Messages
 * and generations leave only together with their module, so that head, parent, question and answer
 * need no foreign key, and no index for one; the writer looks each up before it stores it.
 */

#define RUNS CONFAB_DB_RUNS

static const char step_1[] =
    "CREATE TABLE sessions ("
    "  seq INTEGER PRIMARY KEY,"
    "  id TEXT NOT NULL UNIQUE,"
    "  title TEXT NOT NULL,"
    "  created_at INTEGER NOT NULL,"
    "  updated_at INTEGER NOT NULL"
    ") STRICT;"

    "CREATE TABLE modules ("
    "  seq INTEGER PRIMARY KEY,"
    "  session INTEGER NOT NULL REFERENCES sessions ON DELETE CASCADE,"
    "  id TEXT NOT NULL UNIQUE,"
    "  title TEXT NOT NULL,"
    "  title_is_auto INTEGER NOT NULL,"
    "  instructions TEXT,"
    "  provider TEXT,"
    "  model TEXT,"
    "  parameters TEXT,"
    "  head INTEGER,"
    "  created_at INTEGER NOT NULL,"
    "  updated_at INTEGER NOT NULL"
    ") STRICT;"
    "CREATE INDEX modules_session ON modules (session);"

    /* depth: messages from the root to this one; so the length of a branch is known at its end.
     * parts is last, so that what comes before it is found without reading it. */
    "CREATE TABLE messages ("
    "  seq INTEGER PRIMARY KEY,"
    "  module INTEGER NOT NULL REFERENCES modules ON DELETE CASCADE,"
    "  id TEXT NOT NULL,"
    "  parent INTEGER,"
    "  depth INTEGER NOT NULL,"
    "  role TEXT NOT NULL,"
    "  state TEXT NOT NULL,"
    "  generation_id TEXT,"
    "  finish_reason TEXT,"
    "  provider TEXT,"
    "  model TEXT,"
    "  input_tokens INTEGER,"
    "  output_tokens INTEGER,"
    "  reasoning_tokens INTEGER,"
    "  cached_input_tokens INTEGER,"
    "  error_code TEXT,"
    "  error_message TEXT,"
    "  created_at INTEGER NOT NULL,"
    "  parts TEXT NOT NULL,"
    "  UNIQUE (module, id)"
    ") STRICT;"
    /* to walk up a branch without touching the messages themselves */
    "CREATE INDEX messages_path ON messages (seq, parent, depth);"
    "CREATE INDEX messages_running ON messages (seq) WHERE " RUNS ";"

    "CREATE TABLE generations ("
    "  seq INTEGER PRIMARY KEY,"
    "  module INTEGER NOT NULL REFERENCES modules ON DELETE CASCADE,"
    "  id TEXT NOT NULL,"
    "  request_id TEXT,"
    "  question INTEGER NOT NULL,"
    "  answer INTEGER NOT NULL,"
    "  state TEXT NOT NULL,"
    "  event_seq INTEGER NOT NULL,"
    "  finish_reason TEXT,"
    "  error_code TEXT,"
    "  error_message TEXT,"
    "  created_at INTEGER NOT NULL,"
    "  ended_at INTEGER NOT NULL,"
    "  UNIQUE (module, id)"
    ") STRICT;"
    "CREATE UNIQUE INDEX generations_request ON generations (module, request_id)"
    "  WHERE request_id IS NOT NULL;"
    "CREATE INDEX generations_last ON generations (module, seq);"
    "CREATE INDEX generations_running ON generations (seq) WHERE " RUNS ";";

/* Full-text search over titles and over messages that ended: a message is indexed once, not at
 * each partial write. One index for all three kinds, so that their ranks compare; its rowid is
 * 3 × seq + 0 for a message, 1 for a module, 2 for a session. */

#define TEXT_OF(parts) CONFAB_DB_TEXT_OF (parts)

#define TITLE_TRIGGERS(table, kind)                                                                \
  "CREATE TRIGGER " table "_added AFTER INSERT ON " table " BEGIN"                                 \
  "  INSERT INTO search (rowid, title) VALUES (3 * NEW.seq + " kind ", NEW.title);"                \
  "END;"                                                                                           \
  "CREATE TRIGGER " table "_renamed AFTER UPDATE OF title ON " table                               \
  "  WHEN NEW.title IS NOT OLD.title BEGIN"                                                        \
  "  UPDATE search SET title = NEW.title WHERE rowid = 3 * NEW.seq + " kind ";"                    \
  "END;"                                                                                           \
  "CREATE TRIGGER " table "_deleted AFTER DELETE ON " table " BEGIN"                               \
  "  DELETE FROM search WHERE rowid = 3 * OLD.seq + " kind ";"                                     \
  "END;"

static const char step_2[] =
    "CREATE VIRTUAL TABLE search USING fts5 ("
    "  title, text, tokenize = 'unicode61 remove_diacritics 2');"

    "INSERT INTO search (rowid, title) SELECT 3 * seq + 1, title FROM modules;"
    "INSERT INTO search (rowid, title) SELECT 3 * seq + 2, title FROM sessions;"
    "INSERT INTO search (rowid, text) SELECT 3 * seq, " TEXT_OF (
        "parts") "  FROM messages WHERE NOT " RUNS ";"

    TITLE_TRIGGERS ("modules", "1") TITLE_TRIGGERS ("sessions", "2")

        "CREATE TRIGGER messages_added AFTER INSERT ON messages WHEN NOT NEW." RUNS " BEGIN"
        "  INSERT INTO search (rowid, text) VALUES (3 * NEW.seq, " TEXT_OF (
            "NEW.parts") ");"
                         "END;"
                         "CREATE TRIGGER messages_ended AFTER UPDATE OF state ON messages"
                         "  WHEN OLD." RUNS " AND NOT NEW." RUNS " BEGIN"
                         "  INSERT INTO search (rowid, text) VALUES (3 * NEW.seq, " TEXT_OF (
                             "NEW.parts") ");"
                                          "END;"
                                          "CREATE TRIGGER messages_deleted AFTER DELETE ON "
                                          "messages WHEN NOT OLD." RUNS " BEGIN"
                                          "  DELETE FROM search WHERE rowid = 3 * OLD.seq;"
                                          "END;";

/* What an import brings is indexed after it is stored: so not by the triggers. */

#define IS_INDEXED(kind)                                                                           \
  "NOT EXISTS (SELECT 1 FROM unindexed WHERE kind = " kind "  AND NEW.seq BETWEEN first AND last)"

#define TITLE_ADDED(table, kind)                                                                   \
  "DROP TRIGGER " table "_added;"                                                                  \
  "CREATE TRIGGER " table "_added AFTER INSERT ON " table                                          \
  " WHEN " IS_INDEXED (kind) " BEGIN"                                                              \
                             "  INSERT INTO search (rowid, title) VALUES (3 * NEW.seq + " kind     \
                             ", NEW.title);"                                                       \
                             "END;"

static const char step_3[] = "CREATE TABLE unindexed ("
                             "  kind INTEGER NOT NULL,"
                             "  first INTEGER NOT NULL,"
                             "  last INTEGER NOT NULL"
                             ") STRICT;"

    TITLE_ADDED ("modules", "1") TITLE_ADDED ("sessions", "2")

        "DROP TRIGGER messages_added;"
        "CREATE TRIGGER messages_added AFTER INSERT ON messages"
        "  WHEN NOT NEW." RUNS " AND " IS_INDEXED (
            "0") " BEGIN"
                 "  INSERT INTO search (rowid, text) VALUES (3 * NEW.seq, " TEXT_OF (
                     "NEW.parts") ");"
                                  "END;";

/* Earlier versions wrote U+001F as it is into JSON, which nobody takes: not SQLite either. They
 * could do so only where text grows, and in parameters. */
static const char step_4[] =
    "UPDATE messages SET parts = replace (parts, char (31), '\\u001f')"
    "  WHERE instr (parts, char (31)) > 0;"
    "UPDATE modules SET parameters = replace (parameters, char (31), '\\u001f')"
    "  WHERE instr (parameters, char (31)) > 0;";

/* To find the messages that follow one, and so its siblings, in the order of their making: that of
 * the rowid, by which every index ends. */
static const char step_5[] = "CREATE INDEX messages_siblings ON messages (module, parent);";

static const char *const steps[] = { step_1, step_2, step_3, step_4, step_5 };

int
confab_db_get_newest_version (void)
{
  return G_N_ELEMENTS (steps);
}

static gboolean
run_step (ConfabDb *self, int version, GError **error)
{
  g_autofree char *stamp = g_strdup_printf ("PRAGMA application_id = %d; PRAGMA user_version = %d",
                                            CONFAB_DB_APPLICATION_ID, version);

  return confab_db_exec (self, steps[version - 1], error) && confab_db_exec (self, stamp, error);
}

/**
 * confab_db_migrate:
 * @self: a database without foreign keys switched on yet, so that a step can rebuild tables
 * @from: the version that it has; 0: it is empty
 * @to: the version that it shall have
 * @error: return location; the version is then that of the last step that succeeded
 *
 * Returns: whether all steps succeeded
 */
gboolean
confab_db_migrate (ConfabDb *self, int from, int to, GError **error)
{
  g_return_val_if_fail (to <= confab_db_get_newest_version (), FALSE);

  for (int version = from + 1; version <= to; version++)
    {
      if (!confab_db_begin (self, TRUE, error))
        return FALSE;

      if (!run_step (self, version, error) || !confab_db_end (self, error))
        {
          confab_db_rollback (self);
          return FALSE;
        }
    }

  return TRUE;
}

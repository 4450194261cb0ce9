/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-db.h"

#include <errno.h>
#include <glib/gi18n-lib.h>

struct _ConfabDb
{
  sqlite3 *handle;
  char *path;
  GHashTable *statements; /* address of static SQL → owned sqlite3_stmt */
  gboolean durable;       /* what PRAGMA synchronous was last set to */
};

/* Takes @handle. */
ConfabDb *
confab_db_new (sqlite3 *handle, const char *path)
{
  ConfabDb *self = g_new0 (ConfabDb, 1);

  self->handle = handle;
  self->path = g_strdup (path);
  self->statements = g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) sqlite3_finalize);

  return self;
}

sqlite3 *
confab_db_get_handle (ConfabDb *self)
{
  return self->handle;
}

const char *
confab_db_get_path (ConfabDb *self)
{
  return self->path;
}

/* Closes without a word: what SQLite does on its own then, such as removing its log, it still
 * does. */
void
confab_db_abandon (ConfabDb *self)
{
  if (self == NULL)
    return;

  g_hash_table_unref (self->statements);
  sqlite3_close (self->handle);
  g_free (self->path);
  g_free (self);
}

/* Moves the write-ahead log into the file, removes it, and frees @self in any case. Where the first
 * fails nothing is lost: the log stays, and is read at the next start. */
gboolean
confab_db_close (ConfabDb *self, GError **error)
{
  gboolean ok = TRUE;

  g_hash_table_remove_all (self->statements);
  if (sqlite3_wal_checkpoint_v2 (self->handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL)
      != SQLITE_OK)
    ok = confab_db_fail (self, error);
  confab_db_abandon (self);

  return ok;
}

/* SQLite tells ENOSPC apart on its own; that it was a quota, or a limit of size, only its files
 * know: the log, where commits fail, and the database, where moving the log into it does. */
static gboolean
is_out_of_space (sqlite3 *handle)
{
  static const int operations[] = { SQLITE_FCNTL_JOURNAL_POINTER, SQLITE_FCNTL_FILE_POINTER };

  for (guint i = 0; i < G_N_ELEMENTS (operations); i++)
    {
      sqlite3_file *file = NULL;
      int cause = 0;

      if (sqlite3_file_control (handle, "main", operations[i], &file) == SQLITE_OK && file != NULL
          && file->pMethods != NULL
          && file->pMethods->xFileControl (file, SQLITE_FCNTL_LAST_ERRNO, &cause) == SQLITE_OK
          && (cause == ENOSPC || cause == EDQUOT || cause == EFBIG))
        return TRUE;
    }

  return FALSE;
}

static ConfabStoreError
get_code (int rc, sqlite3 *handle)
{
  switch (rc & 0xff)
    {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return CONFAB_STORE_ERROR_LOCKED;
    case SQLITE_READONLY:
      return CONFAB_STORE_ERROR_READ_ONLY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return CONFAB_STORE_ERROR_CORRUPT;
    case SQLITE_FULL:
      return CONFAB_STORE_ERROR_FULL;
    case SQLITE_IOERR:
      return is_out_of_space (handle) ? CONFAB_STORE_ERROR_FULL : CONFAB_STORE_ERROR_FAILED;
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
      return CONFAB_STORE_ERROR_INVALID;
    default:
      return CONFAB_STORE_ERROR_FAILED;
    }
}

/* Sets @error from what SQLite said last. Returns: FALSE */
gboolean
confab_db_fail (ConfabDb *self, GError **error)
{
  ConfabStoreError code = get_code (sqlite3_errcode (self->handle), self->handle);
  const char *reason = sqlite3_errmsg (self->handle);

  switch (code)
    {
    case CONFAB_STORE_ERROR_LOCKED:
      g_set_error (error, CONFAB_STORE_ERROR, code,
                   _ ("The database “%s” is in use by another program."), self->path);
      break;
    case CONFAB_STORE_ERROR_READ_ONLY:
      g_set_error (error, CONFAB_STORE_ERROR, code,
                   _ ("The database “%s” cannot be written: it is read-only."), self->path);
      break;
    case CONFAB_STORE_ERROR_CORRUPT:
      g_set_error (error, CONFAB_STORE_ERROR, code, _ ("The database “%s” is damaged: %s."),
                   self->path, reason);
      break;
    case CONFAB_STORE_ERROR_FULL:
      g_set_error (error, CONFAB_STORE_ERROR, code,
                   _ ("The database “%s” cannot grow: there is no space left."), self->path);
      break;
    default:
      g_set_error (error, CONFAB_STORE_ERROR, code, _ ("The database “%s” cannot be used: %s."),
                   self->path, reason);
    }

  return FALSE;
}

gboolean
confab_db_exec (ConfabDb *self, const char *sql, GError **error)
{
  if (sqlite3_exec (self->handle, sql, NULL, NULL, NULL) != SQLITE_OK)
    return confab_db_fail (self, error);

  return TRUE;
}

/* The one number that @sql asks for. */
gboolean
confab_db_get_int (ConfabDb *self, const char *sql, gint64 *value, GError **error)
{
  g_autoptr (ConfabStatement) statement = confab_db_prepare (self, sql, error);
  gboolean has_row;

  if (statement == NULL || !confab_db_step (self, statement, &has_row, error))
    return FALSE;

  *value = has_row ? sqlite3_column_int64 (statement, 0) : 0;

  return TRUE;
}

/* With synchronous=FULL a commit syncs the write-ahead log, and with it all that relaxed commits
 * left there before; with NORMAL only checkpoints do. It may change between transactions, so the
 * price of a sync is paid only where it buys something. In both modes a power cut takes whole
 * commits off the end, never one from the middle. */
gboolean
confab_db_begin (ConfabDb *self, gboolean durable, GError **error)
{
  if (self->durable != durable)
    {
      if (!confab_db_exec (
              self, durable ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL", error))
        return FALSE;
      self->durable = durable;
    }

  return confab_db_exec (self, "BEGIN IMMEDIATE", error);
}

gboolean
confab_db_end (ConfabDb *self, GError **error)
{
  return confab_db_exec (self, "COMMIT", error);
}

/* Some errors, such as a full disk, have rolled back already. */
void
confab_db_rollback (ConfabDb *self)
{
  if (!sqlite3_get_autocommit (self->handle))
    sqlite3_exec (self->handle, "ROLLBACK", NULL, NULL, NULL);
}

ConfabStatement *
confab_db_prepare (ConfabDb *self, const char *sql, GError **error)
{
  sqlite3_stmt *statement = g_hash_table_lookup (self->statements, sql);

  if (statement != NULL)
    return statement;

  if (sqlite3_prepare_v3 (self->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL)
      != SQLITE_OK)
    {
      confab_db_fail (self, error);
      return NULL;
    }

  g_hash_table_insert (self->statements, (gpointer) sql, statement);

  return statement;
}

void
confab_statement_release (ConfabStatement *self)
{
  if (self == NULL)
    return;

  sqlite3_reset (self);
  sqlite3_clear_bindings (self);
}

void
confab_statement_bind (ConfabStatement *self, const char *types, ...)
{
  va_list args;
  int rc = SQLITE_OK;

  va_start (args, types);
  for (int i = 1; types[i - 1] != '\0' && rc == SQLITE_OK; i++)
    {
      if (types[i - 1] == 's')
        rc = sqlite3_bind_text (self, i, va_arg (args, const char *), -1, SQLITE_STATIC);
      else if (types[i - 1] == 'i')
        rc = sqlite3_bind_int64 (self, i, va_arg (args, gint64));
      else
        g_assert_not_reached ();
    }
  va_end (args);

  /* What else it can say is a mistake here, or a string over SQLite's limit of 1 GB. */
  g_assert (rc == SQLITE_OK || rc == SQLITE_NOMEM || rc == SQLITE_TOOBIG);
}

gboolean
confab_db_step (ConfabDb *self, ConfabStatement *statement, gboolean *has_row, GError **error)
{
  int rc = sqlite3_step (statement);

  *has_row = rc == SQLITE_ROW;
  if (rc != SQLITE_ROW && rc != SQLITE_DONE)
    return confab_db_fail (self, error);

  return TRUE;
}

/* For statements that bring no rows. */
gboolean
confab_db_run (ConfabDb *self, ConfabStatement *statement, GError **error)
{
  gboolean has_row;

  return confab_db_step (self, statement, &has_row, error);
}

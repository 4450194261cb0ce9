/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-db.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * A database is opened in two parts. The first only looks, and a refusal leaves every byte, and
 * every name in the folder, as it was; the second prepares it for work.
 *
 * A new database is made in memory and appears under its name whole, or not at all: so an empty or
 * half-written file is never one of ours that was just born, and can be refused as damaged.
 */

#define HEADER_SIZE 100
#define BUSY_MS 800

/* PRAGMA quick_check reads the whole file. After a clean stop it is worth its time only where that
 * is a few ms; after a crash or a power cut (there is a write-ahead log), it may take a second. */
#define QUICK_CHECK_SIZE (16 * 1024 * 1024)
#define QUICK_CHECK_SIZE_UNCLEAN (512 * 1024 * 1024)

typedef struct
{
  gint64 size;
  gboolean has_log;  /* there is a write-ahead log, maybe empty */
  gboolean is_dirty; /* it is not empty: the last stop was not clean */
} Place;

G_GNUC_PRINTF (3, 4)
static gboolean
refuse (GError **error, ConfabStoreError code, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  g_propagate_error (error, g_error_new_valist (CONFAB_STORE_ERROR, code, format, args));
  va_end (args);

  return FALSE;
}

static ConfabStoreError
get_code (int cause)
{
  switch (cause)
    {
    case EROFS:
    case EACCES:
    case EPERM:
      return CONFAB_STORE_ERROR_READ_ONLY;
    case ENOSPC:
    case EDQUOT:
      return CONFAB_STORE_ERROR_FULL;
    default:
      return CONFAB_STORE_ERROR_FAILED;
    }
}

/* @format has the path and the reason. */
#define REFUSE_ERRNO(error, cause, format, path)                                                   \
  refuse (error, get_code (cause), format, path, g_strerror (cause))

/* Of the file beside the database; -1: there is none. */
static gint64
get_size_beside (const char *path, const char *suffix)
{
  g_autofree char *name = g_strconcat (path, suffix, NULL);
  struct stat info;

  return stat (name, &info) == 0 ? info.st_size : -1;
}

/* What the file system alone can tell. */
static gboolean
check_place (const char *path, Place *place, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (path);
  struct stat info;

  if (stat (path, &info) != 0)
    return REFUSE_ERRNO (error, errno, _ ("The database “%s” cannot be opened: %s."), path);
  if (!S_ISREG (info.st_mode))
    return refuse (error, CONFAB_STORE_ERROR_FAILED, _ ("The database “%s” is not a file."), path);
  if (eaccess (path, R_OK | W_OK) != 0)
    return REFUSE_ERRNO (error, errno, _ ("The database “%s” cannot be written: %s."), path);
  /* the write-ahead log is made beside it */
  if (eaccess (folder, W_OK | X_OK) != 0)
    return REFUSE_ERRNO (error, errno, _ ("The folder of the database “%s” cannot be written: %s."),
                         path);

  place->size = info.st_size;
  place->has_log = get_size_beside (path, "-wal") >= 0;
  place->is_dirty = get_size_beside (path, "-wal") > 0;

  return TRUE;
}

static guint
read_be (const guint8 *bytes, guint n)
{
  guint value = 0;

  for (guint i = 0; i < n; i++)
    value = value << 8 | bytes[i];

  return value;
}

/* The first 100 bytes, as https://www.sqlite.org/fileformat2.html has them, and what they say about
 * the size. They are read through SQLite's own file: to open and close the file again would drop
 * the locks that this process may have on it. */
static gboolean
check_header (ConfabDb *self, const Place *place, GError **error)
{
  const char *path = confab_db_get_path (self);
  guint8 header[HEADER_SIZE];
  sqlite3_file *file = NULL;
  guint page_size;

  sqlite3_file_control (confab_db_get_handle (self), "main", SQLITE_FCNTL_FILE_POINTER, &file);
  if (place->size < HEADER_SIZE
      || file->pMethods->xRead (file, header, sizeof header, 0) != SQLITE_OK
      || memcmp (header, "SQLite format 3", 16) != 0
      || read_be (header + 68, 4) != CONFAB_DB_APPLICATION_ID)
    return refuse (error, CONFAB_STORE_ERROR_CORRUPT,
                   _ ("The file “%s” is not a database of Confab, or is damaged."), path);

  page_size = read_be (header + 16, 2) == 1 ? 65536 : read_be (header + 16, 2);
  if (page_size < 512 || (page_size & (page_size - 1)) != 0 || header[18] < 1 || header[18] > 2
      || header[19] < 1 || header[19] > 2)
    return refuse (error, CONFAB_STORE_ERROR_CORRUPT,
                   _ ("The database “%s” is damaged: its header is broken."), path);

  /* With a log, pages can be in there that the file does not have yet. */
  if (!place->is_dirty
      && (place->size % page_size != 0
          || place->size < (gint64) page_size * read_be (header + 28, 4)))
    return refuse (error, CONFAB_STORE_ERROR_CORRUPT,
                   _ ("The database “%s” is damaged: it is not as long as it says."), path);

  return TRUE;
}

static gboolean
check_pages (ConfabDb *self, const Place *place, GError **error)
{
  g_autoptr (ConfabStatement) statement = NULL;
  const char *verdict;
  gboolean has_row;

  if (place->size > (place->is_dirty ? QUICK_CHECK_SIZE_UNCLEAN : QUICK_CHECK_SIZE))
    return TRUE;

  statement = confab_db_prepare (self, "PRAGMA quick_check (1)", error);
  if (statement == NULL || !confab_db_step (self, statement, &has_row, error))
    return FALSE;

  verdict = has_row ? (const char *) sqlite3_column_text (statement, 0) : NULL;
  if (g_strcmp0 (verdict, "ok") != 0)
    {
      /* its first line only says which database of the connection is meant */
      const char *first = verdict != NULL ? strchr (verdict, '\n') : NULL;
      g_autofree char *line = g_strdup (first != NULL ? first + 1 : verdict);

      return refuse (error, CONFAB_STORE_ERROR_CORRUPT, _ ("The database “%s” is damaged: %s."),
                     confab_db_get_path (self), line != NULL ? line : "?");
    }

  return TRUE;
}

/* The tables that every version has. */
static gboolean
check_tables (ConfabDb *self, GError **error)
{
  g_autoptr (GError) reason = NULL;

  if (confab_db_exec (self,
                      "SELECT seq FROM sessions LIMIT 1; SELECT seq FROM modules LIMIT 1;"
                      "SELECT seq FROM messages LIMIT 1; SELECT seq FROM generations LIMIT 1;",
                      &reason))
    return TRUE;

  return refuse (error, CONFAB_STORE_ERROR_CORRUPT, _ ("The database “%s” is damaged: %s."),
                 confab_db_get_path (self), sqlite3_errmsg (confab_db_get_handle (self)));
}

/* What a later version brought is not there yet. */
static gboolean
check_version (ConfabDb *self, gint64 version, GError **error)
{
#define COUNT_OF(names) "SELECT count(*) FROM sqlite_schema WHERE name IN (" names ")"
  static const char *const later[] = {
    COUNT_OF ("'search', 'unindexed', 'messages_siblings'"),
    COUNT_OF ("'unindexed', 'messages_siblings'"),
    COUNT_OF ("'messages_siblings'"),
    COUNT_OF ("'messages_siblings'"),
  };
  gint64 n = 0;

  if (version <= (gint64) G_N_ELEMENTS (later)
      && !confab_db_get_int (self, later[version - 1], &n, error))
    return FALSE;

  return n == 0
         || refuse (error, CONFAB_STORE_ERROR_CORRUPT,
                    _ ("The database “%s” is damaged: its version is wrong."),
                    confab_db_get_path (self));
}

/* Takes the lock for as long as @self is open: in exclusive mode the first read of a database with
 * a write-ahead log does so, and needs no shared memory file, hence no mmap that can fault. */
static gboolean
check_content (ConfabDb *self, const Place *place, gint64 *version, GError **error)
{
  const char *path = confab_db_get_path (self);

  if (!confab_db_exec (self, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA cell_size_check = ON", error)
      || !confab_db_get_int (self, "PRAGMA user_version", version, error))
    return FALSE;

  if (*version > confab_db_get_newest_version ())
    return refuse (
        error, CONFAB_STORE_ERROR_NEWER,
        _ ("The database “%s” was made by a newer version of Confab (its format is %d, this "
           "one knows up to %d)."),
        path, (int) *version, confab_db_get_newest_version ());
  if (*version < 1)
    return refuse (error, CONFAB_STORE_ERROR_CORRUPT,
                   _ ("The database “%s” is damaged: it has no version."), path);

  return check_pages (self, place, error) && check_tables (self, error)
         && check_version (self, *version, error);
}

static gboolean
prepare (ConfabDb *self, gint64 version, GError **error)
{
  /* The log is moved into the file every 1,000 pages, and cut back to 8 MiB if it ever grew beyond
   * that. Sorting in memory: /tmp may be full or missing. */
  static const char settings[] = "PRAGMA journal_mode = WAL;"
                                 "PRAGMA synchronous = NORMAL;"
                                 "PRAGMA wal_autocheckpoint = 1000;"
                                 "PRAGMA journal_size_limit = 8388608;"
                                 "PRAGMA temp_store = MEMORY;"
                                 "PRAGMA cache_size = -8192;";

  return confab_db_exec (self, settings, error)
         && confab_db_migrate (self, version, confab_db_get_newest_version (), error)
         && confab_db_exec (self, "PRAGMA foreign_keys = ON", error);
}

static ConfabDb *
new_db (const char *path, int flags, GError **error)
{
  g_autoptr (ConfabDb) self = NULL;
  sqlite3 *handle = NULL;
  int rc = sqlite3_open_v2 (path, &handle, flags | SQLITE_OPEN_NOMUTEX, NULL);

  if (handle == NULL)
    {
      refuse (error, CONFAB_STORE_ERROR_FAILED, _ ("There is not enough memory."));
      return NULL;
    }

  self = confab_db_new (handle, path);
  if (rc != SQLITE_OK)
    {
      confab_db_fail (self, error);
      return NULL;
    }

  /* SQL alone cannot break the file. TRUSTED_SCHEMA stays on: triggers write to the FTS5 index. */
  sqlite3_db_config (handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
  sqlite3_busy_timeout (handle, BUSY_MS);

  return g_steal_pointer (&self);
}

static ConfabDb *
open_file (const char *path, GError **error)
{
  g_autoptr (ConfabDb) self = NULL;
  g_autoptr (GError) reason = NULL;
  gint64 version;
  Place place = { 0 };

  if (!check_place (path, &place, error))
    return NULL;

  self = new_db (path, SQLITE_OPEN_READWRITE, error);
  if (self == NULL)
    return NULL;

  /* Without this, closing after a refusal would still write the log into the file, and remove it.
   * An empty log of its own SQLite does remove. */
  sqlite3_db_config (confab_db_get_handle (self), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, place.has_log,
                     NULL);

  if (sqlite3_db_readonly (confab_db_get_handle (self), "main") != 0)
    {
      refuse (error, CONFAB_STORE_ERROR_READ_ONLY,
              _ ("The database “%s” cannot be written: it is read-only."), path);
      return NULL;
    }
  if (!check_header (self, &place, error))
    return NULL;
  if (!check_content (self, &place, &version, &reason))
    {
      /* SQLite did not understand the file, which is no failure of the system */
      if (sqlite3_errcode (confab_db_get_handle (self)) == SQLITE_ERROR)
        reason->code = CONFAB_STORE_ERROR_CORRUPT;
      g_propagate_error (error, g_steal_pointer (&reason));
      return NULL;
    }

  sqlite3_db_config (confab_db_get_handle (self), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
  if (chmod (path, 0600) != 0)
    g_debug ("The mode of “%s” cannot be changed: %s", path, g_strerror (errno));
  if (!prepare (self, version, error))
    return NULL;

  return g_steal_pointer (&self);
}

static ConfabDb *
open_memory (int version, GError **error)
{
  g_autoptr (ConfabDb) self =
      new_db (":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, error);

  if (self == NULL || !confab_db_migrate (self, 0, version, error))
    return NULL;

  return g_steal_pointer (&self);
}

/**
 * confab_db_open_temporary:
 * @version: the version that it shall have
 * @error: return location
 *
 * Returns: (transfer full) (nullable): an empty database in memory, which goes to a file without a
 *   name when it grows
 */
ConfabDb *
confab_db_open_temporary (int version, GError **error)
{
  g_autoptr (ConfabDb) self = new_db ("", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, error);

  if (self == NULL || !confab_db_migrate (self, 0, version, error))
    return NULL;

  return g_steal_pointer (&self);
}

static gboolean
write_all (int fd, const guint8 *bytes, gsize length)
{
  while (length > 0)
    {
      gssize n = write (fd, bytes, length);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return FALSE;
      bytes += n;
      length -= n;
    }

  return fsync (fd) == 0;
}

/* Never replaces a file, and is content with one that is there: two Confabs may start for the first
 * time at once, and the slower one must not take the database away from under the other. */
static gboolean
rename_new (const char *from, const char *to)
{
  if (renameat2 (AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
    return TRUE;
  /* not every file system knows the flag; all that are fit for SQLite know links */
  if (errno != EEXIST && link (from, to) != 0 && errno != EEXIST)
    return FALSE;

  return unlink (from) == 0;
}

static void
sync_folder (const char *folder)
{
  int fd = open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  if (fd < 0)
    return;

  fsync (fd);
  close (fd);
}

/**
 * confab_db_create_file:
 * @path: absolute path of a file that does not exist yet; folders above it are made, with mode 0700
 * @version: the version to make; for tests other than the newest one
 * @error: return location
 *
 * Makes an empty database of mode 0600. That another process made one meanwhile is no error.
 */
gboolean
confab_db_create_file (const char *path, int version, GError **error)
{
  g_autoptr (ConfabDb) memory = open_memory (version, error);
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *temporary = g_strconcat (path, ".new-XXXXXX", NULL);
  sqlite3_int64 size;
  guint8 *bytes;
  gboolean ok;
  int fd;

  if (memory == NULL)
    return FALSE;
  if (g_mkdir_with_parents (folder, 0700) != 0)
    return REFUSE_ERRNO (error, errno, _ ("The folder “%s” for the database cannot be made: %s."),
                         folder);

  fd = g_mkstemp_full (temporary, O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0)
    return REFUSE_ERRNO (error, errno, _ ("The database “%s” cannot be made: %s."), path);

  bytes = sqlite3_serialize (confab_db_get_handle (memory), "main", &size, 0);
  /* Born in WAL mode: to switch later would need a rollback journal, and its recovery after a crash
   * would change the file before it could be looked at. */
  if (bytes != NULL)
    bytes[18] = bytes[19] = 2;
  ok = bytes != NULL && write_all (fd, bytes, size);
  sqlite3_free (bytes);
  close (fd);
  if (!ok || !rename_new (temporary, path))
    {
      REFUSE_ERRNO (error, errno, _ ("The database “%s” cannot be made: %s."), path);
      unlink (temporary);
      return FALSE;
    }

  sync_folder (folder);

  return TRUE;
}

/**
 * confab_db_open:
 * @path: (nullable): absolute path of the file; %NULL: in memory
 * @error: return location for a %CONFAB_STORE_ERROR
 *
 * Opens the database of that name, or makes it, and locks it.
 *
 * Returns: (transfer full) (nullable): the database; %NULL if it was refused, and then nothing was
 *   changed
 */
ConfabDb *
confab_db_open (const char *path, GError **error)
{
  if (path == NULL)
    {
      g_autoptr (ConfabDb) memory = open_memory (confab_db_get_newest_version (), error);

      if (memory == NULL || !prepare (memory, confab_db_get_newest_version (), error))
        return NULL;

      return g_steal_pointer (&memory);
    }

  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    {
      /* SQLite would read an orphaned log as if it belonged to the new file. */
      if (get_size_beside (path, "-wal") > 0 || get_size_beside (path, "-journal") > 0)
        {
          refuse (error, CONFAB_STORE_ERROR_CORRUPT,
                  _ ("The database “%s” is missing, but its log is still there."), path);
          return NULL;
        }
      if (!confab_db_create_file (path, confab_db_get_newest_version (), error))
        return NULL;
    }

  return open_file (path, error);
}

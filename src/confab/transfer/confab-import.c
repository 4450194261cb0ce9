/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-import.h"

#include <sys/stat.h>
#include <unistd.h>

#include "confab-import-reader.h"

#define BUFFER_BYTES (64 * 1024)

/* How many bytes there are to read; 0: only the end will tell. */
static guint64
get_total (int fd)
{
  struct stat info;
  off_t at;

  if (fstat (fd, &info) != 0 || !S_ISREG (info.st_mode))
    return 0;

  at = lseek (fd, 0, SEEK_CUR);

  return at >= 0 && at < info.st_size ? (guint64) (info.st_size - at) : 0;
}

static gboolean
read_all (ConfabTransfer *transfer, ConfabImportReader *reader, GError **error)
{
  ConfabPump *pump = confab_transfer_get_pump (transfer);
  g_autofree char *buffer = g_malloc (BUFFER_BYTES);
  guint64 total = get_total (pump->fd);
  guint64 done = 0;
  gssize n;

  while ((n = confab_pump_read (pump, buffer, BUFFER_BYTES, error)) > 0)
    {
      if (!confab_import_reader_feed (reader, buffer, (gsize) n, error))
        return FALSE;
      done += (guint64) n;
      confab_transfer_report (transfer, done, total);
    }

  return n == 0 && confab_import_reader_finish (reader, error);
}

ConfabStaging *
confab_import_run (ConfabTransfer *transfer, gboolean all_parameters, GError **error)
{
  g_autoptr (ConfabStaging) staging = confab_staging_new ();
  g_autoptr (ConfabImportReader) reader = confab_import_reader_new (staging);

  if (all_parameters)
    confab_import_reader_take_all_parameters (reader);
  if (!read_all (transfer, reader, error))
    return NULL;

  return g_steal_pointer (&staging);
}

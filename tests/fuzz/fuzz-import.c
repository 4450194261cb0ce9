/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz.h"

#include "confab-error.h"
#include "confab-export-writer.h"
#include "confab-import-reader.h"
#include "confab-import-scanner.h"
#include "confab-staging-private.h"

/* A file to import: what is found in it does not depend on how it was cut on its way, and what was
 * taken comes out as it went in. Most inputs are not even whole JSON, and cost no database. */

static gboolean
item_cb (const ConfabImportItem *item, gpointer user_data, GError **error)
{
  GString *seen = user_data;

  g_string_append_printf (seen, "%s %u %" G_GSIZE_FORMAT " ", item->key != NULL ? item->key : "-",
                          item->line, item->n_members);
  g_string_append_len (seen, item->text, (gssize) item->length);

  return TRUE;
}

/* Returns: what was found, and the error if there was one */
static GString *
scan_in_steps (const guint8 *data, gsize size, gsize step, gboolean *whole)
{
  GString *seen = g_string_new (NULL);
  g_autoptr (ConfabImportScanner) scanner = confab_import_scanner_new (item_cb, seen);
  g_autoptr (GError) error = NULL;
  gboolean ok = TRUE;

  for (gsize at = 0; ok && at < size; at += step)
    {
      gsize n = MIN (step, size - at);
      g_autofree char *exact = g_memdup2 (data + at, n);

      ok = confab_import_scanner_feed (scanner, exact, n, &error);
    }
  *whole = ok && confab_import_scanner_finish (scanner, &error);
  if (error != NULL)
    g_string_append (seen, error->message);

  return seen;
}

static ConfabStaging *
read_export (const void *data, gsize size, GError **error)
{
  g_autoptr (ConfabStaging) staging = confab_staging_new ();
  g_autoptr (ConfabImportReader) reader = confab_import_reader_new (staging);

  confab_import_reader_take_all_parameters (reader);
  if (!confab_import_reader_feed (reader, data, size, error)
      || !confab_import_reader_finish (reader, error))
    return NULL;

  return g_steal_pointer (&staging);
}

static void
write_module (ConfabExportWriter *writer, ConfabDb *db, const ConfabCut *cut, guint index)
{
  const ConfabCutModule *module = g_ptr_array_index (cut->modules, index);
  g_autoptr (GArray) seqs = confab_db_list_messages (db, module, cut->last_message, NULL);
  guint at = 0;

  confab_export_write_module (writer, module->record);
  while (at < seqs->len)
    {
      g_autoptr (GPtrArray) page =
          confab_db_read_page (db, module, &g_array_index (seqs, gint64, at), seqs->len - at, NULL);

      g_assert_nonnull (page);
      for (guint i = 0; i < page->len; i++)
        confab_export_write_message (writer, g_ptr_array_index (page, i));
      at += page->len;
    }
}

/* Sessions first: that is an order too. */
static GString *
write_again (ConfabStaging *staging)
{
  ConfabDb *db = confab_staging_get_db (staging);
  g_autoptr (ConfabCut) cut = confab_db_read_cut (db, NULL);
  ConfabExportWriter writer = { g_string_new (NULL), FALSE };

  g_assert_nonnull (cut);
  confab_export_write_begin (&writer, "fuzz", 0);
  for (guint i = 0; i < cut->sessions->len; i++)
    confab_export_write_session (&writer, g_ptr_array_index (cut->sessions, i));
  for (guint i = 0; i < cut->modules->len; i++)
    write_module (&writer, db, cut, i);
  confab_export_write_end (&writer);

  return writer.out;
}

static void
check_round_trip (ConfabStaging *staging)
{
  g_autoptr (GString) first = write_again (staging);
  g_autoptr (GError) error = NULL;
  g_autoptr (ConfabStaging) copy = read_export (first->str, first->len, &error);
  g_autoptr (GString) second = NULL;

  g_assert_no_error (error);
  second = write_again (copy);
  g_assert_cmpstr (second->str, ==, first->str);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  gboolean is_whole, is_whole_too;
  g_autoptr (GString) seen = scan_in_steps (data, size, MAX (size, 1), &is_whole);
  g_autoptr (GString) seen_too = scan_in_steps (data, size, fuzz_step (size), &is_whole_too);
  g_autoptr (ConfabStaging) staging = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (g_string_equal (seen, seen_too));
  g_assert_cmpint (is_whole, ==, is_whole_too);
  if (!is_whole)
    return 0;

  staging = read_export (data, size, &error);
  if (staging != NULL)
    {
      check_round_trip (staging);
      return 0;
    }
  g_assert_cmpint (error->domain, ==, CONFAB_ERROR);
  g_assert_true (g_utf8_validate (error->message, -1, NULL));

  return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The longest record: an answer of 4 MiB whose every character is written as an escape. */
#define CONFAB_IMPORT_MAX_RECORD_BYTES (32 * 1024 * 1024)

/*
 * ConfabImportScanner: takes a JSON object apart, as its bytes come, into its members; and the
 * array of its member "records" into its elements. Only one of them is in memory at a time. What is
 * inside a member or an element is not looked at but to see where it ends.
 *
 * Errors are CONFAB_ERROR, with a sentence that tells the place.
 */
typedef struct _ConfabImportScanner ConfabImportScanner;

typedef struct
{
  const char *key; /* as it stands between its quotation marks; NULL: a record */
  const char *text;
  gsize length;
  guint line;      /* where it begins, from 1 */
  gsize n_members; /* colons outside strings: members of all objects in it */
} ConfabImportItem;

/* Returns: FALSE, with @error set, to give up */
typedef gboolean (*ConfabImportFunc) (const ConfabImportItem *item,
                                      gpointer user_data,
                                      GError **error);

ConfabImportScanner *confab_import_scanner_new (ConfabImportFunc func, gpointer user_data);
void confab_import_scanner_free (ConfabImportScanner *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConfabImportScanner, confab_import_scanner_free)

/* After a failure neither is called again. */
gboolean confab_import_scanner_feed (ConfabImportScanner *self,
                                     const char *bytes,
                                     gsize length,
                                     GError **error);
/* There is no more. */
gboolean confab_import_scanner_finish (ConfabImportScanner *self, GError **error);
/* The one that was come to. */
guint confab_import_scanner_get_line (ConfabImportScanner *self);
gboolean confab_import_scanner_had_records (ConfabImportScanner *self);

G_END_DECLS

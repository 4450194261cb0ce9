/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-staging.h"

G_BEGIN_DECLS

/*
 * ConfabImportReader: reads an export as its bytes come, holds it to docs/export-format.md, and
 * puts what it holds into a ConfabStaging. Nothing is guessed or left out: what is not understood
 * is refused.
 *
 * Errors are CONFAB_ERROR, with a sentence that tells the place, or CONFAB_STORE_ERROR where the
 * staging has no space.
 */
typedef struct _ConfabImportReader ConfabImportReader;

ConfabImportReader *confab_import_reader_new (ConfabStaging *staging);
/* Modules may have parameters of every kind; else see confab_import_check_parameters(). */
void confab_import_reader_take_all_parameters (ConfabImportReader *self);
void confab_import_reader_free (ConfabImportReader *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConfabImportReader, confab_import_reader_free)

/* After a failure neither is called again. */
gboolean confab_import_reader_feed (ConfabImportReader *self,
                                    const char *bytes,
                                    gsize length,
                                    GError **error);
/* There is no more: seals the staging. */
gboolean confab_import_reader_finish (ConfabImportReader *self, GError **error);

G_END_DECLS

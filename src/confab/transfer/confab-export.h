/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-store.h"
#include "confab-transfer.h"

G_BEGIN_DECLS

/*
 * confab_export_run:
 * @transfer: where to; it is told how many modules were written
 * @store: what is to be exported
 * @session_ids: (nullable): set of ids of sessions; NULL: all
 * @generator: name and version of the program
 *
 * Writes what is in @store now, in the format of docs/export-format.md. Messages that grow while
 * this goes on are written as they are by then; later ones are not. For the thread of @transfer.
 *
 * Returns: whether it succeeded; else @error is a CONFAB_ERROR, a CONFAB_STORE_ERROR, or
 *   G_IO_ERROR_CANCELLED
 */
gboolean confab_export_run (ConfabTransfer *transfer,
                            ConfabStore *store,
                            GHashTable *session_ids,
                            const char *generator,
                            GError **error);

G_END_DECLS

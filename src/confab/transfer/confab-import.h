/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-staging.h"
#include "confab-transfer.h"

G_BEGIN_DECLS

/*
 * confab_import_run:
 * @transfer: from where, to its end; it is told how many bytes were read
 * @all_parameters: whether modules may have parameters that do more than shape answers
 *
 * Reads an export and checks all of it. For the thread of @transfer.
 *
 * Returns: (transfer full): what it holds, sealed; NULL: it was refused, and @error is a
 *   CONFAB_ERROR, a CONFAB_STORE_ERROR, or G_IO_ERROR_CANCELLED
 */
ConfabStaging *
confab_import_run (ConfabTransfer *transfer, gboolean all_parameters, GError **error);

G_END_DECLS

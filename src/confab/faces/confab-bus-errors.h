/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* org.confab.Confab1.Error.*, one name for each code of the protocol. */

/* Makes GDBus write and read every CONFAB_ERROR by its name; doing so twice is doing it once. */
void confab_bus_errors_register (void);
const char *confab_bus_error_name (const GError *error);

G_END_DECLS

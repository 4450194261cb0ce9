/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Opaque ids: 1 to 128 of A-Z a-z 0-9 . _ ~ : @ - ; so they need no escaping in JSON, nor in the
 * path of a URL. */
#define CONFAB_ID_MAX_LENGTH 128

gboolean confab_id_is_valid (const char *id);
char *confab_id_new (void);

G_END_DECLS

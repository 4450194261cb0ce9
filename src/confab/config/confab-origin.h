/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* What a user may name by --allow-origin and --allow-host. */
char *confab_origin_normalize (const char *origin, GError **error);
char *confab_host_normalize (const char *host, GError **error);

/* "http://localhost", "http://127.0.0.1", "http://[::1]", on any port. */
gboolean confab_origin_is_local (const char *origin);

G_END_DECLS

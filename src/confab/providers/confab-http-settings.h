/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* The check of where a model server is, with which key it is asked, and with which headers of the
 * user's own. Pure functions. */

#define CONFAB_HTTP_SETTINGS_MAX_HEADERS 32
#define CONFAB_HTTP_SETTINGS_MAX_HEADER_BYTES 4096

char *confab_http_settings_check_base_url (const char *base_url, GError **error);
gboolean confab_http_settings_check_api_key (const char *api_key, GError **error);
GPtrArray *confab_http_settings_parse_headers (const char *const *lines, GError **error);
gboolean confab_http_settings_is_local (const char *base_url);

G_END_DECLS

/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* The check of where a model server is and with which key it is asked. Pure functions. */

char *confab_http_settings_check_base_url (const char *base_url, GError **error);
gboolean confab_http_settings_check_api_key (const char *api_key, GError **error);
gboolean confab_http_settings_is_local (const char *base_url);

G_END_DECLS

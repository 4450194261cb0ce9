/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* The longest message of a user, in bytes of UTF-8. */
#define CONFAB_MAX_MESSAGE_BYTES (256 * 1024)
#define CONFAB_MAX_TITLE_BYTES 1024
#define CONFAB_MAX_INSTRUCTIONS_BYTES (64 * 1024)
#define CONFAB_MAX_QUERY_BYTES 1024
#define CONFAB_MAX_PAGE 200

/* One table says what every call of the contract may carry, for all faces. */
gboolean confab_rules_check (const char *call, JsonObject *payload, GError **error);

/* Members of a payload that was checked; absent ones and null are NULL or the default. */
const char *confab_rules_get_string (JsonObject *payload, const char *name);
gint64 confab_rules_get_int (JsonObject *payload, const char *name, gint64 otherwise);

G_END_DECLS

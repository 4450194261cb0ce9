/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* Looks into JSON of others, where any member may be missing or of another type. Pure functions. */

/* All (transfer none) (nullable): NULL unless the member is there and of the right type. */
JsonNode *confab_json_peek_value (JsonObject *object, const char *name, GType type);
const char *confab_json_peek_string (JsonObject *object, const char *name);
JsonObject *confab_json_peek_object (JsonObject *object, const char *name);
JsonArray *confab_json_peek_array (JsonObject *object, const char *name);
JsonObject *confab_json_peek_element (JsonArray *array, guint index);

/* A count that is missing, of another type, or negative is -1. @object: nullable */
gint64 confab_json_peek_count (JsonObject *object, const char *name);

G_END_DECLS

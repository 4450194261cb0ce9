/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* Objects of the contract as dictionaries of D-Bus, and back. */

GVariant *confab_bus_value_from_object (JsonObject *object);
GVariant *confab_bus_value_from_objects (JsonArray *objects);
JsonObject *confab_bus_value_to_object (GVariant *value);

G_END_DECLS

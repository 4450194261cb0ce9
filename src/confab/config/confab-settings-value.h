/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* One value of the settings, as GLib would take it, without what GLib takes by mistake. */

GVariant *confab_settings_parse_value (const GVariantType *type, const char *text);
gboolean confab_settings_is_in_range (GSettingsSchemaKey *info, GVariant *value);

G_END_DECLS

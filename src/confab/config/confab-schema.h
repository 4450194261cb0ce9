/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define CONFAB_SCHEMA_MAIN "org.confab.Confab"
#define CONFAB_SCHEMA_PROVIDER "org.confab.Confab.Provider"
#define CONFAB_SCHEMA_PATH "/org/confab/Confab/"

/* Where the schemas of the settings are found. GSettings ends the program if a schema or a key is
 * missing, so everything that uses them takes them from here. */
GSettingsSchemaSource *confab_schema_source_new (GError **error);

/* Returns: (transfer full): the settings of a provider, in the default backend */
GSettings *confab_schema_new_provider_settings (GSettingsSchemaSource *source, const char *name);

G_END_DECLS

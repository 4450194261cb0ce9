/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-schema.h"

#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "confab-data-resources.h"
#include "confab-error.h"

#define RESOURCE "/org/confab/Confab/data/gschemas.compiled"
#define FILE_NAME "gschemas.compiled"

/* GSettingsSchemaSource reads only folders. The file is mapped once the source is there, so it need
 * not outlive this. */
static GSettingsSchemaSource *
load_from (const char *parent, GBytes *bytes, GError **error)
{
  g_autofree char *dir = g_build_filename (parent, "confab-schema-XXXXXX", NULL);
  g_autofree char *path = NULL;
  GSettingsSchemaSource *source = NULL;
  gsize length;
  const char *data = g_bytes_get_data (bytes, &length);

  if (g_mkdtemp (dir) == NULL)
    {
      g_set_error (error, CONFAB_ERROR, CONFAB_ERROR_INTERNAL,
                   _ ("The schema of the settings is not installed, and %s cannot be written to."),
                   parent);
      return NULL;
    }
  path = g_build_filename (dir, FILE_NAME, NULL);
  if (g_file_set_contents (path, data, (gssize) length, error))
    source = g_settings_schema_source_new_from_directory (
        dir, g_settings_schema_source_get_default (), TRUE, error);
  g_unlink (path);
  g_rmdir (dir);

  return source;
}

static GSettingsSchemaSource *
load_built_in (GError **error)
{
  const char *const parents[] = { g_get_user_runtime_dir (), g_get_tmp_dir (), "/dev/shm" };
  g_autoptr (GBytes) bytes = g_resource_lookup_data (confab_data_get_resource (), RESOURCE,
                                                     G_RESOURCE_LOOKUP_FLAGS_NONE, error);

  for (gsize i = 0; bytes != NULL && i < G_N_ELEMENTS (parents); i++)
    {
      GSettingsSchemaSource *source;

      g_clear_error (error);
      source = load_from (parents[i], bytes, error);
      if (source != NULL)
        return source;
    }

  return NULL;
}

/* Whether the schemas that are installed have all that the built-in ones have. */
static gboolean
is_complete (GSettingsSchemaSource *installed, GSettingsSchemaSource *built_in, const char *id)
{
  g_autoptr (GSettingsSchema) ours = g_settings_schema_source_lookup (built_in, id, FALSE);
  g_autoptr (GSettingsSchema) theirs = g_settings_schema_source_lookup (installed, id, TRUE);
  g_auto (GStrv) names = ours != NULL ? g_settings_schema_list_keys (ours) : NULL;

  for (gsize i = 0; names != NULL && theirs != NULL && names[i] != NULL; i++)
    {
      g_autoptr (GSettingsSchemaKey) a = g_settings_schema_get_key (ours, names[i]);
      g_autoptr (GSettingsSchemaKey) b = NULL;

      if (!g_settings_schema_has_key (theirs, names[i]))
        return FALSE;
      b = g_settings_schema_get_key (theirs, names[i]);
      if (!g_variant_type_equal (g_settings_schema_key_get_value_type (a),
                                 g_settings_schema_key_get_value_type (b)))
        return FALSE;
    }

  return theirs != NULL;
}

/**
 * confab_schema_source_new:
 * @error: return location for an error with a sentence for people
 *
 * Looks for the schemas where they are installed, where an administrator may have given other
 * defaults. If they are missing there, or another version's, those that are built in are taken.
 *
 * Returns: (transfer full) (nullable): a source that has both schemas with all their keys
 */
GSettingsSchemaSource *
confab_schema_source_new (GError **error)
{
  GSettingsSchemaSource *installed = g_settings_schema_source_get_default ();
  g_autoptr (GSettingsSchemaSource) built_in = load_built_in (error);

  if (built_in != NULL && installed != NULL && is_complete (installed, built_in, CONFAB_SCHEMA_MAIN)
      && is_complete (installed, built_in, CONFAB_SCHEMA_PROVIDER))
    return g_settings_schema_source_ref (installed);

  return g_steal_pointer (&built_in);
}

GSettings *
confab_schema_new_provider_settings (GSettingsSchemaSource *source, const char *name)
{
  g_autoptr (GSettingsSchema) schema =
      g_settings_schema_source_lookup (source, CONFAB_SCHEMA_PROVIDER, TRUE);
  g_autofree char *path = g_strconcat (CONFAB_SCHEMA_PATH "providers/", name, "/", NULL);

  return g_settings_new_full (schema, NULL, path);
}

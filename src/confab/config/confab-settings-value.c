/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-settings-value.h"

#include <string.h>

/* GVariant makes text of whatever number an escape has, and says aloud that it is none. */
static gboolean
escapes_characters (const char *text)
{
  for (const char *at = strchr (text, '\\'); at != NULL && at[1] != '\0';
       at = strchr (at + 2, '\\'))
    {
      gsize length = at[1] == 'u' ? 4 : at[1] == 'U' ? 8 : 0;
      g_autofree char *digits = g_strndup (at + 2, length);

      if (length > 0 && !g_unichar_validate (g_ascii_strtoull (digits, NULL, 16)))
        return FALSE;
    }

  return TRUE;
}

/**
 * confab_settings_parse_value:
 * @type: what it is to be
 * @text: UTF-8: GVariant's text form, as GSettings writes it; a text may go without its marks
 *
 * Returns: (transfer full) (nullable): the value; %NULL: @text is none of that type
 */
GVariant *
confab_settings_parse_value (const GVariantType *type, const char *text)
{
  if (g_variant_type_equal (type, G_VARIANT_TYPE_STRING) && *text != '\'' && *text != '"')
    return g_variant_ref_sink (g_variant_new_string (text));

  return escapes_characters (text) ? g_variant_parse (type, text, NULL, NULL, NULL) : NULL;
}

/**
 * confab_settings_is_in_range:
 * @info: a key of a schema
 * @value: of its type
 *
 * GLib's own search takes any text of more than 65 bytes for a choice (strinfo.c of 2.74: it has no
 * room for its words, and looks for none). This takes none.
 *
 * Returns: whether the schema allows @value
 */
gboolean
confab_settings_is_in_range (GSettingsSchemaKey *info, GVariant *value)
{
  g_autoptr (GVariant) range = g_settings_schema_key_get_range (info);
  g_autoptr (GVariant) detail = NULL;
  g_autofree const char **choices = NULL;
  const char *kind;

  if (!g_settings_schema_key_range_check (info, value))
    return FALSE;
  g_variant_get (range, "(&sv)", &kind, &detail);
  if (strcmp (kind, "enum") != 0)
    return TRUE;
  choices = g_variant_get_strv (detail, NULL);

  return g_strv_contains (choices, g_variant_get_string (value, NULL));
}

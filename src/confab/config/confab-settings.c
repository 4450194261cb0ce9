/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-settings-keys.h"
#include "confab-settings-value.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "confab-schema.h"

#define MAIN_GROUP "confab"
#define PROVIDER_PREFIX "providers/"
#define MAX_FILE_BYTES (1024 * 1024)

/* Group: the schema of one group, and the keys that are taken from it. */
typedef struct
{
  GSettingsSchema *schema;
  const ConfabSettingsKey *keys;
} Group;

static void
group_clear (Group *group)
{
  g_clear_pointer (&group->schema, g_settings_schema_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Group, group_clear)

static void
group_init (Group *group,
            GSettingsSchemaSource *source,
            const char *id,
            const ConfabSettingsKey *keys)
{
  group->schema = g_settings_schema_source_lookup (source, id, TRUE);
  group->keys = keys;
}

static void
set_defaults (const Group *group, gpointer settings)
{
  for (const ConfabSettingsKey *key = group->keys; key->name != NULL; key++)
    {
      g_autoptr (GSettingsSchemaKey) info = g_settings_schema_get_key (group->schema, key->name);
      g_autoptr (GVariant) value = g_settings_schema_key_get_default_value (info);

      key->set (settings, value);
    }
}

static ConfabSettings *
settings_new (GSettingsSchemaSource *source, const char *origin)
{
  ConfabSettings *self = g_new0 (ConfabSettings, 1);
  g_auto (Group) group = { NULL };

  group_init (&group, source, CONFAB_SCHEMA_MAIN, confab_settings_get_main_keys ());
  self->origin = g_strdup (origin);
  self->providers = g_ptr_array_new_with_free_func (confab_provider_settings_free);
  set_defaults (&group, self);

  return self;
}

static ConfabProviderSettings *
add_provider (ConfabSettings *self, const Group *group, const char *name)
{
  ConfabProviderSettings *provider = g_new0 (ConfabProviderSettings, 1);

  provider->name = g_strdup (name);
  set_defaults (group, provider);
  g_ptr_array_add (self->providers, provider);

  return provider;
}

static const ConfabSettingsKey *
find_key (const ConfabSettingsKey *keys, const char *name)
{
  for (; keys->name != NULL; keys++)
    {
      if (strcmp (keys->name, name) == 0)
        return keys;
    }

  return NULL;
}

static const char *
describe_type (const GVariantType *type)
{
  switch (*g_variant_type_peek_string (type))
    {
    case 'b':
      return _ ("true or false");
    case 'u':
      return _ ("a whole number");
    case 's':
      return _ ("a text, with or without quotation marks");
    default:
      return _ ("a list of texts, such as ['Name: value']");
    }
}

/* Says which values the schema takes instead of @value. */
static gboolean
refuse_value (const ConfabSettingsPlace *place,
              GSettingsSchemaKey *info,
              GVariant *value,
              GError **error)
{
  g_autoptr (GVariant) range = g_settings_schema_key_get_range (info);
  g_autoptr (GVariant) detail = NULL;
  g_autofree const char **choices = NULL;
  g_autofree char *list = NULL;
  const char *kind;
  guint min, max;

  g_variant_get (range, "(&sv)", &kind, &detail);
  if (strcmp (kind, "range") == 0)
    {
      g_variant_get (detail, "(uu)", &min, &max);
      return confab_settings_refuse (place, error, _ ("it must be from %u to %u, not %u"), min, max,
                                     g_variant_get_uint32 (value));
    }

  choices = g_variant_get_strv (detail, NULL);
  list = g_strjoinv (", ", (char **) choices + (*choices[0] == '\0'));

  return confab_settings_refuse (place, error, _ ("there is no “%s”; known are %s"),
                                 g_variant_get_string (value, NULL), list);
}

static gboolean
take_value (const ConfabSettingsPlace *place,
            const Group *group,
            const ConfabSettingsKey *key,
            GVariant *value,
            gpointer settings,
            GError **error)
{
  g_autoptr (GSettingsSchemaKey) info = g_settings_schema_get_key (group->schema, key->name);

  if (!confab_settings_is_in_range (info, value))
    return refuse_value (place, info, value, error);
  if (key->check != NULL && !key->check (place, value, error))
    return FALSE;
  key->set (settings, value);

  return TRUE;
}

static GVariant *
parse_value (const ConfabSettingsPlace *place, const Group *group, const char *text, GError **error)
{
  g_autoptr (GSettingsSchemaKey) info = g_settings_schema_get_key (group->schema, place->key);
  const GVariantType *type = g_settings_schema_key_get_value_type (info);
  GVariant *value = confab_settings_parse_value (type, text);

  if (value == NULL)
    confab_settings_refuse (place, error, _ ("it must be %s"), describe_type (type));

  return value;
}

static gboolean
parse_key (GKeyFile *file,
           const ConfabSettingsPlace *place,
           const Group *group,
           gpointer settings,
           GError **error)
{
  const ConfabSettingsKey *key = find_key (group->keys, place->key);
  g_autofree char *text = NULL;
  g_autoptr (GVariant) value = NULL;

  if (key == NULL)
    return confab_settings_refuse (place, error, _ ("there is no such key"));

  text = g_key_file_get_value (file, place->group, place->key, NULL);
  if (text == NULL || !g_utf8_validate (text, -1, NULL))
    return confab_settings_refuse (place, error, _ ("it is not UTF-8"));
  value = parse_value (place, group, g_strstrip (text), error);

  return value != NULL && take_value (place, group, key, value, settings, error);
}

static gboolean
parse_group (GKeyFile *file,
             ConfabSettingsPlace *place,
             const Group *group,
             gpointer settings,
             GError **error)
{
  g_auto (GStrv) names = g_key_file_get_keys (file, place->group, NULL, NULL);

  for (gsize i = 0; names != NULL && names[i] != NULL; i++)
    {
      place->key = names[i];
      if (!parse_key (file, place, group, settings, error))
        return FALSE;
    }
  place->key = NULL;

  return TRUE;
}

static gboolean
check_provider (const ConfabSettingsPlace *place, ConfabProviderSettings *provider, GError **error)
{
  gboolean builtin;

  /* A group of a type's name need not say it. */
  if (provider->type == NULL && confab_settings_is_provider_type (provider->name))
    provider->type = g_strdup (provider->name);
  if (provider->type == NULL)
    return confab_settings_refuse (place, error, _ ("it needs a type"));

  builtin = strcmp (provider->type, "builtin") == 0;
  if (strcmp (provider->name, "auto") == 0 || (!builtin && strcmp (provider->name, "builtin") == 0))
    return confab_settings_refuse (place, error, _ ("that name is taken by Confab itself"));
  if (builtin
      && (provider->base_url != NULL || provider->model != NULL || provider->headers != NULL
          || provider->api_key_env != NULL))
    return confab_settings_refuse (place, error,
                                   _ ("the type builtin asks no server, and needs no settings"));

  return TRUE;
}

static gboolean
parse_provider (ConfabSettings *self,
                GKeyFile *file,
                ConfabSettingsPlace *place,
                const Group *group,
                GError **error)
{
  const char *name = place->group + strlen (PROVIDER_PREFIX);
  ConfabProviderSettings *provider;

  if (!confab_settings_is_name (name))
    return confab_settings_refuse (place, error,
                                   _ ("a provider's name has 1 to %d letters, digits, dots, "
                                      "hyphens and underscores"),
                                   CONFAB_SETTINGS_MAX_NAME_LENGTH);
  provider = add_provider (self, group, name);

  return parse_group (file, place, group, provider, error)
         && check_provider (place, provider, error);
}

static gboolean
parse_groups (ConfabSettings *self,
              GKeyFile *file,
              GSettingsSchemaSource *source,
              const char *path,
              GError **error)
{
  g_auto (Group) main_group = { NULL };
  g_auto (Group) provider_group = { NULL };
  g_auto (GStrv) groups = g_key_file_get_groups (file, NULL);

  group_init (&main_group, source, CONFAB_SCHEMA_MAIN, confab_settings_get_main_keys ());
  group_init (&provider_group, source, CONFAB_SCHEMA_PROVIDER,
              confab_settings_get_provider_keys ());

  for (gsize i = 0; groups[i] != NULL; i++)
    {
      ConfabSettingsPlace place = { .path = path, .group = groups[i] };
      gboolean ok;

      if (strcmp (groups[i], MAIN_GROUP) == 0)
        ok = parse_group (file, &place, &main_group, self, error);
      else if (g_str_has_prefix (groups[i], PROVIDER_PREFIX))
        ok = parse_provider (self, file, &place, &provider_group, error);
      else
        ok = confab_settings_refuse (
            &place, error, _ ("there is no such group; known are [confab] and [providers/NAME]"));
      if (!ok)
        return FALSE;
    }

  return TRUE;
}

/* Those of the list "providers" that have no group: types as they are. */
static gboolean
add_listed (ConfabSettings *self, GSettingsSchemaSource *source, GError **error)
{
  ConfabSettingsPlace place = { self->origin, MAIN_GROUP, "providers" };
  g_auto (Group) group = { NULL };

  group_init (&group, source, CONFAB_SCHEMA_PROVIDER, confab_settings_get_provider_keys ());
  for (char **name = self->provider_names; name != NULL && *name != NULL; name++)
    {
      if (confab_settings_find_provider (self, *name) != NULL)
        continue;
      if (!confab_settings_is_provider_type (*name))
        return confab_settings_refuse (&place, error, _ ("there is no group [providers/%s]"),
                                       *name);
      if (!check_provider (&place, add_provider (self, &group, *name), error))
        return FALSE;
    }

  return TRUE;
}

/**
 * confab_settings_parse:
 * @source: where the schemas are
 * @text: a key file of @length bytes
 * @path: what to call it in errors
 *
 * Reads settings. The form is that of GSettings' key file backend.
 *
 * Returns: (transfer full) (nullable): NULL with an error whose message is one sentence that names
 *   the file, the group and the key
 */
ConfabSettings *
confab_settings_parse (GSettingsSchemaSource *source,
                       const char *text,
                       gsize length,
                       const char *path,
                       GError **error)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (ConfabSettings) self = NULL;
  g_autoptr (GError) reason = NULL;

  g_return_val_if_fail (source != NULL && text != NULL && path != NULL, NULL);

  /* GLib takes no file without a byte for a key file, and would hide keys of other languages. */
  if (length > 0
      && !g_key_file_load_from_data (file, text, length, G_KEY_FILE_KEEP_TRANSLATIONS, &reason))
    {
      ConfabSettingsPlace place = { .path = path };

      confab_settings_refuse (&place, error, "%s", reason->message);
      return NULL;
    }

  self = settings_new (source, path);
  if (!parse_groups (self, file, source, path, error) || !add_listed (self, source, error))
    return NULL;

  return g_steal_pointer (&self);
}

/**
 * confab_settings_load:
 * @source: where the schemas are
 * @path: a file
 *
 * Returns: (transfer full) (nullable): as confab_settings_parse()
 */
ConfabSettings *
confab_settings_load (GSettingsSchemaSource *source, const char *path, GError **error)
{
  g_autoptr (GFile) file = NULL;
  g_autoptr (GFileInputStream) stream = NULL;
  g_autoptr (GError) reason = NULL;
  g_autofree char *text = g_malloc (MAX_FILE_BYTES + 1);
  ConfabSettingsPlace place = { .path = path };
  gsize length = 0;

  g_return_val_if_fail (source != NULL && path != NULL, NULL);

  file = g_file_new_for_path (path);
  stream = g_file_read (file, NULL, &reason);
  if (stream == NULL
      || !g_input_stream_read_all (G_INPUT_STREAM (stream), text, MAX_FILE_BYTES + 1, &length, NULL,
                                   &reason))
    {
      confab_settings_refuse (&place, error, _ ("it cannot be read (%s)"), reason->message);
      return NULL;
    }
  if (length > MAX_FILE_BYTES)
    {
      confab_settings_refuse (&place, error, _ ("it is larger than %d bytes"), MAX_FILE_BYTES);
      return NULL;
    }

  return confab_settings_parse (source, text, length, path, error);
}

/* @group_name: what the group is called in a file, and in errors */
static gboolean
read_group (GSettings *gsettings,
            const Group *group,
            const char *group_name,
            gpointer settings,
            GError **error)
{
  ConfabSettingsPlace place = { CONFAB_SCHEMA_MAIN, group_name, NULL };

  for (const ConfabSettingsKey *key = group->keys; key->name != NULL; key++)
    {
      g_autoptr (GVariant) value = g_settings_get_value (gsettings, key->name);

      place.key = key->name;
      if (!take_value (&place, group, key, value, settings, error))
        return FALSE;
    }

  return TRUE;
}

static gboolean
read_provider (ConfabSettings *self,
               GSettingsSchemaSource *source,
               const Group *group,
               const char *name,
               GError **error)
{
  g_autoptr (GSettings) gsettings = confab_schema_new_provider_settings (source, name);
  g_autofree char *group_name = g_strconcat (PROVIDER_PREFIX, name, NULL);
  ConfabSettingsPlace place = { CONFAB_SCHEMA_MAIN, group_name, NULL };
  ConfabProviderSettings *provider;

  /* The list may name one twice. */
  if (confab_settings_find_provider (self, name) != NULL)
    return TRUE;
  provider = add_provider (self, group, name);

  return read_group (gsettings, group, group_name, provider, error)
         && check_provider (&place, provider, error);
}

/**
 * confab_settings_read:
 * @source: where the schemas are
 *
 * Reads settings from GSettings' default backend: on a desktop, dconf.
 *
 * Returns: (transfer full) (nullable): as confab_settings_parse(); the schema's id is in the place
 *   of the file
 */
ConfabSettings *
confab_settings_read (GSettingsSchemaSource *source, GError **error)
{
  g_auto (Group) main_group = { NULL };
  g_auto (Group) provider_group = { NULL };
  g_autoptr (ConfabSettings) self = NULL;
  g_autoptr (GSettings) gsettings = NULL;

  g_return_val_if_fail (source != NULL, NULL);

  group_init (&main_group, source, CONFAB_SCHEMA_MAIN, confab_settings_get_main_keys ());
  group_init (&provider_group, source, CONFAB_SCHEMA_PROVIDER,
              confab_settings_get_provider_keys ());
  gsettings = g_settings_new_full (main_group.schema, NULL, NULL);
  self = settings_new (source, CONFAB_SCHEMA_MAIN);

  if (!read_group (gsettings, &main_group, MAIN_GROUP, self, error))
    return NULL;
  for (char **name = self->provider_names; name != NULL && *name != NULL; name++)
    {
      if (!read_provider (self, source, &provider_group, *name, error))
        return NULL;
    }

  return g_steal_pointer (&self);
}

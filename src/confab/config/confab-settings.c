/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>
#include <glib/gi18n-lib.h>

#include "confab-settings.h"
#include "confab-backoff.h"
#include "confab-error.h"
#include "confab-history.h"
#include "confab-http-settings.h"

#define MAIN_GROUP "confab"
#define PROVIDER_PREFIX "providers/"
#define MAX_FILE_BYTES (1024 * 1024)
#define MAX_NAME_LENGTH 64

#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"
#define VARIABLE_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"

static const char *const provider_types[] = { "openai", "openai-responses", "anthropic",
                                              "ollama", "builtin",          NULL };

/* Where in the file something stands. */
typedef struct
{
  const char *path;
  const char *group;
  const char *key;
} Place;

/* Key: one key of a group; the one place where its type, its range and where it goes stand. */
typedef struct
{
  const char *name;
  /* of GVariant */
  const char *type;
  guint min, max;
  void (*set) (gpointer settings, GVariant *value);
  /* Nullable: what only this key wants of its value. */
  gboolean (*check) (const Place *place, GVariant *value, GError **error);
} Key;

static void
provider_settings_free (gpointer data)
{
  ConfabProviderSettings *self = data;

  g_free (self->name);
  g_free (self->type);
  g_free (self->base_url);
  g_free (self->model);
  g_strfreev (self->headers);
  g_free (self->api_key_env);
  g_free (self);
}

/**
 * confab_settings_new:
 *
 * Returns: (transfer full): the defaults
 */
ConfabSettings *
confab_settings_new (void)
{
  ConfabSettings *self = g_new0 (ConfabSettings, 1);

  self->max_running = 1000;
  self->auto_create_modules = TRUE;
  self->providers = g_ptr_array_new_with_free_func (provider_settings_free);

  return self;
}

/**
 * confab_settings_free:
 * @self: (transfer full): settings
 */
void
confab_settings_free (ConfabSettings *self)
{
  g_free (self->provider);
  g_ptr_array_unref (self->providers);
  g_free (self);
}

/**
 * confab_settings_find_provider:
 *
 * Returns: (nullable): what the group of that name says
 */
const ConfabProviderSettings *
confab_settings_find_provider (const ConfabSettings *self, const char *name)
{
  g_return_val_if_fail (self != NULL && name != NULL, NULL);

  for (guint i = 0; i < self->providers->len; i++)
    {
      const ConfabProviderSettings *provider = g_ptr_array_index (self->providers, i);

      if (strcmp (provider->name, name) == 0)
        return provider;
    }

  return NULL;
}

/**
 * confab_settings_is_provider_type:
 *
 * Returns: whether @name is what a group may name as its type
 */
gboolean
confab_settings_is_provider_type (const char *name)
{
  return g_strv_contains (provider_types, name);
}

static gboolean
refuse (const Place *place, GError **error, const char *format, ...) G_GNUC_PRINTF (3, 4);

/* Says where in the file it is wrong, and what. Returns: FALSE */
static gboolean
refuse (const Place *place, GError **error, const char *format, ...)
{
  g_autofree char *reason = NULL;
  va_list args;

  va_start (args, format);
  reason = g_strdup_vprintf (format, args);
  va_end (args);

  if (place->key != NULL)
    g_set_error (error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST, "%s: [%s] %s: %s", place->path,
                 place->group, place->key, reason);
  else if (place->group != NULL)
    g_set_error (error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST, "%s: [%s]: %s", place->path,
                 place->group, reason);
  else
    g_set_error (error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST, "%s: %s", place->path, reason);

  return FALSE;
}

static gboolean
is_name (const char *text)
{
  return *text != '\0' && strlen (text) <= MAX_NAME_LENGTH
         && strspn (text, NAME_CHARACTERS) == strlen (text);
}

static gboolean
check_name (const Place *place, GVariant *value, GError **error)
{
  return is_name (g_variant_get_string (value, NULL))
         || refuse (place, error, _ ("“%s” is not a provider's name"),
                    g_variant_get_string (value, NULL));
}

static gboolean
check_type (const Place *place, GVariant *value, GError **error)
{
  const char *type = g_variant_get_string (value, NULL);

  return g_strv_contains (provider_types, type)
         || refuse (place, error,
                    _ ("there is no type “%s”; known are openai, openai-responses, anthropic, "
                       "ollama and builtin"),
                    type);
}

static gboolean
check_base_url (const Place *place, GVariant *value, GError **error)
{
  g_autoptr (GError) reason = NULL;
  g_autofree char *url =
      confab_http_settings_check_base_url (g_variant_get_string (value, NULL), &reason);

  return url != NULL || refuse (place, error, "%s", reason->message);
}

static gboolean
check_not_empty (const Place *place, GVariant *value, GError **error)
{
  return *g_variant_get_string (value, NULL) != '\0' || refuse (place, error, _ ("it is empty"));
}

static gboolean
check_variable (const Place *place, GVariant *value, GError **error)
{
  const char *name = g_variant_get_string (value, NULL);

  /* A key that was put here by mistake must not come into logs. */
  return (*name != '\0' && !g_ascii_isdigit (*name)
          && strspn (name, VARIABLE_CHARACTERS) == strlen (name))
         || refuse (place, error,
                    _ ("it must be the name of an environment variable, which holds the key"));
}

static gboolean
check_headers (const Place *place, GVariant *value, GError **error)
{
  g_autofree const char **lines = g_variant_get_strv (value, NULL);
  g_autoptr (GError) reason = NULL;
  g_autoptr (GPtrArray) headers = confab_http_settings_parse_headers (lines, &reason);

  return headers != NULL || refuse (place, error, "%s", reason->message);
}

static void
set_default_provider (gpointer settings, GVariant *value)
{
  ((ConfabSettings *) settings)->provider = g_variant_dup_string (value, NULL);
}

static void
set_queue (gpointer settings, GVariant *value)
{
  ((ConfabSettings *) settings)->queue = g_variant_get_boolean (value);
}

static void
set_max_running (gpointer settings, GVariant *value)
{
  ((ConfabSettings *) settings)->max_running = g_variant_get_uint32 (value);
}

static void
set_chunk_interval (gpointer settings, GVariant *value)
{
  ((ConfabSettings *) settings)->chunk_interval_ms = g_variant_get_uint32 (value);
}

static void
set_auto_create_modules (gpointer settings, GVariant *value)
{
  ((ConfabSettings *) settings)->auto_create_modules = g_variant_get_boolean (value);
}

static const Key main_keys[] = {
  { "provider", "s", 0, 0, set_default_provider, check_name },
  { "queue", "b", 0, 0, set_queue, NULL },
  { "max-running", "u", 1, 1000, set_max_running, NULL },
  { "chunk-interval", "u", 0, 1000, set_chunk_interval, NULL },
  { "auto-create-modules", "b", 0, 0, set_auto_create_modules, NULL },
  { NULL },
};

static void
set_type (gpointer settings, GVariant *value)
{
  ((ConfabProviderSettings *) settings)->type = g_variant_dup_string (value, NULL);
}

static void
set_base_url (gpointer settings, GVariant *value)
{
  ((ConfabProviderSettings *) settings)->base_url = g_variant_dup_string (value, NULL);
}

static void
set_model (gpointer settings, GVariant *value)
{
  ((ConfabProviderSettings *) settings)->model = g_variant_dup_string (value, NULL);
}

static void
set_headers (gpointer settings, GVariant *value)
{
  ((ConfabProviderSettings *) settings)->headers = g_variant_dup_strv (value, NULL);
}

static void
set_context_tokens (gpointer settings, GVariant *value)
{
  ((ConfabProviderSettings *) settings)->context_tokens = g_variant_get_uint32 (value);
}

static void
set_stall_timeout (gpointer settings, GVariant *value)
{
  ((ConfabProviderSettings *) settings)->stall_timeout_ms = g_variant_get_uint32 (value) * 1000;
}

static void
set_retries (gpointer settings, GVariant *value)
{
  ((ConfabProviderSettings *) settings)->retries = (int) g_variant_get_uint32 (value);
}

static void
set_api_key_env (gpointer settings, GVariant *value)
{
  ((ConfabProviderSettings *) settings)->api_key_env = g_variant_dup_string (value, NULL);
}

/* The type comes first: it is the only one that goes with builtin. */
static const Key provider_keys[] = {
  { "type", "s", 0, 0, set_type, check_type },
  { "base-url", "s", 0, 0, set_base_url, check_base_url },
  { "model", "s", 0, 0, set_model, check_not_empty },
  { "headers", "as", 0, 0, set_headers, check_headers },
  { "context-tokens", "u", 0, CONFAB_HISTORY_MAX_CONTEXT, set_context_tokens, NULL },
  { "stall-timeout", "u", 1, 3600, set_stall_timeout, NULL },
  { "retries", "u", 0, CONFAB_BACKOFF_MAX_RETRIES, set_retries, NULL },
  { "api-key-env", "s", 0, 0, set_api_key_env, check_variable },
  { NULL },
};

static const Key *
find_key (const Key *keys, const char *name)
{
  for (; keys->name != NULL; keys++)
    {
      if (strcmp (keys->name, name) == 0)
        return keys;
    }

  return NULL;
}

static const char *
describe_type (const char *type)
{
  switch (*type)
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

/* Values are GVariant's text form, as GSettings writes them; a text may go without its marks. */
static GVariant *
read_value (const Place *place, const Key *key, const char *text, GError **error)
{
  g_autoptr (GVariant) value = NULL;
  guint number;

  if (*key->type == 's' && *text != '\'' && *text != '"')
    return g_variant_ref_sink (g_variant_new_string (text));

  value = g_variant_parse (G_VARIANT_TYPE (key->type), text, NULL, NULL, NULL);
  if (value == NULL)
    {
      refuse (place, error, _ ("it must be %s"), describe_type (key->type));
      return NULL;
    }
  if (*key->type == 'u')
    {
      number = g_variant_get_uint32 (value);
      if (number < key->min || number > key->max)
        {
          refuse (place, error, _ ("it must be from %u to %u, not %u"), key->min, key->max, number);
          return NULL;
        }
    }

  return g_steal_pointer (&value);
}

static gboolean
read_key (GKeyFile *file, Place *place, const Key *keys, gpointer settings, GError **error)
{
  const Key *key = find_key (keys, place->key);
  g_autofree char *text = NULL;
  g_autoptr (GVariant) value = NULL;

  if (key == NULL)
    return refuse (place, error, _ ("there is no such key"));

  text = g_key_file_get_value (file, place->group, place->key, NULL);
  if (text == NULL || !g_utf8_validate (text, -1, NULL))
    return refuse (place, error, _ ("it is not UTF-8"));
  value = read_value (place, key, g_strstrip (text), error);
  if (value == NULL || (key->check != NULL && !key->check (place, value, error)))
    return FALSE;

  key->set (settings, value);
  return TRUE;
}

static gboolean
read_group (GKeyFile *file, Place *place, const Key *keys, gpointer settings, GError **error)
{
  g_auto (GStrv) names = g_key_file_get_keys (file, place->group, NULL, NULL);

  for (gsize i = 0; names != NULL && names[i] != NULL; i++)
    {
      place->key = names[i];
      if (!read_key (file, place, keys, settings, error))
        return FALSE;
    }
  place->key = NULL;

  return TRUE;
}

static gboolean
check_provider (const Place *place, ConfabProviderSettings *provider, GError **error)
{
  gboolean builtin;

  /* A group of a type's name need not say it. */
  if (provider->type == NULL && g_strv_contains (provider_types, provider->name))
    provider->type = g_strdup (provider->name);
  if (provider->type == NULL)
    return refuse (place, error, _ ("it needs a type"));

  builtin = strcmp (provider->type, "builtin") == 0;
  if (strcmp (provider->name, "auto") == 0 || (!builtin && strcmp (provider->name, "builtin") == 0))
    return refuse (place, error, _ ("that name is taken by Confab itself"));
  if (builtin
      && (provider->base_url != NULL || provider->model != NULL || provider->headers != NULL
          || provider->api_key_env != NULL))
    return refuse (place, error, _ ("the type builtin asks no server, and needs no settings"));

  return TRUE;
}

static gboolean
read_provider (ConfabSettings *self, GKeyFile *file, Place *place, GError **error)
{
  ConfabProviderSettings *provider = g_new0 (ConfabProviderSettings, 1);

  g_ptr_array_add (self->providers, provider);
  provider->name = g_strdup (place->group + strlen (PROVIDER_PREFIX));
  provider->retries = -1;

  if (!is_name (provider->name))
    return refuse (place, error,
                   _ ("a provider's name has 1 to %d letters, digits, dots, hyphens and "
                      "underscores"),
                   MAX_NAME_LENGTH);

  return read_group (file, place, provider_keys, provider, error)
         && check_provider (place, provider, error);
}

/**
 * confab_settings_parse:
 * @text: a key file of @length bytes
 * @path: what to call it in errors
 *
 * Reads settings. The form is that of GSettings' key file backend.
 *
 * Returns: (transfer full) (nullable): NULL with an error whose message is one sentence that names
 *   the file, the group and the key
 */
ConfabSettings *
confab_settings_parse (const char *text, gsize length, const char *path, GError **error)
{
  g_autoptr (ConfabSettings) self = confab_settings_new ();
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (GError) reason = NULL;
  g_auto (GStrv) groups = NULL;
  Place place = { .path = path };

  g_return_val_if_fail (text != NULL, NULL);
  g_return_val_if_fail (path != NULL, NULL);

  /* GLib takes no file without a byte for a key file, and would hide keys of other languages. */
  if (length > 0
      && !g_key_file_load_from_data (file, text, length, G_KEY_FILE_KEEP_TRANSLATIONS, &reason))
    {
      refuse (&place, error, "%s", reason->message);
      return NULL;
    }

  groups = g_key_file_get_groups (file, NULL);
  for (gsize i = 0; groups[i] != NULL; i++)
    {
      gboolean ok;

      place = (Place){ .path = path, .group = groups[i] };
      if (strcmp (groups[i], MAIN_GROUP) == 0)
        ok = read_group (file, &place, main_keys, self, error);
      else if (g_str_has_prefix (groups[i], PROVIDER_PREFIX))
        ok = read_provider (self, file, &place, error);
      else
        ok = refuse (&place, error,
                     _ ("there is no such group; known are [confab] and [providers/NAME]"));
      if (!ok)
        return NULL;
    }

  return g_steal_pointer (&self);
}

/**
 * confab_settings_load:
 * @path: a file
 *
 * Returns: (transfer full) (nullable): as confab_settings_parse()
 */
ConfabSettings *
confab_settings_load (const char *path, GError **error)
{
  g_autoptr (GFile) file = NULL;
  g_autoptr (GFileInputStream) stream = NULL;
  g_autoptr (GError) reason = NULL;
  g_autofree char *text = g_malloc (MAX_FILE_BYTES + 1);
  Place place = { .path = path };
  gsize length = 0;

  g_return_val_if_fail (path != NULL, NULL);

  file = g_file_new_for_path (path);
  stream = g_file_read (file, NULL, &reason);
  if (stream == NULL
      || !g_input_stream_read_all (G_INPUT_STREAM (stream), text, MAX_FILE_BYTES + 1, &length, NULL,
                                   &reason))
    {
      refuse (&place, error, _ ("it cannot be read (%s)"), reason->message);
      return NULL;
    }
  if (length > MAX_FILE_BYTES)
    {
      refuse (&place, error, _ ("it is larger than %d bytes"), MAX_FILE_BYTES);
      return NULL;
    }

  return confab_settings_parse (text, length, path, error);
}

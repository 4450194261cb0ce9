/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-settings-keys.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "confab-error.h"
#include "confab-http-settings.h"
#include "confab-origin.h"

#define MAX_NAME_LENGTH CONFAB_SETTINGS_MAX_NAME_LENGTH
#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"
#define VARIABLE_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"

/**
 * confab_settings_refuse:
 *
 * Says where the settings are wrong, and what.
 *
 * Returns: FALSE
 */
gboolean
confab_settings_refuse (const ConfabSettingsPlace *place, GError **error, const char *format, ...)
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

gboolean
confab_settings_is_name (const char *text)
{
  return *text != '\0' && strlen (text) <= MAX_NAME_LENGTH
         && strspn (text, NAME_CHARACTERS) == strlen (text);
}

static gboolean
check_name (const ConfabSettingsPlace *place, GVariant *value, GError **error)
{
  return confab_settings_is_name (g_variant_get_string (value, NULL))
         || confab_settings_refuse (place, error, _ ("“%s” is not a provider's name"),
                                    g_variant_get_string (value, NULL));
}

static gboolean
check_base_url (const ConfabSettingsPlace *place, GVariant *value, GError **error)
{
  const char *text = g_variant_get_string (value, NULL);
  g_autoptr (GError) reason = NULL;
  g_autofree char *url = NULL;

  if (*text == '\0')
    return TRUE;
  url = confab_http_settings_check_base_url (text, &reason);

  return url != NULL || confab_settings_refuse (place, error, "%s", reason->message);
}

static gboolean
check_variable (const ConfabSettingsPlace *place, GVariant *value, GError **error)
{
  const char *name = g_variant_get_string (value, NULL);

  /* A key that was put here by mistake must not come into logs. */
  return (!g_ascii_isdigit (*name) && strspn (name, VARIABLE_CHARACTERS) == strlen (name))
         || confab_settings_refuse (
             place, error,
             _ ("it must be the name of an environment variable, which holds the key"));
}

static gboolean
check_headers (const ConfabSettingsPlace *place, GVariant *value, GError **error)
{
  g_autofree const char **lines = g_variant_get_strv (value, NULL);
  g_autoptr (GError) reason = NULL;
  g_autoptr (GPtrArray) headers = confab_http_settings_parse_headers (lines, &reason);

  return headers != NULL || confab_settings_refuse (place, error, "%s", reason->message);
}

static gboolean
check_names (const ConfabSettingsPlace *place, GVariant *value, GError **error)
{
  g_autofree const char **names = g_variant_get_strv (value, NULL);

  for (gsize i = 0; names[i] != NULL; i++)
    {
      if (!confab_settings_is_name (names[i]))
        return confab_settings_refuse (place, error, _ ("“%s” is not a provider's name"), names[i]);
    }

  return TRUE;
}

static gboolean
check_each (const ConfabSettingsPlace *place,
            GVariant *value,
            char *(*normalize) (const char *, GError **),
            GError **error)
{
  g_autofree const char **texts = g_variant_get_strv (value, NULL);

  for (gsize i = 0; texts[i] != NULL; i++)
    {
      g_autoptr (GError) reason = NULL;
      g_autofree char *normal = normalize (texts[i], &reason);

      if (normal == NULL)
        return confab_settings_refuse (place, error, "%s", reason->message);
    }

  return TRUE;
}

static gboolean
check_origins (const ConfabSettingsPlace *place, GVariant *value, GError **error)
{
  return check_each (place, value, confab_origin_normalize, error);
}

static gboolean
check_hosts (const ConfabSettingsPlace *place, GVariant *value, GError **error)
{
  return check_each (place, value, confab_host_normalize, error);
}

/* Where the value of each key goes, by its type. An empty text or list counts as not set. */
#define TEXT(Type, field)                                                                          \
  static void set_##field (gpointer settings, GVariant *value)                                     \
  {                                                                                                \
    const char *text = g_variant_get_string (value, NULL);                                         \
                                                                                                   \
    g_free (((Type *) settings)->field);                                                           \
    ((Type *) settings)->field = *text != '\0' ? g_strdup (text) : NULL;                           \
  }
#define TEXTS(Type, field)                                                                         \
  static void set_##field (gpointer settings, GVariant *value)                                     \
  {                                                                                                \
    g_strfreev (((Type *) settings)->field);                                                       \
    ((Type *) settings)->field =                                                                   \
        g_variant_n_children (value) > 0 ? g_variant_dup_strv (value, NULL) : NULL;                \
  }
#define NUMBER(Type, field, factor)                                                                \
  static void set_##field (gpointer settings, GVariant *value)                                     \
  {                                                                                                \
    ((Type *) settings)->field = g_variant_get_uint32 (value) * (factor);                          \
  }
#define SWITCH(field)                                                                              \
  static void set_##field (gpointer settings, GVariant *value)                                     \
  {                                                                                                \
    ((ConfabSettings *) settings)->field = g_variant_get_boolean (value);                          \
  }

TEXT (ConfabSettings, provider)
TEXTS (ConfabSettings, provider_names)
SWITCH (queue)
NUMBER (ConfabSettings, max_running, 1)
NUMBER (ConfabSettings, chunk_interval_ms, 1)
SWITCH (auto_create_modules)
SWITCH (allow_eio3)
NUMBER (ConfabSettings, port, 1)
TEXTS (ConfabSettings, allow_origins)
TEXTS (ConfabSettings, allow_hosts)
NUMBER (ConfabSettings, client_rate, 1)
NUMBER (ConfabSettings, address_rate, 1)
NUMBER (ConfabSettings, address_connections, 1)
NUMBER (ConfabSettings, max_connections, 1)
SWITCH (limit_local)
NUMBER (ConfabSettings, idle_timeout, 1)
SWITCH (notifications)
SWITCH (notification_text)
SWITCH (inhibit_suspend)

static const ConfabSettingsKey main_keys[] = {
  { "provider", set_provider, check_name },
  { "providers", set_provider_names, check_names },
  { "queue", set_queue, NULL },
  { "max-running", set_max_running, NULL },
  { "chunk-interval", set_chunk_interval_ms, NULL },
  { "auto-create-modules", set_auto_create_modules, NULL },
  { "allow-eio3", set_allow_eio3, NULL },
  { "port", set_port, NULL },
  { "allow-origins", set_allow_origins, check_origins },
  { "allow-hosts", set_allow_hosts, check_hosts },
  { "client-rate", set_client_rate, NULL },
  { "address-rate", set_address_rate, NULL },
  { "address-connections", set_address_connections, NULL },
  { "max-connections", set_max_connections, NULL },
  { "limit-local", set_limit_local, NULL },
  { "idle-timeout", set_idle_timeout, NULL },
  { "notifications", set_notifications, NULL },
  { "notification-text", set_notification_text, NULL },
  { "inhibit-suspend", set_inhibit_suspend, NULL },
  { NULL },
};

TEXT (ConfabProviderSettings, type)
TEXT (ConfabProviderSettings, base_url)
TEXT (ConfabProviderSettings, api_key_env)
TEXT (ConfabProviderSettings, model)
TEXTS (ConfabProviderSettings, headers)
NUMBER (ConfabProviderSettings, context_tokens, 1)
NUMBER (ConfabProviderSettings, stall_timeout_ms, 1000)
NUMBER (ConfabProviderSettings, retries, 1)

static const ConfabSettingsKey provider_keys[] = {
  { "type", set_type, NULL },
  { "base-url", set_base_url, check_base_url },
  { "api-key-env", set_api_key_env, check_variable },
  { "model", set_model, NULL },
  { "headers", set_headers, check_headers },
  { "context-tokens", set_context_tokens, NULL },
  { "stall-timeout", set_stall_timeout_ms, NULL },
  { "retries", set_retries, NULL },
  { NULL },
};

/**
 * confab_settings_get_main_keys:
 *
 * Returns: the keys of the schema org.confab.Confab
 */
const ConfabSettingsKey *
confab_settings_get_main_keys (void)
{
  return main_keys;
}

/**
 * confab_settings_get_provider_keys:
 *
 * Returns: the keys of the schema org.confab.Confab.Provider
 */
const ConfabSettingsKey *
confab_settings_get_provider_keys (void)
{
  return provider_keys;
}

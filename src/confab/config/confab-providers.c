/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>
#include <glib/gi18n-lib.h>

#include "confab-providers.h"
#include "confab-anthropic-provider.h"
#include "confab-auto-provider.h"
#include "confab-backoff.h"
#include "confab-builtin-provider.h"
#include "confab-error.h"
#include "confab-http-stream.h"
#include "confab-local-server.h"
#include "confab-ollama-provider.h"
#include "confab-openai-provider.h"
#include "confab-openai-responses-provider.h"

/* An empty variable is as good as none. */
static const char *
get_variable (const char *name)
{
  const char *value = name != NULL ? g_getenv (name) : NULL;

  return value != NULL && value[0] != '\0' ? value : NULL;
}

/* What each type's own tools read, for people who have set it already. */
static const struct
{
  const char *type;
  const char *base_url_variable;
  const char *key_variable;
  /* Any of these is enough for the provider to be there. */
  const char *signs[3];
} own_variables[] = {
  { "openai", "OPENAI_BASE_URL", "OPENAI_API_KEY", { "OPENAI_API_KEY", "OPENAI_BASE_URL" } },
  { "anthropic", "ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY", { "ANTHROPIC_API_KEY" } },
  { "ollama", "OLLAMA_HOST", NULL, { "OLLAMA_HOST" } },
  { "openai-responses", "OPENAI_BASE_URL", "OPENAI_API_KEY", { NULL } },
};

static char *
find_own_base_url (const char *type)
{
  for (gsize i = 0; i < G_N_ELEMENTS (own_variables); i++)
    {
      if (strcmp (own_variables[i].type, type) != 0)
        continue;
      if (strcmp (type, "ollama") == 0)
        return confab_local_server_parse_ollama_host (get_variable ("OLLAMA_HOST"));
      return g_strdup (get_variable (own_variables[i].base_url_variable));
    }

  return NULL;
}

static const char *
find_own_key (const char *type)
{
  for (gsize i = 0; i < G_N_ELEMENTS (own_variables); i++)
    {
      if (strcmp (own_variables[i].type, type) == 0)
        return get_variable (own_variables[i].key_variable);
    }

  return NULL;
}

/* A key of the environment goes to servers of the environment and of the command line; a server
 * that the file names gets the one that the file names for it. */
static const char *
find_key (const ConfabProviderSettings *settings)
{
  const char *key;

  if (settings->api_key_env == NULL)
    return settings->base_url == NULL ? find_own_key (settings->type) : NULL;

  key = get_variable (settings->api_key_env);
  if (key == NULL)
    g_warning ("The provider %s is asked without a key unless one is kept: %s is not set",
               settings->name, settings->api_key_env);

  return key;
}

static ConfabHttpProvider *
make_of_type (const char *type,
              const char *base_url,
              const char *key,
              const char *model,
              GError **error)
{
  if (strcmp (type, "anthropic") == 0)
    return (ConfabHttpProvider *) confab_anthropic_provider_new (base_url, key, model, error);
  if (strcmp (type, "ollama") == 0)
    return (ConfabHttpProvider *) confab_ollama_provider_new (base_url, key, model, error);
  if (strcmp (type, "openai-responses") == 0)
    return (ConfabHttpProvider *) confab_openai_responses_provider_new (base_url, key, model,
                                                                        error);

  return (ConfabHttpProvider *) confab_openai_provider_new (base_url, key, model, error);
}

/* @options: (nullable): what the command line says of this provider */
static ConfabProvider *
make_provider (const ConfabProviderSettings *settings,
               const ConfabOptions *options,
               ConfabKeySource *keys,
               GError **error)
{
  const char *base_url = options != NULL ? options->base_url : NULL;
  const char *model = options != NULL && options->model != NULL ? options->model : settings->model;
  g_autofree char *own_base_url = NULL;
  g_autoptr (ConfabHttpProvider) provider = NULL;

  if (strcmp (settings->type, "builtin") == 0)
    return CONFAB_PROVIDER (confab_builtin_provider_new ());

  if (base_url == NULL)
    base_url = settings->base_url;
  if (base_url == NULL)
    {
      own_base_url = find_own_base_url (settings->type);
      base_url = own_base_url;
    }

  provider = make_of_type (settings->type, base_url, find_key (settings), model, error);
  if (provider == NULL)
    return NULL;

  if (settings->headers != NULL
      && !confab_http_provider_set_headers (provider, (const char *const *) settings->headers,
                                            error))
    return NULL;
  /* A key that is kept under this name is for the server that the settings name, and no other. */
  if (keys != NULL && (options == NULL || options->base_url == NULL))
    confab_http_provider_set_key_source (provider, keys, settings->name);
  confab_http_provider_set_context_tokens (provider, settings->context_tokens);
  confab_http_provider_set_stall_timeout (provider, settings->stall_timeout_ms);
  confab_http_provider_set_retries (provider, settings->retries);

  return CONFAB_PROVIDER (g_steal_pointer (&provider));
}

/* What goes wrong with a group is told with the file and the group's name. */
static ConfabProvider *
make_of_group (const ConfabProviderSettings *group,
               const ConfabOptions *options,
               ConfabKeySource *keys,
               const char *path,
               GError **error)
{
  ConfabProvider *provider = make_provider (group, options, keys, error);

  if (provider == NULL)
    g_prefix_error (error, "%s: [providers/%s]: ", path, group->name);

  return provider;
}

/* Of a type without a group of its own in the file. */
static ConfabProvider *
make_plain (const char *type, const ConfabOptions *options, ConfabKeySource *keys, GError **error)
{
  const ConfabProviderSettings plain = { .name = (char *) type,
                                         .type = (char *) type,
                                         .stall_timeout_ms = CONFAB_HTTP_STALL_TIMEOUT_MS,
                                         .retries = CONFAB_BACKOFF_RETRIES };

  return make_provider (&plain, options, keys, error);
}

static ConfabProvider *
make_default (const char *name,
              const ConfabOptions *options,
              const ConfabSettings *settings,
              ConfabKeySource *keys,
              GError **error)
{
  const ConfabProviderSettings *group = confab_settings_find_provider (settings, name);

  if (options->base_url != NULL && group != NULL && strcmp (group->type, "builtin") == 0)
    {
      g_set_error (error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST,
                   _ ("--base-url goes with a provider that asks a server, not with %s"), name);
      return NULL;
    }

  if (group != NULL)
    return make_of_group (group, options, keys, settings->origin, error);
  if (strcmp (name, "auto") == 0)
    return CONFAB_PROVIDER (confab_auto_provider_new (options->model));
  if (confab_settings_is_provider_type (name))
    return make_plain (name, options, keys, error);

  if (name == settings->provider)
    g_set_error (error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST,
                 _ ("%s: [confab] provider: there is no “%s”; known are auto, builtin, openai, "
                    "openai-responses, anthropic, ollama, and each NAME of a [providers/NAME]"),
                 settings->origin, name);
  else
    g_set_error (error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST,
                 _ ("There is no provider “%s”; known are auto, builtin, openai, openai-responses, "
                    "anthropic, ollama, and each NAME of a [providers/NAME] in %s"),
                 name, settings->origin);
  return NULL;
}

static gboolean
add_from_file (ConfabProviderRegistry *registry,
               const ConfabOptions *options,
               const ConfabSettings *settings,
               ConfabKeySource *keys,
               GError **error)
{
  for (guint i = 0; i < settings->providers->len; i++)
    {
      const ConfabProviderSettings *group = g_ptr_array_index (settings->providers, i);
      g_autoptr (ConfabProvider) provider = NULL;

      if (confab_provider_registry_lookup (registry, group->name) != NULL)
        continue;
      provider = make_of_group (group, NULL, keys, settings->origin, error);
      if (provider == NULL)
        return FALSE;
      confab_provider_registry_add (registry, group->name, provider);
    }

  return TRUE;
}

static gboolean
any_is_set (const char *const *names)
{
  for (; *names != NULL; names++)
    {
      if (get_variable (*names) != NULL)
        return TRUE;
    }

  return FALSE;
}

/* A variable that is wrong is told and does no more harm: it was not set for us alone. */
static void
add_from_environment (ConfabProviderRegistry *registry, ConfabKeySource *keys)
{
  for (gsize i = 0; i < G_N_ELEMENTS (own_variables); i++)
    {
      const char *type = own_variables[i].type;
      g_autoptr (ConfabProvider) provider = NULL;
      g_autoptr (GError) error = NULL;

      if (!any_is_set (own_variables[i].signs)
          || confab_provider_registry_lookup (registry, type) != NULL)
        continue;
      provider = make_plain (type, NULL, keys, &error);
      if (provider != NULL)
        confab_provider_registry_add (registry, type, provider);
      else
        {
          g_assert (error != NULL);
          g_warning ("The provider %s is left out: %s", type, error->message);
        }
    }
}

/**
 * confab_providers_set_up:
 * @keys: (nullable): where keys are kept that come before those of the environment
 *
 * The default comes first: what the command line asks for, else what the file names, else "auto".
 * Then those of the file, those whose variables are set, and "builtin". The command line comes
 * before the file, and the file before the environment.
 *
 * Returns: (transfer full) (nullable): NULL with %CONFAB_ERROR_INVALID_REQUEST if a setting is
 * wrong
 */
ConfabProviderRegistry *
confab_providers_set_up (const ConfabOptions *options,
                         const ConfabSettings *settings,
                         ConfabKeySource *keys,
                         GError **error)
{
  g_autoptr (ConfabProviderRegistry) registry = confab_provider_registry_new ();
  g_autoptr (ConfabProvider) chosen = NULL;
  g_autoptr (ConfabProvider) builtin = NULL;
  const char *name;

  g_return_val_if_fail (options != NULL && settings != NULL, NULL);

  name = options->provider_asked ? options->provider : settings->provider;
  chosen = make_default (name, options, settings, keys, error);
  if (chosen == NULL)
    return NULL;
  confab_provider_registry_add (registry, name, chosen);

  if (!add_from_file (registry, options, settings, keys, error))
    return NULL;
  add_from_environment (registry, keys);

  builtin = CONFAB_PROVIDER (confab_builtin_provider_new ());
  if (confab_provider_registry_lookup (registry, "builtin") == NULL)
    confab_provider_registry_add (registry, "builtin", builtin);

  return g_steal_pointer (&registry);
}

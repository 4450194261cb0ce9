/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-settings-keys.h"

#include <string.h>

static const char *const provider_types[] = { "openai", "openai-responses", "anthropic",
                                              "ollama", "builtin",          NULL };

void
confab_provider_settings_free (gpointer data)
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
 * confab_settings_free:
 * @self: (transfer full): settings
 */
void
confab_settings_free (ConfabSettings *self)
{
  g_free (self->origin);
  g_free (self->provider);
  g_strfreev (self->provider_names);
  g_strfreev (self->allow_origins);
  g_strfreev (self->allow_hosts);
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
texts_equal (char **a, char **b)
{
  return a == NULL || b == NULL ? a == b
                                : g_strv_equal ((const char *const *) a, (const char *const *) b);
}

static gboolean
is_same_provider (const ConfabProviderSettings *a, const ConfabProviderSettings *b)
{
  return g_str_equal (a->name, b->name) && g_strcmp0 (a->type, b->type) == 0
         && g_strcmp0 (a->base_url, b->base_url) == 0 && g_strcmp0 (a->model, b->model) == 0
         && g_strcmp0 (a->api_key_env, b->api_key_env) == 0 && texts_equal (a->headers, b->headers)
         && a->context_tokens == b->context_tokens && a->stall_timeout_ms == b->stall_timeout_ms
         && a->retries == b->retries;
}

gboolean
confab_settings_have_same_providers (const ConfabSettings *a, const ConfabSettings *b)
{
  if (g_strcmp0 (a->provider, b->provider) != 0 || a->providers->len != b->providers->len)
    return FALSE;

  for (guint i = 0; i < a->providers->len; i++)
    {
      if (!is_same_provider (g_ptr_array_index (a->providers, i),
                             g_ptr_array_index (b->providers, i)))
        return FALSE;
    }

  return TRUE;
}

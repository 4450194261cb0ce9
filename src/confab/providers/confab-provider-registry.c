/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-provider-registry.h"

struct _ConfabProviderRegistry
{
  GObject parent_instance;

  /* (element-type utf8 ConfabProvider): the keys belong to @names */
  GHashTable *providers;
  /* (element-type utf8): as they were added, and a NULL at the end */
  GPtrArray *names;
};

G_DEFINE_FINAL_TYPE (ConfabProviderRegistry, confab_provider_registry, G_TYPE_OBJECT)

static void
confab_provider_registry_finalize (GObject *object)
{
  ConfabProviderRegistry *self = CONFAB_PROVIDER_REGISTRY (object);

  g_clear_pointer (&self->providers, g_hash_table_unref);
  g_clear_pointer (&self->names, g_ptr_array_unref);

  G_OBJECT_CLASS (confab_provider_registry_parent_class)->finalize (object);
}

static void
confab_provider_registry_class_init (ConfabProviderRegistryClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = confab_provider_registry_finalize;
}

static void
confab_provider_registry_init (ConfabProviderRegistry *self)
{
  self->providers = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_object_unref);
  self->names = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (self->names, NULL);
}

/**
 * confab_provider_registry_new:
 *
 * Returns: (transfer full): a registry without providers
 */
ConfabProviderRegistry *
confab_provider_registry_new (void)
{
  return g_object_new (CONFAB_TYPE_PROVIDER_REGISTRY, NULL);
}

/**
 * confab_provider_registry_add:
 * @name: by which modules ask for it
 * @provider: a reference is taken
 *
 * Adds a provider; the first one is the default.
 *
 * Returns: FALSE if the name is taken; nothing is changed then
 */
gboolean
confab_provider_registry_add (ConfabProviderRegistry *self,
                              const char *name,
                              ConfabProvider *provider)
{
  char *copy;

  g_return_val_if_fail (CONFAB_IS_PROVIDER_REGISTRY (self), FALSE);
  g_return_val_if_fail (name != NULL && *name != '\0', FALSE);
  g_return_val_if_fail (CONFAB_IS_PROVIDER (provider), FALSE);

  if (g_hash_table_contains (self->providers, name))
    return FALSE;

  copy = g_strdup (name);
  g_ptr_array_insert (self->names, (gint) self->names->len - 1, copy);
  g_hash_table_insert (self->providers, copy, g_object_ref (provider));

  return TRUE;
}

/**
 * confab_provider_registry_lookup:
 * @name: (nullable): NULL for the default
 *
 * Returns: (transfer none) (nullable): NULL if there is none of that name
 */
ConfabProvider *
confab_provider_registry_lookup (ConfabProviderRegistry *self, const char *name)
{
  g_return_val_if_fail (CONFAB_IS_PROVIDER_REGISTRY (self), NULL);

  if (name == NULL)
    name = confab_provider_registry_get_default_name (self);

  return name != NULL ? g_hash_table_lookup (self->providers, name) : NULL;
}

/**
 * confab_provider_registry_get_default:
 *
 * Returns: (transfer none) (nullable): NULL if there are no providers
 */
ConfabProvider *
confab_provider_registry_get_default (ConfabProviderRegistry *self)
{
  return confab_provider_registry_lookup (self, NULL);
}

/**
 * confab_provider_registry_get_default_name:
 *
 * Returns: (nullable): NULL if there are no providers
 */
const char *
confab_provider_registry_get_default_name (ConfabProviderRegistry *self)
{
  g_return_val_if_fail (CONFAB_IS_PROVIDER_REGISTRY (self), NULL);

  return g_ptr_array_index (self->names, 0);
}

/**
 * confab_provider_registry_list:
 *
 * Returns: (transfer none) (array zero-terminated=1): all names, the default first, as they were
 *   added; good until another one is
 */
const char *const *
confab_provider_registry_list (ConfabProviderRegistry *self)
{
  g_return_val_if_fail (CONFAB_IS_PROVIDER_REGISTRY (self), NULL);

  return (const char *const *) self->names->pdata;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-provider.h"

G_BEGIN_DECLS

/* ConfabProviderRegistry: the providers that there are, by the names under which modules ask for
 * them; one is the default. Filled at start, then only read. */
#define CONFAB_TYPE_PROVIDER_REGISTRY (confab_provider_registry_get_type ())
G_DECLARE_FINAL_TYPE (ConfabProviderRegistry,
                      confab_provider_registry,
                      CONFAB,
                      PROVIDER_REGISTRY,
                      GObject)

ConfabProviderRegistry *confab_provider_registry_new (void);
gboolean confab_provider_registry_add (ConfabProviderRegistry *self,
                                       const char *name,
                                       ConfabProvider *provider);
ConfabProvider *confab_provider_registry_lookup (ConfabProviderRegistry *self, const char *name);
ConfabProvider *confab_provider_registry_get_default (ConfabProviderRegistry *self);
const char *confab_provider_registry_get_default_name (ConfabProviderRegistry *self);
const char *const *confab_provider_registry_list (ConfabProviderRegistry *self);

G_END_DECLS

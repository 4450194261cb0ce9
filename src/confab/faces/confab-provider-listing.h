/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <json-glib/json-glib.h>

#include "confab-provider-registry.h"

G_BEGIN_DECLS

/* What provider:list answers. */

/* @providers: (transfer full): the default one first */
typedef void (*ConfabProviderListingFunc) (JsonArray *providers, gpointer user_data);

void confab_provider_listing (ConfabProviderRegistry *registry,
                              ConfabProviderListingFunc func,
                              gpointer user_data);

G_END_DECLS

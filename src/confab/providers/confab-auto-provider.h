/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-local-server.h"
#include "confab-provider.h"

G_BEGIN_DECLS

/* ConfabAutoProvider: finds out by itself which provider to use, and is that one from then on. */
#define CONFAB_TYPE_AUTO_PROVIDER (confab_auto_provider_get_type ())
G_DECLARE_FINAL_TYPE (ConfabAutoProvider, confab_auto_provider, CONFAB, AUTO_PROVIDER, GObject)

ConfabAutoProvider *confab_auto_provider_new (const char *model);
ConfabAutoProvider *confab_auto_provider_new_full (const char *model,
                                                   const char *api_key,
                                                   const char *base_url,
                                                   const ConfabLocalServer *servers,
                                                   gsize n_servers);
void confab_auto_provider_set_anthropic (ConfabAutoProvider *self,
                                         const char *api_key,
                                         const char *base_url);
void confab_auto_provider_set_ask_timeout (ConfabAutoProvider *self, guint timeout_ms);
void confab_auto_provider_start (ConfabAutoProvider *self);
ConfabProvider *confab_auto_provider_get_chosen (ConfabAutoProvider *self);

G_END_DECLS

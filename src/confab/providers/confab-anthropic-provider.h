/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-http-provider.h"

G_BEGIN_DECLS

#define CONFAB_ANTHROPIC_BASE_URL "https://api.anthropic.com"

/* ConfabAnthropicProvider: any server that speaks Anthropic's Messages. */
#define CONFAB_TYPE_ANTHROPIC_PROVIDER (confab_anthropic_provider_get_type ())
G_DECLARE_FINAL_TYPE (ConfabAnthropicProvider,
                      confab_anthropic_provider,
                      CONFAB,
                      ANTHROPIC_PROVIDER,
                      ConfabHttpProvider)

ConfabAnthropicProvider *confab_anthropic_provider_new (const char *base_url,
                                                        const char *api_key,
                                                        const char *default_model,
                                                        GError **error);

G_END_DECLS

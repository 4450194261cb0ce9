/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-http-provider.h"

G_BEGIN_DECLS

#define CONFAB_OPENAI_BASE_URL "https://api.openai.com/v1"

/* ConfabOpenaiProvider: any server that speaks OpenAI's Chat Completions. */
#define CONFAB_TYPE_OPENAI_PROVIDER (confab_openai_provider_get_type ())
G_DECLARE_FINAL_TYPE (ConfabOpenaiProvider,
                      confab_openai_provider,
                      CONFAB,
                      OPENAI_PROVIDER,
                      ConfabHttpProvider)

ConfabOpenaiProvider *confab_openai_provider_new (const char *base_url,
                                                  const char *api_key,
                                                  const char *default_model,
                                                  GError **error);
void confab_openai_provider_set_stall_timeout (ConfabOpenaiProvider *self, guint timeout_ms);
const char *confab_openai_provider_get_base_url (ConfabOpenaiProvider *self);

G_END_DECLS

/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-http-provider.h"

G_BEGIN_DECLS

/* ConfabOpenaiResponsesProvider: any server that speaks OpenAI's Responses. */
#define CONFAB_TYPE_OPENAI_RESPONSES_PROVIDER (confab_openai_responses_provider_get_type ())
G_DECLARE_FINAL_TYPE (ConfabOpenaiResponsesProvider,
                      confab_openai_responses_provider,
                      CONFAB,
                      OPENAI_RESPONSES_PROVIDER,
                      ConfabHttpProvider)

ConfabOpenaiResponsesProvider *confab_openai_responses_provider_new (const char *base_url,
                                                                     const char *api_key,
                                                                     const char *default_model,
                                                                     GError **error);

G_END_DECLS

/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-completion.h"

G_BEGIN_DECLS

/* What is said to a server of OpenAI's API, and the check of where and with which key. No I/O. */

GBytes *confab_openai_build_request (ConfabPrompt *prompt, const char *model);
GPtrArray *confab_openai_parse_models (JsonNode *node);

char *confab_openai_check_base_url (const char *base_url, GError **error);
gboolean confab_openai_check_api_key (const char *api_key, GError **error);

G_END_DECLS

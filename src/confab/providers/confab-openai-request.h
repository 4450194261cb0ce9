/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-completion.h"

G_BEGIN_DECLS

/* What is said to a server of OpenAI's Chat Completions. No I/O. */

GBytes *confab_openai_build_request (ConfabPrompt *prompt, const char *model);

/* Of all servers of OpenAI's APIs. */
GPtrArray *confab_openai_parse_models (JsonNode *node);

G_END_DECLS

/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-completion.h"

G_BEGIN_DECLS

/* What is said to an Ollama server. No I/O. */

GBytes *confab_ollama_build_request (ConfabPrompt *prompt, const char *model);
GPtrArray *confab_ollama_parse_models (JsonNode *node);

G_END_DECLS

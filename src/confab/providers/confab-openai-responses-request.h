/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-completion.h"

G_BEGIN_DECLS

/* What is said to a server of OpenAI's Responses. No I/O. */

GBytes *confab_openai_responses_build_request (ConfabPrompt *prompt, const char *model);

G_END_DECLS

/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-completion.h"

G_BEGIN_DECLS

/* What of a conversation is said to a model. Pure functions. */

/* More than any model's context holds. */
#define CONFAB_HISTORY_MAX_CONTEXT 100000000

gint64 confab_history_estimate_tokens (const char *text);
gint64 confab_history_get_budget (gint64 context_tokens, JsonObject *parameters);
ConfabPrompt *confab_history_fit (ConfabPrompt *prompt, gint64 budget);

G_END_DECLS

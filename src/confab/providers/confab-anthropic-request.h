/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-completion.h"

G_BEGIN_DECLS

/* What is said to a server of Anthropic's Messages. No I/O. */

GBytes *confab_anthropic_build_request (ConfabPrompt *prompt, const char *model);

G_END_DECLS

/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-completion.h"

G_BEGIN_DECLS

/* ConfabEliza: small talk by fixed rules, in the manner of Weizenbaum's program of 1966, with rules
 * and words of its own. A pure function of the turns (and of the time, where that is asked for). */

char *confab_eliza_answer (ConfabPrompt *prompt, GDateTime *now);

/* The value of a sum such as "12 * (7 + 3)". Returns FALSE if @text is anything else. */
gboolean confab_eliza_calculate (const char *text, double *value);

G_END_DECLS

/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

gboolean confab_markdown_is_fence (const char *line);
gboolean confab_markdown_is_rule (const char *line);
char *confab_markdown_line_to_text (const char *line);

G_END_DECLS

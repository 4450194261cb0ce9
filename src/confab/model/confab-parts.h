/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The parts of a message as JSON: [{"type":"text","text":…}, …]; unknown types are kept. */

/* JSON of a text and, if there is any, of the reasoning before it. */
char *confab_parts_new (const char *text, const char *reasoning);
/* The parts of one type joined; NULL if @parts is not a JSON array. */
char *confab_parts_join (const char *parts, const char *type);

G_END_DECLS

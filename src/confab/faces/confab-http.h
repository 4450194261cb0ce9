/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

/* Answers shared by everything that speaks HTTP. */

/* "{error, code}" as JSON; a short page instead for a browser that navigates here. */
void confab_http_respond_error (SoupServerMessage *message,
                                guint status,
                                const char *code,
                                const char *sentence);
void confab_http_respond_json (SoupServerMessage *message, guint status, GString *json);
void confab_http_respond_text (SoupServerMessage *message, guint status, const char *text);

gboolean confab_http_is_read (SoupServerMessage *message);

G_END_DECLS

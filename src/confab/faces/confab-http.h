/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <json-glib/json-glib.h>
#include <libsoup/soup.h>

G_BEGIN_DECLS

#define CONFAB_HTTP_TOO_MANY_REQUESTS 429

/* Answers shared by everything that speaks HTTP. */

/* "{error, code}" as JSON; a short page instead for a browser that navigates here. */
void confab_http_respond_error (SoupServerMessage *message,
                                guint status,
                                const char *code,
                                const char *sentence);
void confab_http_respond_not_found (SoupServerMessage *message);
void confab_http_respond_json (SoupServerMessage *message, guint status, GString *json);
void confab_http_respond_text (SoupServerMessage *message, guint status, const char *text);

/* The same of a CONFAB_ERROR, with the status of its code. */
void confab_http_respond_refusal (SoupServerMessage *message, const GError *error);
/* An ack of the contract; takes @ack. */
void confab_http_respond_ack (SoupServerMessage *message, JsonObject *ack);

gboolean confab_http_is_read (SoupServerMessage *message);
/* Answers with 405 unless @is_allowed; @allowed names the methods that are. */
gboolean
confab_http_check_method (SoupServerMessage *message, const char *allowed, gboolean is_allowed);
gboolean confab_http_check_post (SoupServerMessage *message);
/* The body, an object of JSON; else NULL with a CONFAB_ERROR. */
JsonObject *confab_http_read_object (SoupServerMessage *message, GError **error);

G_END_DECLS

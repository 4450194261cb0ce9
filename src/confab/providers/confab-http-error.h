/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <json-glib/json-glib.h>
#include <libsoup/soup.h>

G_BEGIN_DECLS

/* What went wrong at a model server, told as a CONFAB_ERROR. Pure functions. */

/* The most of the upstream's own words that an error keeps, in bytes. */
#define CONFAB_HTTP_ERROR_MAX_WORDS 500

GError *
confab_http_error_from_transport (const GError *cause, GUri *uri, GTlsCertificateFlags flags);
GError *confab_http_error_from_response (guint status,
                                         SoupMessageHeaders *headers,
                                         const char *body,
                                         gsize length);
GError *confab_http_error_from_json (JsonNode *node);

/* No secret may come into logs and pages, though a server repeats it. */
void confab_http_error_hide (GError *error, const char *secret);

char *confab_http_error_tidy_words (const char *text, gssize length);

G_END_DECLS

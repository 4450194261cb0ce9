/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <json-glib/json-glib.h>
#include <libsoup/soup.h>

G_BEGIN_DECLS

/* Fetches one JSON document, bounded in size and time. */

void confab_http_fetch_json_async (SoupSession *session,
                                   SoupMessage *message,
                                   guint stall_timeout_ms,
                                   GCancellable *cancellable,
                                   GAsyncReadyCallback callback,
                                   gpointer user_data);
JsonNode *
confab_http_fetch_json_finish (SoupSession *session, GAsyncResult *result, GError **error);

G_END_DECLS

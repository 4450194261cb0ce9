/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

void confab_http_session_prepare (void);

/* For what confab_http_stream_run_async() and confab_http_fetch_json_async() ask. */
SoupSession *confab_http_session_new (gboolean direct);

G_END_DECLS

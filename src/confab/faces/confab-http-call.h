/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <libsoup/soup.h>

#include "confab-call.h"

G_BEGIN_DECLS

#define CONFAB_CALL_PATH "/api/call"

/* `POST /api/call/EVENT`: the client events of the contract, but those that follow something.
 * Serves them on @server for as long as that lives. ConfabGuard has let the requests in. */
void confab_http_call_serve (const ConfabCallContext *context, SoupServer *server);

G_END_DECLS

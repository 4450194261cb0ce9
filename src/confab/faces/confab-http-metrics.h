/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-chat-streams.h"
#include "confab-service.h"
#include "socketio.h"

G_BEGIN_DECLS

#define CONFAB_METRICS_PATH "/metrics"

/* `GET /metrics`, for Prometheus: tells what others have counted. Serves it on the HTTP server of
 * @server for as long as that lives. ConfabGuard has let the requests in. */
void confab_http_metrics_serve (ConfabService *service,
                                ConfabChatStreams *streams,
                                SocketioServer *server,
                                const char *version);

G_END_DECLS

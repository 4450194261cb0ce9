/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <libsoup/soup.h>

#include "confab-chat-streams.h"
#include "confab-service.h"

G_BEGIN_DECLS

#define CONFAB_CHAT_PATH "/api/chat"

/*
 * `POST /api/chat` asks, and `GET /api/chat/MODULE/stream` finds a running answer again: the chat
 * as the AI SDK's useChat speaks it. The answers belong to the service; those who listen come and
 * go. Serves them on @server for as long as that lives. ConfabGuard has let the requests in.
 */
void
confab_http_chat_serve (ConfabService *service, ConfabChatStreams *streams, SoupServer *server);

G_END_DECLS

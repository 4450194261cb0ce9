/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <libsoup/soup.h>

#include "confab-access.h"
#include "confab-limits.h"
#include "socketio-server.h"

G_BEGIN_DECLS

#define CONFAB_SOCKET_PATH "/api/socket"
/* The largest request body on paths of our own. */
#define CONFAB_MAX_BODY_BYTES (1024 * 1024)
/* Chat clients like to send all of the conversation along. */
#define CONFAB_CHAT_PATH "/api/chat"
#define CONFAB_MAX_CHAT_BODY_BYTES (4 * 1024 * 1024)

#define CONFAB_TYPE_GUARD (confab_guard_get_type ())

/*
 * ConfabGuard: stands before every handler of an HTTP server, on every path, WebSocket upgrades
 * included. It refuses who may not talk or asks too much, signs browsers in, bounds bodies, and
 * gives every response the headers that keep it safe.
 */
G_DECLARE_FINAL_TYPE (ConfabGuard, confab_guard, CONFAB, GUARD, GObject)

ConfabGuard *confab_guard_new (ConfabAccess *access, ConfabLimits *limits, SocketioServer *server);

/* What a request tells about its sender; valid as long as @message. */
ConfabRequester confab_guard_describe (SoupServerMessage *message);
char *confab_guard_name_handshake (SocketioHandshake *handshake);

G_END_DECLS

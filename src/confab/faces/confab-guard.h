/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <libsoup/soup.h>

#include "confab-access.h"
#include "confab-limits.h"
#include "socketio-server.h"

G_BEGIN_DECLS

#define CONFAB_SOCKET_PATH "/api/socket"

#define CONFAB_TYPE_GUARD (confab_guard_get_type ())

/*
 * ConfabGuard: stands before every handler of an HTTP server, on every path, WebSocket upgrades
 * included. It refuses who may not talk or asks too much, signs browsers in, bounds bodies, and
 * gives every response the headers that keep it safe.
 */
G_DECLARE_FINAL_TYPE (ConfabGuard, confab_guard, CONFAB, GUARD, GObject)

ConfabGuard *confab_guard_new (ConfabAccess *access, ConfabLimits *limits, SocketioServer *server);

G_END_DECLS

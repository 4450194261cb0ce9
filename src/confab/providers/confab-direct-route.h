/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/*
 * ConfabDirectRoute: leads to each server directly, and lets what comes over http: be read through
 * a ConfabReadAhead. GIO has one place where a program may put a stream of its own between libsoup
 * and a socket: the proxy. So this resolver names, as the proxy of a server, the server itself,
 * with a protocol of ours that speaks nothing and wraps the connection.
 */
GProxyResolver *confab_direct_route_new (void);

G_END_DECLS

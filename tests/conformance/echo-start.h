/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "socketio.h"

G_BEGIN_DECLS

/* Listens on 127.0.0.1; over @stock (nullable), an HTTP server that is not the library's. Returns
 * the address. */
GSocketAddress *echo_start (SocketioServer *server, SoupServer *stock, guint port, GError **error);

G_END_DECLS

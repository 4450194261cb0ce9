/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "engineio-server.h"

G_BEGIN_DECLS

/* Puts a WebSocket in its place: in the session @sid, or in a new one if that is NULL. FALSE if
 * there is none for it. */
typedef gboolean (*EngineioPlaceFunc) (EngineioServer *server,
                                       const char *sid,
                                       SocketioHandshake *handshake,
                                       guint protocol,
                                       EngineioTransport *transport);

/* Answers @message with 101, and calls @func with the transport that it becomes; or with what the
 * handshake lacks. @own: move the connection to a stream of ours. @server is held meanwhile. */
void engineio_upgrade_begin (EngineioServer *server,
                             SoupServerMessage *message,
                             const char *sid,
                             guint protocol,
                             gboolean own,
                             EngineioPlaceFunc func);

G_END_DECLS

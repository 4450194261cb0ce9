/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <libsoup/soup.h>

#include "engineio-transport.h"
#include "socketio-stream.h"

G_BEGIN_DECLS

#define ENGINEIO_TYPE_WEBSOCKET_TRANSPORT (engineio_websocket_transport_get_type ())

/*
 * EngineioWebsocketTransport: packets as WebSocket messages, on a stream of our own or on a stock
 * one. It holds itself until the WebSocket is closed.
 */
G_DECLARE_FINAL_TYPE (EngineioWebsocketTransport,
                      engineio_websocket_transport,
                      ENGINEIO,
                      WEBSOCKET_TRANSPORT,
                      EngineioTransport)

/* A WebSocket that is yet to come: packets wait until it is started. */
EngineioTransport *
engineio_websocket_transport_new (SocketioReactor *reactor, guint protocol, gsize max_payload);

/* The WebSocket is there. @uri: only for libsoup to keep; may be shared. */
void
engineio_websocket_transport_start (EngineioWebsocketTransport *self, GIOStream *stream, GUri *uri);

G_END_DECLS

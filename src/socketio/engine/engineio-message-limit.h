/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

#define ENGINEIO_TYPE_MESSAGE_LIMIT (engineio_message_limit_get_type ())

/*
 * EngineioMessageLimit: bounds the size of incoming WebSocket messages, their fragments summed.
 *
 * libsoup's max-incoming-payload-size bounds a frame only, and fragments without end pass it. An
 * extension sees every frame; this one is never offered to the peer.
 *
 * It also bounds the pongs that wait for a peer who pings and does not read: libsoup queues them
 * without an end.
 */
G_DECLARE_FINAL_TYPE (EngineioMessageLimit,
                      engineio_message_limit,
                      ENGINEIO,
                      MESSAGE_LIMIT,
                      SoupWebsocketExtension)

/* @limit: bytes; @stream: of the WebSocket, with a pollable output */
SoupWebsocketExtension *engineio_message_limit_new (gsize limit, GIOStream *stream);

G_END_DECLS

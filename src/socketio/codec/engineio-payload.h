/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "engineio-packet.h"

G_BEGIN_DECLS

/*
 * Payloads of the polling transport: several packets in one HTTP body.
 *
 * Protocol 4: packets joined by U+001E; a binary packet is 'b' and its base64.
 * Protocol 3: "LENGTH:packet" with the length in UTF-16 code units; "b4" and base64 for binary; or,
 * where a packet is binary and the client takes binary bodies, the form of length digits as bytes
 * 0-9 ended by 0xff after a byte 0 (text) or 1 (binary).
 *
 * Decoded arrays hold valid packets only, own them (a clear function is set), and are never empty.
 */
GBytes *engineio_payload_encode_v4 (const EngineioPacket *packets, gsize n_packets);
GArray *engineio_payload_decode_v4 (GBytes *body, GError **error);

GBytes *engineio_payload_encode_v3 (const EngineioPacket *packets,
                                    gsize n_packets,
                                    gboolean supports_binary,
                                    gboolean *is_binary);
GArray *engineio_payload_decode_v3 (GBytes *body, gboolean is_binary, GError **error);

/* WebSocket frames of protocol 3: a binary frame starts with the type byte 4; a text frame may be
 * "b4" and base64. */
GBytes *engineio_frame_encode_binary_v3 (GBytes *data);
gboolean engineio_frame_decode_v3 (GBytes *frame,
                                   gboolean is_binary,
                                   EngineioPacket *packet,
                                   GError **error);

G_END_DECLS

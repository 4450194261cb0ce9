/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The types of Engine.IO packets; the digit on the wire is '0' + the value. */
typedef enum
{
  ENGINEIO_PACKET_OPEN,
  ENGINEIO_PACKET_CLOSE,
  ENGINEIO_PACKET_PING,
  ENGINEIO_PACKET_PONG,
  ENGINEIO_PACKET_MESSAGE,
  ENGINEIO_PACKET_UPGRADE,
  ENGINEIO_PACKET_NOOP,
} EngineioPacketType;

/*
 * EngineioPacket:
 * @data: (owned): a text packet whole, its type digit first ("4hello", "2probe"); of a binary
 *   packet, which is always a MESSAGE, the bytes alone
 * @binary: whether the packet is binary
 * @uncompressed: on the way out: it is no reason to compress what it is in
 *
 * One Engine.IO packet in the form in which a WebSocket frame carries it, so that one buffer serves
 * every receiver and nothing is copied on the way out.
 */
typedef struct
{
  GBytes *data;
  gboolean binary;
  gboolean uncompressed;
} EngineioPacket;

#define ENGINEIO_CODEC_ERROR (engineio_codec_error_quark ())
GQuark engineio_codec_error_quark (void);

/* What is wrong with bytes that a peer sent. */
typedef enum
{
  ENGINEIO_CODEC_ERROR_PACKET,  /* empty packet or unknown type */
  ENGINEIO_CODEC_ERROR_PAYLOAD, /* broken framing, base64 or UTF-8 of a polling body */
} EngineioCodecError;

/* Takes @data. A text packet must start with its type digit. */
EngineioPacket engineio_packet_take (GBytes *data, gboolean binary);
EngineioPacket engineio_packet_new_static (const char *text);
EngineioPacket engineio_packet_copy (const EngineioPacket *packet); /* takes a reference */
void engineio_packet_clear (EngineioPacket *packet);

/* Checks the first byte of a text packet (binary packets are always valid). */
gboolean engineio_packet_validate (const EngineioPacket *packet, GError **error);
EngineioPacketType engineio_packet_get_type_of (const EngineioPacket *packet);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "engineio-packet.h"
#include "socketio-args.h"

G_BEGIN_DECLS

/* Most binary attachments that one packet may have. */
#define SOCKETIO_MAX_ATTACHMENTS 10

typedef enum
{
  SOCKETIO_PACKET_CONNECT,
  SOCKETIO_PACKET_DISCONNECT,
  SOCKETIO_PACKET_EVENT,
  SOCKETIO_PACKET_ACK,
  SOCKETIO_PACKET_CONNECT_ERROR,
  SOCKETIO_PACKET_BINARY_EVENT, /* on the wire only: a decoded packet says EVENT */
  SOCKETIO_PACKET_BINARY_ACK,   /* on the wire only: a decoded packet says ACK */
} SocketioPacketType;

#define SOCKETIO_CODEC_ERROR (socketio_codec_error_quark ())
GQuark socketio_codec_error_quark (void);

typedef enum
{
  SOCKETIO_CODEC_ERROR_PACKET,     /* unknown type, broken header, payload of the wrong kind */
  SOCKETIO_CODEC_ERROR_ATTACHMENT, /* too many, missing, out of place, or a bad placeholder */
} SocketioCodecError;

/*
 * SocketioPacket: a decoded Socket.IO packet (protocol 5).
 * @nsp: namespace, "/" by default, without its query
 * @id: id for the acknowledgement, or -1
 * @event: name of an EVENT, else NULL. A number as name is given in its JSON form.
 * @args: arguments of EVENT (without the name) and ACK, else NULL
 * @data: payload of CONNECT (an object) and CONNECT_ERROR, or NULL
 */
typedef struct
{
  SocketioPacketType type;
  char *nsp;
  gint64 id;
  char *event;
  SocketioArgs *args;
  JsonNode *data;
} SocketioPacket;

void socketio_packet_free (SocketioPacket *packet);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SocketioPacket, socketio_packet_free)

/*
 * Encoding gives Engine.IO packets, ready to send: the text packet, which starts with the Engine.IO
 * MESSAGE digit, followed by its attachments. The array has a clear function.
 */
GArray *
socketio_packet_encode_event (const char *nsp, const char *event, SocketioArgs *args, gint64 id);
GArray *socketio_packet_encode_tracked_event (const char *nsp,
                                              const char *event,
                                              SocketioArgs *args,
                                              guint64 offset);
GArray *socketio_packet_encode_ack (const char *nsp, SocketioArgs *args, gint64 id);
/* @json: (nullable): one payload as compact JSON text, for CONNECT, DISCONNECT, CONNECT_ERROR */
GBytes *socketio_packet_encode_plain (SocketioPacketType type, const char *nsp, const char *json);
/* @json_args: (nullable): arguments as JSON text without the brackets, trusted; the hot path */
GBytes *socketio_packet_encode_event_json (const char *nsp,
                                           const char *event,
                                           const char *json_args,
                                           guint64 offset);

G_END_DECLS

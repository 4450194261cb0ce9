/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "socketio-packet.h"

G_BEGIN_DECLS

/*
 * SocketioDecoder: turns the messages of one connection into packets; waits for the attachments of
 * a binary packet. All zero is a fresh one.
 */
typedef struct
{
  SocketioPacket *partial;
  guint n_missing;
} SocketioDecoder;

void socketio_decoder_clear (SocketioDecoder *decoder);

/* Feeds one Engine.IO message: for text, @data is without the Engine.IO type digit.
 * Returns FALSE with an error if the connection must be closed. *@packet (transfer full) is set
 * when a packet is complete, and NULL while attachments are missing. */
gboolean socketio_decoder_feed_text (SocketioDecoder *decoder,
                                     const char *text,
                                     gsize length,
                                     SocketioPacket **packet,
                                     GError **error);
gboolean socketio_decoder_feed_binary (SocketioDecoder *decoder,
                                       GBytes *data,
                                       SocketioPacket **packet,
                                       GError **error);

G_END_DECLS

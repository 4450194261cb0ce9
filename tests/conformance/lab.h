/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "socketio.h"

G_BEGIN_DECLS

typedef struct
{
  SocketioServer *server;
  SocketioNamespace *nsp;
  GPtrArray *reasons; /* of char: why sockets ended, oldest first */
} Lab;

/* What a client asks for by an event of "/". */
typedef struct
{
  const char *signal; /* "event::NAME" */
  void (*func) (Lab *lab, SocketioSocket *socket, SocketioArgs *args, SocketioAck *ack);
} LabCommand;

/* Those that are about rooms; ends with one without a signal. */
extern const LabCommand lab_room_commands[];

void lab_ack_int (SocketioAck *ack, gint64 value);

G_END_DECLS

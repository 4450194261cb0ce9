/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <libsoup/soup.h>

#include "socketio-handshake.h"

G_BEGIN_DECLS

/* Keeps of @message what outlives it. */
SocketioHandshake *socketio_handshake_new (SoupServerMessage *message);

G_END_DECLS

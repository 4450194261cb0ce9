/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "socketio.h"

G_BEGIN_DECLS

/* Sends that many "chunk" with a text of that size, a few at a time, then "flooded" with how many
 * went out, how often it was drained, and the most that was queued. */
void lab_flood (SocketioSocket *socket, gint64 n_chunks, gsize size);

G_END_DECLS

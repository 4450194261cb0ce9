/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Characters of an id, without the NUL: 120 bits from the kernel's random generator. */
#define SOCKETIO_ID_LENGTH 20

/* Writes a fresh id, NUL-terminated, that nobody can guess: who knows it is taken for its owner. */
void socketio_id_generate (char id[SOCKETIO_ID_LENGTH + 1]);

G_END_DECLS

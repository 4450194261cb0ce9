/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "socketio.h"

G_BEGIN_DECLS

/* Has "/guarded" ask for the token "right" and a name, and "/patient" for the token, later. */
void lab_guards_add (SocketioServer *server);

G_END_DECLS

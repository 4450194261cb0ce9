/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "socketio.h"

G_BEGIN_DECLS

/* Makes a server whose properties are set as @set says: "NAME=VALUE" each, with VALUE as GVariant
 * text. Exits with 2 if one is wrong. */
SocketioServer *echo_make_server (char **set);

G_END_DECLS

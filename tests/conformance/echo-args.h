/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "socketio.h"

G_BEGIN_DECLS

/* An argument of an event: 0, or "", if it is not there or of another kind. */
gint64 echo_arg_int (SocketioArgs *args, guint index);
const char *echo_arg_string (SocketioArgs *args, guint index);

G_END_DECLS

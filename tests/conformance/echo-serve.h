/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "echo-options.h"
#include "socketio.h"

G_BEGIN_DECLS

/* Serves on 127.0.0.1, as @options say, until it is told to end. Returns the exit status. */
int echo_serve (SocketioServer *server, const EchoOptions *options);

G_END_DECLS

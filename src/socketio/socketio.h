/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "socketio-ack.h"
#include "socketio-adapter.h"
#include "socketio-args.h"
#include "socketio-broadcast.h"
#include "socketio-counter.h"
#include "socketio-decision.h"
#include "socketio-enum-types.h"
#include "socketio-error.h"
#include "socketio-handshake.h"
#include "socketio-macros.h"
#include "socketio-namespace.h"
#include "socketio-parent-namespace.h"
#include "socketio-server.h"
#include "socketio-socket.h"

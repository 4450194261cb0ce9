/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "socketio-decision.h"

G_BEGIN_DECLS

/* @message, @data: (nullable): of a refusal */
typedef void (*SocketioDecisionFunc) (gboolean allowed,
                                      const char *message,
                                      const char *data,
                                      gpointer user_data);

/* @func is called once, in the call that decides. */
SocketioDecision *socketio_decision_new (SocketioDecisionFunc func, gpointer user_data);
gboolean socketio_decision_is_made (SocketioDecision *self);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib-object.h>

#include "socketio-macros.h"

G_BEGIN_DECLS

#define SOCKETIO_TYPE_DECISION (socketio_decision_get_type ())

/**
 * SocketioDecision:
 *
 * What a middleware has to decide, now or later (the JS server's `next`).
 *
 * Only the first word counts. When the last reference goes without one, that is a refusal.
 */
typedef struct _SocketioDecision SocketioDecision;

SOCKETIO_AVAILABLE_IN_ALL GType socketio_decision_get_type (void) G_GNUC_CONST;
SOCKETIO_AVAILABLE_IN_ALL SocketioDecision *socketio_decision_ref (SocketioDecision *self);
SOCKETIO_AVAILABLE_IN_ALL void socketio_decision_unref (SocketioDecision *self);
SOCKETIO_AVAILABLE_IN_ALL void socketio_decision_allow (SocketioDecision *self);
SOCKETIO_AVAILABLE_IN_ALL void
socketio_decision_refuse (SocketioDecision *self, const char *message, const char *data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SocketioDecision, socketio_decision_unref)

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "socketio-front.h"

G_BEGIN_DECLS

/*
 * SocketioClosing: closes a server. Stops listening, tells the sessions to end, and waits until
 * they and their streams have, or for so long.
 */
typedef struct _SocketioClosing SocketioClosing;

/* All of them outlive it. */
SocketioClosing *
socketio_closing_new (SocketioReactor *reactor, EngineioServer *engine, SocketioFront *front);
/* Tells whoever waits, if somebody disposes of the server amid it. */
void socketio_closing_free (SocketioClosing *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SocketioClosing, socketio_closing_free)

gboolean socketio_closing_is_running (SocketioClosing *self);
/* @task: (transfer full): returns TRUE at the end */
void socketio_closing_start (SocketioClosing *self, guint timeout_ms, GTask *task);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "socketio-decision.h"
#include "socketio-namespace-private.h"

G_BEGIN_DECLS

/*
 * SocketioMiddlewares: the functions that a client has to pass, one after the other.
 */
typedef struct _SocketioMiddlewares SocketioMiddlewares;

SocketioMiddlewares *socketio_middlewares_new (void);
SocketioMiddlewares *socketio_middlewares_ref (SocketioMiddlewares *self);
void socketio_middlewares_unref (SocketioMiddlewares *self);
/* One of @func and @async_func. */
void socketio_middlewares_add (SocketioMiddlewares *self,
                               SocketioMiddleware func,
                               SocketioAsyncMiddleware async_func,
                               gpointer user_data,
                               GDestroyNotify destroy);

/* Asks them about @socket, and tells @func; within this call if all of them decide at once. */
void socketio_middlewares_run (SocketioMiddlewares *self,
                               SocketioSocket *socket,
                               SocketioAdmissionFunc func,
                               gpointer user_data);

G_END_DECLS

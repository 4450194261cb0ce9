/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/*
 * SocketioAckWaits: the tasks of one socket that wait for an acknowledgement, by its id.
 */
typedef struct _SocketioAckWaits SocketioAckWaits;

SocketioAckWaits *socketio_ack_waits_new (void);
void socketio_ack_waits_free (SocketioAckWaits *self);

/* Takes a reference to @task. It ends by itself after @timeout_ms, unless that is 0, and when its
 * cancellable says so. */
void socketio_ack_waits_add (SocketioAckWaits *self, gint64 id, guint timeout_ms, GTask *task);
/* (transfer full) (nullable): the task, which is then the caller's to return */
GTask *socketio_ack_waits_take (SocketioAckWaits *self, gint64 id);
/* Ends all of them with an error. */
void socketio_ack_waits_fail (SocketioAckWaits *self);

G_END_DECLS

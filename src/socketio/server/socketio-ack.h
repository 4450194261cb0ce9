/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "socketio-args.h"
#include "socketio-macros.h"

G_BEGIN_DECLS

#define SOCKETIO_TYPE_ACK (socketio_ack_get_type ())

/**
 * SocketioAck:
 *
 * The client's wish for an acknowledgement of an event. It may be answered once, now or later;
 * after the socket is gone an answer is dropped.
 */
typedef struct _SocketioAck SocketioAck;

/**
 * SocketioAckFunc:
 * @args: (nullable): the arguments
 * @user_data: what was given with the function
 *
 * Takes the answer to an event.
 */
typedef void (*SocketioAckFunc) (SocketioArgs *args, gpointer user_data);

SOCKETIO_AVAILABLE_IN_ALL GType socketio_ack_get_type (void) G_GNUC_CONST;
SOCKETIO_AVAILABLE_IN_ALL SocketioAck *
socketio_ack_new_for_func (SocketioAckFunc func, gpointer user_data, GDestroyNotify destroy);
SOCKETIO_AVAILABLE_IN_ALL SocketioAck *socketio_ack_ref (SocketioAck *self);
SOCKETIO_AVAILABLE_IN_ALL void socketio_ack_unref (SocketioAck *self);
/* Answers; @args (nullable) is only read. FALSE if it was answered before or the socket is gone. */
SOCKETIO_AVAILABLE_IN_ALL gboolean socketio_ack_send (SocketioAck *self, SocketioArgs *args);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SocketioAck, socketio_ack_unref)

G_END_DECLS

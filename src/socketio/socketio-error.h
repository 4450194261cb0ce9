/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "socketio-macros.h"

G_BEGIN_DECLS

#define SOCKETIO_ERROR (socketio_error_quark ())

/**
 * SocketioError:
 * @SOCKETIO_ERROR_NOT_CONNECTED: the socket was not connected when it was asked
 * @SOCKETIO_ERROR_DISCONNECTED: the socket was disconnected while something waited for it
 * @SOCKETIO_ERROR_TIMED_OUT: the client did not acknowledge in time
 * @SOCKETIO_ERROR_QUEUE_FULL: too much waits for the client already
 * @SOCKETIO_ERROR_INVALID_JSON: a text is no JSON, or not of the kind that was asked for
 * @SOCKETIO_ERROR_CLOSING: the server is being closed
 * @SOCKETIO_ERROR_NOT_READY: a volatile event was dropped, as the client was not ready for it
 * @SOCKETIO_ERROR_NOT_SUPPORTED: the adapter of the namespace cannot do this
 *
 * Why the library could not do what it was asked to.
 *
 * What the system says, when a server is to listen, comes as %G_IO_ERROR, and so does the wish of
 * a [class@Gio.Cancellable].
 */
typedef enum
{
  SOCKETIO_ERROR_NOT_CONNECTED,
  SOCKETIO_ERROR_DISCONNECTED,
  SOCKETIO_ERROR_TIMED_OUT,
  SOCKETIO_ERROR_QUEUE_FULL,
  SOCKETIO_ERROR_INVALID_JSON,
  SOCKETIO_ERROR_CLOSING,
  SOCKETIO_ERROR_NOT_READY,
  SOCKETIO_ERROR_NOT_SUPPORTED,
} SocketioError;

SOCKETIO_AVAILABLE_IN_ALL GQuark socketio_error_quark (void);

G_END_DECLS

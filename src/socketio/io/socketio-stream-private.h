/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "socketio-stream.h"

G_BEGIN_DECLS

/* The two halves of a SocketioStream. They may outlive it (a GSource holds one), and are closed
 * then: @stream is NULL. */
#define SOCKETIO_TYPE_STREAM_INPUT (socketio_stream_input_get_type ())
G_DECLARE_FINAL_TYPE (SocketioStreamInput,
                      socketio_stream_input,
                      SOCKETIO,
                      STREAM_INPUT,
                      GInputStream)

struct _SocketioStreamInput
{
  GInputStream parent_instance;
  SocketioStream *stream; /* not owned */
};

#define SOCKETIO_TYPE_STREAM_OUTPUT (socketio_stream_output_get_type ())
G_DECLARE_FINAL_TYPE (SocketioStreamOutput,
                      socketio_stream_output,
                      SOCKETIO,
                      STREAM_OUTPUT,
                      GOutputStream)

struct _SocketioStreamOutput
{
  GOutputStream parent_instance;
  SocketioStream *stream; /* not owned */
};

/* For tests: another bound than SOCKETIO_STREAM_LINGER_MS, before the close. */
void socketio_stream_set_linger_ms (SocketioStream *self, guint ms);

gboolean socketio_stream_is_readable (SocketioStream *self);
gssize socketio_stream_read (SocketioStream *self, void *buffer, gsize count, GError **error);
gssize
socketio_stream_write (SocketioStream *self, const void *buffer, gsize count, GError **error);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "socketio-stream-private.h"

/* The GPollable faces of the stream's two halves, and the GSource that both hand out. */

static gboolean
input_is_ready (SocketioStreamInput *self)
{
  return self->stream == NULL || socketio_stream_is_readable (self->stream);
}

static gboolean
output_is_ready (SocketioStreamOutput *self)
{
  return self->stream == NULL || !socketio_stream_is_throttled (self->stream);
}

typedef struct
{
  GSource source;
  GObject *half; /* owned */
} HalfSource;

static gboolean
half_is_ready (GSource *source)
{
  GObject *half = ((HalfSource *) source)->half;

  if (SOCKETIO_IS_STREAM_INPUT (half))
    return input_is_ready (SOCKETIO_STREAM_INPUT (half));
  return output_is_ready (SOCKETIO_STREAM_OUTPUT (half));
}

static gboolean
half_source_prepare (GSource *source, int *timeout)
{
  *timeout = -1;
  return half_is_ready (source);
}

static gboolean
half_source_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  if (callback == NULL)
    return G_SOURCE_REMOVE;
  return ((GPollableSourceFunc) callback) (((HalfSource *) source)->half, user_data);
}

static void
half_source_finalize (GSource *source)
{
  g_object_unref (((HalfSource *) source)->half);
}

static gboolean
half_source_closure_cb (GObject *half, gpointer user_data)
{
  GClosure *closure = user_data;
  GValue param = G_VALUE_INIT;
  GValue result = G_VALUE_INIT;
  gboolean again;

  g_value_init (&result, G_TYPE_BOOLEAN);
  g_value_init (&param, G_TYPE_OBJECT);
  g_value_set_object (&param, half);
  g_closure_invoke (closure, &result, 1, &param, NULL);
  again = g_value_get_boolean (&result);
  g_value_unset (&param);
  g_value_unset (&result);
  return again;
}

/* The last two make it fit as the child of another pollable source: GLib aborts without them. */
static GSourceFuncs half_source_funcs = {
  .prepare = half_source_prepare,
  .check = half_is_ready,
  .dispatch = half_source_dispatch,
  .finalize = half_source_finalize,
  .closure_callback = (GSourceFunc) half_source_closure_cb,
  .closure_marshal = (GSourceDummyMarshal) g_cclosure_marshal_generic,
};

static GSource *
half_source_new (GObject *half, GCancellable *cancellable)
{
  GSource *source = g_source_new (&half_source_funcs, sizeof (HalfSource));

  ((HalfSource *) source)->half = g_object_ref (half);
  g_source_set_static_name (source, "Socketio stream");
  if (cancellable != NULL)
    {
      g_autoptr (GSource) child = g_cancellable_source_new (cancellable);

      g_source_set_dummy_callback (child);
      g_source_add_child_source (source, child);
    }
  return source;
}

static void
socketio_stream_input_init (SocketioStreamInput *self)
{
}

static gboolean
input_pollable_is_readable (GPollableInputStream *pollable)
{
  return input_is_ready (SOCKETIO_STREAM_INPUT (pollable));
}

static GSource *
input_pollable_create_source (GPollableInputStream *pollable, GCancellable *cancellable)
{
  return half_source_new (G_OBJECT (pollable), cancellable);
}

static gssize
input_pollable_read (GPollableInputStream *pollable, void *buffer, gsize count, GError **error)
{
  SocketioStreamInput *self = SOCKETIO_STREAM_INPUT (pollable);

  if (self->stream == NULL)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CLOSED, "Stream is closed");
      return -1;
    }
  return socketio_stream_read (self->stream, buffer, count, error);
}

static void
input_pollable_iface_init (GPollableInputStreamInterface *iface)
{
  iface->is_readable = input_pollable_is_readable;
  iface->create_source = input_pollable_create_source;
  iface->read_nonblocking = input_pollable_read;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (SocketioStreamInput,
                               socketio_stream_input,
                               G_TYPE_INPUT_STREAM,
                               G_IMPLEMENT_INTERFACE (G_TYPE_POLLABLE_INPUT_STREAM,
                                                      input_pollable_iface_init))

/* The blocking call, which the base class also uses for its asynchronous ones on a pollable stream
 * without a wait. There is nothing to block on: it says what the pollable call says. */
static gssize
input_read (GInputStream *stream,
            void *buffer,
            gsize count,
            GCancellable *cancellable,
            GError **error)
{
  return input_pollable_read (G_POLLABLE_INPUT_STREAM (stream), buffer, count, error);
}

static void
socketio_stream_input_class_init (SocketioStreamInputClass *klass)
{
  G_INPUT_STREAM_CLASS (klass)->read_fn = input_read;
}

static void
socketio_stream_output_init (SocketioStreamOutput *self)
{
}

static gboolean
output_pollable_is_writable (GPollableOutputStream *pollable)
{
  return output_is_ready (SOCKETIO_STREAM_OUTPUT (pollable));
}

static GSource *
output_pollable_create_source (GPollableOutputStream *pollable, GCancellable *cancellable)
{
  return half_source_new (G_OBJECT (pollable), cancellable);
}

static gssize
output_pollable_write (GPollableOutputStream *pollable,
                       const void *buffer,
                       gsize count,
                       GError **error)
{
  SocketioStreamOutput *self = SOCKETIO_STREAM_OUTPUT (pollable);

  if (self->stream == NULL)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CLOSED, "Stream is closed");
      return -1;
    }
  return socketio_stream_write (self->stream, buffer, count, error);
}

static void
output_pollable_iface_init (GPollableOutputStreamInterface *iface)
{
  iface->is_writable = output_pollable_is_writable;
  iface->create_source = output_pollable_create_source;
  iface->write_nonblocking = output_pollable_write;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (SocketioStreamOutput,
                               socketio_stream_output,
                               G_TYPE_OUTPUT_STREAM,
                               G_IMPLEMENT_INTERFACE (G_TYPE_POLLABLE_OUTPUT_STREAM,
                                                      output_pollable_iface_init))

static gssize
output_write (GOutputStream *stream,
              const void *buffer,
              gsize count,
              GCancellable *cancellable,
              GError **error)
{
  return output_pollable_write (G_POLLABLE_OUTPUT_STREAM (stream), buffer, count, error);
}

static void
socketio_stream_output_class_init (SocketioStreamOutputClass *klass)
{
  G_OUTPUT_STREAM_CLASS (klass)->write_fn = output_write;
}

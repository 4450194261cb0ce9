/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engineio-websocket-transport.h"

#include "engineio-message-limit.h"
#include "engineio-payload.h"

/* A peer that does not answer our close in this time is cut off. libsoup has a timer of 5 s for
 * that, but does not start it in all cases, and leaks it when it fires: ours is to be first. */
#define CLOSE_TIMEOUT_MS 4000
/* Handed to libsoup in one go while a stock stream says it is writable: libsoup's own queue cannot
 * be counted. */
#define STOCK_BATCH_BYTES (64 * 1024)
/* Of a server's frame, which carries no mask. */
#define FRAME_HEAD_MAX 10
#define FRAME_FIN 0x80
#define FRAME_TEXT 0x1
#define FRAME_BINARY 0x2

struct _EngineioWebsocketTransport
{
  EngineioTransport parent_instance;

  SocketioReactor *reactor;        /* owned */
  SoupWebsocketConnection *socket; /* owned; NULL before the start and after the end */
  SocketioStream *stream;          /* the socket's, if it is ours; else NULL */
  SocketioTimer close_timer;
  gsize max_payload;

  GSource *writable_source; /* stock stream: waits for room */

  const char *lost_reason; /* static; the loss that is still to be reported, or NULL */

  guint protocol;
  guint starting : 1; /* no WebSocket yet */
  guint closing : 1;
  guint sending : 1; /* stock stream: libsoup has a frame of ours in hand */
};

G_DEFINE_FINAL_TYPE (EngineioWebsocketTransport,
                     engineio_websocket_transport,
                     ENGINEIO_TYPE_TRANSPORT)

/* libsoup takes the thread-default context for its sources whenever it arms one. */
static void
enter_socket (EngineioWebsocketTransport *self)
{
  if (self->stream != NULL)
    socketio_shard_enter (socketio_stream_get_shard (self->stream));
}

static void
leave_socket (EngineioWebsocketTransport *self)
{
  if (self->stream != NULL)
    socketio_shard_leave (socketio_stream_get_shard (self->stream));
}

static gboolean
is_open (EngineioWebsocketTransport *self)
{
  return self->socket != NULL && !self->closing
         && soup_websocket_connection_get_state (self->socket) == SOUP_WEBSOCKET_STATE_OPEN;
}

/* Of a stream of ours. */
static gboolean
has_room (EngineioWebsocketTransport *self)
{
  return is_open (self) && !socketio_stream_is_throttled (self->stream)
         && socketio_stream_get_queued (self->stream) < SOCKETIO_STREAM_HIGH_MARK;
}

static void
lost_cb (gpointer user_data)
{
  g_autoptr (EngineioWebsocketTransport) self = user_data;

  engineio_transport_lost (ENGINEIO_TRANSPORT (self), self->lost_reason);
}

/* libsoup writes a frame while it is handed over, and tells at once when that fails: the session,
 * whose queue is being sent, is not to end before send() has returned. */
static void
report_lost (EngineioWebsocketTransport *self, const char *reason)
{
  if (self->lost_reason != NULL)
    return;

  if (!self->sending)
    {
      engineio_transport_lost (ENGINEIO_TRANSPORT (self), reason);
      return;
    }
  self->lost_reason = reason;
  socketio_reactor_invoke (self->reactor, lost_cb, g_object_ref (self));
}

static GBytes *
get_payload (EngineioWebsocketTransport *self, const EngineioPacket *packet)
{
  if (packet->binary && self->protocol == 3)
    return engineio_frame_encode_binary_v3 (packet->data);

  return g_bytes_ref (packet->data);
}

static gsize
write_frame_head (guint8 *head, gboolean binary, gsize size)
{
  guint8 n_length_bytes = size < 126 ? 0 : size <= G_MAXUINT16 ? 2 : 8;

  head[0] = FRAME_FIN | (binary ? FRAME_BINARY : FRAME_TEXT);
  head[1] = n_length_bytes == 0 ? (guint8) size : n_length_bytes == 2 ? 126 : 127;
  for (guint i = 0; i < n_length_bytes; i++)
    head[2 + i] = (guint8) ((guint64) size >> (8 * (n_length_bytes - 1 - i)));

  return 2 + n_length_bytes;
}

/* On a stream of ours frames are written here (RFC 6455, section 5.2: whole messages, not masked):
 * libsoup would copy, check, log and allocate anew for every receiver. What it still writes itself,
 * control frames, the stream takes whole, so that neither cuts into the other's. */
static void
write_frame (EngineioWebsocketTransport *self, const EngineioPacket *packet)
{
  g_autoptr (GBytes) payload = get_payload (self, packet);
  guint8 head[FRAME_HEAD_MAX];
  gsize size;
  const void *data = g_bytes_get_data (payload, &size);
  gsize head_size = write_frame_head (head, packet->binary, size);

  socketio_stream_append (self->stream, head, head_size, data, size);
}

static void
stock_send_frame (EngineioWebsocketTransport *self, const EngineioPacket *packet)
{
  g_autoptr (GBytes) payload = get_payload (self, packet);

  self->sending = TRUE;
  soup_websocket_connection_send_message (
      self->socket, packet->binary ? SOUP_WEBSOCKET_DATA_BINARY : SOUP_WEBSOCKET_DATA_TEXT,
      payload);
  self->sending = FALSE;
}

static gboolean
stock_writable_cb (GObject *pollable, gpointer user_data)
{
  EngineioWebsocketTransport *self = user_data;

  g_clear_pointer (&self->writable_source, g_source_unref);
  engineio_transport_progress (ENGINEIO_TRANSPORT (self));
  return G_SOURCE_REMOVE;
}

static void
stock_wait_writable (EngineioWebsocketTransport *self)
{
  GIOStream *stream = soup_websocket_connection_get_io_stream (self->socket);
  GPollableOutputStream *output = G_POLLABLE_OUTPUT_STREAM (g_io_stream_get_output_stream (stream));

  if (self->writable_source != NULL)
    return;

  self->writable_source = g_pollable_output_stream_create_source (output, NULL);
  g_source_set_static_name (self->writable_source, "Engine.IO WebSocket room");
  g_source_set_callback (self->writable_source, (GSourceFunc) (GCallback) stock_writable_cb, self,
                         NULL);
  g_source_attach (self->writable_source, socketio_reactor_get_context (self->reactor));
}

static gboolean
stock_is_writable (EngineioWebsocketTransport *self)
{
  GIOStream *stream = soup_websocket_connection_get_io_stream (self->socket);

  return g_pollable_output_stream_is_writable (
      G_POLLABLE_OUTPUT_STREAM (g_io_stream_get_output_stream (stream)));
}

static guint
stock_send (EngineioWebsocketTransport *self, const EngineioPacket *packets, guint n_packets)
{
  gsize batch = 0;
  guint n = 0;

  while (n < n_packets && batch < STOCK_BATCH_BYTES && is_open (self) && stock_is_writable (self))
    {
      stock_send_frame (self, &packets[n]);
      batch += g_bytes_get_size (packets[n].data);
      n++;
    }
  /* a socket that libsoup has closed over what was written is not to be waited for */
  if (n < n_packets && is_open (self))
    stock_wait_writable (self);
  return n;
}

static guint
engineio_websocket_transport_send (EngineioTransport *transport,
                                   const EngineioPacket *packets,
                                   guint n_packets)
{
  EngineioWebsocketTransport *self = ENGINEIO_WEBSOCKET_TRANSPORT (transport);
  guint n = 0;

  if (!is_open (self))
    return 0;
  if (self->stream == NULL)
    return self->writable_source == NULL ? stock_send (self, packets, n_packets) : 0;

  while (n < n_packets && has_room (self))
    write_frame (self, &packets[n++]);
  if (n < n_packets && is_open (self))
    socketio_stream_notify_empty (self->stream);
  return n;
}

static gsize
engineio_websocket_transport_get_pending (EngineioTransport *transport)
{
  EngineioWebsocketTransport *self = ENGINEIO_WEBSOCKET_TRANSPORT (transport);

  return self->stream != NULL ? socketio_stream_get_queued (self->stream) : 0;
}

static void
stock_empty_cb (gpointer user_data)
{
  g_autoptr (EngineioWebsocketTransport) self = user_data;

  engineio_transport_progress (ENGINEIO_TRANSPORT (self));
}

static void
engineio_websocket_transport_notify_empty (EngineioTransport *transport)
{
  EngineioWebsocketTransport *self = ENGINEIO_WEBSOCKET_TRANSPORT (transport);

  if (self->stream != NULL)
    socketio_stream_notify_empty (self->stream);
  else if (self->socket != NULL && self->writable_source == NULL)
    socketio_reactor_invoke (self->reactor, stock_empty_cb, g_object_ref (self));
}

static gboolean
engineio_websocket_transport_can_close (EngineioTransport *transport)
{
  return TRUE;
}

static void
clear_writable_source (EngineioWebsocketTransport *self)
{
  if (self->writable_source == NULL)
    return;

  g_source_destroy (self->writable_source);
  g_clear_pointer (&self->writable_source, g_source_unref);
}

static void
engineio_websocket_transport_abort (EngineioTransport *transport)
{
  EngineioWebsocketTransport *self = ENGINEIO_WEBSOCKET_TRANSPORT (transport);

  self->closing = TRUE;
  clear_writable_source (self);
  if (self->stream != NULL)
    {
      socketio_stream_abort (self->stream);
    }
  else if (self->socket != NULL)
    {
      /* libsoup then sees the end of the stream, and closes */
      GIOStream *stream = soup_websocket_connection_get_io_stream (self->socket);
      g_autoptr (GIOStream) base = NULL;

      g_object_get (stream, "base-iostream", &base, NULL);
      if (G_IS_SOCKET_CONNECTION (base))
        g_socket_shutdown (g_socket_connection_get_socket (G_SOCKET_CONNECTION (base)), TRUE, TRUE,
                           NULL);
      else
        soup_websocket_connection_close (self->socket, SOUP_WEBSOCKET_CLOSE_GOING_AWAY, NULL);
    }
}

static void
close_timeout_cb (gpointer user_data)
{
  engineio_websocket_transport_abort (user_data);
}

/* From now on it is libsoup's closing handshake, bounded by a timer of ours. */
static void
begin_closing (EngineioWebsocketTransport *self)
{
  self->closing = TRUE;
  clear_writable_source (self);
  /* after an error libsoup keeps whatever it reads, until the peer answers */
  if (self->stream != NULL)
    socketio_stream_limit_input (self->stream, self->max_payload + SOCKETIO_STREAM_LINGER_BYTES);
  if (self->socket != NULL)
    socketio_reactor_start_timer (self->reactor, &self->close_timer, CLOSE_TIMEOUT_MS,
                                  close_timeout_cb, self);
}

static void
engineio_websocket_transport_close (EngineioTransport *transport)
{
  EngineioWebsocketTransport *self = ENGINEIO_WEBSOCKET_TRANSPORT (transport);

  if (self->closing)
    return;

  begin_closing (self);
  if (self->socket == NULL)
    return;
  if (soup_websocket_connection_get_state (self->socket) != SOUP_WEBSOCKET_STATE_OPEN)
    return;
  enter_socket (self);
  soup_websocket_connection_close (self->socket, SOUP_WEBSOCKET_CLOSE_NORMAL, NULL);
  leave_socket (self);
}

static void
progress_cb (gpointer user_data)
{
  engineio_transport_progress (user_data);
}

static void
message_cb (SoupWebsocketConnection *socket,
            SoupWebsocketDataType type,
            GBytes *message,
            gpointer user_data)
{
  EngineioWebsocketTransport *self = user_data;
  gboolean binary = type == SOUP_WEBSOCKET_DATA_BINARY;
  EngineioPacket packet = { 0 };

  if (self->closing)
    return;

  socketio_reactor_push_context (self->reactor);
  if (self->protocol == 4)
    packet = engineio_packet_take (g_bytes_ref (message), binary);
  else if (!engineio_frame_decode_v3 (message, binary, &packet, NULL))
    {
      engineio_transport_lost (ENGINEIO_TRANSPORT (self), "parse error");
      socketio_reactor_pop_context (self->reactor);
      return;
    }
  engineio_transport_packet (ENGINEIO_TRANSPORT (self), &packet);
  engineio_packet_clear (&packet);
  socketio_reactor_pop_context (self->reactor);
}

static void
error_cb (SoupWebsocketConnection *socket, GError *error, gpointer user_data)
{
  EngineioWebsocketTransport *self = user_data;

  g_debug ("WebSocket: %s", error->message);
  /* libsoup closes by itself now, but of a frame over its limit it does not tell the peer */
  begin_closing (self);
  if (g_error_matches (error, SOUP_WEBSOCKET_ERROR, SOUP_WEBSOCKET_CLOSE_TOO_BIG)
      && soup_websocket_connection_get_state (socket) == SOUP_WEBSOCKET_STATE_OPEN)
    soup_websocket_connection_close (socket, SOUP_WEBSOCKET_CLOSE_TOO_BIG, NULL);
  /* libsoup would go on reading, and the peer reads nothing that could be said to it */
  if (g_error_matches (error, SOUP_WEBSOCKET_ERROR, SOUP_WEBSOCKET_CLOSE_POLICY_VIOLATION))
    engineio_websocket_transport_abort (ENGINEIO_TRANSPORT (self));
  socketio_reactor_push_context (self->reactor);
  report_lost (self, "transport error");
  socketio_reactor_pop_context (self->reactor);
}

static void
closing_cb (SoupWebsocketConnection *socket, gpointer user_data)
{
  EngineioWebsocketTransport *self = user_data;

  begin_closing (self);
  socketio_reactor_push_context (self->reactor);
  report_lost (self, "transport close");
  socketio_reactor_pop_context (self->reactor);
}

static void
closed_cb (SoupWebsocketConnection *socket, gpointer user_data)
{
  g_autoptr (EngineioWebsocketTransport) self = user_data; /* the reference of the start */

  g_signal_handlers_disconnect_by_data (socket, self);
  self->closing = TRUE;
  clear_writable_source (self);
  socketio_reactor_stop_timer (self->reactor, &self->close_timer);
  if (self->stream != NULL)
    socketio_stream_set_progress_func (self->stream, NULL, NULL);
  self->stream = NULL;
  g_clear_object (&self->socket);

  socketio_reactor_push_context (self->reactor);
  report_lost (self, "transport close");
  socketio_reactor_pop_context (self->reactor);
}

void
engineio_websocket_transport_start (EngineioWebsocketTransport *self, GIOStream *stream, GUri *uri)
{
  GList *extensions = g_list_prepend (NULL, engineio_message_limit_new (self->max_payload, stream));

  g_return_if_fail (self->starting);

  self->starting = FALSE;
  if (SOCKETIO_IS_STREAM (stream))
    {
      self->stream = SOCKETIO_STREAM (stream); /* the socket holds it */
      socketio_stream_set_progress_func (self->stream, progress_cb, self);
    }

  enter_socket (self);
  self->socket = soup_websocket_connection_new (stream, uri, SOUP_WEBSOCKET_CONNECTION_SERVER, NULL,
                                                NULL, extensions);
  soup_websocket_connection_set_max_incoming_payload_size (self->socket, self->max_payload);
  leave_socket (self);

  g_signal_connect (self->socket, "message", G_CALLBACK (message_cb), self);
  g_signal_connect (self->socket, "error", G_CALLBACK (error_cb), self);
  g_signal_connect (self->socket, "closing", G_CALLBACK (closing_cb), self);
  g_signal_connect (self->socket, "closed", G_CALLBACK (closed_cb), g_object_ref (self));

  if (self->closing)
    {
      /* the session went while the handshake was on its way */
      self->closing = FALSE;
      engineio_websocket_transport_close (ENGINEIO_TRANSPORT (self));
      return;
    }
  engineio_transport_progress (ENGINEIO_TRANSPORT (self));
}

static void
engineio_websocket_transport_finalize (GObject *object)
{
  EngineioWebsocketTransport *self = ENGINEIO_WEBSOCKET_TRANSPORT (object);

  clear_writable_source (self);
  socketio_reactor_stop_timer (self->reactor, &self->close_timer);
  g_clear_object (&self->socket);
  socketio_reactor_unref (self->reactor);

  G_OBJECT_CLASS (engineio_websocket_transport_parent_class)->finalize (object);
}

static void
engineio_websocket_transport_class_init (EngineioWebsocketTransportClass *klass)
{
  EngineioTransportClass *transport_class = ENGINEIO_TRANSPORT_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = engineio_websocket_transport_finalize;
  transport_class->name = "websocket";
  transport_class->send = engineio_websocket_transport_send;
  transport_class->get_pending = engineio_websocket_transport_get_pending;
  transport_class->notify_empty = engineio_websocket_transport_notify_empty;
  transport_class->can_close = engineio_websocket_transport_can_close;
  transport_class->close = engineio_websocket_transport_close;
  transport_class->abort = engineio_websocket_transport_abort;
}

static void
engineio_websocket_transport_init (EngineioWebsocketTransport *self)
{
  self->starting = TRUE;
}

EngineioTransport *
engineio_websocket_transport_new (SocketioReactor *reactor, guint protocol, gsize max_payload)
{
  EngineioWebsocketTransport *self = g_object_new (ENGINEIO_TYPE_WEBSOCKET_TRANSPORT, NULL);

  self->reactor = socketio_reactor_ref (reactor);
  self->protocol = protocol;
  self->max_payload = max_payload;
  return ENGINEIO_TRANSPORT (self);
}

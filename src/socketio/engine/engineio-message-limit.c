/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engineio-message-limit.h"

/* RFC 6455, 5.2 */
#define BIT_FIN 0x80
#define BITS_RESERVED 0x70
#define BITS_OPCODE 0x0f
#define OPCODE_CONTROL 0x08
#define OPCODE_CONTINUATION 0x00
#define OPCODE_PING 0x09

/* What a peer may have asked for that is not taking what it was sent. */
#define MAX_PONGS_WAITING 100

struct _EngineioMessageLimit
{
  SoupWebsocketExtension parent_instance;
  gsize limit;
  gsize seen; /* bytes of the message that is coming in */
  GIOStream *stream;
  guint n_pongs_waiting;
};

G_DEFINE_FINAL_TYPE (EngineioMessageLimit, engineio_message_limit, SOUP_TYPE_WEBSOCKET_EXTENSION)

static gboolean
is_writable (EngineioMessageLimit *self)
{
  GOutputStream *output = g_io_stream_get_output_stream (self->stream);

  return g_pollable_output_stream_is_writable (G_POLLABLE_OUTPUT_STREAM (output));
}

static gboolean
check_ping (EngineioMessageLimit *self, GError **error)
{
  self->n_pongs_waiting = is_writable (self) ? 0 : self->n_pongs_waiting + 1;
  if (self->n_pongs_waiting <= MAX_PONGS_WAITING)
    return TRUE;

  g_set_error_literal (error, SOUP_WEBSOCKET_ERROR, SOUP_WEBSOCKET_CLOSE_POLICY_VIOLATION,
                       "Pings from a peer who takes no pongs");
  return FALSE;
}

/* Takes @payload, gives it back. */
static GBytes *
process_incoming (SoupWebsocketExtension *extension,
                  guint8 *header,
                  GBytes *payload,
                  GError **error)
{
  EngineioMessageLimit *self = ENGINEIO_MESSAGE_LIMIT (extension);
  guint8 opcode = header[0] & BITS_OPCODE;
  gsize size = g_bytes_get_size (payload);

  /* where there is an extension, libsoup leaves these bits to it */
  if (header[0] & BITS_RESERVED)
    {
      g_set_error_literal (error, SOUP_WEBSOCKET_ERROR, SOUP_WEBSOCKET_CLOSE_PROTOCOL_ERROR,
                           "Reserved bits are set in a frame");
      g_bytes_unref (payload);
      return NULL;
    }
  if (opcode == OPCODE_PING && !check_ping (self, error))
    {
      g_bytes_unref (payload);
      return NULL;
    }
  if (opcode & OPCODE_CONTROL)
    return payload;

  if (opcode != OPCODE_CONTINUATION)
    self->seen = 0;
  if (size > self->limit - self->seen)
    {
      g_set_error_literal (error, SOUP_WEBSOCKET_ERROR, SOUP_WEBSOCKET_CLOSE_TOO_BIG,
                           "The message is too large");
      g_bytes_unref (payload);
      return NULL;
    }
  self->seen = header[0] & BIT_FIN ? 0 : self->seen + size;
  return payload;
}

static void
engineio_message_limit_finalize (GObject *object)
{
  g_object_unref (ENGINEIO_MESSAGE_LIMIT (object)->stream);

  G_OBJECT_CLASS (engineio_message_limit_parent_class)->finalize (object);
}

static void
engineio_message_limit_class_init (EngineioMessageLimitClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = engineio_message_limit_finalize;
  SOUP_WEBSOCKET_EXTENSION_CLASS (klass)->name = "x-engineio-message-limit";
  SOUP_WEBSOCKET_EXTENSION_CLASS (klass)->process_incoming_message = process_incoming;
}

static void
engineio_message_limit_init (EngineioMessageLimit *self)
{
}

SoupWebsocketExtension *
engineio_message_limit_new (gsize limit, GIOStream *stream)
{
  EngineioMessageLimit *self = g_object_new (ENGINEIO_TYPE_MESSAGE_LIMIT, NULL);

  self->limit = limit;
  self->stream = g_object_ref (stream);
  return SOUP_WEBSOCKET_EXTENSION (self);
}

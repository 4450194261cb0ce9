/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engineio-packet.h"

#include <string.h>

GQuark
engineio_codec_error_quark (void)
{
  return g_quark_from_static_string ("engineio-codec-error-quark");
}

EngineioPacket
engineio_packet_take (GBytes *data, gboolean binary)
{
  return (EngineioPacket){ .data = data, .binary = binary };
}

EngineioPacket
engineio_packet_new_static (const char *text)
{
  return engineio_packet_take (g_bytes_new_static (text, strlen (text)), FALSE);
}

EngineioPacket
engineio_packet_copy (const EngineioPacket *packet)
{
  return (EngineioPacket){ .data = g_bytes_ref (packet->data),
                           .binary = packet->binary,
                           .uncompressed = packet->uncompressed };
}

void
engineio_packet_clear (EngineioPacket *packet)
{
  g_clear_pointer (&packet->data, g_bytes_unref);
  packet->binary = FALSE;
}

gboolean
engineio_packet_validate (const EngineioPacket *packet, GError **error)
{
  gsize length;
  const guint8 *bytes = g_bytes_get_data (packet->data, &length);

  if (packet->binary)
    return TRUE;

  if (length == 0)
    {
      g_set_error_literal (error, ENGINEIO_CODEC_ERROR, ENGINEIO_CODEC_ERROR_PACKET,
                           "Empty packet");
      return FALSE;
    }
  if (bytes[0] < '0' + ENGINEIO_PACKET_OPEN || bytes[0] > '0' + ENGINEIO_PACKET_NOOP)
    {
      g_set_error_literal (error, ENGINEIO_CODEC_ERROR, ENGINEIO_CODEC_ERROR_PACKET,
                           "Unknown type of packet");
      return FALSE;
    }
  return TRUE;
}

EngineioPacketType
engineio_packet_get_type_of (const EngineioPacket *packet)
{
  gsize length;
  const guint8 *bytes = g_bytes_get_data (packet->data, &length);

  if (packet->binary)
    return ENGINEIO_PACKET_MESSAGE;

  g_assert (length > 0);
  return (EngineioPacketType) (bytes[0] - '0');
}

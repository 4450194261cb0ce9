/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz.h"

#include "engineio-payload.h"

/* The payload of a WebSocket frame, as text and as binary, of both protocols. */

static void
check_v4 (GBytes *frame, gboolean is_binary)
{
  EngineioPacket packet = engineio_packet_take (g_bytes_ref (frame), is_binary);
  g_autoptr (GError) error = NULL;

  if (engineio_packet_validate (&packet, &error))
    g_assert_cmpint (engineio_packet_get_type_of (&packet), <=, ENGINEIO_PACKET_NOOP);
  else
    g_assert_error (error, ENGINEIO_CODEC_ERROR, ENGINEIO_CODEC_ERROR_PACKET);
  engineio_packet_clear (&packet);
}

/* What decodes encodes back to the same. */
static void
check_v3 (GBytes *frame, gboolean is_binary)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) back = NULL;
  EngineioPacket packet, again;

  if (!engineio_frame_decode_v3 (frame, is_binary, &packet, &error))
    {
      g_assert_nonnull (error);
      return;
    }

  back = packet.binary ? engineio_frame_encode_binary_v3 (packet.data) : g_bytes_ref (packet.data);
  g_assert_true (engineio_frame_decode_v3 (back, packet.binary, &again, NULL));
  g_assert_cmpint (packet.binary, ==, again.binary);
  g_assert_true (g_bytes_equal (packet.data, again.data));
  engineio_packet_clear (&packet);
  engineio_packet_clear (&again);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) frame = fuzz_dup (data, size);

  for (int is_binary = 0; is_binary < 2; is_binary++)
    {
      check_v4 (frame, is_binary);
      check_v3 (frame, is_binary);
    }
  return 0;
}

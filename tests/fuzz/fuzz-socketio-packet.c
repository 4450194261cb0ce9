/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz.h"

#include "engineio-payload.h"
#include "socketio-decoder.h"
#include "socketio-json.h"

/* The messages of a connection, joined as a payload of protocol 4: text for packets, binary for
 * their attachments. What decodes encodes back to an equal packet. */

static char *
to_json (JsonNode *node)
{
  GString *out = g_string_new (NULL);

  socketio_json_append_node (out, node);
  return g_string_free (out, FALSE);
}

static void
check_args_equal (SocketioArgs *a, SocketioArgs *b)
{
  guint length = socketio_args_get_length (a);

  g_assert_cmpuint (length, ==, socketio_args_get_length (b));
  g_assert_cmpuint (socketio_args_get_n_attachments (a), ==, socketio_args_get_n_attachments (b));
  for (guint i = 0; i < length; i++)
    {
      g_autofree char *one = to_json (socketio_args_get_node (a, i));
      g_autofree char *other = to_json (socketio_args_get_node (b, i));
      GBytes *bytes = socketio_args_get_bytes (a, i);

      g_assert_cmpstr (one, ==, other);
      if (bytes != NULL)
        g_assert_true (g_bytes_equal (bytes, socketio_args_get_bytes (b, i)));
    }
}

static void
check_equal (SocketioPacket *a, SocketioPacket *b)
{
  g_assert_cmpint (a->type, ==, b->type);
  g_assert_cmpstr (a->nsp, ==, b->nsp);
  g_assert_cmpint (a->id, ==, b->id);
  g_assert_cmpstr (a->event, ==, b->event);
  g_assert_cmpint (a->args != NULL, ==, b->args != NULL);
  g_assert_cmpint (a->data != NULL, ==, b->data != NULL);
  if (a->args != NULL)
    check_args_equal (a->args, b->args);
  if (a->data != NULL)
    {
      g_autofree char *one = to_json (a->data);
      g_autofree char *other = to_json (b->data);

      g_assert_cmpstr (one, ==, other);
    }
}

static GArray *
encode (SocketioPacket *packet)
{
  g_autofree char *json = packet->data != NULL ? to_json (packet->data) : NULL;
  GArray *packets;
  EngineioPacket plain;

  if (packet->type == SOCKETIO_PACKET_EVENT)
    return socketio_packet_encode_event (packet->nsp, packet->event, packet->args, packet->id);
  if (packet->type == SOCKETIO_PACKET_ACK)
    return socketio_packet_encode_ack (packet->nsp, packet->args, packet->id);

  plain =
      engineio_packet_take (socketio_packet_encode_plain (packet->type, packet->nsp, json), FALSE);
  packets = g_array_new (FALSE, FALSE, sizeof (EngineioPacket));
  g_array_set_clear_func (packets, (GDestroyNotify) engineio_packet_clear);
  g_array_append_val (packets, plain);
  return packets;
}

/* Returns FALSE once the connection would be closed. */
static gboolean
feed (SocketioDecoder *decoder, EngineioPacket *message, SocketioPacket **packet)
{
  g_autoptr (GError) error = NULL;
  gsize size;
  const char *text = g_bytes_get_data (message->data, &size);
  gboolean fine;

  if (message->binary)
    fine = socketio_decoder_feed_binary (decoder, message->data, packet, &error);
  else
    fine = socketio_decoder_feed_text (decoder, text + 1, size - 1, packet, &error);
  g_assert_cmpint (fine, ==, error == NULL);
  g_assert_true (fine || *packet == NULL);
  return fine;
}

static void
check_back (SocketioPacket *packet)
{
  g_autoptr (GArray) messages = encode (packet);
  g_autoptr (SocketioPacket) again = NULL;
  SocketioDecoder decoder = { 0 };

  for (guint i = 0; i < messages->len; i++)
    {
      g_assert_null (again);
      g_assert_true (feed (&decoder, &g_array_index (messages, EngineioPacket, i), &again));
    }
  g_assert_nonnull (again);
  check_equal (packet, again);
  socketio_decoder_clear (&decoder);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) body = fuzz_dup (data, size);
  g_autoptr (GArray) messages = engineio_payload_decode_v4 (body, NULL);
  SocketioDecoder decoder = { 0 };

  for (guint i = 0; messages != NULL && i < messages->len; i++)
    {
      EngineioPacket *message = &g_array_index (messages, EngineioPacket, i);
      g_autoptr (SocketioPacket) packet = NULL;

      if (engineio_packet_get_type_of (message) != ENGINEIO_PACKET_MESSAGE)
        continue;
      if (!feed (&decoder, message, &packet))
        break;
      if (packet != NULL)
        check_back (packet);
    }
  socketio_decoder_clear (&decoder);
  return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "socketio-packet.h"

#include <string.h>

#include "socketio-decoder.h"

#define PLACEHOLDER(num) "{\"_placeholder\":true,\"num\":" #num "}"

static void
check_text (GBytes *bytes, const char *expected)
{
  g_autofree char *text = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));

  g_assert_cmpuint (strlen (text), ==, g_bytes_get_size (bytes));
  g_assert_cmpstr (text, ==, expected);
}

static void
check_encoded (GArray *packets, const char *expected, guint n_attachments)
{
  g_assert_cmpuint (packets->len, ==, 1 + n_attachments);
  for (guint i = 0; i < packets->len; i++)
    {
      EngineioPacket *packet = &g_array_index (packets, EngineioPacket, i);

      g_assert_cmpint (packet->binary, ==, i > 0);
      g_assert_true (engineio_packet_validate (packet, NULL));
      g_assert_cmpint (engineio_packet_get_type_of (packet), ==, ENGINEIO_PACKET_MESSAGE);
    }
  check_text (g_array_index (packets, EngineioPacket, 0).data, expected);
  g_array_unref (packets);
}

static void
test_encode_text (void)
{
  g_autoptr (SocketioArgs) args = socketio_args_new ();

  check_encoded (socketio_packet_encode_event ("/", "a\"b", NULL, -1), "42[\"a\\\"b\"]", 0);
  check_encoded (socketio_packet_encode_event ("/", "a", args, 0), "420[\"a\"]", 0);
  check_encoded (socketio_packet_encode_ack ("/", NULL, 7), "437[]", 0);

  socketio_args_add_int (args, 1);
  socketio_args_add_string (args, "\n");
  check_encoded (socketio_packet_encode_event ("/", "a", args, -1), "42[\"a\",1,\"\\n\"]", 0);
  check_encoded (socketio_packet_encode_event ("/x", "a", args, 12), "42/x,12[\"a\",1,\"\\n\"]", 0);
  check_encoded (socketio_packet_encode_ack ("/x", args, 0), "43/x,0[1,\"\\n\"]", 0);
}

static void
test_encode_binary (void)
{
  g_autoptr (SocketioArgs) args = socketio_args_new ();
  g_autoptr (GBytes) bytes = g_bytes_new ("1", 1);
  g_autoptr (GArray) packets = NULL;

  socketio_args_add_bytes (args, bytes);
  check_encoded (socketio_packet_encode_event ("/", "a", args, -1),
                 "451-[\"a\"," PLACEHOLDER (0) "]", 1);
  socketio_args_add_bytes (args, bytes);
  check_encoded (socketio_packet_encode_ack ("/x", args, 3),
                 "462-/x,3[" PLACEHOLDER (0) "," PLACEHOLDER (1) "]", 2);

  packets = socketio_packet_encode_event ("/", "a", args, -1);
  g_assert_true (g_array_index (packets, EngineioPacket, 2).data == bytes);
}

static void
test_encode_plain (void)
{
  static const struct
  {
    SocketioPacketType type;
    const char *nsp;
    const char *json;
    const char *text;
  } cases[] = {
    { SOCKETIO_PACKET_CONNECT, "/", "{\"sid\":\"a\"}", "40{\"sid\":\"a\"}" },
    { SOCKETIO_PACKET_CONNECT, "/x", NULL, "40/x," },
    { SOCKETIO_PACKET_DISCONNECT, "/", NULL, "41" },
    { SOCKETIO_PACKET_DISCONNECT, "/x", NULL, "41/x," },
    { SOCKETIO_PACKET_CONNECT_ERROR, "/x", "{\"message\":\"No\"}", "44/x,{\"message\":\"No\"}" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GBytes) bytes =
          socketio_packet_encode_plain (cases[i].type, cases[i].nsp, cases[i].json);

      check_text (bytes, cases[i].text);
    }
}

static void
test_encode_event_json (void)
{
  static const struct
  {
    const char *nsp;
    const char *event;
    const char *json;
    const char *text;
  } cases[] = {
    { "/", "a", NULL, "42[\"a\"]" },
    { "/", "a", "", "42[\"a\"]" },
    { "/", "a\\", "{\"b\":1},2", "42[\"a\\\\\",{\"b\":1},2]" },
    { "/x", "a", "1", "42/x,[\"a\",1]" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GBytes) bytes =
          socketio_packet_encode_event_json (cases[i].nsp, cases[i].event, cases[i].json, 0);

      check_text (bytes, cases[i].text);
    }
}

static GBytes *
random_bytes (void)
{
  gsize length = (gsize) g_test_rand_int_range (0, 20);
  guint8 *bytes = g_malloc (length);

  for (gsize i = 0; i < length; i++)
    bytes[i] = (guint8) g_test_rand_int_range (0, 256);
  return g_bytes_new_take (bytes, length);
}

static char *
random_text (void)
{
  static const char *const parts[] = { "a", "\"", "\\", "\n", "\x01",        "/",
                                       ",", "1",  "-",  "[",  "\xe2\x82\xac" };
  GString *text = g_string_new ("e");
  guint n_parts = (guint) g_test_rand_int_range (0, 8);

  for (guint i = 0; i < n_parts; i++)
    g_string_append (text, parts[g_test_rand_int_range (0, G_N_ELEMENTS (parts))]);
  return g_string_free (text, FALSE);
}

static void
add_random_arg (SocketioArgs *args)
{
  g_autofree char *text = random_text ();
  g_autoptr (GBytes) bytes = random_bytes ();
  JsonObject *object;

  switch (g_test_rand_int_range (0, 6))
    {
    case 0:
      socketio_args_add_string (args, text);
      break;
    case 1:
      socketio_args_add_int (args, (gint64) g_test_rand_int () * g_test_rand_int ());
      break;
    case 2:
      socketio_args_add_boolean (args, g_test_rand_bit ());
      break;
    case 3:
      socketio_args_add_bytes (args, bytes);
      break;
    case 4:
      object = json_object_new ();
      json_object_set_member (object, text, socketio_args_attach (args, bytes));
      json_object_set_double_member (object, "double", g_test_rand_double ());
      socketio_args_take_object (args, object);
      break;
    default:
      socketio_args_take_node (args, json_node_init_null (json_node_alloc ()));
    }
}

static SocketioPacket *
decode_packets (GArray *packets)
{
  SocketioDecoder decoder = { 0 };
  SocketioPacket *decoded = NULL;

  for (guint i = 0; i < packets->len; i++)
    {
      EngineioPacket *packet = &g_array_index (packets, EngineioPacket, i);
      g_autoptr (GError) error = NULL;
      gsize length;
      const char *data = g_bytes_get_data (packet->data, &length);

      g_assert_null (decoded);
      if (packet->binary)
        socketio_decoder_feed_binary (&decoder, packet->data, &decoded, &error);
      else
        socketio_decoder_feed_text (&decoder, data + 1, length - 1, &decoded, &error);
      g_assert_no_error (error);
    }
  g_assert_nonnull (decoded);
  return decoded;
}

static void
check_round_trip (const char *nsp, const char *event, SocketioArgs *args, gint64 id)
{
  g_autoptr (GArray) packets = event != NULL ? socketio_packet_encode_event (nsp, event, args, id)
                                             : socketio_packet_encode_ack (nsp, args, id);
  g_autoptr (GArray) again = NULL;
  g_autoptr (SocketioPacket) decoded = decode_packets (packets);

  g_assert_cmpint (decoded->type, ==, event != NULL ? SOCKETIO_PACKET_EVENT : SOCKETIO_PACKET_ACK);
  g_assert_cmpstr (decoded->nsp, ==, nsp);
  g_assert_cmpstr (decoded->event, ==, event);
  g_assert_cmpint (decoded->id, ==, id);
  g_assert_cmpuint (socketio_args_get_length (decoded->args), ==, socketio_args_get_length (args));
  for (guint i = 0; i < socketio_args_get_length (args); i++)
    {
      GBytes *sent = socketio_args_get_bytes (args, i);

      g_assert_true (json_node_equal (socketio_args_get_node (decoded->args, i),
                                      socketio_args_get_node (args, i)));
      g_assert_true (socketio_args_get_bytes (decoded->args, i) == sent);
    }

  /* a relay that emits what it received sends the very same */
  again = event != NULL ? socketio_packet_encode_event (nsp, decoded->event, decoded->args, id)
                        : socketio_packet_encode_ack (nsp, decoded->args, id);
  g_assert_cmpuint (again->len, ==, packets->len);
  for (guint i = 0; i < packets->len; i++)
    g_assert_true (g_bytes_equal (g_array_index (again, EngineioPacket, i).data,
                                  g_array_index (packets, EngineioPacket, i).data));
}

static void
test_round_trip (void)
{
  static const char *const nsps[] = { "/", "/admin", "/1-2", "/\xc3\xa9" };

  for (guint round = 0; round < 3000; round++)
    {
      g_autoptr (SocketioArgs) args = socketio_args_new ();
      g_autofree char *event = random_text ();
      const char *nsp = nsps[g_test_rand_int_range (0, G_N_ELEMENTS (nsps))];
      gint64 id = (gint64) (guint32) g_test_rand_int () << g_test_rand_int_range (0, 21);
      guint n_args = (guint) g_test_rand_int_range (0, SOCKETIO_MAX_ATTACHMENTS + 1);

      for (guint i = 0; i < n_args; i++)
        add_random_arg (args);
      check_round_trip (nsp, event, args, g_test_rand_bit () ? id : -1);
      check_round_trip (nsp, NULL, args, id);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/socketio-packet/encode/text", test_encode_text);
  g_test_add_func ("/socketio-packet/encode/binary", test_encode_binary);
  g_test_add_func ("/socketio-packet/encode/plain", test_encode_plain);
  g_test_add_func ("/socketio-packet/encode/event-json", test_encode_event_json);
  g_test_add_func ("/socketio-packet/round-trip", test_round_trip);
  return g_test_run ();
}

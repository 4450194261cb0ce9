/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "socketio-packet.h"

#include <string.h>

#include "socketio-json.h"

#define MEGABYTE 1000000

/* From a copy of the exact size, so that ASan sees any byte read behind the end. */
static gboolean
feed (SocketioDecoder *decoder,
      const char *text,
      gsize length,
      SocketioPacket **packet,
      GError **error)
{
  g_autofree char *copy = g_malloc (MAX (length, 1));

  if (length > 0)
    memcpy (copy, text, length);
  return socketio_decoder_feed_text (decoder, copy, length, packet, error);
}

static gboolean
feed_bytes (SocketioDecoder *decoder, const char *text, SocketioPacket **packet, GError **error)
{
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));

  return socketio_decoder_feed_binary (decoder, bytes, packet, error);
}

/* How packets are noted down here: type nsp id event [arguments] data, '-' for what is not there.
 */
static char *
describe (SocketioPacket *packet)
{
  GString *out = g_string_new (NULL);

  g_string_printf (out, "%d %s %" G_GINT64_FORMAT " %s ", packet->type, packet->nsp, packet->id,
                   packet->event != NULL ? packet->event : "-");
  if (packet->args != NULL)
    {
      g_string_append_c (out, '[');
      for (guint i = 0; i < socketio_args_get_length (packet->args); i++)
        {
          if (i > 0)
            g_string_append_c (out, ',');
          socketio_json_append_node (out, socketio_args_get_node (packet->args, i));
        }
      g_string_append_c (out, ']');
    }
  else
    g_string_append_c (out, '-');
  g_string_append_c (out, ' ');
  if (packet->data != NULL)
    socketio_json_append_node (out, packet->data);
  else
    g_string_append_c (out, '-');
  return g_string_free (out, FALSE);
}

typedef struct
{
  const char *name;
  const char *text;
  gsize length;
  const char *packet; /* for binary packets: before the attachments, "b" each, are fed */
  guint n_attachments;
} GoodCase;

#define TEXT(string) string, sizeof (string) - 1
#define PLACEHOLDER(num) "{\"_placeholder\":true,\"num\":" #num "}"

static const GoodCase good_cases[] = {
  { "connect", TEXT ("0"), "0 / -1 - - -" },
  { "connect-auth", TEXT ("0{\"token\":\"a\"}"), "0 / -1 - - {\"token\":\"a\"}" },
  { "connect-nsp", TEXT ("0/admin,"), "0 /admin -1 - - -" },
  { "connect-nsp-without-comma", TEXT ("0/admin"), "0 /admin -1 - - -" },
  { "connect-nsp-query", TEXT ("0/admin?token=1&x=/2,{}"), "0 /admin -1 - - {}" },
  { "connect-nsp-query-alone", TEXT ("0/?a=b"), "0 / -1 - - -" },
  { "connect-nsp-utf8", TEXT ("0/\xc3\xa9,"), "0 /\xc3\xa9 -1 - - -" },
  { "disconnect", TEXT ("1"), "1 / -1 - - -" },
  { "disconnect-nsp", TEXT ("1/admin,"), "1 /admin -1 - - -" },
  { "event", TEXT ("2[\"hello\",1,{\"a\":null}]"), "2 / -1 hello [1,{\"a\":null}] -" },
  { "event-name-alone", TEXT ("2[\"hello\"]"), "2 / -1 hello [] -" },
  { "event-name-empty", TEXT ("2[\"\"]"), "2 / -1  [] -" },
  { "event-name-number", TEXT ("2[7,\"a\"]"), "2 / -1 7 [\"a\"] -" },
  { "event-name-double", TEXT ("2[1.50]"), "2 / -1 1.5 [] -" },
  { "event-id", TEXT ("212[\"hello\"]"), "2 / 12 hello [] -" },
  { "event-id-zero", TEXT ("20[\"hello\"]"), "2 / 0 hello [] -" },
  { "event-id-largest", TEXT ("29007199254740992[\"a\"]"), "2 / 9007199254740992 a [] -" },
  { "event-nsp-id", TEXT ("2/admin,456[\"a\"]"), "2 /admin 456 a [] -" },
  { "event-nsp-of-digits", TEXT ("2/12,3[\"a\"]"), "2 /12 3 a [] -" },
  { "event-space", TEXT ("2 [ \"a\" ] "), "2 / -1 a [] -" },
  { "event-reserved-name-cut", TEXT ("2[\"connec\"]"), "2 / -1 connec [] -" },
  { "event-reserved-argument", TEXT ("2[\"a\",\"connect\"]"), "2 / -1 a [\"connect\"] -" },
  { "event-look-alike", TEXT ("2[\"a\"," PLACEHOLDER (0) "]"), "2 / -1 a [" PLACEHOLDER (0) "] -" },
  { "event-look-alike-broken", TEXT ("2[\"a\"," PLACEHOLDER (-5) "]"),
    "2 / -1 a [" PLACEHOLDER (-5) "] -" },
  { "ack", TEXT ("31[\"ok\"]"), "3 / 1 - [\"ok\"] -" },
  { "ack-empty", TEXT ("30[]"), "3 / 0 - [] -" },
  { "ack-nsp", TEXT ("3/admin,456[]"), "3 /admin 456 - [] -" },
  { "ack-reserved-word", TEXT ("31[\"connect\"]"), "3 / 1 - [\"connect\"] -" },
  { "connect-error-object", TEXT ("4{\"message\":\"No\"}"), "4 / -1 - - {\"message\":\"No\"}" },
  { "connect-error-string", TEXT ("4\"No\""), "4 / -1 - - \"No\"" },
  { "binary-event", TEXT ("51-[\"a\"," PLACEHOLDER (0) "]"), "2 / -1 a [" PLACEHOLDER (0) "] -",
    1 },
  { "binary-event-nsp-id", TEXT ("52-/x,7[\"a\"," PLACEHOLDER (1) ",[" PLACEHOLDER (0) "]]"),
    "2 /x 7 a [" PLACEHOLDER (1) ",[" PLACEHOLDER (0) "]] -", 2 },
  { "binary-event-most", TEXT ("510-[\"a\"," PLACEHOLDER (9) "]"),
    "2 / -1 a [" PLACEHOLDER (9) "] -", 10 },
  { "binary-event-unused", TEXT ("51-[\"a\"]"), "2 / -1 a [] -", 1 },
  { "binary-event-same-twice", TEXT ("51-[\"a\"," PLACEHOLDER (0) "," PLACEHOLDER (0) "]"),
    "2 / -1 a [" PLACEHOLDER (0) "," PLACEHOLDER (0) "] -", 1 },
  { "binary-event-none", TEXT ("50-[\"a\"]"), "2 / -1 a [] -", 0 },
  { "binary-event-none-look-alike", TEXT ("50-[\"a\"," PLACEHOLDER (0) "]"),
    "2 / -1 a [" PLACEHOLDER (0) "] -", 0 },
  { "binary-ack", TEXT ("61-3[" PLACEHOLDER (0) "]"), "3 / 3 - [" PLACEHOLDER (0) "] -", 1 },
  { "binary-ack-none", TEXT ("60-3[]"), "3 / 3 - [] -", 0 },
};

static void
test_good (gconstpointer data)
{
  const GoodCase *c = data;
  SocketioDecoder decoder = { 0 };
  g_autoptr (SocketioPacket) packet = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *found = NULL;

  g_assert_true (feed (&decoder, c->text, c->length, &packet, &error));
  g_assert_no_error (error);
  for (guint i = 0; i < c->n_attachments; i++)
    {
      g_assert_null (packet);
      g_assert_cmpuint (decoder.n_missing, ==, c->n_attachments - i);
      g_assert_true (feed_bytes (&decoder, "b", &packet, &error));
      g_assert_no_error (error);
    }

  g_assert_nonnull (packet);
  g_assert_null (decoder.partial);
  found = describe (packet);
  g_assert_cmpstr (found, ==, c->packet);
  if (packet->args != NULL)
    g_assert_cmpuint (socketio_args_get_n_attachments (packet->args), ==, c->n_attachments);
}

typedef struct
{
  const char *name;
  const char *text;
  gsize length;
  SocketioCodecError code;
} BadCase;

#define PACKET SOCKETIO_CODEC_ERROR_PACKET
#define ATTACHMENT SOCKETIO_CODEC_ERROR_ATTACHMENT

static const BadCase bad_cases[] = {
  { "empty", TEXT (""), PACKET },
  { "type-unknown", TEXT ("7[\"a\"]"), PACKET },
  { "type-before-the-first", TEXT ("/[\"a\"]"), PACKET },
  { "type-letter", TEXT ("a"), PACKET },
  { "type-missing", TEXT ("[\"a\"]"), PACKET },
  { "nsp-not-utf8", TEXT ("0/\xff,"), PACKET },
  { "nsp-cut-utf8", TEXT ("0/\xe2\x82"), PACKET },
  { "nsp-with-nul", TEXT ("0/a\0b,"), PACKET },
  { "nsp-without-slash", TEXT ("0admin,"), PACKET },
  { "nsp-swallows-payload", TEXT ("2/admin[\"a\"]"), PACKET },
  { "id-too-large", TEXT ("29007199254740993[\"a\"]"), PACKET },
  { "id-overflows", TEXT ("2184467440737095516161[\"a\"]"), PACKET },
  { "id-negative", TEXT ("2-1[\"a\"]"), PACKET },
  { "id-fraction", TEXT ("21.5[\"a\"]"), PACKET },
  { "connect-id", TEXT ("01{}"), PACKET },
  { "connect-array", TEXT ("0[]"), PACKET },
  { "connect-string", TEXT ("0\"a\""), PACKET },
  { "connect-null", TEXT ("0null"), PACKET },
  { "connect-broken-json", TEXT ("0{"), PACKET },
  { "disconnect-object", TEXT ("1{}"), PACKET },
  { "disconnect-string", TEXT ("1\"a\""), PACKET },
  { "disconnect-id", TEXT ("15"), PACKET },
  { "event-without-payload", TEXT ("2"), PACKET },
  { "event-id-without-payload", TEXT ("212"), PACKET },
  { "event-empty-array", TEXT ("2[]"), PACKET },
  { "event-object", TEXT ("2{\"a\":1}"), PACKET },
  { "event-string", TEXT ("2\"a\""), PACKET },
  { "event-null", TEXT ("2null"), PACKET },
  { "event-name-object", TEXT ("2[{}]"), PACKET },
  { "event-name-array", TEXT ("2[[\"a\"]]"), PACKET },
  { "event-name-null", TEXT ("2[null]"), PACKET },
  { "event-name-boolean", TEXT ("2[true]"), PACKET },
  { "event-name-connect", TEXT ("2[\"connect\"]"), PACKET },
  { "event-name-connect-escaped", TEXT ("2[\"\\u0063onnect\"]"), PACKET },
  { "event-name-connect-error", TEXT ("2[\"connect_error\"]"), PACKET },
  { "event-name-disconnect", TEXT ("2[\"disconnect\"]"), PACKET },
  { "event-name-disconnecting", TEXT ("2[\"disconnecting\"]"), PACKET },
  { "event-name-new-listener", TEXT ("2[\"newListener\"]"), PACKET },
  { "event-name-remove-listener", TEXT ("2[\"removeListener\"]"), PACKET },
  { "event-trailing-bytes", TEXT ("2[\"a\"]x"), PACKET },
  { "event-trailing-nul", TEXT ("2[\"a\"]\0"), PACKET },
  { "event-broken-json", TEXT ("2[\"a\",]"), PACKET },
  { "event-with-attachments", TEXT ("21-[\"a\"]"), PACKET },
  { "ack-without-id", TEXT ("3[]"), PACKET },
  { "ack-without-payload", TEXT ("31"), PACKET },
  { "ack-object", TEXT ("31{}"), PACKET },
  { "ack-null", TEXT ("31null"), PACKET },
  { "connect-error-without-payload", TEXT ("4"), PACKET },
  { "connect-error-array", TEXT ("4[]"), PACKET },
  { "connect-error-number", TEXT ("4 1"), PACKET },
  { "connect-error-null", TEXT ("4null"), PACKET },
  { "connect-error-id", TEXT ("41{}"), PACKET },
  { "binary-event-without-number", TEXT ("5[\"a\"]"), ATTACHMENT },
  { "binary-event-dash-alone", TEXT ("5-[\"a\"]"), ATTACHMENT },
  { "binary-event-without-dash", TEXT ("51[\"a\"]"), ATTACHMENT },
  { "binary-event-ends-behind-number", TEXT ("51"), ATTACHMENT },
  { "binary-event-ends-behind-type", TEXT ("5"), ATTACHMENT },
  { "binary-event-fraction", TEXT ("51.0-[\"a\"]"), ATTACHMENT },
  { "binary-event-negative", TEXT ("5-1-[\"a\"]"), ATTACHMENT },
  { "binary-event-too-many", TEXT ("511-[\"a\"]"), ATTACHMENT },
  { "binary-event-overflows", TEXT ("518446744073709551617-[\"a\"]"), ATTACHMENT },
  { "binary-event-without-payload", TEXT ("51-"), PACKET },
  { "binary-event-name-placeholder", TEXT ("51-[" PLACEHOLDER (0) "]"), PACKET },
  { "binary-event-reserved", TEXT ("51-[\"connect\"]"), PACKET },
  { "binary-ack-without-id", TEXT ("61-[]"), PACKET },
  { "binary-ack-without-number", TEXT ("6[]"), ATTACHMENT },
  { "placeholder-behind-the-last", TEXT ("51-[\"a\"," PLACEHOLDER (1) "]"), ATTACHMENT },
  { "placeholder-negative", TEXT ("51-[\"a\"," PLACEHOLDER (-1) "]"), ATTACHMENT },
  { "placeholder-fraction", TEXT ("51-[\"a\"," PLACEHOLDER (0.5) "]"), ATTACHMENT },
  { "placeholder-string", TEXT ("51-[\"a\"," PLACEHOLDER ("0") "]"), ATTACHMENT },
  { "placeholder-null", TEXT ("51-[\"a\"," PLACEHOLDER (null) "]"), ATTACHMENT },
  { "placeholder-beyond-32-bits", TEXT ("51-[\"a\"," PLACEHOLDER (4294967296) "]"), ATTACHMENT },
  { "placeholder-without-number", TEXT ("51-[\"a\",{\"_placeholder\":true}]"), ATTACHMENT },
  { "placeholder-bad-inside", TEXT ("51-[\"a\",{\"b\":[{\"c\":" PLACEHOLDER (1) "}]}]"),
    ATTACHMENT },
  { "placeholder-bad-in-ack", TEXT ("61-1[" PLACEHOLDER (2) "]"), ATTACHMENT },
};

static void
check_bad (const char *text, gsize length, SocketioCodecError code)
{
  SocketioDecoder decoder = { 0 };
  SocketioPacket *packet = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_false (feed (&decoder, text, length, &packet, &error));
  g_assert_error (error, SOCKETIO_CODEC_ERROR, (int) code);
  g_assert_null (packet);
  g_assert_null (decoder.partial);
}

static void
test_bad (gconstpointer data)
{
  const BadCase *c = data;

  check_bad (c->text, c->length, c->code);
}

static void
test_depth_bomb (void)
{
  g_autofree char *text = g_malloc (MEGABYTE);

  memset (text, '[', MEGABYTE);
  text[0] = '2';
  check_bad (text, MEGABYTE, PACKET);
}

static void
test_text_while_attachments_are_missing (void)
{
  SocketioDecoder decoder = { 0 };
  SocketioPacket *packet = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (feed (&decoder, TEXT ("52-[\"a\"]"), &packet, NULL));
  g_assert_true (feed_bytes (&decoder, "1", &packet, NULL));
  g_assert_false (feed (&decoder, TEXT ("2[\"b\"]"), &packet, &error));
  g_assert_error (error, SOCKETIO_CODEC_ERROR, ATTACHMENT);
  g_assert_null (packet);
  socketio_decoder_clear (&decoder);
}

static void
test_binary_that_nobody_expects (void)
{
  SocketioDecoder decoder = { 0 };
  SocketioPacket *packet = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_false (feed_bytes (&decoder, "1", &packet, &error));
  g_assert_error (error, SOCKETIO_CODEC_ERROR, ATTACHMENT);
}

static void
test_one_attachment_too_many (void)
{
  SocketioDecoder decoder = { 0 };
  g_autoptr (SocketioPacket) packet = NULL;
  SocketioPacket *none = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (feed (&decoder, TEXT ("51-[\"a\"]"), &packet, NULL));
  g_assert_true (feed_bytes (&decoder, "1", &packet, NULL));
  g_assert_nonnull (packet);
  g_assert_false (feed_bytes (&decoder, "2", &none, &error));
  g_assert_error (error, SOCKETIO_CODEC_ERROR, ATTACHMENT);
  g_assert_null (none);
}

static void
test_binary_behind_an_event_without_attachments (void)
{
  SocketioDecoder decoder = { 0 };
  g_autoptr (SocketioPacket) packet = NULL;
  SocketioPacket *none = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (feed (&decoder, TEXT ("50-[\"a\"]"), &packet, NULL));
  g_assert_false (feed_bytes (&decoder, "1", &none, &error));
  g_assert_error (error, SOCKETIO_CODEC_ERROR, ATTACHMENT);
}

static void
test_decoder_serves_again (void)
{
  SocketioDecoder decoder = { 0 };

  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (SocketioPacket) binary = NULL;
      g_autoptr (SocketioPacket) text = NULL;

      g_assert_true (feed (&decoder, TEXT ("51-[\"a\"," PLACEHOLDER (0) "]"), &binary, NULL));
      g_assert_true (feed_bytes (&decoder, "1", &binary, NULL));
      g_assert_nonnull (binary);
      g_assert_true (feed (&decoder, TEXT ("2[\"b\"]"), &text, NULL));
      g_assert_cmpstr (text->event, ==, "b");
    }
}

static void
count_free (gpointer data)
{
  ++*(guint *) data;
}

static void
test_clear_frees_what_waits (void)
{
  SocketioDecoder decoder = { 0 };
  SocketioPacket *packet = NULL;
  guint n_freed = 0;
  GBytes *bytes = g_bytes_new_with_free_func ("x", 1, count_free, &n_freed);

  g_assert_true (feed (&decoder, TEXT ("52-[\"a\"]"), &packet, NULL));
  g_assert_true (socketio_decoder_feed_binary (&decoder, bytes, &packet, NULL));
  g_bytes_unref (bytes);
  g_assert_cmpuint (n_freed, ==, 0);

  socketio_decoder_clear (&decoder);
  g_assert_cmpuint (n_freed, ==, 1);
  g_assert_cmpuint (decoder.n_missing, ==, 0);
  socketio_decoder_clear (&decoder);
}

/* Attachments are not copied, and placeholders give them in the order of their numbers. */
static void
test_attachments_resolve (void)
{
  SocketioDecoder decoder = { 0 };
  g_autoptr (SocketioPacket) packet = NULL;
  g_autoptr (GBytes) first = g_bytes_new ("1", 1);
  g_autoptr (GBytes) second = g_bytes_new (NULL, 0);
  const char text[] = "52-[\"a\"," PLACEHOLDER (1) ",{\"deep\":[" PLACEHOLDER (0) "]},{\"num\":0}]";
  JsonObject *object;

  g_assert_true (feed (&decoder, TEXT (text), &packet, NULL));
  g_assert_true (socketio_decoder_feed_binary (&decoder, first, &packet, NULL));
  g_assert_true (socketio_decoder_feed_binary (&decoder, second, &packet, NULL));

  g_assert_true (socketio_args_get_bytes (packet->args, 0) == second);
  object = socketio_args_get_object (packet->args, 1);
  g_assert_true (
      socketio_args_resolve (
          packet->args, json_array_get_element (json_object_get_array_member (object, "deep"), 0))
      == first);
  g_assert_null (socketio_args_get_bytes (packet->args, 2));
}

static void
test_look_alike_stays_json (void)
{
  SocketioDecoder decoder = { 0 };
  g_autoptr (SocketioPacket) packet = NULL;

  g_assert_true (feed (&decoder, TEXT ("2[\"a\"," PLACEHOLDER (0) "]"), &packet, NULL));
  g_assert_null (socketio_args_get_bytes (packet->args, 0));
  g_assert_nonnull (socketio_args_get_object (packet->args, 0));
}

/* What is interned is never freed: made-up names would fill the memory. */
static void
test_nothing_is_interned (void)
{
  SocketioDecoder decoder = { 0 };
  g_autoptr (SocketioPacket) packet = NULL;
  const char text[] = "2/made-up-nsp,[\"made-up-event\",{\"made-up-member\":\"made-up-value\"}]";

  g_assert_true (feed (&decoder, TEXT (text), &packet, NULL));
  g_assert_cmpstr (packet->event, ==, "made-up-event");
  g_assert_cmpuint (g_quark_try_string ("/made-up-nsp"), ==, 0);
  g_assert_cmpuint (g_quark_try_string ("made-up-event"), ==, 0);
  g_assert_cmpuint (g_quark_try_string ("made-up-member"), ==, 0);
  g_assert_cmpuint (g_quark_try_string ("made-up-value"), ==, 0);
}

/* Anything cut or changed is refused with an error of ours, or gives a whole packet. */
static void
check_mutant (const char *text, gsize length)
{
  SocketioDecoder decoder = { 0 };
  g_autoptr (SocketioPacket) packet = NULL;
  g_autoptr (GError) error = NULL;

  if (!feed (&decoder, text, length, &packet, &error))
    {
      g_assert_true (error->domain == SOCKETIO_CODEC_ERROR);
      g_assert_null (packet);
      g_assert_null (decoder.partial);
      return;
    }
  g_assert_no_error (error);
  while (packet == NULL)
    g_assert_true (feed_bytes (&decoder, "b", &packet, NULL));

  g_assert_null (decoder.partial);
  g_assert_cmpint (packet->nsp[0], ==, '/');
  g_assert_cmpint (packet->type, <=, SOCKETIO_PACKET_CONNECT_ERROR);
  g_assert_true ((packet->type == SOCKETIO_PACKET_EVENT) == (packet->event != NULL));
  g_assert_true ((packet->type == SOCKETIO_PACKET_EVENT || packet->type == SOCKETIO_PACKET_ACK)
                 == (packet->args != NULL));
  if (packet->type == SOCKETIO_PACKET_ACK)
    g_assert_cmpint (packet->id, >=, 0);
}

static void
test_mutants (gconstpointer data)
{
  static const char bytes[] = "0123456789-/,?[]{}\"\\ae\x80\xff";
  const GoodCase *c = data;
  g_autofree char *copy = g_memdup2 (c->text, c->length);

  for (gsize length = 0; length < c->length; length++)
    check_mutant (c->text, length);
  for (gsize i = 0; i < c->length; i++)
    {
      for (gsize j = 0; j < sizeof bytes; j++)
        {
          copy[i] = bytes[j];
          check_mutant (copy, c->length);
        }
      copy[i] = c->text[i];
    }
}

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
        feed (&decoder, data + 1, length - 1, &decoded, &error);
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

  for (gsize i = 0; i < G_N_ELEMENTS (good_cases); i++)
    {
      g_autofree char *good = g_strconcat ("/socketio-packet/good/", good_cases[i].name, NULL);
      g_autofree char *mutants =
          g_strconcat ("/socketio-packet/mutants/", good_cases[i].name, NULL);

      g_test_add_data_func (good, &good_cases[i], test_good);
      g_test_add_data_func (mutants, &good_cases[i], test_mutants);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (bad_cases); i++)
    {
      g_autofree char *path = g_strconcat ("/socketio-packet/bad/", bad_cases[i].name, NULL);

      g_test_add_data_func (path, &bad_cases[i], test_bad);
    }
  g_test_add_func ("/socketio-packet/depth-bomb", test_depth_bomb);
  g_test_add_func ("/socketio-packet/decoder/text-while-attachments-are-missing",
                   test_text_while_attachments_are_missing);
  g_test_add_func ("/socketio-packet/decoder/binary-that-nobody-expects",
                   test_binary_that_nobody_expects);
  g_test_add_func ("/socketio-packet/decoder/one-attachment-too-many",
                   test_one_attachment_too_many);
  g_test_add_func ("/socketio-packet/decoder/binary-behind-an-event-without-attachments",
                   test_binary_behind_an_event_without_attachments);
  g_test_add_func ("/socketio-packet/decoder/serves-again", test_decoder_serves_again);
  g_test_add_func ("/socketio-packet/decoder/clear-frees-what-waits", test_clear_frees_what_waits);
  g_test_add_func ("/socketio-packet/attachments-resolve", test_attachments_resolve);
  g_test_add_func ("/socketio-packet/look-alike-stays-json", test_look_alike_stays_json);
  g_test_add_func ("/socketio-packet/nothing-is-interned", test_nothing_is_interned);
  g_test_add_func ("/socketio-packet/encode/text", test_encode_text);
  g_test_add_func ("/socketio-packet/encode/binary", test_encode_binary);
  g_test_add_func ("/socketio-packet/encode/plain", test_encode_plain);
  g_test_add_func ("/socketio-packet/encode/event-json", test_encode_event_json);
  g_test_add_func ("/socketio-packet/round-trip", test_round_trip);
  return g_test_run ();
}

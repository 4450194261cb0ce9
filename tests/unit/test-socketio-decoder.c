/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "socketio-decoder.h"

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

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (good_cases); i++)
    {
      g_autofree char *good = g_strconcat ("/socketio-decoder/good/", good_cases[i].name, NULL);
      g_autofree char *mutants =
          g_strconcat ("/socketio-decoder/mutants/", good_cases[i].name, NULL);

      g_test_add_data_func (good, &good_cases[i], test_good);
      g_test_add_data_func (mutants, &good_cases[i], test_mutants);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (bad_cases); i++)
    {
      g_autofree char *path = g_strconcat ("/socketio-decoder/bad/", bad_cases[i].name, NULL);

      g_test_add_data_func (path, &bad_cases[i], test_bad);
    }
  g_test_add_func ("/socketio-decoder/depth-bomb", test_depth_bomb);
  g_test_add_func ("/socketio-decoder/text-while-attachments-are-missing",
                   test_text_while_attachments_are_missing);
  g_test_add_func ("/socketio-decoder/binary-that-nobody-expects", test_binary_that_nobody_expects);
  g_test_add_func ("/socketio-decoder/one-attachment-too-many", test_one_attachment_too_many);
  g_test_add_func ("/socketio-decoder/binary-behind-an-event-without-attachments",
                   test_binary_behind_an_event_without_attachments);
  g_test_add_func ("/socketio-decoder/serves-again", test_decoder_serves_again);
  g_test_add_func ("/socketio-decoder/clear-frees-what-waits", test_clear_frees_what_waits);
  g_test_add_func ("/socketio-decoder/attachments-resolve", test_attachments_resolve);
  g_test_add_func ("/socketio-decoder/look-alike-stays-json", test_look_alike_stays_json);
  g_test_add_func ("/socketio-decoder/nothing-is-interned", test_nothing_is_interned);
  return g_test_run ();
}

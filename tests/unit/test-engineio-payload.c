/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "engineio-payload.h"

#include <string.h>

#define MEGABYTE 1000000

typedef enum
{
  FORM_V4,
  FORM_V3,
  FORM_V3_BINARY,
  FORM_V3_FRAME,
  FORM_V3_BINARY_FRAME,
} Form;

static const char *const form_names[] = {
  "v4", "v3", "v3-binary", "v3-frame", "v3-binary-frame",
};

static GArray *
decode_frame (GBytes *frame, gboolean is_binary, GError **error)
{
  g_autoptr (GArray) packets = NULL;
  EngineioPacket packet;

  if (!engineio_frame_decode_v3 (frame, is_binary, &packet, error))
    return NULL;
  packets = g_array_new (FALSE, FALSE, sizeof (EngineioPacket));
  g_array_set_clear_func (packets, (GDestroyNotify) engineio_packet_clear);
  g_array_append_val (packets, packet);
  return g_steal_pointer (&packets);
}

static GArray *
decode (Form form, GBytes *body, GError **error)
{
  switch (form)
    {
    case FORM_V4:
      return engineio_payload_decode_v4 (body, error);
    case FORM_V3:
      return engineio_payload_decode_v3 (body, FALSE, error);
    case FORM_V3_BINARY:
      return engineio_payload_decode_v3 (body, TRUE, error);
    case FORM_V3_FRAME:
      return decode_frame (body, FALSE, error);
    case FORM_V3_BINARY_FRAME:
      return decode_frame (body, TRUE, error);
    default:
      g_assert_not_reached ();
    }
}

/* How packets are noted down here: 'T' or 'B', the content, '|'. */
static GString *
describe (GArray *packets)
{
  GString *out = g_string_new (NULL);

  for (guint i = 0; i < packets->len; i++)
    {
      EngineioPacket *packet = &g_array_index (packets, EngineioPacket, i);
      gsize length;
      const char *data = g_bytes_get_data (packet->data, &length);

      g_string_append_c (out, packet->binary ? 'B' : 'T');
      g_string_append_len (out, data, length);
      g_string_append_c (out, '|');
    }
  return out;
}

typedef struct
{
  const char *name;
  Form form;
  const char *body;
  gsize length;
  const char *packets;
  gsize packets_length;
} GoodCase;

#define TEXT(string) string, sizeof (string) - 1

static const GoodCase good_cases[] = {
  { "one", FORM_V4, TEXT ("4hello"), TEXT ("T4hello|") },
  { "two", FORM_V4,
    TEXT ("4a\x1e"
          "2"),
    TEXT ("T4a|T2|") },
  { "type-alone", FORM_V4, TEXT ("1"), TEXT ("T1|") },
  { "binary", FORM_V4, TEXT ("bAQIDBA=="), TEXT ("B\1\2\3\4|") },
  { "binary-of-two-pads", FORM_V4, TEXT ("b/w=="), TEXT ("B\xff|") },
  { "binary-without-pad", FORM_V4, TEXT ("b+/+/"), TEXT ("B\xfb\xff\xbf|") },
  { "binary-empty", FORM_V4, TEXT ("b"), TEXT ("B|") },
  { "mixed", FORM_V4,
    TEXT ("4\xe2\x82\xac\x1e"
          "bAA==\x1e"
          "4b"),
    TEXT ("T4\xe2\x82\xac|B\0|T4b|") },
  { "text-with-nul", FORM_V4, TEXT ("4a\0b\0"), TEXT ("T4a\0b\0|") },
  { "one", FORM_V3, TEXT ("6:4hello"), TEXT ("T4hello|") },
  { "two", FORM_V3, TEXT ("6:4hello2:4\xe2\x82\xac"), TEXT ("T4hello|T4\xe2\x82\xac|") },
  { "surrogate-pair-is-two", FORM_V3,
    TEXT ("3:4\xf0\x9f\x98\x80"
          "1:2"),
    TEXT ("T4\xf0\x9f\x98\x80|T2|") },
  { "binary", FORM_V3, TEXT ("10:b4AQIDBA=="), TEXT ("B\1\2\3\4|") },
  { "binary-empty", FORM_V3, TEXT ("2:b4"), TEXT ("B|") },
  { "two-digits", FORM_V3, TEXT ("12:4hello world"), TEXT ("T4hello world|") },
  { "both", FORM_V3_BINARY,
    TEXT ("\0\4\xff"
          "4\xe2\x82\xac\1\5\xff\4\1\2\3\4"),
    TEXT ("T4\xe2\x82\xac|B\1\2\3\4|") },
  { "two-digits", FORM_V3_BINARY,
    TEXT ("\0\1\2\xff"
          "4hello world"),
    TEXT ("T4hello world|") },
  { "binary-empty", FORM_V3_BINARY, TEXT ("\1\1\xff\4"), TEXT ("B|") },
  { "text", FORM_V3_FRAME, TEXT ("2probe"), TEXT ("T2probe|") },
  { "base64", FORM_V3_FRAME, TEXT ("b4AQID"), TEXT ("B\1\2\3|") },
  { "bytes", FORM_V3_BINARY_FRAME, TEXT ("\4\1\2"), TEXT ("B\1\2|") },
  { "no-bytes", FORM_V3_BINARY_FRAME, TEXT ("\4"), TEXT ("B|") },
};

static void
test_good (gconstpointer data)
{
  const GoodCase *c = data;
  g_autoptr (GBytes) body = g_bytes_new (c->body, c->length);
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) packets = decode (c->form, body, &error);
  g_autoptr (GString) found = NULL;

  g_assert_no_error (error);
  g_assert_nonnull (packets);
  /* what slices of the body hold must outlive our reference to it */
  g_clear_pointer (&body, g_bytes_unref);
  found = describe (packets);
  g_assert_cmpmem (found->str, found->len, c->packets, c->packets_length);
}

typedef struct
{
  const char *name;
  Form form;
  const char *body;
  gsize length;
  EngineioCodecError code;
} BadCase;

#define PACKET ENGINEIO_CODEC_ERROR_PACKET
#define PAYLOAD ENGINEIO_CODEC_ERROR_PAYLOAD

static const BadCase bad_cases[] = {
  { "empty-body", FORM_V4, TEXT (""), PAYLOAD },
  { "separator-first", FORM_V4,
    TEXT ("\x1e"
          "4a"),
    PACKET },
  { "separator-last", FORM_V4, TEXT ("4a\x1e"), PACKET },
  { "separator-twice", FORM_V4,
    TEXT ("4a\x1e\x1e"
          "4b"),
    PACKET },
  { "separator-alone", FORM_V4, TEXT ("\x1e"), PACKET },
  { "unknown-type", FORM_V4, TEXT ("7"), PACKET },
  { "unknown-type-second", FORM_V4, TEXT ("4a\x1ex"), PACKET },
  { "v3-body", FORM_V4, TEXT (":4a"), PACKET },
  { "utf8-cut", FORM_V4, TEXT ("4\xe2\x82"), PAYLOAD },
  { "utf8-cut-by-separator", FORM_V4,
    TEXT ("4\xe2\x1e"
          "4a"),
    PAYLOAD },
  { "utf8-overlong", FORM_V4, TEXT ("4\xc0\xaf"), PAYLOAD },
  { "utf8-surrogate", FORM_V4, TEXT ("4\xed\xa0\x80"), PAYLOAD },
  { "utf8-broken-behind-nul", FORM_V4, TEXT ("4\0\xff"), PAYLOAD },
  { "base64-unpadded", FORM_V4, TEXT ("bAQIDBA"), PAYLOAD },
  { "base64-half-padded", FORM_V4, TEXT ("bAQIDBA="), PAYLOAD },
  { "base64-one-digit", FORM_V4, TEXT ("bA==="), PAYLOAD },
  { "base64-pads-alone", FORM_V4, TEXT ("b===="), PAYLOAD },
  { "base64-pad-inside", FORM_V4, TEXT ("bAA==AAAA"), PAYLOAD },
  { "base64-space", FORM_V4, TEXT ("bAAA AAAA"), PAYLOAD },
  { "base64-newline", FORM_V4, TEXT ("bAAA\n"), PAYLOAD },
  { "base64-url-alphabet", FORM_V4, TEXT ("bAA-_"), PAYLOAD },
  { "base64-high-byte", FORM_V4, TEXT ("bAAA\xc1"), PAYLOAD },
  { "base64-nul", FORM_V4, TEXT ("bAAA\0"), PAYLOAD },
  { "base64-stray-bits-of-two-pads", FORM_V4, TEXT ("b/x=="), PAYLOAD },
  { "base64-stray-bits-of-one-pad", FORM_V4, TEXT ("bAAB="), PAYLOAD },
  { "empty-body", FORM_V3, TEXT (""), PAYLOAD },
  { "no-length", FORM_V3, TEXT (":4a"), PAYLOAD },
  { "length-not-a-digit", FORM_V3, TEXT ("x:4a"), PAYLOAD },
  { "length-negative", FORM_V3, TEXT ("-2:4a"), PAYLOAD },
  { "length-with-a-sign", FORM_V3, TEXT ("+2:4a"), PAYLOAD },
  { "length-zero", FORM_V3, TEXT ("0:"), PAYLOAD },
  { "length-with-leading-zero", FORM_V3, TEXT ("02:4a"), PAYLOAD },
  { "length-hexadecimal", FORM_V3, TEXT ("0x2:4a"), PAYLOAD },
  { "length-overflows", FORM_V3, TEXT ("18446744073709551618:4a"), PAYLOAD },
  { "length-of-ten-digits", FORM_V3, TEXT ("4294967298:4a"), PAYLOAD },
  { "length-without-colon", FORM_V3, TEXT ("2"), PAYLOAD },
  { "length-too-large", FORM_V3, TEXT ("3:4a"), PAYLOAD },
  { "length-too-small", FORM_V3, TEXT ("1:4a"), PAYLOAD },
  { "length-in-bytes", FORM_V3, TEXT ("4:4\xe2\x82\xac"), PAYLOAD },
  { "length-halves-a-pair", FORM_V3, TEXT ("2:4\xf0\x9f\x98\x80"), PAYLOAD },
  { "rest-behind-the-last", FORM_V3, TEXT ("2:4ax"), PAYLOAD },
  { "unknown-type", FORM_V3, TEXT ("1:9"), PACKET },
  { "v4-body", FORM_V3, TEXT ("4hello"), PAYLOAD },
  { "utf8-cut", FORM_V3, TEXT ("2:4\xe2\x82"), PAYLOAD },
  { "binary-without-type", FORM_V3, TEXT ("1:b"), PAYLOAD },
  { "binary-no-message", FORM_V3, TEXT ("6:b2AAAA"), PAYLOAD },
  { "base64-unpadded", FORM_V3, TEXT ("4:b4AA"), PAYLOAD },
  { "empty-body", FORM_V3_BINARY, TEXT (""), PAYLOAD },
  { "unknown-kind", FORM_V3_BINARY,
    TEXT ("\2\2\xff"
          "4a"),
    PAYLOAD },
  { "kind-alone", FORM_V3_BINARY, TEXT ("\0"), PAYLOAD },
  { "no-length", FORM_V3_BINARY,
    TEXT ("\0\xff"
          "4a"),
    PAYLOAD },
  { "length-not-a-digit", FORM_V3_BINARY,
    TEXT ("\0\x0a\xff"
          "4a"),
    PAYLOAD },
  { "length-in-ascii", FORM_V3_BINARY,
    TEXT ("\0002\xff"
          "4a"),
    PAYLOAD },
  { "length-zero", FORM_V3_BINARY, TEXT ("\0\0\xff"), PAYLOAD },
  { "length-with-leading-zero", FORM_V3_BINARY,
    TEXT ("\0\0\2\xff"
          "4a"),
    PAYLOAD },
  { "length-of-ten-digits", FORM_V3_BINARY,
    TEXT ("\0\1\1\1\1\1\1\1\1\1\1\xff"
          "4a"),
    PAYLOAD },
  { "length-without-end", FORM_V3_BINARY, TEXT ("\0\2"), PAYLOAD },
  { "length-too-large", FORM_V3_BINARY,
    TEXT ("\0\3\xff"
          "4a"),
    PAYLOAD },
  { "unknown-type", FORM_V3_BINARY,
    TEXT ("\0\1\xff"
          "8"),
    PACKET },
  { "utf8-cut", FORM_V3_BINARY,
    TEXT ("\0\2\xff"
          "4\xe2"),
    PAYLOAD },
  { "binary-no-message", FORM_V3_BINARY, TEXT ("\1\2\xff\2a"), PAYLOAD },
  { "binary-type-in-ascii", FORM_V3_BINARY,
    TEXT ("\1\2\xff"
          "4a"),
    PAYLOAD },
  { "empty", FORM_V3_FRAME, TEXT (""), PACKET },
  { "unknown-type", FORM_V3_FRAME, TEXT ("xa"), PACKET },
  { "b-alone", FORM_V3_FRAME, TEXT ("b"), PAYLOAD },
  { "base64-no-message", FORM_V3_FRAME, TEXT ("b3AAAA"), PAYLOAD },
  { "base64-broken", FORM_V3_FRAME, TEXT ("b4A"), PAYLOAD },
  { "empty", FORM_V3_BINARY_FRAME, TEXT (""), PAYLOAD },
  { "no-message", FORM_V3_BINARY_FRAME, TEXT ("\2a"), PAYLOAD },
};

static void
test_bad (gconstpointer data)
{
  const BadCase *c = data;
  g_autoptr (GBytes) body = g_bytes_new (c->body, c->length);
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) packets = decode (c->form, body, &error);

  g_assert_null (packets);
  g_assert_error (error, ENGINEIO_CODEC_ERROR, (int) c->code);
}

static void
test_encode_v4 (void)
{
  EngineioPacket packets[] = {
    engineio_packet_new_static ("4a"),
    engineio_packet_take (g_bytes_new ("\1\2\3\4", 4), TRUE),
    engineio_packet_new_static ("6"),
  };
  g_autoptr (GBytes) several = engineio_payload_encode_v4 (packets, 3);
  g_autoptr (GBytes) one = engineio_payload_encode_v4 (packets, 1);
  const char expected[] = "4a\x1e"
                          "bAQIDBA==\x1e"
                          "6";

  g_assert_cmpmem (g_bytes_get_data (several, NULL), g_bytes_get_size (several), expected,
                   sizeof expected - 1);
  g_assert_true (one == packets[0].data);
  for (gsize i = 0; i < G_N_ELEMENTS (packets); i++)
    engineio_packet_clear (&packets[i]);
}

static void
test_encode_v3 (void)
{
  EngineioPacket packets[] = {
    engineio_packet_new_static ("4\xe2\x82\xac\xf0\x9f\x98\x80"),
    engineio_packet_take (g_bytes_new ("\1\2\3\4", 4), TRUE),
  };
  const char text[] = "4:4\xe2\x82\xac\xf0\x9f\x98\x80"
                      "10:b4AQIDBA==";
  const char binary[] = "\0\10\xff"
                        "4\xe2\x82\xac\xf0\x9f\x98\x80"
                        "\1\5\xff\4\1\2\3\4";
  gboolean is_binary = TRUE;
  g_autoptr (GBytes) as_text = engineio_payload_encode_v3 (packets, 2, FALSE, &is_binary);
  g_autoptr (GBytes) as_binary = NULL;
  g_autoptr (GBytes) without_binary = NULL;

  g_assert_false (is_binary);
  g_assert_cmpmem (g_bytes_get_data (as_text, NULL), g_bytes_get_size (as_text), text,
                   sizeof text - 1);

  as_binary = engineio_payload_encode_v3 (packets, 2, TRUE, &is_binary);
  g_assert_true (is_binary);
  g_assert_cmpmem (g_bytes_get_data (as_binary, NULL), g_bytes_get_size (as_binary), binary,
                   sizeof binary - 1);

  without_binary = engineio_payload_encode_v3 (packets, 1, TRUE, &is_binary);
  g_assert_false (is_binary);

  for (gsize i = 0; i < G_N_ELEMENTS (packets); i++)
    engineio_packet_clear (&packets[i]);
}

static void
test_encode_frame_v3 (void)
{
  g_autoptr (GBytes) data = g_bytes_new ("\0\1", 2);
  g_autoptr (GBytes) frame = engineio_frame_encode_binary_v3 (data);
  g_autoptr (GBytes) none = g_bytes_new (NULL, 0);
  g_autoptr (GBytes) empty = engineio_frame_encode_binary_v3 (none);

  g_assert_cmpmem (g_bytes_get_data (frame, NULL), g_bytes_get_size (frame), "\4\0\1", 3);
  g_assert_cmpmem (g_bytes_get_data (empty, NULL), g_bytes_get_size (empty), "\4", 1);
}

/* The separator cannot be part of a text in protocol 4, so it is not made here. */
static EngineioPacket
random_packet (void)
{
  gboolean binary = g_test_rand_bit ();
  guint length = (guint) g_test_rand_int_range (0, 40);
  GString *data = g_string_new (NULL);

  if (!binary)
    g_string_append_c (data, (char) g_test_rand_int_range ('0', '7'));
  for (guint i = 0; i < length; i++)
    {
      static const gunichar last[] = { 0x1d, 0x7f, 0x7ff, 0xd7ff, 0x10ffff };

      if (binary)
        g_string_append_c (data, (char) g_test_rand_int_range (0, 256));
      else if (g_test_rand_int_range (0, 16) == 0)
        g_string_append_c (data, '\0');
      else
        {
          gsize range = (gsize) g_test_rand_int_range (0, G_N_ELEMENTS (last));
          gunichar first = range == 0 ? 1 : last[range - 1] + 1;

          /* behind the separator, and behind the surrogates */
          first = range == 1 ? 0x1f : range == 4 ? 0xe000 : first;
          g_string_append_unichar (
              data, (gunichar) g_test_rand_int_range ((gint32) first, (gint32) last[range] + 1));
        }
    }
  return engineio_packet_take (g_string_free_to_bytes (data), binary);
}

static void
check_round_trip (Form form, GArray *packets)
{
  const EngineioPacket *first = &g_array_index (packets, EngineioPacket, 0);
  g_autoptr (GBytes) body = NULL;
  g_autoptr (GArray) decoded = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) sent = describe (packets);
  g_autoptr (GString) received = NULL;
  gboolean is_binary = FALSE;

  if (form == FORM_V4)
    body = engineio_payload_encode_v4 (first, packets->len);
  else
    body = engineio_payload_encode_v3 (first, packets->len, form == FORM_V3_BINARY, &is_binary);

  decoded = decode (is_binary ? FORM_V3_BINARY : form == FORM_V4 ? FORM_V4 : FORM_V3, body, &error);
  g_assert_no_error (error);
  received = describe (decoded);
  g_assert_cmpmem (received->str, received->len, sent->str, sent->len);
}

static void
test_round_trip (gconstpointer data)
{
  Form form = (Form) GPOINTER_TO_INT (data);

  for (guint round = 0; round < 2000; round++)
    {
      g_autoptr (GArray) packets = g_array_new (FALSE, FALSE, sizeof (EngineioPacket));
      guint n_packets = (guint) g_test_rand_int_range (1, 8);

      g_array_set_clear_func (packets, (GDestroyNotify) engineio_packet_clear);
      for (guint i = 0; i < n_packets; i++)
        {
          EngineioPacket packet = random_packet ();
          g_array_append_val (packets, packet);
        }
      check_round_trip (form, packets);
    }
}

/* Every beginning and every changed byte of a good body is refused, or makes valid packets. */
static void
check_mutant (Form form, const char *bytes, gsize length)
{
  g_autoptr (GBytes) body = g_bytes_new (bytes, length);
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) packets = decode (form, body, &error);

  if (packets == NULL)
    {
      g_assert_nonnull (error);
      return;
    }
  g_assert_no_error (error);
  g_assert_cmpuint (packets->len, >, 0);
  for (guint i = 0; i < packets->len; i++)
    g_assert_true (engineio_packet_validate (&g_array_index (packets, EngineioPacket, i), NULL));
}

static void
test_mutants (gconstpointer data)
{
  const GoodCase *c = data;
  g_autofree char *copy = g_memdup2 (c->body, c->length);

  for (gsize length = 0; length < c->length; length++)
    check_mutant (c->form, c->body, length);
  for (gsize i = 0; i < c->length; i++)
    {
      for (int byte = 0; byte < 256; byte++)
        {
          copy[i] = (char) byte;
          check_mutant (c->form, copy, c->length);
        }
      copy[i] = c->body[i];
    }
}

static void
test_separators_alone (void)
{
  g_autofree char *text = g_malloc (MEGABYTE);
  g_autoptr (GBytes) body = NULL;
  gint64 start;

  memset (text, '\x1e', MEGABYTE);
  body = g_bytes_new_take (g_steal_pointer (&text), MEGABYTE);

  /* the first one is enough to refuse them all: a thousand such bodies take no time */
  start = g_get_monotonic_time ();
  for (guint i = 0; i < 1000; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GArray) packets = engineio_payload_decode_v4 (body, &error);

      g_assert_null (packets);
      g_assert_error (error, ENGINEIO_CODEC_ERROR, ENGINEIO_CODEC_ERROR_PACKET);
    }
  g_assert_cmpint (g_get_monotonic_time () - start, <, G_USEC_PER_SEC);
}

/* As many packets as fit: quadratic work would take minutes. */
static void
check_crowd (Form form, const char *unit, gsize unit_length, gsize skip_last)
{
  GString *text = g_string_new (NULL);
  gsize n_units = MEGABYTE / unit_length;
  g_autoptr (GBytes) body = NULL;
  g_autoptr (GArray) packets = NULL;
  g_autoptr (GError) error = NULL;
  gint64 start;

  for (gsize i = 0; i < n_units; i++)
    g_string_append_len (text, unit, unit_length);
  g_string_truncate (text, text->len - skip_last);
  body = g_string_free_to_bytes (text);

  start = g_get_monotonic_time ();
  packets = decode (form, body, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (packets->len, ==, n_units);
  g_assert_cmpint (g_get_monotonic_time () - start, <, 60 * G_USEC_PER_SEC);
}

static void
test_crowds (void)
{
  check_crowd (FORM_V4, TEXT ("2\x1e"), 1);
  check_crowd (FORM_V4, TEXT ("b\x1e"), 1);
  check_crowd (FORM_V3, TEXT ("1:2"), 0);
  check_crowd (FORM_V3_BINARY,
               TEXT ("\0\1\xff"
                     "2"),
               0);
}

/* One packet of a body's full size, of the bytes that cost most to look at. */
static void
test_large_text (void)
{
  g_autofree char *text = g_malloc0 (MEGABYTE);
  g_autoptr (GBytes) body = NULL;
  g_autoptr (GArray) packets = NULL;
  g_autoptr (GError) error = NULL;
  gint64 start = g_get_monotonic_time ();

  text[0] = '4';
  body = g_bytes_new_take (g_steal_pointer (&text), MEGABYTE);
  packets = engineio_payload_decode_v4 (body, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (packets->len, ==, 1);
  g_assert_cmpint (g_get_monotonic_time () - start, <, 10 * G_USEC_PER_SEC);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (good_cases); i++)
    {
      const GoodCase *c = &good_cases[i];
      g_autofree char *good =
          g_strdup_printf ("/engineio-payload/%s/good/%s", form_names[c->form], c->name);
      g_autofree char *mutants =
          g_strdup_printf ("/engineio-payload/%s/mutants/%s", form_names[c->form], c->name);

      g_test_add_data_func (good, c, test_good);
      g_test_add_data_func (mutants, c, test_mutants);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (bad_cases); i++)
    {
      const BadCase *c = &bad_cases[i];
      g_autofree char *path =
          g_strdup_printf ("/engineio-payload/%s/bad/%s", form_names[c->form], c->name);

      g_test_add_data_func (path, c, test_bad);
    }
  g_test_add_func ("/engineio-payload/v4/encode", test_encode_v4);
  g_test_add_func ("/engineio-payload/v3/encode", test_encode_v3);
  g_test_add_func ("/engineio-payload/v3-binary-frame/encode", test_encode_frame_v3);
  for (int form = FORM_V4; form <= FORM_V3_BINARY; form++)
    {
      g_autofree char *path = g_strdup_printf ("/engineio-payload/%s/round-trip", form_names[form]);

      g_test_add_data_func (path, GINT_TO_POINTER (form), test_round_trip);
    }
  g_test_add_func ("/engineio-payload/v4/separators-alone", test_separators_alone);
  g_test_add_func ("/engineio-payload/crowds", test_crowds);
  g_test_add_func ("/engineio-payload/v4/large-text", test_large_text);
  return g_test_run ();
}

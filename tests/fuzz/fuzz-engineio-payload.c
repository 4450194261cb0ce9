/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz.h"

#include "engineio-payload.h"

/* The body of a polling request, read as protocol 4 has it and in the two ways of protocol 3. What
 * decodes encodes back to equal packets. */

typedef enum
{
  FORM_V4,
  FORM_V3_TEXT,
  FORM_V3_BINARY,
} Form;

static GArray *
decode (Form form, GBytes *body, GError **error)
{
  if (form == FORM_V4)
    return engineio_payload_decode_v4 (body, error);
  return engineio_payload_decode_v3 (body, form == FORM_V3_BINARY, error);
}

static void
check_equal (GArray *a, GArray *b)
{
  g_assert_cmpuint (a->len, ==, b->len);
  for (guint i = 0; i < a->len; i++)
    {
      EngineioPacket *one = &g_array_index (a, EngineioPacket, i);
      EngineioPacket *other = &g_array_index (b, EngineioPacket, i);

      g_assert_cmpint (one->binary, ==, other->binary);
      g_assert_true (g_bytes_equal (one->data, other->data));
    }
}

/* @form: how to encode; a text body of protocol 3 may come from a client that takes binary. */
static void
check_back (Form form, GArray *packets)
{
  const EngineioPacket *first = &g_array_index (packets, EngineioPacket, 0);
  g_autoptr (GBytes) body = NULL;
  g_autoptr (GArray) again = NULL;
  g_autoptr (GError) error = NULL;
  gboolean is_binary = FALSE;

  if (form == FORM_V4)
    body = engineio_payload_encode_v4 (first, packets->len);
  else
    body = engineio_payload_encode_v3 (first, packets->len, form == FORM_V3_BINARY, &is_binary);

  again = decode (form == FORM_V4 ? FORM_V4
                  : is_binary     ? FORM_V3_BINARY
                                  : FORM_V3_TEXT,
                  body, &error);
  g_assert_no_error (error);
  check_equal (packets, again);
}

static void
check (Form form, GBytes *body)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) packets = decode (form, body, &error);

  if (packets == NULL)
    {
      g_assert_nonnull (error);
      return;
    }

  g_assert_cmpuint (packets->len, >, 0);
  for (guint i = 0; i < packets->len; i++)
    g_assert_true (engineio_packet_validate (&g_array_index (packets, EngineioPacket, i), NULL));

  if (form == FORM_V4)
    {
      check_back (FORM_V4, packets);
      return;
    }
  check_back (FORM_V3_TEXT, packets);
  check_back (FORM_V3_BINARY, packets);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) body = fuzz_dup (data, size);

  check (FORM_V4, body);
  check (FORM_V3_TEXT, body);
  check (FORM_V3_BINARY, body);
  return 0;
}

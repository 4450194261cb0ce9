/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engineio-payload.h"

#include <string.h>

#include "engineio-base64.h"

/* Joins the packets of a protocol 4 body. */
#define SEPARATOR '\x1e'

/* More digits than any body can have bytes, and few enough that no length overflows. */
#define MAX_LENGTH_DIGITS 9

/* First byte of a packet in the binary body of protocol 3, and the one that ends its length. */
#define BINARY_BODY_TEXT 0
#define BINARY_BODY_BINARY 1
#define BINARY_BODY_LENGTH_END 0xff

static gboolean
fail (GError **error, const char *message)
{
  g_set_error_literal (error, ENGINEIO_CODEC_ERROR, ENGINEIO_CODEC_ERROR_PAYLOAD, message);
  return FALSE;
}

static GArray *
packets_new (void)
{
  GArray *packets = g_array_new (FALSE, FALSE, sizeof (EngineioPacket));

  g_array_set_clear_func (packets, (GDestroyNotify) engineio_packet_clear);
  return packets;
}

/* U+0000 is a character like any other here, but ends a string for g_utf8_validate(). */
static gboolean
is_utf8 (const char *text, gsize length)
{
  const char *end = text + length;

  while (!g_utf8_validate_len (text, end - text, &text))
    {
      if (*text != '\0')
        return FALSE;
      text++;
    }
  return TRUE;
}

/* Takes @data. */
static gboolean
take_packet (GArray *packets, GBytes *data, gboolean binary, GError **error)
{
  EngineioPacket packet = engineio_packet_take (data, binary);

  if (!engineio_packet_validate (&packet, error))
    {
      engineio_packet_clear (&packet);
      return FALSE;
    }
  g_array_append_val (packets, packet);
  return TRUE;
}

/*
 * engineio_payload_encode_v4:
 * @packets: at least one
 *
 * Returns: (transfer full): the body; a single text packet is its own body and is not copied
 */
GBytes *
engineio_payload_encode_v4 (const EngineioPacket *packets, gsize n_packets)
{
  GString *out;
  gsize size = n_packets;

  g_return_val_if_fail (n_packets > 0, NULL);

  if (n_packets == 1 && !packets[0].binary)
    return g_bytes_ref (packets[0].data);

  for (gsize i = 0; i < n_packets; i++)
    {
      gsize length = g_bytes_get_size (packets[i].data);
      size += packets[i].binary ? 1 + engineio_base64_length (length) : length;
    }

  out = g_string_sized_new (size);
  for (gsize i = 0; i < n_packets; i++)
    {
      if (i > 0)
        g_string_append_c (out, SEPARATOR);
      if (packets[i].binary)
        {
          g_string_append_c (out, 'b');
          engineio_base64_append (out, packets[i].data);
        }
      else
        {
          gsize length;
          const char *text = g_bytes_get_data (packets[i].data, &length);
          g_string_append_len (out, text, length);
        }
    }
  return g_string_free_to_bytes (out);
}

static gboolean
decode_packet_v4 (GArray *packets, GBytes *body, gsize offset, gsize length, GError **error)
{
  const char *text = (const char *) g_bytes_get_data (body, NULL) + offset;

  if (length > 0 && text[0] == 'b')
    {
      GBytes *data = engineio_base64_decode (text + 1, length - 1, error);
      return data != NULL && take_packet (packets, data, TRUE, error);
    }
  if (!is_utf8 (text, length))
    return fail (error, "Text is not UTF-8");
  return take_packet (packets, g_bytes_new_from_bytes (body, offset, length), FALSE, error);
}

/*
 * engineio_payload_decode_v4:
 * @body: the packets made of it may be slices that keep it alive
 *
 * Returns: (transfer full) (element-type EngineioPacket): packets, or NULL with an error of
 *   ENGINEIO_CODEC_ERROR
 */
GArray *
engineio_payload_decode_v4 (GBytes *body, GError **error)
{
  g_autoptr (GArray) packets = packets_new ();
  gsize size;
  const char *text = g_bytes_get_data (body, &size);
  gsize offset = 0;

  if (size == 0)
    {
      fail (error, "Empty body");
      return NULL;
    }

  while (TRUE)
    {
      const char *separator = memchr (text + offset, SEPARATOR, size - offset);
      gsize end = separator != NULL ? (gsize) (separator - text) : size;

      if (!decode_packet_v4 (packets, body, offset, end - offset, error))
        return NULL;
      if (separator == NULL)
        return g_steal_pointer (&packets);
      offset = end + 1;
    }
}

/* JavaScript counts what it calls characters: a code point beyond U+FFFF is two of them. */
static gsize
utf16_units (const char *text, gsize length)
{
  gsize n_units = 0;

  for (gsize i = 0; i < length; i++)
    {
      guchar byte = (guchar) text[i];

      if ((byte & 0xc0) != 0x80)
        n_units += byte >= 0xf0 ? 2 : 1;
    }
  return n_units;
}

/* The end of the first @n_units of valid UTF-8, or NULL if there are fewer or the last one is half
 * a code point. */
static const char *
skip_utf16_units (const char *text, const char *end, gsize n_units)
{
  while (n_units > 0 && text < end)
    {
      gsize n = (guchar) *text >= 0xf0 ? 2 : 1;

      if (n > n_units)
        return NULL;
      n_units -= n;
      text = g_utf8_next_char (text);
    }
  return n_units == 0 ? text : NULL;
}

static void
append_v3 (GString *out, const EngineioPacket *packet)
{
  gsize length;
  const char *data = g_bytes_get_data (packet->data, &length);

  if (packet->binary)
    {
      g_string_append_printf (out, "%" G_GSIZE_FORMAT ":b%d", 2 + engineio_base64_length (length),
                              ENGINEIO_PACKET_MESSAGE);
      engineio_base64_append (out, packet->data);
    }
  else
    {
      g_string_append_printf (out, "%" G_GSIZE_FORMAT ":", utf16_units (data, length));
      g_string_append_len (out, data, length);
    }
}

/* Here lengths count bytes, for text too. */
static void
append_v3_binary (GString *out, const EngineioPacket *packet)
{
  char digits[24];
  gsize length;
  const char *data = g_bytes_get_data (packet->data, &length);

  g_snprintf (digits, sizeof digits, "%" G_GSIZE_FORMAT, length + (packet->binary ? 1 : 0));

  g_string_append_c (out, packet->binary ? BINARY_BODY_BINARY : BINARY_BODY_TEXT);
  for (const char *digit = digits; *digit != '\0'; digit++)
    g_string_append_c (out, (char) (*digit - '0'));
  g_string_append_c (out, (char) BINARY_BODY_LENGTH_END);
  if (packet->binary)
    g_string_append_c (out, ENGINEIO_PACKET_MESSAGE);
  g_string_append_len (out, data, length);
}

/*
 * engineio_payload_encode_v3:
 * @packets: at least one
 * @supports_binary: whether the client takes binary bodies
 * @is_binary: (out): whether the body is a binary one, which shows in its Content-Type
 *
 * Returns: (transfer full): the body
 */
GBytes *
engineio_payload_encode_v3 (const EngineioPacket *packets,
                            gsize n_packets,
                            gboolean supports_binary,
                            gboolean *is_binary)
{
  GString *out;
  gboolean any_binary = FALSE;
  gsize size = 0;

  g_return_val_if_fail (n_packets > 0, NULL);

  for (gsize i = 0; i < n_packets; i++)
    {
      gsize length = g_bytes_get_size (packets[i].data);

      any_binary = any_binary || packets[i].binary;
      size += 16 + (packets[i].binary ? engineio_base64_length (length) : length);
    }
  *is_binary = supports_binary && any_binary;

  out = g_string_sized_new (size);
  for (gsize i = 0; i < n_packets; i++)
    {
      if (*is_binary)
        append_v3_binary (out, &packets[i]);
      else
        append_v3 (out, &packets[i]);
    }
  return g_string_free_to_bytes (out);
}

/* Reads the digits from @offset on, whose zero is the byte @zero, up to the byte @terminator, and
 * moves @offset behind that. */
static gboolean
read_length (GBytes *body,
             gsize *offset,
             guint8 zero,
             guint8 terminator,
             gsize *length,
             GError **error)
{
  gsize size;
  const guint8 *bytes = g_bytes_get_data (body, &size);
  gsize start = *offset;
  gsize at = start;

  *length = 0;
  while (at < size && at - start < MAX_LENGTH_DIGITS && bytes[at] >= zero && bytes[at] <= zero + 9)
    *length = *length * 10 + (bytes[at++] - zero);

  if (at == start || at == size || bytes[at] != terminator || bytes[start] == zero)
    return fail (error, "Invalid length of a packet");

  *offset = at + 1;
  return TRUE;
}

/* Takes the base64 of a packet that starts with 'b' and the digit of a MESSAGE. */
static GBytes *
decode_base64_v3 (const char *text, gsize length, GError **error)
{
  if (length < 2 || text[1] != '0' + ENGINEIO_PACKET_MESSAGE)
    {
      fail (error, "A binary packet that is no message");
      return NULL;
    }
  return engineio_base64_decode (text + 2, length - 2, error);
}

static GArray *
decode_text_v3 (GBytes *body, GError **error)
{
  g_autoptr (GArray) packets = packets_new ();
  gsize size;
  const char *text = g_bytes_get_data (body, &size);
  gsize offset = 0;

  if (!is_utf8 (text, size))
    {
      fail (error, "Text is not UTF-8");
      return NULL;
    }

  while (offset < size)
    {
      GBytes *data;
      const char *end;
      gsize length;
      gboolean binary;

      if (!read_length (body, &offset, '0', ':', &length, error))
        return NULL;
      end = skip_utf16_units (text + offset, text + size, length);
      if (end == NULL)
        {
          fail (error, "A packet that ends elsewhere than its length says");
          return NULL;
        }

      length = end - (text + offset);
      binary = text[offset] == 'b';
      data = binary ? decode_base64_v3 (text + offset, length, error)
                    : g_bytes_new_from_bytes (body, offset, length);
      if (data == NULL || !take_packet (packets, data, binary, error))
        return NULL;
      offset += length;
    }
  return g_steal_pointer (&packets);
}

static gboolean
decode_binary_packet_v3 (GArray *packets,
                         GBytes *body,
                         gsize offset,
                         gsize length,
                         gboolean binary,
                         GError **error)
{
  const char *bytes = (const char *) g_bytes_get_data (body, NULL) + offset;

  if (binary)
    {
      if (bytes[0] != ENGINEIO_PACKET_MESSAGE)
        return fail (error, "A binary packet that is no message");
      return take_packet (packets, g_bytes_new_from_bytes (body, offset + 1, length - 1), TRUE,
                          error);
    }
  if (!is_utf8 (bytes, length))
    return fail (error, "Text is not UTF-8");
  return take_packet (packets, g_bytes_new_from_bytes (body, offset, length), FALSE, error);
}

static GArray *
decode_binary_v3 (GBytes *body, GError **error)
{
  g_autoptr (GArray) packets = packets_new ();
  gsize size;
  const guint8 *bytes = g_bytes_get_data (body, &size);
  gsize offset = 0;

  while (offset < size)
    {
      guint8 kind = bytes[offset++];
      gsize length;

      if (kind != BINARY_BODY_TEXT && kind != BINARY_BODY_BINARY)
        {
          fail (error, "Neither a text nor a binary packet");
          return NULL;
        }
      if (!read_length (body, &offset, 0, BINARY_BODY_LENGTH_END, &length, error))
        return NULL;
      if (length > size - offset)
        {
          fail (error, "A packet that is shorter than its length says");
          return NULL;
        }
      if (!decode_binary_packet_v3 (packets, body, offset, length, kind == BINARY_BODY_BINARY,
                                    error))
        return NULL;
      offset += length;
    }
  return g_steal_pointer (&packets);
}

/*
 * engineio_payload_decode_v3:
 * @body: the packets made of it may be slices that keep it alive
 * @is_binary: whether the client declared it as application/octet-stream
 *
 * Returns: (transfer full) (element-type EngineioPacket): packets, or NULL with an error of
 *   ENGINEIO_CODEC_ERROR
 */
GArray *
engineio_payload_decode_v3 (GBytes *body, gboolean is_binary, GError **error)
{
  if (g_bytes_get_size (body) == 0)
    {
      fail (error, "Empty body");
      return NULL;
    }
  return is_binary ? decode_binary_v3 (body, error) : decode_text_v3 (body, error);
}

/*
 * engineio_frame_encode_binary_v3:
 *
 * Returns: (transfer full): the payload of a binary frame
 */
GBytes *
engineio_frame_encode_binary_v3 (GBytes *data)
{
  gsize length;
  gconstpointer bytes = g_bytes_get_data (data, &length);
  guint8 *frame = g_malloc (length + 1);

  frame[0] = ENGINEIO_PACKET_MESSAGE;
  if (length > 0)
    memcpy (frame + 1, bytes, length);
  return g_bytes_new_take (frame, length + 1);
}

/*
 * engineio_frame_decode_v3:
 * @frame: payload of a frame; that of a text frame is valid UTF-8, which RFC 6455 has seen to
 * @packet: (out): set, and owned by the caller, only where this returns TRUE
 */
gboolean
engineio_frame_decode_v3 (GBytes *frame, gboolean is_binary, EngineioPacket *packet, GError **error)
{
  EngineioPacket decoded;
  gsize length;
  const char *bytes = g_bytes_get_data (frame, &length);

  if (is_binary)
    {
      if (length == 0 || bytes[0] != ENGINEIO_PACKET_MESSAGE)
        return fail (error, "A binary frame that is no message");
      *packet = engineio_packet_take (g_bytes_new_from_bytes (frame, 1, length - 1), TRUE);
      return TRUE;
    }

  if (length > 0 && bytes[0] == 'b')
    {
      GBytes *data = decode_base64_v3 (bytes, length, error);

      if (data == NULL)
        return FALSE;
      *packet = engineio_packet_take (data, TRUE);
      return TRUE;
    }

  decoded = engineio_packet_take (frame, FALSE);
  if (!engineio_packet_validate (&decoded, error))
    return FALSE;
  *packet = engineio_packet_copy (&decoded);
  return TRUE;
}

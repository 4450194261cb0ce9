/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "engineio-packet.h"

#include <string.h>

typedef struct
{
  const char *name;
  const char *text;
  gsize length;
  gboolean valid;
} TextCase;

#define TEXT(string) string, sizeof (string) - 1

static const TextCase text_cases[] = {
  { "open", TEXT ("0{}"), TRUE },
  { "ping-with-data", TEXT ("2probe"), TRUE },
  { "noop", TEXT ("6"), TRUE },
  { "empty", TEXT (""), FALSE },
  { "type-behind-the-last", TEXT ("7"), FALSE },
  { "type-before-the-first", TEXT ("/"), FALSE },
  { "letter", TEXT ("b4AAAA"), FALSE },
  { "nul", TEXT ("\0"), FALSE },
  { "high-byte", TEXT ("\xb4"), FALSE },
};

static void
test_validate_text (gconstpointer data)
{
  const TextCase *c = data;
  g_autoptr (GError) error = NULL;
  EngineioPacket packet = engineio_packet_take (g_bytes_new (c->text, c->length), FALSE);

  if (c->valid)
    {
      g_assert_true (engineio_packet_validate (&packet, &error));
      g_assert_no_error (error);
      g_assert_cmpint (engineio_packet_get_type_of (&packet), ==, c->text[0] - '0');
    }
  else
    {
      g_assert_false (engineio_packet_validate (&packet, &error));
      g_assert_error (error, ENGINEIO_CODEC_ERROR, ENGINEIO_CODEC_ERROR_PACKET);
    }
  engineio_packet_clear (&packet);
}

static void
test_binary_is_always_a_message (void)
{
  static const char *const contents[] = { "", "0", "9", "\xff" };

  for (gsize i = 0; i < G_N_ELEMENTS (contents); i++)
    {
      g_autoptr (GError) error = NULL;
      EngineioPacket packet =
          engineio_packet_take (g_bytes_new_static (contents[i], strlen (contents[i])), TRUE);

      g_assert_true (engineio_packet_validate (&packet, &error));
      g_assert_no_error (error);
      g_assert_cmpint (engineio_packet_get_type_of (&packet), ==, ENGINEIO_PACKET_MESSAGE);
      engineio_packet_clear (&packet);
    }
}

static void
test_static_text (void)
{
  EngineioPacket packet = engineio_packet_new_static ("3probe");

  g_assert_false (packet.binary);
  g_assert_cmpmem (g_bytes_get_data (packet.data, NULL), g_bytes_get_size (packet.data), "3probe",
                   6);
  g_assert_cmpint (engineio_packet_get_type_of (&packet), ==, ENGINEIO_PACKET_PONG);
  engineio_packet_clear (&packet);
}

static void
count_free (gpointer data)
{
  ++*(guint *) data;
}

static void
test_copy_shares_the_bytes (void)
{
  guint n_freed = 0;
  GBytes *bytes = g_bytes_new_with_free_func ("4a", 2, count_free, &n_freed);
  EngineioPacket packet = engineio_packet_take (bytes, FALSE);
  EngineioPacket copy = engineio_packet_copy (&packet);

  g_assert_true (copy.data == bytes);
  g_assert_false (copy.binary);

  engineio_packet_clear (&packet);
  g_assert_null (packet.data);
  g_assert_cmpuint (n_freed, ==, 0);
  engineio_packet_clear (&copy);
  g_assert_cmpuint (n_freed, ==, 1);
}

static void
test_clear_twice (void)
{
  EngineioPacket packet = engineio_packet_take (g_bytes_new ("x", 1), TRUE);

  engineio_packet_clear (&packet);
  engineio_packet_clear (&packet);
  g_assert_null (packet.data);
  g_assert_false (packet.binary);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (text_cases); i++)
    {
      g_autofree char *path = g_strconcat ("/engineio-packet/validate/", text_cases[i].name, NULL);
      g_test_add_data_func (path, &text_cases[i], test_validate_text);
    }
  g_test_add_func ("/engineio-packet/binary-is-always-a-message", test_binary_is_always_a_message);
  g_test_add_func ("/engineio-packet/static-text", test_static_text);
  g_test_add_func ("/engineio-packet/copy-shares-the-bytes", test_copy_shares_the_bytes);
  g_test_add_func ("/engineio-packet/clear-twice", test_clear_twice);
  return g_test_run ();
}

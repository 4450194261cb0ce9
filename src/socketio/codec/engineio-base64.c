/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engineio-base64.h"

#include <string.h>

#include "engineio-packet.h"

gsize
engineio_base64_length (gsize length)
{
  return (length + 2) / 3 * 4;
}

void
engineio_base64_append (GString *out, GBytes *data)
{
  gsize length;
  const guchar *bytes = g_bytes_get_data (data, &length);
  gsize start = out->len;
  gsize written;
  int state = 0;
  int save = 0;

  /* what g_base64_encode_step() and _close() ask for: more than they will use */
  g_string_set_size (out, start + (length / 3 + 1) * 4 + 4);
  written = g_base64_encode_step (bytes, length, FALSE, out->str + start, &state, &save);
  written += g_base64_encode_close (FALSE, out->str + start + written, &state, &save);
  g_string_set_size (out, start + written);
}

/* g_base64_decode() skips what it does not know; a peer that sends such things is broken. */
static gboolean
is_base64 (const char *text, gsize length)
{
  gsize n_padding = 0;

  if (length % 4 != 0)
    return FALSE;
  if (length == 0)
    return TRUE;

  while (n_padding < 2 && text[length - 1] == '=')
    {
      n_padding++;
      length--;
    }
  for (gsize i = 0; i < length; i++)
    {
      if (!g_ascii_isalnum (text[i]) && text[i] != '+' && text[i] != '/')
        return FALSE;
    }

  /* the bits of the last digit that belong to no byte must be zero */
  if (n_padding == 2)
    return strchr ("AQgw", text[length - 1]) != NULL;
  if (n_padding == 1)
    return strchr ("AEIMQUYcgkosw048", text[length - 1]) != NULL;
  return TRUE;
}

/*
 * engineio_base64_decode:
 *
 * Returns: (transfer full) (nullable): the bytes; NULL with an error of ENGINEIO_CODEC_ERROR if the
 *   text is anything but base64
 */
GBytes *
engineio_base64_decode (const char *text, gsize length, GError **error)
{
  g_autofree guchar *bytes = NULL;
  gsize n_bytes;
  int state = 0;
  guint save = 0;

  if (!is_base64 (text, length))
    {
      g_set_error_literal (error, ENGINEIO_CODEC_ERROR, ENGINEIO_CODEC_ERROR_PAYLOAD,
                           "Invalid base64");
      return NULL;
    }

  /* g_base64_decode_step() may write one group of three past the last whole one */
  bytes = g_malloc (length / 4 * 3 + 3);
  n_bytes = g_base64_decode_step (text, length, bytes, &state, &save);
  return g_bytes_new_take (g_steal_pointer (&bytes), n_bytes);
}

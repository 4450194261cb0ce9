/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz.h"

#include "socketio-json.h"

/* Any JSON: what is parsed and written is valid UTF-8, and reads back as the same. */

static char *
to_json (JsonNode *node, gsize *length)
{
  GString *out = g_string_new (NULL);

  socketio_json_append_node (out, node);
  *length = out->len;
  return g_string_free (out, FALSE);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = socketio_json_parse ((const char *) data, size, &error);
  g_autoptr (JsonNode) again = NULL;
  g_autofree char *text = NULL;
  g_autofree char *text_again = NULL;
  gsize length;

  if (node == NULL)
    {
      g_assert_cmpint (error->domain, ==, JSON_PARSER_ERROR);
      return 0;
    }

  text = to_json (node, &length);
  g_assert_true (g_utf8_validate_len (text, length, NULL));
  again = socketio_json_parse (text, length, &error);
  g_assert_no_error (error);
  text_again = to_json (again, &length);
  g_assert_cmpstr (text, ==, text_again);
  return 0;
}

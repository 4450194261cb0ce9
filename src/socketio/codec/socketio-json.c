/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "socketio-json.h"

#include "socketio-json-scan.h"

#include <math.h>
#include <string.h>

JsonNode *
socketio_json_parse (const char *text, gsize length, GError **error)
{
  g_autoptr (GString) corrected = NULL;
  g_autoptr (JsonParser) parser = NULL;

  if (!socketio_json_scan (text, length, &corrected, error))
    return NULL;

  if (corrected != NULL)
    {
      text = corrected->str;
      length = corrected->len;
    }
  parser = json_parser_new ();
  if (!json_parser_load_from_data (parser, text, (gssize) length, error))
    return NULL;
  return json_parser_steal_root (parser);
}

static void
append_escaped (GString *out, guchar byte)
{
  static const char hex[] = "0123456789abcdef";

  switch (byte)
    {
    case '"':
      g_string_append_len (out, "\\\"", 2);
      break;
    case '\\':
      g_string_append_len (out, "\\\\", 2);
      break;
    case '\n':
      g_string_append_len (out, "\\n", 2);
      break;
    case '\r':
      g_string_append_len (out, "\\r", 2);
      break;
    case '\t':
      g_string_append_len (out, "\\t", 2);
      break;
    default:
      g_string_append_len (out, "\\u00", 4);
      g_string_append_c (out, hex[byte >> 4]);
      g_string_append_c (out, hex[byte & 0xf]);
    }
}

/*
 * socketio_json_append_string:
 * @text: valid UTF-8, which is the caller's duty: it is not checked here, once for each token of
 *   each stream
 * @length: in bytes, or -1; a NUL within them becomes \u0000
 */
void
socketio_json_append_string (GString *out, const char *text, gssize length)
{
  const char *end = text + (length < 0 ? strlen (text) : (gsize) length);
  const char *run = text;

  g_string_append_c (out, '"');
  for (const char *at = text; at < end; at++)
    {
      guchar byte = (guchar) *at;

      if (G_LIKELY (byte >= 0x20 && byte != '"' && byte != '\\'))
        continue;
      g_string_append_len (out, run, at - run);
      append_escaped (out, byte);
      run = at + 1;
    }
  g_string_append_len (out, run, end - run);
  g_string_append_c (out, '"');
}

/* The shortest form that reads back as @value, and as a double. JSON has no infinities. */
static void
append_double (GString *out, double value)
{
  static const char *const formats[] = { "%.15g", "%.16g", "%.17g" };
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];

  if (!isfinite (value))
    {
      g_string_append (out, "null");
      return;
    }

  for (gsize i = 0; i < G_N_ELEMENTS (formats); i++)
    {
      g_ascii_formatd (buffer, sizeof buffer, formats[i], value);
      if (g_ascii_strtod (buffer, NULL) == value)
        break;
    }
  g_string_append (out, buffer);
  if (strpbrk (buffer, ".e") == NULL)
    g_string_append (out, ".0");
}

static void
append_value (GString *out, JsonNode *node)
{
  switch (json_node_get_value_type (node))
    {
    case G_TYPE_STRING:
      {
        const char *string = json_node_get_string (node);

        if (string != NULL)
          socketio_json_append_string (out, string, -1);
        else
          g_string_append (out, "null");
        break;
      }
    case G_TYPE_INT64:
      g_string_append_printf (out, "%" G_GINT64_FORMAT, json_node_get_int (node));
      break;
    case G_TYPE_DOUBLE:
      append_double (out, json_node_get_double (node));
      break;
    case G_TYPE_BOOLEAN:
      g_string_append (out, json_node_get_boolean (node) ? "true" : "false");
      break;
    default:
      g_string_append (out, "null");
    }
}

static void
append_array (GString *out, JsonArray *array)
{
  guint length = json_array_get_length (array);

  g_string_append_c (out, '[');
  for (guint i = 0; i < length; i++)
    {
      if (i > 0)
        g_string_append_c (out, ',');
      socketio_json_append_node (out, json_array_get_element (array, i));
    }
  g_string_append_c (out, ']');
}

static void
append_object (GString *out, JsonObject *object)
{
  JsonObjectIter iter;
  const char *name;
  JsonNode *node;
  gboolean first = TRUE;

  g_string_append_c (out, '{');
  json_object_iter_init_ordered (&iter, object);
  while (json_object_iter_next_ordered (&iter, &name, &node))
    {
      if (!first)
        g_string_append_c (out, ',');
      first = FALSE;
      socketio_json_append_string (out, name, -1);
      g_string_append_c (out, ':');
      socketio_json_append_node (out, node);
    }
  g_string_append_c (out, '}');
}

/*
 * socketio_json_append_node:
 *
 * Recurses as deep as @node is: a tree from socketio_json_parse() has a bound; of their own trees
 * applications take care themselves, as json-glib asks of them too.
 */
void
socketio_json_append_node (GString *out, JsonNode *node)
{
  switch (json_node_get_node_type (node))
    {
    case JSON_NODE_OBJECT:
      if (json_node_get_object (node) != NULL)
        {
          append_object (out, json_node_get_object (node));
          return;
        }
      break;
    case JSON_NODE_ARRAY:
      if (json_node_get_array (node) != NULL)
        {
          append_array (out, json_node_get_array (node));
          return;
        }
      break;
    case JSON_NODE_VALUE:
      append_value (out, node);
      return;
    case JSON_NODE_NULL:
    default:
      break;
    }
  g_string_append (out, "null");
}

char *
socketio_json_to_string (JsonNode *node)
{
  GString *out = g_string_new (NULL);

  socketio_json_append_node (out, node);

  return g_string_free (out, FALSE);
}

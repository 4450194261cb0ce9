/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-parts.h"

#include <string.h>

#include "socketio-json.h"

static void
append_part (GString *out, const char *type, const char *text)
{
  if (out->len > 1)
    g_string_append_c (out, ',');
  g_string_append (out, "{\"type\":");
  socketio_json_append_string (out, type, -1);
  g_string_append (out, ",\"text\":");
  socketio_json_append_string (out, text, -1);
  g_string_append_c (out, '}');
}

/**
 * confab_parts_new:
 * @text: (nullable): what is said
 * @reasoning: (nullable): the thinking before it
 *
 * Returns: (transfer full): JSON with a part for each that is not empty
 */
char *
confab_parts_new (const char *text, const char *reasoning)
{
  GString *parts = g_string_new ("[");

  if (reasoning != NULL && *reasoning != '\0')
    append_part (parts, "reasoning", reasoning);
  if (text != NULL && *text != '\0')
    append_part (parts, "text", text);
  g_string_append_c (parts, ']');

  return g_string_free (parts, FALSE);
}

static const char *
get_string_member (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  if (node == NULL || !JSON_NODE_HOLDS_VALUE (node)
      || json_node_get_value_type (node) != G_TYPE_STRING)
    return NULL;

  return json_node_get_string (node);
}

/**
 * confab_parts_join:
 * @parts: JSON of the parts of a message
 * @type: the type of those wanted: "text" or "reasoning"
 *
 * Returns: (transfer full) (nullable): their text; %NULL if @parts is not a JSON array
 */
char *
confab_parts_join (const char *parts, const char *type)
{
  g_autoptr (JsonNode) root = NULL;
  GString *joined;
  JsonArray *array;

  g_return_val_if_fail (parts != NULL && type != NULL, NULL);

  /* json-glib's own parser takes what is no JSON, leaks on it, and nests until the stack ends */
  root = socketio_json_parse (parts, strlen (parts), NULL);
  if (root == NULL || !JSON_NODE_HOLDS_ARRAY (root))
    return NULL;

  joined = g_string_new (NULL);
  array = json_node_get_array (root);
  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      JsonNode *part = json_array_get_element (array, i);
      const char *text;

      if (!JSON_NODE_HOLDS_OBJECT (part)
          || g_strcmp0 (get_string_member (json_node_get_object (part), "type"), type) != 0)
        continue;

      text = get_string_member (json_node_get_object (part), "text");
      if (text != NULL)
        g_string_append (joined, text);
    }

  return g_string_free (joined, FALSE);
}

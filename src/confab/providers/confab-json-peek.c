/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-json-peek.h"

JsonNode *
confab_json_peek_value (JsonObject *object, const char *name, GType type)
{
  JsonNode *node = json_object_get_member (object, name);

  if (node == NULL || !JSON_NODE_HOLDS_VALUE (node) || json_node_get_value_type (node) != type)
    return NULL;

  return node;
}

const char *
confab_json_peek_string (JsonObject *object, const char *name)
{
  JsonNode *node = confab_json_peek_value (object, name, G_TYPE_STRING);

  return node != NULL ? json_node_get_string (node) : NULL;
}

JsonObject *
confab_json_peek_object (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

JsonArray *
confab_json_peek_array (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
}

JsonObject *
confab_json_peek_element (JsonArray *array, guint index)
{
  JsonNode *node = json_array_get_element (array, index);

  return JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

gint64
confab_json_peek_count (JsonObject *object, const char *name)
{
  JsonNode *node = object != NULL ? confab_json_peek_value (object, name, G_TYPE_INT64) : NULL;

  return node != NULL ? MAX (json_node_get_int (node), -1) : -1;
}

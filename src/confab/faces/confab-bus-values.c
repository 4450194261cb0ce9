/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-bus-values.h"

static GVariant *from_array (JsonArray *array);

/* Returns: (transfer floating) (nullable): NULL for null, which D-Bus does not have */
static GVariant *
from_node (JsonNode *node)
{
  switch (json_node_get_node_type (node))
    {
    case JSON_NODE_OBJECT:
      return confab_bus_value_from_object (json_node_get_object (node));
    case JSON_NODE_ARRAY:
      return from_array (json_node_get_array (node));
    case JSON_NODE_VALUE:
      if (json_node_get_value_type (node) == G_TYPE_STRING)
        return g_variant_new_string (json_node_get_string (node));
      if (json_node_get_value_type (node) == G_TYPE_BOOLEAN)
        return g_variant_new_boolean (json_node_get_boolean (node));
      if (json_node_get_value_type (node) == G_TYPE_INT64)
        return g_variant_new_int64 (json_node_get_int (node));
      return g_variant_new_double (json_node_get_double (node));
    case JSON_NODE_NULL:
    default:
      return NULL;
    }
}

static gboolean
all_are (JsonArray *array, JsonNodeType type, GType value_type)
{
  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      JsonNode *node = json_array_get_element (array, i);

      if (json_node_get_node_type (node) != type
          || (type == JSON_NODE_VALUE && json_node_get_value_type (node) != value_type))
        return FALSE;
    }

  return json_array_get_length (array) > 0;
}

/* Lists of objects and of strings have their own type; whatever else is a list of variants. */
static GVariant *
from_array (JsonArray *array)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("av"));

  if (all_are (array, JSON_NODE_OBJECT, G_TYPE_INVALID))
    return confab_bus_value_from_objects (array);

  if (all_are (array, JSON_NODE_VALUE, G_TYPE_STRING))
    {
      g_auto (GVariantBuilder) strings = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("as"));

      for (guint i = 0; i < json_array_get_length (array); i++)
        g_variant_builder_add (&strings, "s", json_array_get_string_element (array, i));
      return g_variant_builder_end (&strings);
    }

  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      GVariant *value = from_node (json_array_get_element (array, i));

      if (value != NULL)
        g_variant_builder_add (&builder, "v", value);
    }

  return g_variant_builder_end (&builder);
}

/**
 * confab_bus_value_from_object:
 * @object: (nullable): an object
 *
 * Returns: (transfer floating): it as `a{sv}`, without the members that are null
 */
GVariant *
confab_bus_value_from_object (JsonObject *object)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);
  JsonObjectIter iter;
  const char *name;
  JsonNode *node;

  if (object == NULL)
    return g_variant_builder_end (&builder);

  json_object_iter_init_ordered (&iter, object);
  while (json_object_iter_next_ordered (&iter, &name, &node))
    {
      GVariant *value = from_node (node);

      if (value != NULL)
        g_variant_builder_add (&builder, "{sv}", name, value);
    }

  return g_variant_builder_end (&builder);
}

/**
 * confab_bus_value_from_objects:
 * @objects: an array of objects only
 *
 * Returns: (transfer floating): it as `aa{sv}`
 */
GVariant *
confab_bus_value_from_objects (JsonArray *objects)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("aa{sv}"));

  for (guint i = 0; i < json_array_get_length (objects); i++)
    g_variant_builder_add_value (
        &builder, confab_bus_value_from_object (json_array_get_object_element (objects, i)));

  return g_variant_builder_end (&builder);
}

/**
 * confab_bus_value_to_object:
 * @value: an `a{sv}`
 *
 * Returns: (transfer full): it as an object; variants are what is in them
 */
JsonObject *
confab_bus_value_to_object (GVariant *value)
{
  g_autoptr (JsonNode) node = json_gvariant_serialize (value);

  g_return_val_if_fail (JSON_NODE_HOLDS_OBJECT (node), json_object_new ());

  return json_node_dup_object (node);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "confab-chat-json.h"
#include "confab-json-peek.h"
#include "socketio-json.h"

/* The bracket that opens a list or an object needs no comma after it. */
static void
append_comma (GString *out)
{
  if (out->len > 0 && strchr ("[{", out->str[out->len - 1]) == NULL)
    g_string_append_c (out, ',');
}

/**
 * confab_chat_json_append_message:
 * @out: a list that is being written
 */
void
confab_chat_json_append_message (GString *out, const char *role, const char *content)
{
  append_comma (out);
  g_string_append (out, "{\"role\":");
  socketio_json_append_string (out, role, -1);
  g_string_append (out, ",\"content\":");
  socketio_json_append_string (out, content, -1);
  g_string_append_c (out, '}');
}

/**
 * confab_chat_json_append_turns:
 * @out: a list that is being written
 *
 * Appends all turns, one message each.
 */
void
confab_chat_json_append_turns (GString *out, ConfabPrompt *prompt)
{
  for (guint i = 0; i < confab_prompt_get_n_turns (prompt); i++)
    confab_chat_json_append_message (
        out, confab_role_to_string (confab_prompt_get_turn_role (prompt, i)),
        confab_prompt_get_turn_content (prompt, i));
}

/* Returns: (nullable): what the API calls it; NULL if it is to be left out */
static const char *
find_upstream_name (const ConfabParameterName *names, const char *name)
{
  for (; names->name != NULL; names++)
    {
      if (strcmp (names->name, name) == 0)
        return names->upstream_name;
    }

  return name;
}

/**
 * confab_chat_json_append_parameters:
 * @out: an object that is being written
 * @parameters: (nullable)
 * @names: up to one without a name; parameters that are not listed keep theirs
 *
 * Appends a prompt's parameters as members.
 */
void
confab_chat_json_append_parameters (GString *out,
                                    JsonObject *parameters,
                                    const ConfabParameterName *names)
{
  JsonObjectIter iter;
  const char *name;
  JsonNode *value;

  if (parameters == NULL)
    return;

  json_object_iter_init_ordered (&iter, parameters);
  while (json_object_iter_next_ordered (&iter, &name, &value))
    {
      const char *upstream_name = find_upstream_name (names, name);

      if (upstream_name == NULL)
        continue;
      append_comma (out);
      socketio_json_append_string (out, upstream_name, -1);
      g_string_append_c (out, ':');
      socketio_json_append_node (out, value);
    }
}

/**
 * confab_chat_json_parse_models:
 * @node: an object with the member @list, an array of objects with the member @name; null for the
 *   array, as Ollama's Go writes an empty one, counts as empty
 *
 * Returns: (transfer full) (element-type utf8) (nullable): the names; NULL if it is something else
 */
GPtrArray *
confab_chat_json_parse_models (JsonNode *node, const char *list, const char *name)
{
  g_autoptr (GPtrArray) models = g_ptr_array_new_with_free_func (g_free);
  JsonNode *member = NULL;
  JsonArray *array;

  if (JSON_NODE_HOLDS_OBJECT (node))
    member = json_object_get_member (json_node_get_object (node), list);
  if (member == NULL || (!JSON_NODE_HOLDS_ARRAY (member) && !JSON_NODE_HOLDS_NULL (member)))
    return NULL;

  array = JSON_NODE_HOLDS_ARRAY (member) ? json_node_get_array (member) : NULL;
  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++)
    {
      JsonObject *entry = confab_json_peek_element (array, i);
      const char *model = entry != NULL ? confab_json_peek_string (entry, name) : NULL;

      if (model != NULL)
        g_ptr_array_add (models, g_strdup (model));
    }

  return g_steal_pointer (&models);
}

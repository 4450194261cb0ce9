/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>
#include <libsoup/soup.h>
#include <glib/gi18n-lib.h>

#include "confab-openai-request.h"
#include "confab-error.h"
#include "socketio-json.h"

static void
append_message (GString *body, const char *role, const char *content)
{
  if (body->str[body->len - 1] != '[')
    g_string_append_c (body, ',');
  g_string_append (body, "{\"role\":");
  socketio_json_append_string (body, role, -1);
  g_string_append (body, ",\"content\":");
  socketio_json_append_string (body, content, -1);
  g_string_append_c (body, '}');
}

/* What this provider sets itself; parameters cannot change it. */
static gboolean
is_reserved (const char *name)
{
  static const char *const reserved[] = {
    "model", "messages", "stream", "stream_options", "n", NULL
  };

  return g_strv_contains (reserved, name);
}

static void
append_parameters (GString *body, JsonObject *parameters)
{
  JsonObjectIter iter;
  const char *name;
  JsonNode *value;

  json_object_iter_init_ordered (&iter, parameters);
  while (json_object_iter_next_ordered (&iter, &name, &value))
    {
      if (is_reserved (name))
        continue;
      g_string_append_c (body, ',');
      socketio_json_append_string (body, name, -1);
      g_string_append_c (body, ':');
      socketio_json_append_node (body, value);
    }
}

/**
 * confab_openai_build_request:
 *
 * Returns: (transfer full): the body of a streaming Chat Completions request
 */
GBytes *
confab_openai_build_request (ConfabPrompt *prompt, const char *model)
{
  g_autoptr (GString) body = g_string_new ("{\"model\":");

  socketio_json_append_string (body, model, -1);
  g_string_append (body, ",\"messages\":[");
  if (confab_prompt_get_instructions (prompt) != NULL)
    append_message (body, "system", confab_prompt_get_instructions (prompt));
  for (guint i = 0; i < confab_prompt_get_n_turns (prompt); i++)
    append_message (body, confab_role_to_string (confab_prompt_get_turn_role (prompt, i)),
                    confab_prompt_get_turn_content (prompt, i));
  g_string_append (body, "],\"stream\":true,\"stream_options\":{\"include_usage\":true}");
  if (confab_prompt_get_parameters (prompt) != NULL)
    append_parameters (body, confab_prompt_get_parameters (prompt));
  g_string_append_c (body, '}');

  return g_string_free_to_bytes (g_steal_pointer (&body));
}

/**
 * confab_openai_parse_models:
 * @node: `{"data":[{"id":…},…]}`
 *
 * Returns: (transfer full) (element-type utf8) (nullable): the ids; NULL if it is something else
 */
GPtrArray *
confab_openai_parse_models (JsonNode *node)
{
  g_autoptr (GPtrArray) models = g_ptr_array_new_with_free_func (g_free);
  JsonNode *data = NULL;
  JsonArray *list;

  if (JSON_NODE_HOLDS_OBJECT (node))
    data = json_object_get_member (json_node_get_object (node), "data");
  if (data == NULL || (!JSON_NODE_HOLDS_ARRAY (data) && !JSON_NODE_HOLDS_NULL (data)))
    return NULL;

  /* Ollama without models says null. */
  if (JSON_NODE_HOLDS_NULL (data))
    return g_steal_pointer (&models);

  list = json_node_get_array (data);
  for (guint i = 0; i < json_array_get_length (list); i++)
    {
      JsonNode *entry = json_array_get_element (list, i);
      JsonNode *id = NULL;

      if (JSON_NODE_HOLDS_OBJECT (entry))
        id = json_object_get_member (json_node_get_object (entry), "id");
      if (id != NULL && JSON_NODE_HOLDS_VALUE (id)
          && json_node_get_value_type (id) == G_TYPE_STRING)
        g_ptr_array_add (models, json_node_dup_string (id));
    }

  return g_steal_pointer (&models);
}

/**
 * confab_openai_check_base_url:
 *
 * Returns: (transfer full) (nullable): the URL without a slash at its end; NULL with
 *   %CONFAB_ERROR_INVALID_REQUEST if it cannot be a base URL
 */
char *
confab_openai_check_base_url (const char *base_url, GError **error)
{
  g_autoptr (GError) reason = NULL;
  g_autoptr (GUri) uri = g_uri_parse (base_url, SOUP_HTTP_URI_FLAGS, &reason);
  g_autofree char *url = g_strdup (base_url);
  const char *scheme = uri != NULL ? g_uri_get_scheme (uri) : "";
  const char *host = uri != NULL ? g_uri_get_host (uri) : NULL;

  if (uri == NULL || host == NULL || *host == '\0'
      || (strcmp (scheme, "http") != 0 && strcmp (scheme, "https") != 0))
    {
      g_set_error (error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST,
                   _ ("“%s” is not a base URL; it must begin with http:// or https:// and name a "
                      "host, such as http://127.0.0.1:8080/v1."),
                   base_url);
      return NULL;
    }

  if (g_uri_get_query (uri) != NULL || g_uri_get_fragment (uri) != NULL
      || g_uri_get_userinfo (uri) != NULL)
    {
      g_set_error_literal (error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST,
                           _ ("The base URL must hold no “?”, no “#”, and no user and password; "
                              "a key goes into OPENAI_API_KEY."));
      return NULL;
    }

  while (g_str_has_suffix (url, "/"))
    url[strlen (url) - 1] = '\0';

  return g_steal_pointer (&url);
}

/**
 * confab_openai_check_api_key:
 *
 * The key becomes part of a header, so it must not be able to begin another one.
 *
 * Returns: FALSE with %CONFAB_ERROR_INVALID_REQUEST, which does not hold the key
 */
gboolean
confab_openai_check_api_key (const char *api_key, GError **error)
{
  for (const char *p = api_key; *p != '\0'; p++)
    {
      if (!g_ascii_isgraph (*p))
        {
          g_set_error_literal (error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST,
                               _ ("The API key holds spaces or other characters that no key has."));
          return FALSE;
        }
    }

  return TRUE;
}

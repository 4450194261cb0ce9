/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-ollama-request.h"
#include "confab-chat-json.h"
#include "socketio-json.h"

/* Parameters of the request; all others are options of the model. */
static const char *const request_parameters[] = { "think", "format", "keep_alive" };

static const ConfabParameterName option_names[] = {
  { "max_tokens", "num_predict" },
  { "max_completion_tokens", "num_predict" },
  /* What the provider sets itself; parameters cannot change it. */
  { "model", NULL },
  { "messages", NULL },
  { "stream", NULL },
  { "options", NULL },
  /* See request_parameters. */
  { "think", NULL },
  { "format", NULL },
  { "keep_alive", NULL },
  { NULL },
};

/**
 * confab_ollama_build_request:
 *
 * Returns: (transfer full): the body of a streaming chat request
 */
GBytes *
confab_ollama_build_request (ConfabPrompt *prompt, const char *model)
{
  JsonObject *parameters = confab_prompt_get_parameters (prompt);
  g_autoptr (GString) body = g_string_new ("{\"model\":");

  socketio_json_append_string (body, model, -1);
  g_string_append (body, ",\"messages\":[");
  if (confab_prompt_get_instructions (prompt) != NULL)
    confab_chat_json_append_message (body, "system", confab_prompt_get_instructions (prompt));
  confab_chat_json_append_turns (body, prompt);
  g_string_append (body, "],\"stream\":true");
  for (gsize i = 0; parameters != NULL && i < G_N_ELEMENTS (request_parameters); i++)
    {
      JsonNode *value = json_object_get_member (parameters, request_parameters[i]);

      if (value == NULL)
        continue;
      g_string_append_printf (body, ",\"%s\":", request_parameters[i]);
      socketio_json_append_node (body, value);
    }
  g_string_append (body, ",\"options\":{");
  confab_chat_json_append_parameters (body, parameters, option_names);
  g_string_append (body, "}}");

  return g_string_free_to_bytes (g_steal_pointer (&body));
}

/**
 * confab_ollama_parse_models:
 * @node: `{"models":[{"name":…},…]}`
 *
 * Returns: (transfer full) (element-type utf8) (nullable): the names; NULL if it is something else
 */
GPtrArray *
confab_ollama_parse_models (JsonNode *node)
{
  return confab_chat_json_parse_models (node, "models", "name");
}

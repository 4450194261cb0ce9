/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-openai-request.h"
#include "confab-chat-json.h"
#include "socketio-json.h"

/* What the provider sets itself; parameters cannot change it. */
static const ConfabParameterName parameter_names[] = {
  { "model", NULL },          { "messages", NULL }, { "stream", NULL },
  { "stream_options", NULL }, { "n", NULL },        { NULL },
};

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
    confab_chat_json_append_message (body, "system", confab_prompt_get_instructions (prompt));
  confab_chat_json_append_turns (body, prompt);
  g_string_append (body, "],\"stream\":true,\"stream_options\":{\"include_usage\":true}");
  confab_chat_json_append_parameters (body, confab_prompt_get_parameters (prompt), parameter_names);
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
  return confab_chat_json_parse_models (node, "data", "id");
}

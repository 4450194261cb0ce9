/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-openai-responses-request.h"
#include "confab-chat-json.h"
#include "socketio-json.h"

static const ConfabParameterName parameter_names[] = {
  { "max_tokens", "max_output_tokens" },
  { "max_completion_tokens", "max_output_tokens" },
  /* What the provider sets itself; parameters cannot change it. */
  { "model", NULL },
  { "input", NULL },
  { "instructions", NULL },
  { "stream", NULL },
  { "store", NULL },
  { "background", NULL },
  /* Unknown to this API, which refuses what it does not know. */
  { "seed", NULL },
  { NULL },
};

/**
 * confab_openai_responses_build_request:
 *
 * The whole conversation is sent each time and nothing is to be kept there: Confab is what keeps
 * it.
 *
 * Returns: (transfer full): the body of a streaming Responses request
 */
GBytes *
confab_openai_responses_build_request (ConfabPrompt *prompt, const char *model)
{
  g_autoptr (GString) body = g_string_new ("{\"model\":");

  socketio_json_append_string (body, model, -1);
  g_string_append (body, ",\"input\":[");
  confab_chat_json_append_turns (body, prompt);
  g_string_append_c (body, ']');
  if (confab_prompt_get_instructions (prompt) != NULL)
    {
      g_string_append (body, ",\"instructions\":");
      socketio_json_append_string (body, confab_prompt_get_instructions (prompt), -1);
    }
  g_string_append (body, ",\"stream\":true,\"store\":false");
  confab_chat_json_append_parameters (body, confab_prompt_get_parameters (prompt), parameter_names);
  g_string_append_c (body, '}');

  return g_string_free_to_bytes (g_steal_pointer (&body));
}

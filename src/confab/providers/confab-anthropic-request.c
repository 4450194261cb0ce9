/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "confab-anthropic-request.h"
#include "confab-chat-json.h"
#include "confab-json-peek.h"
#include "socketio-json.h"

/* Every request must name a limit. This one is within what all current models can give. */
#define DEFAULT_MAX_TOKENS 8192

/* OpenAI's temperatures go to 2. */
#define MAX_TEMPERATURE 1.0

static const ConfabParameterName parameter_names[] = {
  /* What the provider sets itself; parameters cannot change it. */
  { "model", NULL },
  { "messages", NULL },
  { "system", NULL },
  { "stream", NULL },
  { "max_tokens", NULL },
  { "max_completion_tokens", NULL },
  { "temperature", NULL },
  /* Unknown to this API, which refuses what it does not know. */
  { "seed", NULL },
  { NULL },
};

static gboolean
is_blank (const char *text)
{
  for (; *text != '\0'; text++)
    {
      if (!g_ascii_isspace (*text))
        return FALSE;
    }

  return TRUE;
}

static void
add_paragraph (GString *text, const char *paragraph)
{
  if (is_blank (paragraph))
    return;

  if (text->len > 0)
    g_string_append (text, "\n\n");
  g_string_append (text, paragraph);
}

/* The API has no role for what a system says between turns. */
static char *
gather_system (ConfabPrompt *prompt)
{
  g_autoptr (GString) text = g_string_new (NULL);

  if (confab_prompt_get_instructions (prompt) != NULL)
    add_paragraph (text, confab_prompt_get_instructions (prompt));
  for (guint i = 0; i < confab_prompt_get_n_turns (prompt); i++)
    {
      if (confab_prompt_get_turn_role (prompt, i) == CONFAB_ROLE_SYSTEM)
        add_paragraph (text, confab_prompt_get_turn_content (prompt, i));
    }

  return text->len > 0 ? g_string_free (g_steal_pointer (&text), FALSE) : NULL;
}

/*
 * The API wants user and assistant to alternate, the user first, and no blank message. So turns of
 * one role that follow each other, as after an answer that failed, become one; and an assistant's
 * before the first user's are left out.
 */
static void
append_turns (GString *body, ConfabPrompt *prompt)
{
  g_autoptr (GString) text = g_string_new (NULL);
  ConfabRole role = CONFAB_ROLE_USER;

  for (guint i = 0; i < confab_prompt_get_n_turns (prompt); i++)
    {
      ConfabRole turn_role = confab_prompt_get_turn_role (prompt, i);
      const char *content = confab_prompt_get_turn_content (prompt, i);

      if (turn_role == CONFAB_ROLE_SYSTEM || is_blank (content))
        continue;

      if (turn_role != role)
        {
          if (text->len == 0)
            continue;
          confab_chat_json_append_message (body, confab_role_to_string (role), text->str);
          g_string_truncate (text, 0);
          role = turn_role;
        }
      add_paragraph (text, content);
    }

  if (text->len > 0)
    confab_chat_json_append_message (body, confab_role_to_string (role), text->str);
}

static gint64
find_max_tokens (JsonObject *parameters)
{
  gint64 max_tokens = confab_json_peek_count (parameters, "max_tokens");

  if (max_tokens < 1)
    max_tokens = confab_json_peek_count (parameters, "max_completion_tokens");

  return max_tokens < 1 ? DEFAULT_MAX_TOKENS : max_tokens;
}

static void
append_temperature (GString *body, JsonObject *parameters)
{
  JsonNode *node = parameters != NULL ? json_object_get_member (parameters, "temperature") : NULL;
  char number[G_ASCII_DTOSTR_BUF_SIZE];

  if (node == NULL || !JSON_NODE_HOLDS_VALUE (node)
      || (json_node_get_value_type (node) != G_TYPE_DOUBLE
          && json_node_get_value_type (node) != G_TYPE_INT64))
    return;

  g_ascii_formatd (number, sizeof number, "%.15g",
                   MIN (json_node_get_double (node), MAX_TEMPERATURE));
  g_string_append_printf (body, ",\"temperature\":%s", number);
}

/**
 * confab_anthropic_build_request:
 *
 * Returns: (transfer full): the body of a streaming Messages request
 */
GBytes *
confab_anthropic_build_request (ConfabPrompt *prompt, const char *model)
{
  JsonObject *parameters = confab_prompt_get_parameters (prompt);
  g_autoptr (GString) body = g_string_new ("{\"model\":");
  g_autofree char *system = gather_system (prompt);

  socketio_json_append_string (body, model, -1);
  g_string_append_printf (body, ",\"max_tokens\":%" G_GINT64_FORMAT, find_max_tokens (parameters));
  if (system != NULL)
    {
      g_string_append (body, ",\"system\":");
      socketio_json_append_string (body, system, -1);
    }
  g_string_append (body, ",\"messages\":[");
  append_turns (body, prompt);
  g_string_append (body, "],\"stream\":true");
  append_temperature (body, parameters);
  confab_chat_json_append_parameters (body, parameters, parameter_names);
  g_string_append_c (body, '}');

  return g_string_free_to_bytes (g_steal_pointer (&body));
}

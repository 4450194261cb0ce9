/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "confab-openai-responses-reader.h"
#include "confab-http-error.h"
#include "confab-json-peek.h"

/* Events that bring text. What the model refuses in words is its answer too. */
static const struct
{
  const char *type;
  ConfabDeltaKind kind;
} text_events[] = {
  { "response.output_text.delta", CONFAB_DELTA_TEXT },
  { "response.refusal.delta", CONFAB_DELTA_TEXT },
  { "response.reasoning_text.delta", CONFAB_DELTA_REASONING },
  { "response.reasoning_summary_text.delta", CONFAB_DELTA_REASONING },
};

static void
take_usage (ConfabAnswerReader *reader, JsonObject *usage)
{
  ConfabOutcome *outcome = confab_answer_reader_get_outcome (reader);
  JsonObject *output_details = confab_json_peek_object (usage, "output_tokens_details");
  JsonObject *input_details = confab_json_peek_object (usage, "input_tokens_details");

  outcome->has_usage = TRUE;
  outcome->usage = (ConfabUsage){
    .input_tokens = confab_json_peek_count (usage, "input_tokens"),
    .output_tokens = confab_json_peek_count (usage, "output_tokens"),
    .reasoning_tokens = confab_json_peek_count (output_details, "reasoning_tokens"),
    .cached_input_tokens = confab_json_peek_count (input_details, "cached_tokens"),
  };
}

/* A complete response does not say that it ended in a call; what it holds does. */
static gboolean
calls_tool (JsonObject *response)
{
  JsonArray *output = confab_json_peek_array (response, "output");

  for (guint i = 0; output != NULL && i < json_array_get_length (output); i++)
    {
      JsonObject *item = confab_json_peek_element (output, i);
      const char *type = item != NULL ? confab_json_peek_string (item, "type") : NULL;

      if (g_strcmp0 (type, "function_call") == 0 || g_strcmp0 (type, "custom_tool_call") == 0)
        return TRUE;
    }

  return FALSE;
}

static void
take_completed (ConfabAnswerReader *reader, JsonObject *response)
{
  if (calls_tool (response))
    confab_answer_reader_get_outcome (reader)->finish_reason = CONFAB_FINISH_TOOL_CALLS;
  confab_answer_reader_end (reader);
}

static void
take_incomplete (ConfabAnswerReader *reader, JsonObject *response)
{
  JsonObject *details = confab_json_peek_object (response, "incomplete_details");

  confab_answer_reader_get_outcome (reader)->finish_reason = CONFAB_FINISH_OTHER;
  if (details != NULL)
    confab_answer_reader_take_finish_reason (reader, details, "reason");
  confab_answer_reader_end (reader);
}

static void
take_failed (ConfabAnswerReader *reader, JsonObject *response)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);

  json_node_set_object (node, response);
  confab_answer_reader_fail (reader, confab_http_error_from_json (node));
}

/* Events about the response as a whole; all carry it as it stands. */
static void
take_response (ConfabAnswerReader *reader, const char *type, JsonObject *response)
{
  JsonObject *usage = confab_json_peek_object (response, "usage");

  confab_answer_reader_take_model (reader, response);
  if (usage != NULL)
    take_usage (reader, usage);

  if (strcmp (type, "response.completed") == 0)
    take_completed (reader, response);
  else if (strcmp (type, "response.incomplete") == 0)
    take_incomplete (reader, response);
  else if (strcmp (type, "response.failed") == 0)
    take_failed (reader, response);
}

static void
take (ConfabAnswerReader *reader, const char *event, JsonObject *object)
{
  const char *type = confab_json_peek_string (object, "type");
  JsonObject *response = confab_json_peek_object (object, "response");

  if (type == NULL)
    type = event;

  if (response != NULL)
    {
      take_response (reader, type, response);
      return;
    }

  for (gsize i = 0; i < G_N_ELEMENTS (text_events); i++)
    {
      if (strcmp (text_events[i].type, type) == 0)
        confab_answer_reader_take_text (reader, text_events[i].kind, object, "delta");
    }
}

static const ConfabFinishName finish_names[] = {
  { "max_output_tokens", CONFAB_FINISH_LENGTH },
  { "content_filter", CONFAB_FINISH_CONTENT_FILTER },
  { NULL },
};

static const ConfabAnswerFormat format = {
  .finish_names = finish_names,
  .take = take,
};

/**
 * confab_openai_responses_reader_new:
 *
 * Returns: (transfer full): a reader for the body of a streaming Responses response
 */
ConfabAnswerReader *
confab_openai_responses_reader_new (ConfabDeltaFunc on_text, gpointer user_data)
{
  return confab_answer_reader_new (&format, on_text, user_data);
}

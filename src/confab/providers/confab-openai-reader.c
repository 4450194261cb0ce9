/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-openai-reader.h"
#include "confab-json-peek.h"

/* Reads the delta of a chunk, or the message of a whole answer. */
static void
take_message (ConfabAnswerReader *reader, JsonObject *message)
{
  /* DeepSeek's name for it, and the one of OpenRouter and vLLM; some send both. */
  if (!confab_answer_reader_take_text (reader, CONFAB_DELTA_REASONING, message,
                                       "reasoning_content"))
    confab_answer_reader_take_text (reader, CONFAB_DELTA_REASONING, message, "reasoning");

  confab_answer_reader_take_text (reader, CONFAB_DELTA_TEXT, message, "content");
  confab_answer_reader_take_text (reader, CONFAB_DELTA_TEXT, message, "refusal");
}

static void
take_usage (ConfabAnswerReader *reader, JsonObject *usage)
{
  ConfabOutcome *outcome = confab_answer_reader_get_outcome (reader);
  JsonObject *output_details = confab_json_peek_object (usage, "completion_tokens_details");
  JsonObject *input_details = confab_json_peek_object (usage, "prompt_tokens_details");

  outcome->has_usage = TRUE;
  outcome->usage = (ConfabUsage){
    .input_tokens = confab_json_peek_count (usage, "prompt_tokens"),
    .output_tokens = confab_json_peek_count (usage, "completion_tokens"),
    .reasoning_tokens = confab_json_peek_count (output_details, "reasoning_tokens"),
    .cached_input_tokens = confab_json_peek_count (input_details, "cached_tokens"),
  };
}

/* Only the first choice counts; no other was asked for. */
static void
take_choices (ConfabAnswerReader *reader, JsonObject *object)
{
  JsonArray *choices = confab_json_peek_array (object, "choices");

  for (guint i = 0; choices != NULL && i < json_array_get_length (choices); i++)
    {
      JsonObject *choice = confab_json_peek_element (choices, i);
      JsonObject *message;

      if (choice == NULL || confab_json_peek_count (choice, "index") > 0)
        continue;

      message = confab_json_peek_object (choice, "delta");
      if (message == NULL)
        message = confab_json_peek_object (choice, "message");
      if (message != NULL)
        take_message (reader, message);

      confab_answer_reader_take_finish_reason (reader, choice, "finish_reason");
    }
}

static void
take (ConfabAnswerReader *reader, const char *event, JsonObject *object)
{
  JsonObject *usage = confab_json_peek_object (object, "usage");

  confab_answer_reader_take_model (reader, object);
  take_choices (reader, object);
  if (usage != NULL)
    take_usage (reader, usage);
}

static gboolean
take_whole (ConfabAnswerReader *reader, JsonObject *object)
{
  if (!json_object_has_member (object, "choices"))
    return FALSE;

  take (reader, "message", object);
  return TRUE;
}

static const ConfabFinishName finish_names[] = {
  { "stop", CONFAB_FINISH_STOP },
  { "eos", CONFAB_FINISH_STOP },
  { "length", CONFAB_FINISH_LENGTH },
  /* Mistral's, and that of gateways to Anthropic. */
  { "model_length", CONFAB_FINISH_LENGTH },
  { "max_tokens", CONFAB_FINISH_LENGTH },
  { "end_turn", CONFAB_FINISH_STOP },
  { "stop_sequence", CONFAB_FINISH_STOP },
  { "content_filter", CONFAB_FINISH_CONTENT_FILTER },
  { "tool_calls", CONFAB_FINISH_TOOL_CALLS },
  { "function_call", CONFAB_FINISH_TOOL_CALLS },
  { NULL },
};

static const ConfabAnswerFormat format = {
  .done_mark = TRUE,
  .reason_is_end = TRUE,
  .finish_names = finish_names,
  .take = take,
  .take_whole = take_whole,
};

/**
 * confab_openai_reader_new:
 *
 * Returns: (transfer full): a reader for the body of a Chat Completions response
 */
ConfabAnswerReader *
confab_openai_reader_new (ConfabDeltaFunc on_text, gpointer user_data)
{
  return confab_answer_reader_new (&format, on_text, user_data);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-ollama-reader.h"
#include "confab-json-peek.h"

static void
take_message (ConfabAnswerReader *reader, JsonObject *message)
{
  /* Ollama's name for it, and the one of gateways that stand in for it. */
  if (!confab_answer_reader_take_text (reader, CONFAB_DELTA_REASONING, message, "thinking"))
    confab_answer_reader_take_text (reader, CONFAB_DELTA_REASONING, message, "reasoning_content");

  confab_answer_reader_take_text (reader, CONFAB_DELTA_TEXT, message, "content");
}

/* Older servers leave the reason out, and the prompt's count if it was in a cache. */
static void
take_end (ConfabAnswerReader *reader, JsonObject *object)
{
  ConfabOutcome *outcome = confab_answer_reader_get_outcome (reader);

  confab_answer_reader_take_finish_reason (reader, object, "done_reason");
  outcome->usage.input_tokens = confab_json_peek_count (object, "prompt_eval_count");
  outcome->usage.output_tokens = confab_json_peek_count (object, "eval_count");
  outcome->has_usage = outcome->usage.input_tokens >= 0 || outcome->usage.output_tokens >= 0;
  confab_answer_reader_end (reader);
}

static void
take (ConfabAnswerReader *reader, const char *event, JsonObject *object)
{
  JsonObject *message = confab_json_peek_object (object, "message");
  JsonNode *done = confab_json_peek_value (object, "done", G_TYPE_BOOLEAN);

  confab_answer_reader_take_model (reader, object);
  if (message != NULL)
    take_message (reader, message);
  if (done != NULL && json_node_get_boolean (done))
    take_end (reader, object);
}

/* "load" and "unload", for a prompt without a message, are other. */
static const ConfabFinishName finish_names[] = {
  { "stop", CONFAB_FINISH_STOP },
  { "length", CONFAB_FINISH_LENGTH },
  { NULL },
};

static const ConfabAnswerFormat format = {
  .lines = TRUE,
  .finish_names = finish_names,
  .take = take,
};

/**
 * confab_ollama_reader_new:
 *
 * Returns: (transfer full): a reader for the body of a chat response
 */
ConfabAnswerReader *
confab_ollama_reader_new (ConfabDeltaFunc on_text, gpointer user_data)
{
  return confab_answer_reader_new (&format, on_text, user_data);
}

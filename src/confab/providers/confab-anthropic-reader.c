/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "confab-anthropic-reader.h"
#include "confab-json-peek.h"

/* Counts of input tokens that exclude each other; -1 where none was told. */
typedef struct
{
  gboolean known;
  gint64 fresh;
  gint64 cache_written;
  gint64 cache_read;
} State;

static void
update_count (gint64 *count, JsonObject *usage, const char *name)
{
  gint64 value = confab_json_peek_count (usage, name);

  if (value >= 0)
    *count = value;
}

/*
 * Told at the start, and at the end once more, wholly or in part: what comes later stands, as some
 * gateways know it only then. Elsewhere, as with OpenAI, the count of input tokens has those in it
 * that came from a cache; so here.
 */
static void
take_usage (ConfabAnswerReader *reader, JsonObject *usage)
{
  State *state = confab_answer_reader_get_state (reader);
  ConfabOutcome *outcome = confab_answer_reader_get_outcome (reader);

  if (usage == NULL)
    return;

  if (!state->known)
    *state = (State){ .known = TRUE, .fresh = -1, .cache_written = -1, .cache_read = -1 };
  update_count (&state->fresh, usage, "input_tokens");
  update_count (&state->cache_written, usage, "cache_creation_input_tokens");
  update_count (&state->cache_read, usage, "cache_read_input_tokens");

  outcome->has_usage = TRUE;
  update_count (&outcome->usage.output_tokens, usage, "output_tokens");
  outcome->usage.cached_input_tokens = state->cache_read;
  outcome->usage.input_tokens =
      state->fresh < 0 ? -1
                       : state->fresh + MAX (state->cache_written, 0) + MAX (state->cache_read, 0);
}

static void
take_start (ConfabAnswerReader *reader, JsonObject *object)
{
  JsonObject *message = confab_json_peek_object (object, "message");

  if (message == NULL)
    return;

  confab_answer_reader_take_model (reader, message);
  take_usage (reader, confab_json_peek_object (message, "usage"));
}

/* Of a block's start or of one of its deltas; other kinds have no such members. */
static void
take_content (ConfabAnswerReader *reader, JsonObject *content)
{
  if (content == NULL)
    return;

  confab_answer_reader_take_text (reader, CONFAB_DELTA_REASONING, content, "thinking");
  confab_answer_reader_take_text (reader, CONFAB_DELTA_TEXT, content, "text");
}

static void
take_end (ConfabAnswerReader *reader, JsonObject *object)
{
  JsonObject *delta = confab_json_peek_object (object, "delta");

  if (delta != NULL)
    confab_answer_reader_take_finish_reason (reader, delta, "stop_reason");
  take_usage (reader, confab_json_peek_object (object, "usage"));
}

static void
take (ConfabAnswerReader *reader, const char *event, JsonObject *object)
{
  const char *type = confab_json_peek_string (object, "type");

  if (type == NULL)
    type = event;

  if (strcmp (type, "message_start") == 0)
    take_start (reader, object);
  else if (strcmp (type, "content_block_start") == 0)
    take_content (reader, confab_json_peek_object (object, "content_block"));
  else if (strcmp (type, "content_block_delta") == 0)
    take_content (reader, confab_json_peek_object (object, "delta"));
  else if (strcmp (type, "message_delta") == 0)
    take_end (reader, object);
  else if (strcmp (type, "message_stop") == 0)
    confab_answer_reader_end (reader);
}

static const ConfabFinishName finish_names[] = {
  { "end_turn", CONFAB_FINISH_STOP },
  { "stop_sequence", CONFAB_FINISH_STOP },
  { "max_tokens", CONFAB_FINISH_LENGTH },
  { "model_context_window_exceeded", CONFAB_FINISH_LENGTH },
  { "tool_use", CONFAB_FINISH_TOOL_CALLS },
  { "refusal", CONFAB_FINISH_CONTENT_FILTER },
  { NULL },
};

static const ConfabAnswerFormat format = {
  .state_size = sizeof (State),
  .finish_names = finish_names,
  .take = take,
};

/**
 * confab_anthropic_reader_new:
 *
 * Returns: (transfer full): a reader for the body of a streaming Messages response
 */
ConfabAnswerReader *
confab_anthropic_reader_new (ConfabDeltaFunc on_text, gpointer user_data)
{
  return confab_answer_reader_new (&format, on_text, user_data);
}

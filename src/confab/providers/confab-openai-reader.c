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

/* Members that count, and are plain only once. */
enum
{
  SEEN_CHOICES = 1 << 0,
  SEEN_INDEX = 1 << 1,
  SEEN_DELTA = 1 << 2,
  SEEN_CONTENT = 1 << 3,
  SEEN_REASONING_CONTENT = 1 << 4,
  SEEN_REASONING = 1 << 5,
};

/* A plain event while it is read. */
typedef struct
{
  ConfabJsonCursor *cursor;
  ConfabDeltaKind kind;
  GString *text;
  guint seen;
} Plain;

static gboolean
see (Plain *plain, guint member)
{
  if (plain->seen & member)
    return FALSE;

  plain->seen |= member;

  return TRUE;
}

/* One of these has text, the others are empty or null. */
static gboolean
take_plain_text (Plain *plain, guint member, ConfabDeltaKind kind)
{
  gsize before = plain->text->len;

  if (!see (plain, member))
    return FALSE;
  if (confab_json_cursor_take_word (plain->cursor, "null"))
    return TRUE;
  if (!confab_json_cursor_take_string (plain->cursor, plain->text))
    return FALSE;
  if (plain->text->len > before)
    plain->kind = kind;

  return before == 0 || plain->text->len == before;
}

typedef gboolean (*PlainFunc) (Plain *plain, const ConfabJsonKey *key);

static gboolean
take_plain_members (Plain *plain, PlainFunc take_member)
{
  ConfabJsonKey key;
  ConfabJsonStep step;

  if (!confab_json_cursor_enter (plain->cursor, '{'))
    return FALSE;
  for (gboolean first = TRUE;; first = FALSE)
    {
      step = confab_json_cursor_next_member (plain->cursor, first, &key);
      if (step != CONFAB_JSON_STEP_ITEM)
        return step == CONFAB_JSON_STEP_END;
      if (!take_member (plain, &key))
        return FALSE;
    }
}

static gboolean
take_plain_delta (Plain *plain, const ConfabJsonKey *key)
{
  if (confab_json_key_is (key, "content"))
    return take_plain_text (plain, SEEN_CONTENT, CONFAB_DELTA_TEXT);
  if (confab_json_key_is (key, "reasoning_content"))
    return take_plain_text (plain, SEEN_REASONING_CONTENT, CONFAB_DELTA_REASONING);
  if (confab_json_key_is (key, "reasoning"))
    return take_plain_text (plain, SEEN_REASONING, CONFAB_DELTA_REASONING);
  if (confab_json_key_is (key, "refusal"))
    return confab_json_cursor_take_word (plain->cursor, "null");

  return confab_json_cursor_skip (plain->cursor);
}

static gboolean
take_plain_choice (Plain *plain, const ConfabJsonKey *key)
{
  if (confab_json_key_is (key, "delta"))
    return see (plain, SEEN_DELTA) && take_plain_members (plain, take_plain_delta);
  if (confab_json_key_is (key, "index"))
    return see (plain, SEEN_INDEX) && confab_json_cursor_take_word (plain->cursor, "0");
  if (confab_json_key_is (key, "finish_reason"))
    return confab_json_cursor_take_word (plain->cursor, "null");

  return !confab_json_key_is (key, "message") && confab_json_cursor_skip (plain->cursor);
}

static gboolean
take_plain_event (Plain *plain, const ConfabJsonKey *key)
{
  if (confab_json_key_is (key, "choices"))
    return see (plain, SEEN_CHOICES) && confab_json_cursor_enter (plain->cursor, '[')
           && confab_json_cursor_next_element (plain->cursor, TRUE) == CONFAB_JSON_STEP_ITEM
           && take_plain_members (plain, take_plain_choice)
           && confab_json_cursor_next_element (plain->cursor, FALSE) == CONFAB_JSON_STEP_END;
  if (confab_json_key_is (key, "usage") || confab_json_key_is (key, "error"))
    return confab_json_cursor_take_word (plain->cursor, "null");

  return !confab_json_key_is (key, "type") && confab_json_cursor_skip (plain->cursor);
}

static gboolean
take_plain (ConfabAnswerReader *reader,
            ConfabJsonCursor *cursor,
            ConfabDeltaKind *kind,
            GString *text)
{
  Plain plain = { .cursor = cursor, .kind = CONFAB_DELTA_TEXT, .text = text };

  /* the first event still tells the model */
  if (confab_answer_reader_get_outcome (reader)->model == NULL
      || !take_plain_members (&plain, take_plain_event))
    return FALSE;

  *kind = plain.kind;

  return TRUE;
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
  .take_plain = take_plain,
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

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-wire.h"

#include "confab-error.h"
#include "confab-id.h"
#include "socketio-json.h"

/**
 * confab_wire_delta_event:
 * @kind: a kind of delta
 *
 * Returns: the event that carries it
 */
const char *
confab_wire_delta_event (ConfabDeltaKind kind)
{
  return kind == CONFAB_DELTA_REASONING ? "ai:chat:reasoning" : "ai:chat:chunk";
}

/**
 * confab_wire_delta_kind:
 * @kind: a kind of delta
 *
 * Returns: its name among the chunks of a resume
 */
const char *
confab_wire_delta_kind (ConfabDeltaKind kind)
{
  return kind == CONFAB_DELTA_REASONING ? "reasoning" : "text";
}

/**
 * confab_wire_end_event:
 * @generation: a generation that has ended
 *
 * Returns: the event that tells it
 */
const char *
confab_wire_end_event (ConfabGeneration *generation)
{
  return confab_generation_get_error (generation) != NULL ? "ai:chat:error" : "ai:chat:complete";
}

static void
append_member (GString *json, const char *name, const char *value)
{
  g_string_append_printf (json, "%s\"%s\":", json->str[json->len - 1] == '{' ? "" : ",", name);
  if (value != NULL)
    socketio_json_append_string (json, value, -1);
  else
    g_string_append (json, "null");
}

static void
append_ids (GString *json, ConfabGeneration *generation)
{
  append_member (json, "moduleId", confab_generation_get_module_id (generation));
  append_member (json, "generationId", confab_generation_get_id (generation));
}

/* Appended only where there are any. */
static void
append_branches (GString *json, const char *name, ConfabMessage *message)
{
  const ConfabBranches *branches = confab_message_get_branches (message);

  if (branches == NULL)
    return;

  g_string_append_printf (json,
                          ",\"%s\":{\"index\":%" G_GUINT64_FORMAT ",\"count\":%" G_GUINT64_FORMAT,
                          name, branches->index, branches->count);
  append_member (json, "previousId", branches->previous_id);
  append_member (json, "nextId", branches->next_id);
  g_string_append_c (json, '}');
}

/**
 * confab_wire_append_started:
 * @json: where to append
 * @generation: a generation
 *
 * Appends the payload of `ai:chat:started`: with branches where the answer has siblings, and with
 * userBranches where the question has.
 */
void
confab_wire_append_started (GString *json, ConfabGeneration *generation)
{
  ConfabMessage *question = confab_generation_get_question (generation);

  g_string_append_c (json, '{');
  append_ids (json, generation);
  append_member (json, "messageId",
                 confab_message_get_id (confab_generation_get_answer (generation)));
  append_member (json, "userMessageId", confab_message_get_id (question));
  append_member (json, "parentId", confab_message_get_parent_id (question));
  append_member (json, "message", confab_message_get_content (question));
  append_branches (json, "branches", confab_generation_get_answer (generation));
  append_branches (json, "userBranches", question);
  g_string_append_c (json, '}');
}

/**
 * confab_wire_append_stretch:
 * @json: where to append
 * @generation: a generation
 * @from_seq: the first of the deltas that are joined here
 * @seq: the last of them
 * @text: their text, all of one kind
 * @length: its bytes
 *
 * Appends the payload of `ai:chat:chunk` or `ai:chat:reasoning`. This runs for every token.
 */
void
confab_wire_append_stretch (GString *json,
                            ConfabGeneration *generation,
                            guint64 from_seq,
                            guint64 seq,
                            const char *text,
                            gsize length)
{
  char number[48];

  g_string_append (json, "{\"chunk\":");
  socketio_json_append_string (json, text, (gssize) length);
  /* ids are of characters that stand for themselves */
  g_string_append (json, ",\"moduleId\":\"");
  g_string_append (json, confab_generation_get_module_id (generation));
  g_string_append (json, "\",\"generationId\":\"");
  g_string_append (json, confab_generation_get_id (generation));
  g_snprintf (number, sizeof number, "\",\"seq\":%" G_GUINT64_FORMAT, seq);
  g_string_append (json, number);
  if (from_seq != seq)
    {
      g_snprintf (number, sizeof number, ",\"fromSeq\":%" G_GUINT64_FORMAT, from_seq);
      g_string_append (json, number);
    }
  g_string_append_c (json, '}');
}

/**
 * confab_wire_append_resync:
 * @json: where to append
 * @generation: a generation
 * @seq: the last that the client was sent
 *
 * Appends the payload of `ai:chat:resync`.
 */
void
confab_wire_append_resync (GString *json, ConfabGeneration *generation, guint64 seq)
{
  g_string_append_c (json, '{');
  append_ids (json, generation);
  g_string_append_printf (json, ",\"seq\":%" G_GUINT64_FORMAT "}", seq);
}

static void
append_usage (GString *json, const ConfabOutcome *outcome)
{
  const struct
  {
    const char *name;
    gint64 value;
  } members[] = {
    { "inputTokens", outcome->usage.input_tokens },
    { "outputTokens", outcome->usage.output_tokens },
    { "reasoningTokens", outcome->usage.reasoning_tokens },
    { "cachedInputTokens", outcome->usage.cached_input_tokens },
  };

  if (!outcome->has_usage)
    {
      g_string_append (json, ",\"usage\":null");
      return;
    }
  g_string_append (json, ",\"usage\":");
  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    {
      g_string_append_printf (json, "%c\"%s\":", i == 0 ? '{' : ',', members[i].name);
      if (members[i].value < 0)
        g_string_append (json, "null");
      else
        g_string_append_printf (json, "%" G_GINT64_FORMAT, members[i].value);
    }
  g_string_append_c (json, '}');
}

static void
append_error (GString *json, const GError *error)
{
  gint64 retry_after = confab_error_get_retry_after (error);

  append_member (json, "error", error->message);
  append_member (json, "code", confab_error_to_code (error));
  g_string_append_printf (json, ",\"retryable\":%s",
                          confab_error_is_retryable (error) ? "true" : "false");
  if (retry_after > 0)
    g_string_append_printf (json, ",\"retryAfterMs\":%" G_GINT64_FORMAT, retry_after);
}

/**
 * confab_wire_append_end:
 * @json: where to append
 * @generation: a generation that has ended
 *
 * Appends the payload of confab_wire_end_event().
 */
void
confab_wire_append_end (GString *json, ConfabGeneration *generation)
{
  const GError *error = confab_generation_get_error (generation);
  const ConfabOutcome *outcome = confab_generation_get_outcome (generation);
  const char *text = confab_generation_get_text (generation);
  const char *model = confab_message_get_model (confab_generation_get_answer (generation));

  g_string_append_c (json, '{');
  if (error != NULL)
    {
      append_error (json, error);
      append_ids (json, generation);
      append_member (json, "messageId",
                     confab_message_get_id (confab_generation_get_answer (generation)));
      if (confab_generation_get_request_id (generation) != NULL)
        append_member (json, "requestId", confab_generation_get_request_id (generation));
      if (text[0] != '\0')
        append_member (json, "message", text);
      if (model != NULL)
        append_member (json, "model", model);
    }
  else
    {
      append_member (json, "message", text);
      append_ids (json, generation);
      append_member (json, "messageId",
                     confab_message_get_id (confab_generation_get_answer (generation)));
      append_member (json, "finishReason", confab_finish_reason_to_string (outcome->finish_reason));
      if (model != NULL)
        append_member (json, "model", model);
      append_usage (json, outcome);
    }
  g_string_append_c (json, '}');
}

/**
 * confab_wire_append_refusal:
 * @json: where to append
 * @error: why
 * @module_id: (nullable): where
 * @request_id: (nullable): what
 *
 * Appends the payload of an `ai:chat:error` that ends nothing.
 */
void
confab_wire_append_refusal (GString *json,
                            const GError *error,
                            const char *module_id,
                            const char *request_id)
{
  g_string_append_c (json, '{');
  append_error (json, error);
  if (confab_id_is_valid (module_id))
    append_member (json, "moduleId", module_id);
  if (confab_id_is_valid (request_id))
    append_member (json, "requestId", request_id);
  g_string_append_c (json, '}');
}

/**
 * confab_wire_set_refusal:
 * @ack: an ack
 * @error: why
 *
 * Makes @ack a refusal.
 */
void
confab_wire_set_refusal (JsonObject *ack, const GError *error)
{
  json_object_set_boolean_member (ack, "ok", FALSE);
  json_object_set_string_member (ack, "error", error->message);
  json_object_set_string_member (ack, "code", confab_error_to_code (error));
  if (confab_error_get_retry_after (error) > 0)
    json_object_set_int_member (ack, "retryAfterMs", confab_error_get_retry_after (error));
}

/**
 * confab_wire_set_accepted:
 * @ack: an ack
 * @generation: what was started
 *
 * Sets what the ack of `ai:chat:generate` says.
 */
void
confab_wire_set_accepted (JsonObject *ack, ConfabGeneration *generation)
{
  ConfabState state = confab_generation_get_state (generation);

  json_object_set_boolean_member (ack, "ok", TRUE);
  json_object_set_string_member (ack, "generationId", confab_generation_get_id (generation));
  json_object_set_string_member (ack, "messageId",
                                 confab_message_get_id (confab_generation_get_answer (generation)));
  json_object_set_string_member (
      ack, "userMessageId", confab_message_get_id (confab_generation_get_question (generation)));
  json_object_set_string_member (ack, "state", confab_state_to_string (state));
}

static void
add_stretch_cb (ConfabDeltaKind kind,
                guint64 from_seq,
                guint64 seq,
                const char *text,
                gsize length,
                gpointer user_data)
{
  JsonObject *chunk = json_object_new ();
  g_autofree char *copy = g_strndup (text, length);

  json_object_set_string_member (chunk, "chunk", copy);
  json_object_set_string_member (chunk, "kind", confab_wire_delta_kind (kind));
  json_object_set_int_member (chunk, "seq", seq);
  if (from_seq != seq)
    json_object_set_int_member (chunk, "fromSeq", from_seq);
  json_array_add_object_element (user_data, chunk);
}

static void
set_snapshot (JsonObject *object, ConfabGeneration *generation)
{
  json_object_set_string_member (object, "text", confab_generation_get_text (generation));
  json_object_set_string_member (object, "reasoning", confab_generation_get_reasoning (generation));
}

/**
 * confab_wire_set_resumed:
 * @ack: an ack
 * @generation: what is resumed, or what a repeated request had started
 * @after_seq: the last seq that the client has; -1 if it does not say
 *
 * Adds what came after @after_seq, or all of the text where that cannot be told exactly, and the
 * end if it stands.
 */
void
confab_wire_set_resumed (JsonObject *ack, ConfabGeneration *generation, gint64 after_seq)
{
  const GError *error = confab_generation_get_error (generation);
  const ConfabOutcome *outcome = confab_generation_get_outcome (generation);

  confab_wire_set_accepted (ack, generation);
  json_object_set_int_member (ack, "seq", (gint64) confab_generation_get_seq (generation));
  if (after_seq >= 0 && confab_generation_can_replay (generation, (guint64) after_seq))
    {
      JsonArray *chunks = json_array_new ();

      confab_generation_replay (generation, (guint64) after_seq, add_stretch_cb, chunks);
      json_object_set_array_member (ack, "chunks", chunks);
    }
  else
    set_snapshot (ack, generation);
  if (!confab_generation_is_ended (generation))
    return;

  json_object_set_string_member (ack, "message", confab_generation_get_text (generation));
  if (error != NULL)
    {
      json_object_set_string_member (ack, "code", confab_error_to_code (error));
      json_object_set_string_member (ack, "error", error->message);
    }
  else if (outcome != NULL)
    json_object_set_string_member (ack, "finishReason",
                                   confab_finish_reason_to_string (outcome->finish_reason));
}

/**
 * confab_wire_set_active:
 * @ack: an ack
 * @generation: what runs, while another one is resumed
 */
void
confab_wire_set_active (JsonObject *ack, ConfabGeneration *generation)
{
  JsonObject *active = json_object_new ();

  json_object_set_string_member (active, "generationId", confab_generation_get_id (generation));
  json_object_set_string_member (active, "messageId",
                                 confab_message_get_id (confab_generation_get_answer (generation)));
  json_object_set_int_member (active, "seq", (gint64) confab_generation_get_seq (generation));
  set_snapshot (active, generation);
  json_object_set_object_member (ack, "active", active);
}

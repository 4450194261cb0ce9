/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-ui-message.h"

#include "confab-error.h"
#include "confab-wire-objects.h"
#include "socketio-json.h"

static void
begin_part (GString *out, const char *type)
{
  g_string_append_printf (out, "data: {\"type\":\"%s\"", type);
}

static void
end_part (GString *out)
{
  g_string_append (out, "}\n\n");
}

static void
append_string (GString *out, const char *name, const char *value)
{
  g_string_append_printf (out, ",\"%s\":", name);
  socketio_json_append_string (out, value, -1);
}

/* Takes @object. */
static void
append_object (GString *out, const char *name, JsonObject *object)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);

  json_node_take_object (node, object);
  g_string_append_printf (out, ",\"%s\":", name);
  socketio_json_append_node (out, node);
}

/**
 * confab_ui_message_append_start:
 * @out: what is sent
 * @generation: whose answer begins
 *
 * Names the message. What else Confab knows of it is metadata: with the generationId a client can
 * stop exactly this one.
 */
void
confab_ui_message_append_start (GString *out, ConfabGeneration *generation)
{
  JsonObject *metadata = json_object_new ();

  json_object_set_string_member (metadata, "moduleId",
                                 confab_generation_get_module_id (generation));
  json_object_set_string_member (metadata, "generationId", confab_generation_get_id (generation));
  json_object_set_string_member (
      metadata, "userMessageId",
      confab_message_get_id (confab_generation_get_question (generation)));

  begin_part (out, "start");
  append_string (out, "messageId",
                 confab_message_get_id (confab_generation_get_answer (generation)));
  append_object (out, "messageMetadata", metadata);
  end_part (out);
  begin_part (out, "start-step");
  end_part (out);
}

static void
append_block_part (GString *out, ConfabDeltaKind kind, const char *what, guint block)
{
  g_string_append_printf (out, "data: {\"type\":\"%s-%s\",\"id\":\"%u\"",
                          kind == CONFAB_DELTA_REASONING ? "reasoning" : "text", what, block);
}

void
confab_ui_message_append_block_start (GString *out, ConfabDeltaKind kind, guint block)
{
  append_block_part (out, kind, "start", block);
  end_part (out);
}

void
confab_ui_message_append_delta (GString *out,
                                ConfabDeltaKind kind,
                                guint block,
                                const char *text,
                                gsize length)
{
  append_block_part (out, kind, "delta", block);
  g_string_append (out, ",\"delta\":");
  socketio_json_append_string (out, text, (gssize) length);
  end_part (out);
}

void
confab_ui_message_append_block_end (GString *out, ConfabDeltaKind kind, guint block)
{
  append_block_part (out, kind, "end", block);
  end_part (out);
}

static JsonObject *
make_outcome_metadata (ConfabGeneration *generation)
{
  const ConfabOutcome *outcome = confab_generation_get_outcome (generation);
  const char *model = confab_message_get_model (confab_generation_get_answer (generation));
  JsonObject *metadata = json_object_new ();

  if (outcome == NULL)
    return metadata;

  json_object_set_string_member (metadata, "finishReason",
                                 confab_finish_reason_to_string (outcome->finish_reason));
  if (model != NULL)
    json_object_set_string_member (metadata, "model", model);
  confab_wire_set_usage (metadata, outcome);

  return metadata;
}

static JsonObject *
make_error_metadata (const GError *error)
{
  JsonObject *metadata = json_object_new ();
  gint64 retry_after = confab_error_get_retry_after (error);

  json_object_set_string_member (metadata, "code", confab_error_to_code (error));
  json_object_set_boolean_member (metadata, "retryable", confab_error_is_retryable (error));
  if (retry_after > 0)
    json_object_set_int_member (metadata, "retryAfterMs", retry_after);

  return metadata;
}

/* Metadata goes first: readers may stop at what says the end. */
static void
append_metadata (GString *out, JsonObject *metadata)
{
  begin_part (out, "message-metadata");
  append_object (out, "messageMetadata", metadata);
  end_part (out);
}

void
confab_ui_message_append_end (GString *out, ConfabGeneration *generation)
{
  const GError *error = confab_generation_get_error (generation);
  const ConfabOutcome *outcome = confab_generation_get_outcome (generation);

  if (error != NULL)
    {
      append_metadata (out, make_error_metadata (error));
      begin_part (out, "error");
      append_string (out, "errorText", error->message);
    }
  else if (confab_generation_get_state (generation) == CONFAB_STATE_STOPPED || outcome == NULL)
    {
      append_metadata (out, make_outcome_metadata (generation));
      begin_part (out, "finish-step");
      end_part (out);
      begin_part (out, "abort");
    }
  else
    {
      begin_part (out, "finish-step");
      end_part (out);
      begin_part (out, "finish");
      append_string (out, "finishReason", confab_finish_reason_to_string (outcome->finish_reason));
      append_object (out, "messageMetadata", make_outcome_metadata (generation));
    }
  end_part (out);
  g_string_append (out, "data: [DONE]\n\n");
}

void
confab_ui_message_append_heartbeat (GString *out)
{
  g_string_append (out, ": still here\n\n");
}

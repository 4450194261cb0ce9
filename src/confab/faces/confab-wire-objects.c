/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-wire-objects.h"

#include <string.h>

#include "confab-error.h"
#include "socketio-json.h"

static void
set_string_or_null (JsonObject *object, const char *name, const char *value)
{
  if (value != NULL)
    json_object_set_string_member (object, name, value);
  else
    json_object_set_null_member (object, name);
}

static void
set_count_or_null (JsonObject *object, const char *name, gint64 count)
{
  if (count >= 0)
    json_object_set_int_member (object, name, count);
  else
    json_object_set_null_member (object, name);
}

/**
 * confab_wire_set_usage:
 * @object: an object
 * @outcome: (nullable): how an answer ended
 *
 * Sets the member usage, null where the upstream did not tell.
 */
void
confab_wire_set_usage (JsonObject *object, const ConfabOutcome *outcome)
{
  JsonObject *usage;

  if (outcome == NULL || !outcome->has_usage)
    {
      json_object_set_null_member (object, "usage");
      return;
    }

  usage = json_object_new ();
  set_count_or_null (usage, "inputTokens", outcome->usage.input_tokens);
  set_count_or_null (usage, "outputTokens", outcome->usage.output_tokens);
  set_count_or_null (usage, "reasoningTokens", outcome->usage.reasoning_tokens);
  set_count_or_null (usage, "cachedInputTokens", outcome->usage.cached_input_tokens);
  json_object_set_object_member (object, "usage", usage);
}

/* Set only where there are any. */
static void
set_branches (JsonObject *object, const ConfabBranches *branches)
{
  JsonObject *member;

  if (branches == NULL)
    return;

  member = json_object_new ();
  json_object_set_int_member (member, "index", (gint64) branches->index);
  json_object_set_int_member (member, "count", (gint64) branches->count);
  set_string_or_null (member, "previousId", branches->previous_id);
  set_string_or_null (member, "nextId", branches->next_id);
  json_object_set_object_member (object, "branches", member);
}

/**
 * confab_wire_message:
 * @message: a message
 *
 * Returns: (transfer full): it as the contract has it; why it failed is added as code and error,
 *   where it stands among its siblings as branches
 */
JsonObject *
confab_wire_message (ConfabMessage *message)
{
  const ConfabOutcome *outcome = confab_message_get_outcome (message);
  const GError *error = confab_message_get_error (message);
  g_autofree char *parts = confab_message_dup_parts (message);
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "messageId", confab_message_get_id (message));
  set_string_or_null (object, "parentId", confab_message_get_parent_id (message));
  json_object_set_string_member (object, "role",
                                 confab_role_to_string (confab_message_get_role (message)));
  json_object_set_string_member (object, "content", confab_message_get_content (message));
  json_object_set_member (object, "parts", socketio_json_parse (parts, strlen (parts), NULL));
  json_object_set_string_member (object, "state",
                                 confab_state_to_string (confab_message_get_state (message)));
  set_string_or_null (object, "generationId", confab_message_get_generation_id (message));
  set_string_or_null (object, "finishReason",
                      outcome != NULL ? confab_finish_reason_to_string (outcome->finish_reason)
                                      : NULL);
  set_string_or_null (object, "model", confab_message_get_model (message));
  confab_wire_set_usage (object, outcome);
  json_object_set_int_member (object, "createdAt", confab_message_get_created_at (message));
  if (error != NULL)
    {
      json_object_set_string_member (object, "code", confab_error_to_code (error));
      json_object_set_string_member (object, "error", error->message);
    }
  set_branches (object, confab_message_get_branches (message));

  return object;
}

JsonObject *
confab_wire_session (ConfabSession *session)
{
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "sessionId", confab_session_get_id (session));
  json_object_set_string_member (object, "title", confab_session_get_title (session));
  json_object_set_int_member (object, "createdAt", confab_session_get_created_at (session));
  json_object_set_int_member (object, "updatedAt", confab_session_get_updated_at (session));
  json_object_set_int_member (object, "moduleCount",
                              g_list_model_get_n_items (G_LIST_MODEL (session)));

  return object;
}

/**
 * confab_wire_set_head:
 * @object: an object
 * @module: a module
 *
 * Sets the member headId as it is on disk, null where there is no message.
 */
void
confab_wire_set_head (JsonObject *object, ConfabModule *module)
{
  set_string_or_null (object, "headId", confab_module_get_kept_head_id (module));
}

/**
 * confab_wire_module:
 * @module: a module
 *
 * Returns: (transfer full): its settings, and where it stands
 */
JsonObject *
confab_wire_module (ConfabModule *module)
{
  ConfabGeneration *running = confab_module_get_running (module);
  JsonObject *parameters = confab_module_get_parameters (module);
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "moduleId", confab_module_get_id (module));
  json_object_set_string_member (object, "sessionId", confab_module_get_session_id (module));
  json_object_set_string_member (object, "title", confab_module_get_title (module));
  set_string_or_null (object, "instructions", confab_module_get_instructions (module));
  set_string_or_null (object, "provider", confab_module_get_provider (module));
  set_string_or_null (object, "model", confab_module_get_model (module));
  if (parameters != NULL)
    json_object_set_object_member (object, "parameters", json_object_ref (parameters));
  else
    json_object_set_null_member (object, "parameters");
  json_object_set_string_member (
      object, "state",
      running != NULL ? confab_state_to_string (confab_generation_get_state (running)) : "idle");
  json_object_set_int_member (object, "messageCount",
                              (gint64) confab_module_get_n_messages (module));
  confab_wire_set_head (object, module);
  json_object_set_int_member (object, "createdAt", confab_module_get_created_at (module));
  json_object_set_int_member (object, "updatedAt", confab_module_get_updated_at (module));

  return object;
}

JsonObject *
confab_wire_search_result (const ConfabSearchResult *result)
{
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "sessionId", result->session_id);
  if (result->module_id != NULL)
    json_object_set_string_member (object, "moduleId", result->module_id);
  if (result->message_id != NULL)
    json_object_set_string_member (object, "messageId", result->message_id);
  json_object_set_string_member (object, "title", result->title);
  json_object_set_string_member (object, "snippet", result->snippet);
  json_object_set_int_member (object, "createdAt", result->created_at);

  return object;
}

JsonObject *
confab_wire_branch_change (const ConfabBranchChange *change)
{
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "moduleId", confab_module_get_id (change->module));
  json_object_set_string_member (object, "messageId", change->message_id);
  json_object_set_string_member (object, "headId", change->head_id);
  set_string_or_null (object, "parentId", change->parent_id);
  json_object_set_int_member (object, "messageCount", (gint64) change->n_messages);

  return object;
}

JsonObject *
confab_wire_deleted (const char *id_name, const char *id)
{
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, id_name, id);
  json_object_set_boolean_member (object, "deleted", TRUE);

  return object;
}

/**
 * confab_wire_to_string:
 * @object: (transfer full): an object
 *
 * Returns: (transfer full): its JSON text
 */
char *
confab_wire_to_string (JsonObject *object)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);

  json_node_take_object (node, object);

  return socketio_json_to_string (node);
}

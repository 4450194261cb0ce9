/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-rows.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include "confab-error.h"
#include "socketio-json.h"

/* Records that only lend: put copies what it needs, so nothing here is freed. */
#define LENT(string) ((char *) (string))

static gint64
now_ms (void)
{
  return g_get_real_time () / 1000;
}

void
confab_rows_put_session (ConfabBatch *batch, ConfabSession *session)
{
  ConfabSessionRecord record = {
    .id = LENT (confab_session_get_id (session)),
    .title = LENT (confab_session_get_title (session)),
    .created_at = confab_session_get_created_at (session),
    .updated_at = confab_session_get_updated_at (session),
  };

  confab_batch_put_session (batch, &record);
}

static char *
object_to_string (JsonObject *object)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);

  json_node_set_object (node, object);

  return socketio_json_to_string (node);
}

void
confab_rows_put_module (ConfabBatch *batch, ConfabModule *module)
{
  JsonObject *parameters = confab_module_get_parameters (module);
  g_autofree char *text = parameters != NULL ? object_to_string (parameters) : NULL;
  ConfabModuleRecord record = {
    .id = LENT (confab_module_get_id (module)),
    .session_id = LENT (confab_module_get_session_id (module)),
    .title = LENT (confab_module_get_title (module)),
    .title_is_auto = confab_module_get_title_is_auto (module),
    .instructions = LENT (confab_module_get_instructions (module)),
    .provider = LENT (confab_module_get_provider (module)),
    .model = LENT (confab_module_get_model (module)),
    .parameters = text,
    .created_at = confab_module_get_created_at (module),
    .updated_at = confab_module_get_updated_at (module),
  };

  confab_batch_put_module (batch, &record);
}

/**
 * confab_rows_put_question:
 * @batch: where to write
 * @module: where it was asked
 * @generation: what answers it
 *
 * Writes the question; nothing changes if it is there already.
 */
void
confab_rows_put_question (ConfabBatch *batch, ConfabModule *module, ConfabGeneration *generation)
{
  ConfabMessage *question = confab_generation_get_question (generation);
  g_autofree char *parts = confab_message_dup_parts (question);
  ConfabMessageRecord record = {
    .id = LENT (confab_message_get_id (question)),
    .module_id = LENT (confab_module_get_id (module)),
    .parent_id = LENT (confab_message_get_parent_id (question)),
    .role = confab_message_get_role (question),
    .parts = parts,
    .state = CONFAB_STATE_COMPLETED,
    .created_at = confab_message_get_created_at (question),
  };

  confab_batch_put_message (batch, &record);
}

/**
 * confab_rows_put_answer:
 * @batch: where to write
 * @module: where it is given
 * @generation: what writes it
 * @end: (nullable): how it ends; %NULL while it goes on
 *
 * Writes the answer with all text that there is by now.
 */
void
confab_rows_put_answer (ConfabBatch *batch,
                        ConfabModule *module,
                        ConfabGeneration *generation,
                        const ConfabRowsEnd *end)
{
  ConfabMessage *answer = confab_generation_get_answer (generation);
  const ConfabOutcome *outcome = end != NULL ? end->outcome : NULL;
  const GError *error = end != NULL ? end->error : NULL;
  g_autofree char *parts = confab_parts_new (confab_generation_get_text (generation),
                                             confab_generation_get_reasoning (generation));
  ConfabMessageRecord record = {
    .id = LENT (confab_message_get_id (answer)),
    .module_id = LENT (confab_module_get_id (module)),
    .parent_id = LENT (confab_message_get_parent_id (answer)),
    .role = CONFAB_ROLE_ASSISTANT,
    .parts = parts,
    .state = end != NULL ? end->state : confab_generation_get_state (generation),
    .generation_id = LENT (confab_generation_get_id (generation)),
    .provider = LENT (confab_module_get_provider (module)),
    .error_code = error != NULL ? LENT (confab_error_to_code (error)) : NULL,
    .error_message = error != NULL ? error->message : NULL,
    .created_at = confab_message_get_created_at (answer),
  };

  if (outcome != NULL)
    {
      record.has_finish_reason = TRUE;
      record.finish_reason = outcome->finish_reason;
      record.has_usage = outcome->has_usage;
      record.usage = outcome->usage;
    }
  /* the message learns its outcome when this is written */
  record.model = outcome != NULL && outcome->model != NULL
                     ? outcome->model
                     : LENT (confab_message_get_model (answer));
  confab_batch_put_message (batch, &record);
}

/**
 * confab_rows_grow_answer:
 * @batch: where to write
 * @generation: one that goes on, and whose answer was put
 *
 * Writes all text that there is by now.
 */
void
confab_rows_grow_answer (ConfabBatch *batch, ConfabGeneration *generation)
{
  g_autofree char *parts = confab_parts_new (confab_generation_get_text (generation),
                                             confab_generation_get_reasoning (generation));

  confab_batch_grow_message (batch, confab_generation_get_module_id (generation),
                             confab_message_get_id (confab_generation_get_answer (generation)),
                             confab_generation_get_state (generation), parts);
}

/**
 * confab_rows_put_generation:
 * @batch: where to write
 * @generation: what to write; its question and answer must be there, or come before it in @batch
 * @end: (nullable): how it ends; %NULL while it goes on
 */
void
confab_rows_put_generation (ConfabBatch *batch,
                            ConfabGeneration *generation,
                            const ConfabRowsEnd *end)
{
  const GError *error = end != NULL ? end->error : NULL;
  ConfabGenerationRecord record = {
    .id = LENT (confab_generation_get_id (generation)),
    .module_id = LENT (confab_generation_get_module_id (generation)),
    .request_id = LENT (confab_generation_get_request_id (generation)),
    .question_id = LENT (confab_message_get_id (confab_generation_get_question (generation))),
    .answer_id = LENT (confab_message_get_id (confab_generation_get_answer (generation))),
    .state = end != NULL ? end->state : confab_generation_get_state (generation),
    .seq = confab_generation_get_seq (generation),
    .error_code = error != NULL ? LENT (confab_error_to_code (error)) : NULL,
    .error_message = error != NULL ? error->message : NULL,
    .created_at = confab_generation_get_started_at (generation),
    .ended_at = end != NULL ? now_ms () : 0,
  };

  if (end != NULL && end->outcome != NULL)
    {
      record.has_finish_reason = TRUE;
      record.finish_reason = end->outcome->finish_reason;
    }
  confab_batch_put_generation (batch, &record);
}

void
confab_rows_put_head (ConfabBatch *batch, ConfabModule *module)
{
  confab_batch_set_head (batch, confab_module_get_id (module), confab_module_get_head_id (module),
                         confab_module_get_updated_at (module));
}

/**
 * confab_rows_read_session:
 * @record: a row
 *
 * Returns: (transfer full): the session, without its modules
 */
ConfabSession *
confab_rows_read_session (const ConfabSessionRecord *record)
{
  ConfabSession *session = confab_session_new (record->id);

  confab_session_set_title (session, record->title);
  confab_session_set_created_at (session, record->created_at);
  confab_session_set_updated_at (session, record->updated_at);

  return session;
}

/**
 * confab_rows_read_module:
 * @record: a row
 *
 * Returns: (transfer full): the module
 */
ConfabModule *
confab_rows_read_module (const ConfabModuleRecord *record)
{
  ConfabModule *module = confab_module_new (record->id, record->session_id);
  g_autoptr (JsonNode) parameters =
      record->parameters != NULL
          ? socketio_json_parse (record->parameters, strlen (record->parameters), NULL)
          : NULL;

  confab_module_set_title (module, record->title, record->title_is_auto);
  confab_module_set_instructions (module, record->instructions);
  confab_module_set_provider (module, record->provider);
  confab_module_set_model (module, record->model);
  if (parameters != NULL && JSON_NODE_HOLDS_OBJECT (parameters))
    confab_module_set_parameters (module, json_node_get_object (parameters));
  confab_module_set_created_at (module, record->created_at);
  confab_module_set_updated_at (module, record->updated_at);
  confab_module_set_head (module, record->head_id, record->n_messages);
  confab_module_set_kept_head (module, record->head_id, record->n_messages);

  return module;
}

/**
 * confab_rows_read_message:
 * @record: a row
 *
 * Returns: (transfer full): the message
 */
ConfabMessage *
confab_rows_read_message (const ConfabMessageRecord *record)
{
  ConfabOutcome outcome = {
    .finish_reason = record->finish_reason,
    .has_usage = record->has_usage,
    .usage = record->usage,
    .model = record->model,
  };
  g_autoptr (GError) error =
      record->error_code != NULL
          ? confab_error_new_from_code (record->error_code, record->error_message)
          : NULL;
  ConfabMessageFields fields = {
    .id = record->id,
    .parent_id = record->parent_id,
    .generation_id = record->generation_id,
    .model = record->model,
    .role = record->role,
    .state = record->state,
    .parts = record->parts,
    .outcome = record->has_finish_reason ? &outcome : NULL,
    .error = error,
    .branches = record->branches,
    .created_at = record->created_at,
  };

  return confab_message_new (&fields);
}

/**
 * confab_rows_read_messages:
 * @records: (element-type ConfabMessageRecord): rows
 *
 * Returns: (transfer full) (element-type ConfabMessage): the messages, in the same order
 */
GPtrArray *
confab_rows_read_messages (GPtrArray *records)
{
  GPtrArray *messages = g_ptr_array_new_full (records->len, g_object_unref);

  for (guint i = 0; i < records->len; i++)
    g_ptr_array_add (messages, confab_rows_read_message (g_ptr_array_index (records, i)));

  return messages;
}

/**
 * confab_rows_read_exchange:
 * @exchange: a generation that has ended, with its messages
 *
 * Returns: (transfer full): the generation
 */
ConfabGeneration *
confab_rows_read_exchange (const ConfabExchange *exchange)
{
  const ConfabGenerationRecord *row = exchange->generation;
  g_autoptr (ConfabMessage) question = confab_rows_read_message (exchange->question);
  g_autoptr (ConfabMessage) answer = confab_rows_read_message (exchange->answer);

  ConfabGeneration *generation = confab_generation_new_ended (
      row->id, row->module_id, row->request_id, question, answer, row->seq);

  confab_generation_set_anew (generation, exchange->anew);

  return generation;
}

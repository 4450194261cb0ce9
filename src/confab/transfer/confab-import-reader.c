/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-import-reader.h"

#include <glib/gi18n-lib.h>
#include <json-glib/json-glib.h>
#include <string.h>

#include "confab-error.h"
#include "confab-export-writer.h"
#include "confab-import-fields.h"
#include "confab-import-parameters.h"
#include "confab-import-scanner.h"
#include "confab-rules.h"
#include "socketio-json-scan.h"
#include "socketio-json.h"

/* Names of models and providers, which are not all ours. */
#define MAX_NAME_BYTES 4096
#define MAX_PARAMETERS_BYTES (64 * 1024)
#define MAX_ERROR_BYTES (64 * 1024)
#define MAX_CODE_BYTES 128

struct _ConfabImportReader
{
  ConfabStaging *staging;
  ConfabImportScanner *scanner;
  GHashTable *header; /* set of the names that came */
  gboolean all_parameters;
};

typedef struct
{
  ConfabMessageRecord record;
  ConfabGenerationRecord generation;
} Message;

#define REQUIRED TRUE
#define OPTIONAL FALSE
#define AT(type, member) G_STRUCT_OFFSET (type, member)

static const ConfabImportField session_fields[] = {
  { "type", CONFAB_IMPORT_TYPE, REQUIRED },
  { "sessionId", CONFAB_IMPORT_ID, REQUIRED, AT (ConfabSessionRecord, id) },
  { "title", CONFAB_IMPORT_TEXT, REQUIRED, AT (ConfabSessionRecord, title),
    CONFAB_MAX_TITLE_BYTES },
  { "createdAt", CONFAB_IMPORT_NUMBER, REQUIRED, AT (ConfabSessionRecord, created_at) },
  { "updatedAt", CONFAB_IMPORT_NUMBER, REQUIRED, AT (ConfabSessionRecord, updated_at) },
};

static const ConfabImportField module_fields[] = {
  { "type", CONFAB_IMPORT_TYPE, REQUIRED },
  { "moduleId", CONFAB_IMPORT_ID, REQUIRED, AT (ConfabModuleRecord, id) },
  { "sessionId", CONFAB_IMPORT_ID, REQUIRED, AT (ConfabModuleRecord, session_id) },
  { "title", CONFAB_IMPORT_TEXT, REQUIRED, AT (ConfabModuleRecord, title), CONFAB_MAX_TITLE_BYTES },
  { "titleIsAuto", CONFAB_IMPORT_FLAG, REQUIRED, AT (ConfabModuleRecord, title_is_auto) },
  { "instructions", CONFAB_IMPORT_TEXT, OPTIONAL, AT (ConfabModuleRecord, instructions),
    CONFAB_MAX_INSTRUCTIONS_BYTES },
  { "provider", CONFAB_IMPORT_TEXT, OPTIONAL, AT (ConfabModuleRecord, provider), MAX_NAME_BYTES },
  { "model", CONFAB_IMPORT_TEXT, OPTIONAL, AT (ConfabModuleRecord, model), MAX_NAME_BYTES },
  { "parameters", CONFAB_IMPORT_PARAMETERS, OPTIONAL, AT (ConfabModuleRecord, parameters),
    MAX_PARAMETERS_BYTES },
  { "headId", CONFAB_IMPORT_ID, OPTIONAL, AT (ConfabModuleRecord, head_id) },
  { "createdAt", CONFAB_IMPORT_NUMBER, REQUIRED, AT (ConfabModuleRecord, created_at) },
  { "updatedAt", CONFAB_IMPORT_NUMBER, REQUIRED, AT (ConfabModuleRecord, updated_at) },
};

static const ConfabImportField message_fields[] = {
  { "type", CONFAB_IMPORT_TYPE, REQUIRED },
  { "messageId", CONFAB_IMPORT_ID, REQUIRED, AT (Message, record.id) },
  { "parentId", CONFAB_IMPORT_ID, OPTIONAL, AT (Message, record.parent_id) },
  { "role", CONFAB_IMPORT_ROLE, REQUIRED, AT (Message, record.role) },
  { "parts", CONFAB_IMPORT_PARTS, REQUIRED, AT (Message, record.parts),
    CONFAB_IMPORT_MAX_RECORD_BYTES },
  { "state", CONFAB_IMPORT_STATE, REQUIRED, AT (Message, record.state) },
  { "finishReason", CONFAB_IMPORT_FINISH, OPTIONAL, AT (Message, record.finish_reason), 0,
    AT (Message, record.has_finish_reason) },
  { "code", CONFAB_IMPORT_TEXT, OPTIONAL, AT (Message, record.error_code), MAX_CODE_BYTES },
  { "error", CONFAB_IMPORT_TEXT, OPTIONAL, AT (Message, record.error_message), MAX_ERROR_BYTES },
  { "generationId", CONFAB_IMPORT_ID, OPTIONAL, AT (Message, record.generation_id) },
  { "generation", CONFAB_IMPORT_OBJECT, OPTIONAL },
  { "provider", CONFAB_IMPORT_TEXT, OPTIONAL, AT (Message, record.provider), MAX_NAME_BYTES },
  { "model", CONFAB_IMPORT_TEXT, OPTIONAL, AT (Message, record.model), MAX_NAME_BYTES },
  { "usage", CONFAB_IMPORT_OBJECT, OPTIONAL },
  { "createdAt", CONFAB_IMPORT_NUMBER, REQUIRED, AT (Message, record.created_at) },
};

static const ConfabImportField generation_fields[] = {
  { "questionId", CONFAB_IMPORT_ID, REQUIRED, AT (ConfabGenerationRecord, question_id) },
  { "requestId", CONFAB_IMPORT_ID, OPTIONAL, AT (ConfabGenerationRecord, request_id) },
  { "state", CONFAB_IMPORT_STATE, REQUIRED, AT (ConfabGenerationRecord, state) },
  { "finishReason", CONFAB_IMPORT_FINISH, OPTIONAL, AT (ConfabGenerationRecord, finish_reason), 0,
    AT (ConfabGenerationRecord, has_finish_reason) },
  { "code", CONFAB_IMPORT_TEXT, OPTIONAL, AT (ConfabGenerationRecord, error_code), MAX_CODE_BYTES },
  { "error", CONFAB_IMPORT_TEXT, OPTIONAL, AT (ConfabGenerationRecord, error_message),
    MAX_ERROR_BYTES },
  { "seq", CONFAB_IMPORT_NUMBER, REQUIRED, AT (ConfabGenerationRecord, seq) },
  { "createdAt", CONFAB_IMPORT_NUMBER, REQUIRED, AT (ConfabGenerationRecord, created_at) },
  { "endedAt", CONFAB_IMPORT_NUMBER, REQUIRED, AT (ConfabGenerationRecord, ended_at) },
};

static const ConfabImportField usage_fields[] = {
  { "inputTokens", CONFAB_IMPORT_COUNT, OPTIONAL, AT (ConfabUsage, input_tokens) },
  { "outputTokens", CONFAB_IMPORT_COUNT, OPTIONAL, AT (ConfabUsage, output_tokens) },
  { "reasoningTokens", CONFAB_IMPORT_COUNT, OPTIONAL, AT (ConfabUsage, reasoning_tokens) },
  { "cachedInputTokens", CONFAB_IMPORT_COUNT, OPTIONAL, AT (ConfabUsage, cached_input_tokens) },
};

#define TAKE(object, fields, target, error)                                                        \
  confab_import_take_fields (object, fields, G_N_ELEMENTS (fields), target, error)

static gboolean
refuse (GError **error, ConfabError code, const char *message)
{
  g_set_error_literal (error, CONFAB_ERROR, (int) code, message);

  return FALSE;
}

static void
message_free (Message *self)
{
  ConfabCutMessage *records = g_new (ConfabCutMessage, 1);

  /* they free themselves, but are not on their own here */
  *records = (ConfabCutMessage){
    g_memdup2 (&self->record, sizeof self->record),
    g_memdup2 (&self->generation, sizeof self->generation),
  };
  confab_cut_message_free (records);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Message, message_free)

static gboolean
take_session (ConfabImportReader *self, JsonObject *object, GError **error)
{
  g_autoptr (ConfabSessionRecord) session = g_new0 (ConfabSessionRecord, 1);

  return TAKE (object, session_fields, session, error)
         && confab_staging_add_session (self->staging, session, error);
}

static JsonObject *
get_object (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

static gboolean
take_module (ConfabImportReader *self, JsonObject *object, GError **error)
{
  g_autoptr (ConfabModuleRecord) module = g_new0 (ConfabModuleRecord, 1);
  JsonObject *parameters = get_object (object, "parameters");

  return TAKE (object, module_fields, module, error)
         && (parameters == NULL || self->all_parameters
             || confab_import_check_parameters (parameters, error))
         && confab_staging_add_module (self->staging, module, error);
}

static gboolean
check_text (const ConfabMessageRecord *message, GError **error)
{
  g_autofree char *text =
      message->role == CONFAB_ROLE_USER ? confab_parts_join (message->parts, "text") : NULL;

  if (text != NULL && strlen (text) > CONFAB_MAX_MESSAGE_BYTES)
    return refuse (error, CONFAB_ERROR_TOO_LARGE,
                   _ ("the text of the question is longer than 256 KiB."));

  return TRUE;
}

static gboolean
take_message (ConfabImportReader *self, JsonObject *object, GError **error)
{
  g_autoptr (Message) message = g_new0 (Message, 1);
  JsonObject *generation = get_object (object, "generation");
  JsonObject *usage = get_object (object, "usage");
  ConfabMessageRecord *record = &message->record;

  if (!TAKE (object, message_fields, message, error) || !check_text (record, error))
    return FALSE;
  if (generation != NULL
      && (record->generation_id == NULL || record->role != CONFAB_ROLE_ASSISTANT))
    return refuse (error, CONFAB_ERROR_INVALID_REQUEST,
                   _ ("only an answer with a generationId has a generation."));
  if (generation != NULL && !TAKE (generation, generation_fields, &message->generation, error))
    return FALSE;

  record->has_usage = usage != NULL;
  if (usage != NULL && !TAKE (usage, usage_fields, &record->usage, error))
    return FALSE;

  return confab_staging_add_message (self->staging, record,
                                     generation != NULL ? &message->generation : NULL, error);
}

/* So that no member was named twice, of which only the last would be seen. */
static gsize
count_members (JsonNode *node)
{
  gsize n = 0;

  if (JSON_NODE_HOLDS_OBJECT (node))
    {
      JsonObjectIter iter;
      JsonNode *value;

      json_object_iter_init (&iter, json_node_get_object (node));
      while (json_object_iter_next (&iter, NULL, &value))
        n += 1 + count_members (value);
    }
  else if (JSON_NODE_HOLDS_ARRAY (node))
    {
      JsonArray *array = json_node_get_array (node);

      for (guint i = 0; i < json_array_get_length (array); i++)
        n += count_members (json_array_get_element (array, i));
    }

  return n;
}

static JsonNode *
parse (const ConfabImportItem *item, GError **error)
{
  g_autoptr (GString) corrected = NULL;
  g_autoptr (GError) reason = NULL;
  g_autoptr (JsonNode) node = NULL;

  /* what a peer's message gets a replacement for, would not come out again as it came in */
  if (socketio_json_scan (item->text, item->length, &corrected, &reason) && corrected != NULL)
    {
      refuse (error, CONFAB_ERROR_INVALID_REQUEST,
              _ ("it holds what cannot be kept exactly: an escape for NUL or for half of a pair, "
                 "or a number that is too large."));
      return NULL;
    }
  if (reason == NULL)
    node = socketio_json_parse (item->text, item->length, &reason);
  if (node == NULL)
    {
      g_set_error (error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST,
                   _ ("this is not JSON in UTF-8: %s"), reason->message);
      return NULL;
    }
  if (count_members (node) != item->n_members)
    {
      refuse (error, CONFAB_ERROR_INVALID_REQUEST, _ ("a field is there twice."));
      return NULL;
    }

  return g_steal_pointer (&node);
}

static gboolean
check_header (ConfabImportReader *self, GError **error)
{
  if (!g_hash_table_contains (self->header, "format")
      || !g_hash_table_contains (self->header, "version"))
    return refuse (error, CONFAB_ERROR_INVALID_REQUEST,
                   _ ("the fields format and version are missing before the records; this is no "
                      "export of Confab."));

  return TRUE;
}

static gboolean
take_record (ConfabImportReader *self, const ConfabImportItem *item, GError **error)
{
  g_autoptr (JsonNode) node = NULL;
  const char *type = NULL;
  JsonObject *object;

  if (!check_header (self, error) || (node = parse (item, error)) == NULL)
    return FALSE;

  object = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  if (object != NULL && json_object_has_member (object, "type")
      && json_node_get_value_type (json_object_get_member (object, "type")) == G_TYPE_STRING)
    type = json_object_get_string_member (object, "type");

  if (g_strcmp0 (type, "session") == 0)
    return take_session (self, object, error);
  if (g_strcmp0 (type, "module") == 0)
    return take_module (self, object, error);
  if (g_strcmp0 (type, "message") == 0)
    return take_message (self, object, error);

  return refuse (error, CONFAB_ERROR_INVALID_REQUEST,
                 _ ("this is a record of a type that this version of Confab does not know."));
}

static gboolean
is_int (JsonNode *node)
{
  return JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_INT64;
}

static gboolean
is_string (JsonNode *node)
{
  return JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING;
}

static gboolean
take_header (ConfabImportReader *self, const ConfabImportItem *item, GError **error)
{
  g_autoptr (JsonNode) node = parse (item, error);

  if (node == NULL)
    return FALSE;
  if (!g_hash_table_add (self->header, g_strdup (item->key)))
    return refuse (error, CONFAB_ERROR_INVALID_REQUEST, _ ("a field is there twice."));

  if (strcmp (item->key, "format") == 0)
    return (is_string (node) && strcmp (json_node_get_string (node), CONFAB_EXPORT_FORMAT) == 0)
           || refuse (error, CONFAB_ERROR_INVALID_REQUEST,
                      _ ("this is no export of Confab: its format is another one."));
  if (strcmp (item->key, "version") == 0)
    return (is_int (node) && json_node_get_int (node) == CONFAB_EXPORT_VERSION)
           || refuse (error, CONFAB_ERROR_INVALID_REQUEST,
                      _ ("this export has a version of the format that this Confab does not know; "
                         "it knows version 1."));
  if (strcmp (item->key, "generator") == 0 && is_string (node))
    return TRUE;
  if (strcmp (item->key, "exportedAt") == 0 && is_int (node))
    return TRUE;

  return refuse (error, CONFAB_ERROR_INVALID_REQUEST,
                 _ ("the export has a field outside its records that this version of Confab does "
                    "not know."));
}

/* The place before the reason; other errors than those of the content have none. */
static gboolean
place_error (GError **error, guint line, GError *reason)
{
  gboolean is_content = reason->domain == CONFAB_ERROR
                        || g_error_matches (reason, CONFAB_STORE_ERROR, CONFAB_STORE_ERROR_INVALID);

  if (is_content)
    g_set_error (error, CONFAB_ERROR,
                 reason->domain == CONFAB_ERROR ? reason->code : (int) CONFAB_ERROR_INVALID_REQUEST,
                 _ ("Line %u: %s"), line, reason->message);
  else
    g_propagate_error (error, g_error_copy (reason));

  return FALSE;
}

static gboolean
item_cb (const ConfabImportItem *item, gpointer user_data, GError **error)
{
  ConfabImportReader *self = user_data;
  g_autoptr (GError) reason = NULL;

  if (item->key != NULL ? take_header (self, item, &reason) : take_record (self, item, &reason))
    return TRUE;

  return place_error (error, item->line, reason);
}

/**
 * confab_import_reader_new:
 * @staging: where to
 *
 * Returns: (transfer full): a reader that nothing was fed yet
 */
ConfabImportReader *
confab_import_reader_new (ConfabStaging *staging)
{
  ConfabImportReader *self = g_new0 (ConfabImportReader, 1);

  self->staging = g_object_ref (staging);
  self->scanner = confab_import_scanner_new (item_cb, self);
  self->header = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  return self;
}

void
confab_import_reader_free (ConfabImportReader *self)
{
  confab_import_scanner_free (self->scanner);
  g_hash_table_unref (self->header);
  g_object_unref (self->staging);
  g_free (self);
}

void
confab_import_reader_take_all_parameters (ConfabImportReader *self)
{
  self->all_parameters = TRUE;
}

gboolean
confab_import_reader_feed (ConfabImportReader *self,
                           const char *bytes,
                           gsize length,
                           GError **error)
{
  return confab_import_scanner_feed (self->scanner, bytes, length, error);
}

gboolean
confab_import_reader_finish (ConfabImportReader *self, GError **error)
{
  g_autoptr (GError) reason = NULL;

  if (!confab_import_scanner_finish (self->scanner, error))
    return FALSE;
  if (!confab_import_scanner_had_records (self->scanner))
    refuse (&reason, CONFAB_ERROR_INVALID_REQUEST,
            _ ("the field records is missing; this is no export of Confab."));
  else if (check_header (self, &reason) && confab_staging_seal (self->staging, &reason))
    return TRUE;

  return place_error (error, confab_import_scanner_get_line (self->scanner), reason);
}

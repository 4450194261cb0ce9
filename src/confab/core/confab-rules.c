/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-rules.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "confab-error.h"
#include "confab-id.h"
#include "socketio-json.h"

#define MAX_PARAMETERS_BYTES (16 * 1024)
#define MAX_NAME_BYTES 256

typedef enum
{
  FIELD_ID,
  FIELD_CURSOR,  /* what a list has answered: a whole number */
  FIELD_MESSAGE, /* text with at least one visible character */
  FIELD_TEXT,
  FIELD_INTEGER,
  FIELD_NUMBER,
  FIELD_PARAMETERS,
} FieldKind;

typedef struct
{
  const char *call;
  const char *name;
  FieldKind kind;
  gboolean required;
  double min, max; /* of numbers; of texts max is the length in bytes */
} Field;

#define REQUIRED TRUE
#define OPTIONAL FALSE
#define MODULE_SETTINGS(call)                                                                      \
  { call, "title", FIELD_TEXT, OPTIONAL, 0, CONFAB_MAX_TITLE_BYTES },                              \
      { call, "instructions", FIELD_TEXT, OPTIONAL, 0, CONFAB_MAX_INSTRUCTIONS_BYTES },            \
      { call, "provider", FIELD_TEXT, OPTIONAL, 0, MAX_NAME_BYTES },                               \
      { call, "model", FIELD_TEXT, OPTIONAL, 0, MAX_NAME_BYTES },                                  \
  {                                                                                                \
    call, "parameters", FIELD_PARAMETERS, OPTIONAL, 0, MAX_PARAMETERS_BYTES                        \
  }
#define PAGE(call)                                                                                 \
  {                                                                                                \
    call, "limit", FIELD_INTEGER, OPTIONAL, 1, CONFAB_MAX_PAGE                                     \
  }

static const Field fields[] = {
  { "ai:chat:generate", "moduleId", FIELD_ID, REQUIRED },
  { "ai:chat:generate", "message", FIELD_MESSAGE, REQUIRED, 0, CONFAB_MAX_MESSAGE_BYTES },
  { "ai:chat:generate", "sessionId", FIELD_ID, OPTIONAL },
  { "ai:chat:generate", "requestId", FIELD_ID, OPTIONAL },
  { "ai:chat:generate", "userMessageId", FIELD_ID, OPTIONAL },
  { "ai:chat:regenerate", "moduleId", FIELD_ID, REQUIRED },
  { "ai:chat:regenerate", "messageId", FIELD_ID, OPTIONAL },
  { "ai:chat:regenerate", "message", FIELD_MESSAGE, OPTIONAL, 0, CONFAB_MAX_MESSAGE_BYTES },
  { "ai:chat:regenerate", "requestId", FIELD_ID, OPTIONAL },
  { "ai:chat:stop", "moduleId", FIELD_ID, REQUIRED },
  { "ai:chat:stop", "generationId", FIELD_ID, OPTIONAL },
  { "ai:chat:resume", "moduleId", FIELD_ID, REQUIRED },
  { "ai:chat:resume", "generationId", FIELD_ID, OPTIONAL },
  { "ai:chat:resume", "seq", FIELD_INTEGER, OPTIONAL, 0, (double) G_MAXINT32 },
  { "ai:chat:leave", "moduleId", FIELD_ID, REQUIRED },
  { "ai:chat:history", "moduleId", FIELD_ID, REQUIRED },
  { "ai:chat:history", "before", FIELD_ID, OPTIONAL },
  PAGE ("ai:chat:history"),
  { "ai:chat:branch", "moduleId", FIELD_ID, REQUIRED },
  { "ai:chat:branch", "messageId", FIELD_ID, REQUIRED },
  { "ai:chat:search", "query", FIELD_MESSAGE, REQUIRED, 0, CONFAB_MAX_QUERY_BYTES },
  PAGE ("ai:chat:search"),
  { "session:list", "cursor", FIELD_CURSOR, OPTIONAL },
  PAGE ("session:list"),
  { "session:create", "sessionId", FIELD_ID, OPTIONAL },
  { "session:create", "title", FIELD_TEXT, OPTIONAL, 0, CONFAB_MAX_TITLE_BYTES },
  { "session:update", "sessionId", FIELD_ID, REQUIRED },
  { "session:update", "title", FIELD_TEXT, REQUIRED, 0, CONFAB_MAX_TITLE_BYTES },
  { "session:delete", "sessionId", FIELD_ID, REQUIRED },
  { "module:list", "sessionId", FIELD_ID, REQUIRED },
  { "module:list", "cursor", FIELD_CURSOR, OPTIONAL },
  PAGE ("module:list"),
  { "module:create", "sessionId", FIELD_ID, REQUIRED },
  { "module:create", "moduleId", FIELD_ID, OPTIONAL },
  MODULE_SETTINGS ("module:create"),
  { "module:update", "moduleId", FIELD_ID, REQUIRED },
  { "module:update", "sessionId", FIELD_ID, OPTIONAL },
  MODULE_SETTINGS ("module:update"),
  { "module:delete", "moduleId", FIELD_ID, REQUIRED },
  { "module:delete", "sessionId", FIELD_ID, OPTIONAL },
};

/* Of the member "parameters"; others are kept as they are. */
static const Field parameter_fields[] = {
  { NULL, "temperature", FIELD_NUMBER, OPTIONAL, 0, 2 },
  { NULL, "top_p", FIELD_NUMBER, OPTIONAL, 0, 1 },
  { NULL, "max_tokens", FIELD_INTEGER, OPTIONAL, 1, 10000000 },
  { NULL, "seed", FIELD_INTEGER, OPTIONAL, -9007199254740991.0, 9007199254740991.0 },
};

static gboolean
is_blank (const char *text)
{
  for (const char *c = text; *c != '\0'; c = g_utf8_next_char (c))
    if (!g_unichar_isspace (g_utf8_get_char (c)))
      return FALSE;

  return TRUE;
}

static gboolean
is_cursor (const char *value)
{
  guint64 number;

  return g_ascii_string_to_unsigned (value, 10, 0, G_MAXUINT64, &number, NULL);
}

static gboolean
check_string (const Field *field, JsonNode *node, GError **error)
{
  const char *value;

  if (json_node_get_value_type (node) != G_TYPE_STRING)
    return confab_error_refuse (error, CONFAB_ERROR_INVALID_REQUEST,
                                _ ("The field %s must be a string."), field->name);

  value = json_node_get_string (node);
  if (field->kind == FIELD_ID)
    return confab_id_is_valid (value)
           || confab_error_refuse (
               error, CONFAB_ERROR_INVALID_REQUEST,
               _ ("The field %s is not an id: 1 to 128 letters, digits or ._~:@- ."), field->name);
  if (field->kind == FIELD_CURSOR)
    return is_cursor (value)
           || confab_error_refuse (error, CONFAB_ERROR_INVALID_REQUEST,
                                   _ ("The field %s is not one that a list has answered."),
                                   field->name);

  if (strlen (value) > field->max)
    return confab_error_refuse (error, CONFAB_ERROR_TOO_LARGE,
                                _ ("The field %s is longer than %u bytes."), field->name,
                                (guint) field->max);
  if (field->kind == FIELD_MESSAGE && is_blank (value))
    return confab_error_refuse (error, CONFAB_ERROR_INVALID_REQUEST, _ ("The field %s is empty."),
                                field->name);

  return TRUE;
}

static gboolean
check_number (const Field *field, JsonNode *node, GError **error)
{
  GType type = json_node_get_value_type (node);
  double value;

  /* 1.0 is an integer too: JSON has one kind of number */
  if (type != G_TYPE_INT64 && type != G_TYPE_DOUBLE)
    return confab_error_refuse (error, CONFAB_ERROR_INVALID_REQUEST,
                                _ ("The field %s must be a number."), field->name);

  value = type == G_TYPE_INT64 ? (double) json_node_get_int (node) : json_node_get_double (node);
  if (field->kind == FIELD_INTEGER && value != (double) (gint64) value)
    return confab_error_refuse (error, CONFAB_ERROR_INVALID_REQUEST,
                                _ ("The field %s must be a whole number."), field->name);
  if (value < field->min || value > field->max)
    return confab_error_refuse (error, CONFAB_ERROR_INVALID_REQUEST,
                                _ ("The field %s must be from %.15g to %.15g."), field->name,
                                field->min, field->max);

  return TRUE;
}

static gboolean check_field (const Field *field, JsonObject *payload, GError **error);

static gboolean
check_parameters (const Field *field, JsonNode *node, GError **error)
{
  g_autofree char *text = NULL;

  if (!JSON_NODE_HOLDS_OBJECT (node))
    return confab_error_refuse (error, CONFAB_ERROR_INVALID_REQUEST,
                                _ ("The field %s must be an object."), field->name);

  text = socketio_json_to_string (node);
  if (strlen (text) > field->max)
    return confab_error_refuse (error, CONFAB_ERROR_TOO_LARGE,
                                _ ("The field %s is longer than %u bytes."), field->name,
                                (guint) field->max);

  for (guint i = 0; i < G_N_ELEMENTS (parameter_fields); i++)
    if (!check_field (&parameter_fields[i], json_node_get_object (node), error))
      return FALSE;

  return TRUE;
}

static gboolean
check_field (const Field *field, JsonObject *payload, GError **error)
{
  JsonNode *node = json_object_get_member (payload, field->name);

  if (node == NULL || json_node_is_null (node))
    return !field->required
           || confab_error_refuse (error, CONFAB_ERROR_INVALID_REQUEST,
                                   _ ("The field %s is missing."), field->name);

  switch (field->kind)
    {
    case FIELD_ID:
    case FIELD_CURSOR:
    case FIELD_MESSAGE:
    case FIELD_TEXT:
      return check_string (field, node, error);
    case FIELD_INTEGER:
    case FIELD_NUMBER:
      return check_number (field, node, error);
    case FIELD_PARAMETERS:
      return check_parameters (field, node, error);
    default:
      g_return_val_if_reached (FALSE);
    }
}

/**
 * confab_rules_check:
 * @call: the name of a client event, like "module:update"
 * @payload: (nullable): what came with it
 * @error: return location for a %CONFAB_ERROR
 *
 * Checks @payload against the contract: types, lengths, ranges. Fields that @call does not know are
 * not looked at.
 *
 * Returns: whether @payload is fit
 */
gboolean
confab_rules_check (const char *call, JsonObject *payload, GError **error)
{
  g_return_val_if_fail (call != NULL, FALSE);

  if (payload == NULL)
    return confab_error_refuse (error, CONFAB_ERROR_INVALID_REQUEST,
                                _ ("The last argument must be an object."));

  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    if (g_str_equal (fields[i].call, call) && !check_field (&fields[i], payload, error))
      return FALSE;

  return TRUE;
}

/**
 * confab_rules_get_string:
 * @payload: (nullable): a payload
 * @name: a member
 *
 * Returns: (nullable): its string; %NULL for a member of any other kind too
 */
const char *
confab_rules_get_string (JsonObject *payload, const char *name)
{
  JsonNode *node = payload != NULL ? json_object_get_member (payload, name) : NULL;

  return node != NULL && json_node_get_value_type (node) == G_TYPE_STRING
             ? json_node_get_string (node)
             : NULL;
}

/**
 * confab_rules_get_int:
 * @payload: a payload that was checked
 * @name: a member
 * @otherwise: the value if it is absent
 *
 * Returns: its whole number
 */
gint64
confab_rules_get_int (JsonObject *payload, const char *name, gint64 otherwise)
{
  JsonNode *node = json_object_get_member (payload, name);

  if (node == NULL || json_node_is_null (node))
    return otherwise;

  return json_node_get_value_type (node) == G_TYPE_DOUBLE ? (gint64) json_node_get_double (node)
                                                          : json_node_get_int (node);
}

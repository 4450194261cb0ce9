/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-import-fields.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "confab-completion.h"
#include "confab-error.h"
#include "confab-id.h"
#include "confab-state.h"
#include "socketio-json.h"

/* Of a name that we do not know, in characters. */
#define MAX_SHOWN 64

#define MEMBER(type, field, target) (*(type *) G_STRUCT_MEMBER_P (target, (field)->offset))

static gboolean
refuse_kind (const ConfabImportField *field, GError **error)
{
  return confab_error_refuse (
      error, CONFAB_ERROR_INVALID_REQUEST,
      _ ("the field %s holds something that this version of Confab does not know."), field->name);
}

static gboolean
refuse_length (const ConfabImportField *field, GError **error)
{
  return confab_error_refuse (error, CONFAB_ERROR_TOO_LARGE,
                              _ ("the field %s is longer than %u bytes."), field->name,
                              (guint) field->max);
}

static const char *
get_string (JsonNode *node)
{
  return JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING
             ? json_node_get_string (node)
             : NULL;
}

static gboolean
take_string (const ConfabImportField *field, JsonNode *node, gpointer target, GError **error)
{
  const char *value = get_string (node);

  if (value == NULL)
    return confab_error_refuse (error, CONFAB_ERROR_INVALID_REQUEST,
                                _ ("the field %s must be a string."), field->name);
  if (field->kind == CONFAB_IMPORT_ID && !confab_id_is_valid (value))
    return confab_error_refuse (
        error, CONFAB_ERROR_INVALID_REQUEST,
        _ ("the field %s must be 1 to 128 of the characters A-Z a-z 0-9 . _ ~ : @ -."),
        field->name);
  if (field->kind == CONFAB_IMPORT_TEXT && strlen (value) > field->max)
    return refuse_length (field, error);

  MEMBER (char *, field, target) = g_strdup (value);

  return TRUE;
}

static gboolean
take_number (const ConfabImportField *field, JsonNode *node, gpointer target, GError **error)
{
  if (!JSON_NODE_HOLDS_VALUE (node) || json_node_get_value_type (node) != G_TYPE_INT64
      || json_node_get_int (node) < 0)
    return confab_error_refuse (error, CONFAB_ERROR_INVALID_REQUEST,
                                _ ("the field %s must be a whole number, from 0."), field->name);

  MEMBER (gint64, field, target) = json_node_get_int (node);

  return TRUE;
}

static gboolean
take_flag (const ConfabImportField *field, JsonNode *node, gpointer target, GError **error)
{
  if (!JSON_NODE_HOLDS_VALUE (node) || json_node_get_value_type (node) != G_TYPE_BOOLEAN)
    return confab_error_refuse (error, CONFAB_ERROR_INVALID_REQUEST,
                                _ ("the field %s must be true or false."), field->name);

  MEMBER (gboolean, field, target) = json_node_get_boolean (node);

  return TRUE;
}

/* A value of an enumeration, by its name. */
static gboolean
take_name (const ConfabImportField *field, JsonNode *node, gpointer target, GError **error)
{
  const char *value = get_string (node);

  if (value == NULL)
    return refuse_kind (field, error);

  if (field->kind == CONFAB_IMPORT_ROLE)
    for (guint i = CONFAB_ROLE_SYSTEM; i <= CONFAB_ROLE_ASSISTANT; i++)
      if (strcmp (value, confab_role_to_string (i)) == 0)
        {
          MEMBER (ConfabRole, field, target) = i;
          return TRUE;
        }
  if (field->kind == CONFAB_IMPORT_STATE)
    for (guint i = 0; i < CONFAB_N_STATES; i++)
      if (strcmp (value, confab_state_to_string (i)) == 0)
        {
          MEMBER (ConfabState, field, target) = i;
          return TRUE;
        }
  if (field->kind == CONFAB_IMPORT_FINISH)
    for (guint i = CONFAB_FINISH_STOP; i <= CONFAB_FINISH_OTHER; i++)
      if (strcmp (value, confab_finish_reason_to_string (i)) == 0)
        {
          MEMBER (ConfabFinishReason, field, target) = i;
          *(gboolean *) G_STRUCT_MEMBER_P (target, field->has) = TRUE;
          return TRUE;
        }

  return refuse_kind (field, error);
}

/* Parts of kinds that are not known are kept as they are. */
static gboolean
are_parts (JsonNode *node)
{
  JsonArray *array = JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;

  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++)
    {
      JsonNode *part = json_array_get_element (array, i);
      JsonNode *type = JSON_NODE_HOLDS_OBJECT (part)
                           ? json_object_get_member (json_node_get_object (part), "type")
                           : NULL;

      if (type == NULL || get_string (type) == NULL)
        return FALSE;
    }

  return array != NULL;
}

static gboolean
take_json (const ConfabImportField *field, JsonNode *node, gpointer target, GError **error)
{
  g_autofree char *text = NULL;

  if (field->kind == CONFAB_IMPORT_PARTS && !are_parts (node))
    return confab_error_refuse (error, CONFAB_ERROR_INVALID_REQUEST,
                                _ ("the field %s must be an array of objects with a type."),
                                field->name);
  if (field->kind == CONFAB_IMPORT_PARAMETERS && !JSON_NODE_HOLDS_OBJECT (node))
    return confab_error_refuse (error, CONFAB_ERROR_INVALID_REQUEST,
                                _ ("the field %s must be an object."), field->name);

  text = socketio_json_to_string (node);
  if (strlen (text) > field->max)
    return refuse_length (field, error);

  MEMBER (char *, field, target) = g_steal_pointer (&text);

  return TRUE;
}

static gboolean
take_field (const ConfabImportField *field, JsonNode *node, gpointer target, GError **error)
{
  switch (field->kind)
    {
    case CONFAB_IMPORT_ID:
    case CONFAB_IMPORT_TEXT:
      return take_string (field, node, target, error);
    case CONFAB_IMPORT_NUMBER:
    case CONFAB_IMPORT_COUNT:
      return take_number (field, node, target, error);
    case CONFAB_IMPORT_FLAG:
      return take_flag (field, node, target, error);
    case CONFAB_IMPORT_ROLE:
    case CONFAB_IMPORT_STATE:
    case CONFAB_IMPORT_FINISH:
      return take_name (field, node, target, error);
    case CONFAB_IMPORT_PARTS:
    case CONFAB_IMPORT_PARAMETERS:
      return take_json (field, node, target, error);
    case CONFAB_IMPORT_OBJECT:
      return JSON_NODE_HOLDS_OBJECT (node)
             || confab_error_refuse (error, CONFAB_ERROR_INVALID_REQUEST,
                                     _ ("the field %s must be an object."), field->name);
    case CONFAB_IMPORT_TYPE:
      return TRUE;
    default:
      g_return_val_if_reached (FALSE);
    }
}

static gboolean
check_names (JsonObject *object, const ConfabImportField *fields, guint n_fields, GError **error)
{
  JsonObjectIter iter;
  const char *name;

  json_object_iter_init (&iter, object);
  while (json_object_iter_next (&iter, &name, NULL))
    {
      guint i = 0;

      while (i < n_fields && strcmp (fields[i].name, name) != 0)
        i++;
      if (i == n_fields)
        {
          g_autofree char *begin =
              g_utf8_substring (name, 0, MIN (g_utf8_strlen (name, -1), MAX_SHOWN));

          return confab_error_refuse (error, CONFAB_ERROR_INVALID_REQUEST,
                                      _ ("the field “%s” is not known to this version of Confab."),
                                      begin);
        }
    }

  return TRUE;
}

gboolean
confab_import_take_fields (JsonObject *object,
                           const ConfabImportField *fields,
                           guint n_fields,
                           gpointer target,
                           GError **error)
{
  if (!check_names (object, fields, n_fields, error))
    return FALSE;

  for (guint i = 0; i < n_fields; i++)
    {
      JsonNode *node = json_object_get_member (object, fields[i].name);

      if (node == NULL || json_node_is_null (node))
        {
          if (fields[i].required)
            return confab_error_refuse (error, CONFAB_ERROR_INVALID_REQUEST,
                                        _ ("the field %s is missing."), fields[i].name);
          if (fields[i].kind == CONFAB_IMPORT_COUNT)
            MEMBER (gint64, &fields[i], target) = -1;
        }
      else if (!take_field (&fields[i], node, target, error))
        return FALSE;
    }

  return TRUE;
}

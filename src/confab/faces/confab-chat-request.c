/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-chat-request.h"

#include <glib/gi18n-lib.h>

#include "confab-error.h"
#include "confab-rules.h"

/* The texts of a message: those among its parts or, as older clients send it, its content. */
static char *
read_text (JsonObject *message)
{
  JsonNode *parts = json_object_get_member (message, "parts");
  g_autoptr (GString) text = g_string_new (NULL);
  JsonArray *array;

  if (parts == NULL || !JSON_NODE_HOLDS_ARRAY (parts))
    return g_strdup (confab_rules_get_string (message, "content"));

  array = json_node_get_array (parts);
  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      JsonNode *node = json_array_get_element (array, i);
      JsonObject *part = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
      const char *words = confab_rules_get_string (part, "text");

      if (words != NULL && g_strcmp0 (confab_rules_get_string (part, "type"), "text") == 0)
        g_string_append (text, words);
    }

  return g_string_free (g_steal_pointer (&text), FALSE);
}

static gboolean
is_question (JsonNode *node)
{
  return node != NULL && JSON_NODE_HOLDS_OBJECT (node)
         && g_strcmp0 (confab_rules_get_string (json_node_get_object (node), "role"), "user") == 0;
}

/* Only the last message of the user is of interest; some clients send no other, as "message". */
static JsonObject *
find_question (JsonObject *body)
{
  JsonNode *messages = json_object_get_member (body, "messages");
  JsonNode *single = json_object_get_member (body, "message");
  JsonArray *array;

  if (is_question (single))
    return json_node_get_object (single);
  if (messages == NULL || !JSON_NODE_HOLDS_ARRAY (messages))
    return NULL;

  array = json_node_get_array (messages);
  for (guint i = json_array_get_length (array); i > 0; i--)
    if (is_question (json_array_get_element (array, i - 1)))
      return json_array_get_object_element (array, i - 1);

  return NULL;
}

static void
copy_member (JsonObject *from, const char *name, JsonObject *to, const char *new_name)
{
  JsonNode *node = json_object_get_member (from, name);

  if (node != NULL)
    json_object_set_member (to, new_name, json_node_copy (node));
}

static JsonObject *
make_payload (JsonObject *body)
{
  JsonObject *payload = json_object_new ();

  copy_member (body, "id", payload, "moduleId");
  copy_member (body, "requestId", payload, "requestId");

  return payload;
}

/* The id of the question names the request too, so that asking again asks only once. */
static JsonObject *
make_generate (JsonObject *body, JsonObject *question, const char *text)
{
  JsonObject *payload = make_payload (body);

  copy_member (body, "sessionId", payload, "sessionId");
  copy_member (question, "id", payload, "userMessageId");
  if (!json_object_has_member (payload, "requestId"))
    copy_member (question, "id", payload, "requestId");
  json_object_set_string_member (payload, "message", text);

  return payload;
}

static JsonObject *
make_regenerate (JsonObject *body, const char *text)
{
  JsonObject *payload = make_payload (body);

  copy_member (body, "messageId", payload, "messageId");
  if (text != NULL)
    json_object_set_string_member (payload, "message", text);

  return payload;
}

static gboolean
refuse (GError **error, const char *sentence)
{
  g_set_error_literal (error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST, sentence);

  return FALSE;
}

/* Checked here, where the field has its own name. */
static gboolean
check_module_id (JsonObject *body, GError **error)
{
  g_autoptr (JsonObject) payload = make_payload (body);

  json_object_set_string_member (payload, "message", "?");

  return confab_rules_get_string (body, "id") != NULL
             ? confab_rules_check ("ai:chat:generate", payload, error)
             : refuse (error, _ ("The field id, which names the conversation, is missing."));
}

/**
 * confab_chat_request_new:
 * @body: what a client of the AI SDK sent
 * @error: return location for a %CONFAB_ERROR
 *
 * Returns: (transfer full) (nullable): what it asks for
 */
ConfabChatRequest *
confab_chat_request_new (JsonObject *body, GError **error)
{
  const char *trigger = confab_rules_get_string (body, "trigger");
  JsonObject *question = find_question (body);
  g_autoptr (ConfabChatRequest) self = g_new0 (ConfabChatRequest, 1);
  g_autofree char *text = NULL;

  if (!check_module_id (body, error))
    return NULL;

  if (g_strcmp0 (trigger, "regenerate-message") == 0)
    {
      self->regenerate = make_regenerate (body, NULL);
      return g_steal_pointer (&self);
    }
  if (trigger != NULL && !g_str_equal (trigger, "submit-message"))
    {
      refuse (error, _ ("The field trigger must be submit-message or regenerate-message."));
      return NULL;
    }
  if (question == NULL)
    {
      refuse (error, _ ("There is no message of a user to answer."));
      return NULL;
    }

  text = read_text (question);
  self->generate = make_generate (body, question, text != NULL ? text : "");
  if (confab_rules_get_string (body, "messageId") != NULL)
    self->regenerate = make_regenerate (body, text != NULL ? text : "");

  return g_steal_pointer (&self);
}

void
confab_chat_request_free (ConfabChatRequest *self)
{
  g_clear_pointer (&self->regenerate, json_object_unref);
  g_clear_pointer (&self->generate, json_object_unref);
  g_free (self);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>
#include <glib/gi18n-lib.h>

#include "confab-openai-reader.h"
#include "confab-error.h"
#include "confab-http-error.h"
#include "confab-sse-reader.h"
#include "socketio-json.h"

/* The most that a whole JSON answer, of a server that does not stream, may hold. */
#define MAX_WHOLE_ANSWER (8 * 1024 * 1024)

typedef enum
{
  FORM_UNKNOWN,
  FORM_EVENTS,
  FORM_WHOLE_JSON,
} Form;

struct _ConfabOpenaiReader
{
  ConfabOpenaiTextFunc on_text;
  gpointer user_data;

  Form form;
  ConfabSseReader *events;
  /* The body of a server that does not stream. */
  GString *whole;

  /* Text that was not given away yet, all of one kind. */
  GString *pending;
  ConfabDeltaKind pending_kind;

  /* What is known of the end so far. */
  ConfabOutcome *outcome;
  gboolean has_finish_reason;
  gboolean done;
  /* The body has ended: an event that is no JSON is then one that was cut. */
  gboolean at_end;
  GError *error;
};

ConfabOpenaiReader *
confab_openai_reader_new (ConfabOpenaiTextFunc on_text, gpointer user_data)
{
  ConfabOpenaiReader *self = g_new0 (ConfabOpenaiReader, 1);

  self->on_text = on_text;
  self->user_data = user_data;
  self->events = confab_sse_reader_new ();
  self->pending = g_string_sized_new (256);
  self->outcome = confab_outcome_new (CONFAB_FINISH_STOP);

  return self;
}

void
confab_openai_reader_free (ConfabOpenaiReader *self)
{
  if (self == NULL)
    return;

  g_clear_pointer (&self->events, confab_sse_reader_free);
  g_clear_pointer (&self->outcome, confab_outcome_free);
  g_clear_error (&self->error);
  g_string_free (self->pending, TRUE);
  if (self->whole != NULL)
    g_string_free (self->whole, TRUE);
  g_free (self);
}

/**
 * confab_openai_reader_flush:
 *
 * Gives away the text read so far, as one delta.
 */
void
confab_openai_reader_flush (ConfabOpenaiReader *self)
{
  if (self->pending->len == 0)
    return;

  self->on_text (self->pending_kind, self->pending->str, self->pending->len, self->user_data);
  g_string_truncate (self->pending, 0);
}

static JsonNode *
peek_member (JsonObject *object, const char *name, GType type)
{
  JsonNode *node = json_object_get_member (object, name);

  if (node == NULL || !JSON_NODE_HOLDS_VALUE (node) || json_node_get_value_type (node) != type)
    return NULL;

  return node;
}

static JsonObject *
peek_object (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

/* Returns: whether there was text */
static gboolean
take_text (ConfabOpenaiReader *self, JsonObject *object, const char *name, ConfabDeltaKind kind)
{
  JsonNode *node = peek_member (object, name, G_TYPE_STRING);
  const char *text = node != NULL ? json_node_get_string (node) : NULL;

  if (text == NULL || *text == '\0')
    return FALSE;

  if (kind != self->pending_kind)
    confab_openai_reader_flush (self);
  self->pending_kind = kind;
  g_string_append (self->pending, text);

  return TRUE;
}

/* Reads the delta of a chunk, or the message of a whole answer. */
static void
take_message (ConfabOpenaiReader *self, JsonObject *message)
{
  /* DeepSeek's name for it, and the one of OpenRouter and vLLM; some send both. */
  if (!take_text (self, message, "reasoning_content", CONFAB_DELTA_REASONING))
    take_text (self, message, "reasoning", CONFAB_DELTA_REASONING);

  take_text (self, message, "content", CONFAB_DELTA_TEXT);
  take_text (self, message, "refusal", CONFAB_DELTA_TEXT);
}

static ConfabFinishReason
parse_finish_reason (const char *name)
{
  static const struct
  {
    const char *name;
    ConfabFinishReason reason;
  } reasons[] = {
    { "stop", CONFAB_FINISH_STOP },
    { "eos", CONFAB_FINISH_STOP },
    { "length", CONFAB_FINISH_LENGTH },
    { "content_filter", CONFAB_FINISH_CONTENT_FILTER },
    { "tool_calls", CONFAB_FINISH_TOOL_CALLS },
    { "function_call", CONFAB_FINISH_TOOL_CALLS },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (reasons); i++)
    {
      if (strcmp (reasons[i].name, name) == 0)
        return reasons[i].reason;
    }

  return CONFAB_FINISH_OTHER;
}

static gint64
read_count (JsonObject *object, const char *name)
{
  JsonNode *node = object != NULL ? peek_member (object, name, G_TYPE_INT64) : NULL;
  gint64 count = node != NULL ? json_node_get_int (node) : -1;

  return MAX (count, -1);
}

static void
take_usage (ConfabOpenaiReader *self, JsonObject *usage)
{
  JsonObject *output_details = peek_object (usage, "completion_tokens_details");
  JsonObject *input_details = peek_object (usage, "prompt_tokens_details");

  self->outcome->has_usage = TRUE;
  self->outcome->usage = (ConfabUsage){
    .input_tokens = read_count (usage, "prompt_tokens"),
    .output_tokens = read_count (usage, "completion_tokens"),
    .reasoning_tokens = read_count (output_details, "reasoning_tokens"),
    .cached_input_tokens = read_count (input_details, "cached_tokens"),
  };
}

/* Only the first choice counts; no other was asked for. */
static void
take_choices (ConfabOpenaiReader *self, JsonObject *object)
{
  JsonNode *list = json_object_get_member (object, "choices");
  JsonArray *choices;

  if (list == NULL || !JSON_NODE_HOLDS_ARRAY (list))
    return;

  choices = json_node_get_array (list);
  for (guint i = 0; i < json_array_get_length (choices); i++)
    {
      JsonNode *node = json_array_get_element (choices, i);
      JsonObject *choice = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
      JsonObject *message;
      JsonNode *reason;

      if (choice == NULL || read_count (choice, "index") > 0)
        continue;

      message = peek_object (choice, "delta");
      if (message == NULL)
        message = peek_object (choice, "message");
      if (message != NULL)
        take_message (self, message);

      reason = peek_member (choice, "finish_reason", G_TYPE_STRING);
      if (reason != NULL && *json_node_get_string (reason) != '\0')
        {
          self->outcome->finish_reason = parse_finish_reason (json_node_get_string (reason));
          self->has_finish_reason = TRUE;
        }
    }
}

static gboolean
carries_error (JsonObject *object)
{
  JsonNode *node = json_object_get_member (object, "error");

  return node != NULL && !JSON_NODE_HOLDS_NULL (node);
}

static void
take_object (ConfabOpenaiReader *self, JsonNode *node)
{
  JsonObject *object = json_node_get_object (node);
  JsonNode *model = peek_member (object, "model", G_TYPE_STRING);
  JsonObject *usage = peek_object (object, "usage");

  if (carries_error (object))
    {
      self->error = confab_http_error_from_json (node);
      return;
    }

  if (self->outcome->model == NULL && model != NULL && *json_node_get_string (model) != '\0')
    self->outcome->model = json_node_dup_string (model);

  take_choices (self, object);
  if (usage != NULL)
    take_usage (self, usage);
}

/* Strict, but for bytes that are not UTF-8: those become U+FFFD. */
static JsonNode *
parse (const char *text, gsize length)
{
  g_autofree char *valid = NULL;
  JsonNode *node = socketio_json_parse (text, length, NULL);

  if (node == NULL && !g_utf8_validate_len (text, length, NULL))
    {
      valid = g_utf8_make_valid (text, (gssize) length);
      node = socketio_json_parse (valid, strlen (valid), NULL);
    }

  if (node != NULL && !JSON_NODE_HOLDS_OBJECT (node))
    g_clear_pointer (&node, json_node_unref);

  return node;
}

static GError *
truncated_error (void)
{
  return g_error_new_literal (CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_TRUNCATED,
                              _ ("The model server ended its answer before it was complete."));
}

static GError *
not_json_error (const char *text, gsize length)
{
  g_autofree char *words = confab_http_error_tidy_words (text, (gssize) length);

  return g_error_new (CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_ERROR,
                      _ ("The model server sent something that is not part of an answer: %s"),
                      words != NULL ? words : "");
}

static gboolean
event_cb (const char *event, const char *data, gsize length, gpointer user_data)
{
  ConfabOpenaiReader *self = user_data;
  g_autoptr (JsonNode) node = NULL;

  if (g_str_has_prefix (data, "[DONE]"))
    {
      self->done = TRUE;
      return FALSE;
    }

  /* An event without content, as some proxies send to keep a connection open. */
  if (length == 0)
    return TRUE;

  node = parse (data, length);
  if (node != NULL && strcmp (event, "error") == 0)
    self->error = confab_http_error_from_json (node);
  else if (node != NULL)
    take_object (self, node);
  else
    self->error = self->at_end ? truncated_error () : not_json_error (data, length);

  return self->error == NULL;
}

/* A stream of events never begins with a brace. */
static void
find_form (ConfabOpenaiReader *self, const char *bytes, gsize length)
{
  for (gsize i = 0; i < length && self->form == FORM_UNKNOWN; i++)
    {
      if (bytes[i] == '{')
        {
          self->form = FORM_WHOLE_JSON;
          self->whole = g_string_new (NULL);
        }
      else if (strchr (" \t\r\n", bytes[i]) == NULL || bytes[i] == '\0')
        {
          self->form = FORM_EVENTS;
        }
    }
}

static gboolean
gather_whole (ConfabOpenaiReader *self, const char *bytes, gsize length, GError **error)
{
  if (self->whole->len + length > MAX_WHOLE_ANSWER)
    {
      g_set_error_literal (error, CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_ERROR,
                           _ ("The model server sent an answer that is too large."));
      return FALSE;
    }

  g_string_append_len (self->whole, bytes, (gssize) length);
  return TRUE;
}

/**
 * confab_openai_reader_feed:
 * @bytes: @length bytes of the body, cut anywhere
 *
 * Reads on. Text is kept until confab_openai_reader_flush(), or until text of the other kind comes.
 *
 * Returns: whether more is wanted: FALSE after the end was seen, or with a %CONFAB_ERROR
 */
gboolean
confab_openai_reader_feed (ConfabOpenaiReader *self,
                           const char *bytes,
                           gsize length,
                           GError **error)
{
  g_return_val_if_fail (self != NULL, FALSE);

  if (self->done)
    return FALSE;

  if (self->form == FORM_UNKNOWN)
    find_form (self, bytes, length);
  if (self->form == FORM_UNKNOWN)
    return TRUE;
  if (self->form == FORM_WHOLE_JSON)
    return gather_whole (self, bytes, length, error);

  if (!confab_sse_reader_feed (self->events, bytes, length, event_cb, self, error))
    return FALSE;

  if (self->error != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&self->error));
      return FALSE;
    }

  return !self->done;
}

static void
finish_whole (ConfabOpenaiReader *self)
{
  g_autoptr (JsonNode) node = parse (self->whole->str, self->whole->len);

  if (node == NULL)
    {
      self->error = not_json_error (self->whole->str, self->whole->len);
      return;
    }

  take_object (self, node);
  self->done = json_object_has_member (json_node_get_object (node), "choices");
  if (self->error == NULL && !self->done)
    self->error = not_json_error (self->whole->str, self->whole->len);
}

/**
 * confab_openai_reader_finish:
 *
 * Tells that the body has ended, or that confab_openai_reader_feed() wanted no more, and gives away
 * what text is left. A stream may end with `[DONE]`, or, once a finish reason was seen, without.
 *
 * Returns: (transfer full) (nullable): how the answer ended; NULL with a %CONFAB_ERROR
 */
ConfabOutcome *
confab_openai_reader_finish (ConfabOpenaiReader *self, GError **error)
{
  g_return_val_if_fail (self != NULL, NULL);

  self->at_end = TRUE;
  if (self->form == FORM_WHOLE_JSON)
    finish_whole (self);
  else if (!self->done)
    confab_sse_reader_finish (self->events, event_cb, self);
  confab_openai_reader_flush (self);

  if (self->error == NULL && !self->done && !self->has_finish_reason)
    self->error = truncated_error ();

  if (self->error != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&self->error));
      return NULL;
    }

  return g_steal_pointer (&self->outcome);
}

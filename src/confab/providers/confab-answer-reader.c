/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>
#include <glib/gi18n-lib.h>

#include "confab-answer-reader.h"
#include "confab-error.h"
#include "confab-http-error.h"
#include "confab-json-peek.h"
#include "confab-ndjson-reader.h"
#include "confab-sse-reader.h"
#include "socketio-json.h"

/* Longer events are parsed with all the limits that a parser needs. */
#define MAX_PLAIN_EVENT (8 * 1024)
/* The most that a whole JSON answer, of a server that does not stream, may hold. */
#define MAX_WHOLE_ANSWER (8 * 1024 * 1024)

typedef enum
{
  FORM_UNKNOWN,
  FORM_EVENTS,
  FORM_LINES,
  FORM_WHOLE_JSON,
} Form;

struct _ConfabAnswerReader
{
  const ConfabAnswerFormat *format;
  gpointer state;

  ConfabDeltaFunc on_text;
  gpointer user_data;

  Form form;
  ConfabSseReader *events;
  ConfabNdjsonReader *lines;
  /* The body of a server that does not stream. */
  GString *whole;

  /* What a plain event brings, while it is read. */
  GString *plain;
  /* Text that was not given away yet, all of one kind. */
  GString *pending;
  ConfabDeltaKind pending_kind;

  /* What is known of the end so far. */
  ConfabOutcome *outcome;
  gboolean has_finish_reason;
  gboolean done;
  /* The body has ended: a piece that is no JSON is then one that was cut. */
  gboolean at_end;
  GError *error;
};

/**
 * confab_answer_reader_new:
 * @format: must outlive the reader, as static data does
 * @on_text: takes what was read; called from confab_answer_reader_flush() and, where text of
 *   another kind follows, from the functions that read
 */
ConfabAnswerReader *
confab_answer_reader_new (const ConfabAnswerFormat *format,
                          ConfabDeltaFunc on_text,
                          gpointer user_data)
{
  ConfabAnswerReader *self = g_new0 (ConfabAnswerReader, 1);

  self->format = format;
  self->state = g_malloc0 (format->state_size);
  self->on_text = on_text;
  self->user_data = user_data;
  if (format->lines)
    self->lines = confab_ndjson_reader_new ();
  else
    self->events = confab_sse_reader_new ();
  self->form = format->lines ? FORM_LINES : FORM_UNKNOWN;
  self->plain = g_string_sized_new (64);
  self->pending = g_string_sized_new (256);
  self->outcome = confab_outcome_new (CONFAB_FINISH_STOP);

  return self;
}

void
confab_answer_reader_free (ConfabAnswerReader *self)
{
  if (self == NULL)
    return;

  g_clear_pointer (&self->events, confab_sse_reader_free);
  g_clear_pointer (&self->lines, confab_ndjson_reader_free);
  g_clear_pointer (&self->outcome, confab_outcome_free);
  g_clear_pointer (&self->state, g_free);
  g_clear_error (&self->error);
  g_string_free (self->plain, TRUE);
  g_string_free (self->pending, TRUE);
  if (self->whole != NULL)
    g_string_free (self->whole, TRUE);
  g_free (self);
}

gpointer
confab_answer_reader_get_state (ConfabAnswerReader *self)
{
  return self->state;
}

/**
 * confab_answer_reader_get_outcome:
 *
 * Returns: (transfer none): what is known of the end so far, to be filled
 */
ConfabOutcome *
confab_answer_reader_get_outcome (ConfabAnswerReader *self)
{
  return self->outcome;
}

/**
 * confab_answer_reader_flush:
 *
 * Gives away the text read so far, as one delta.
 */
void
confab_answer_reader_flush (ConfabAnswerReader *self)
{
  g_return_if_fail (self != NULL);

  if (self->pending->len == 0)
    return;

  self->on_text (self->pending_kind, self->pending->str, self->pending->len, self->user_data);
  g_string_truncate (self->pending, 0);
}

static void
add_text (ConfabAnswerReader *self, ConfabDeltaKind kind, const char *text, gsize length)
{
  if (kind != self->pending_kind)
    confab_answer_reader_flush (self);
  self->pending_kind = kind;
  g_string_append_len (self->pending, text, (gssize) length);
}

/**
 * confab_answer_reader_take_text:
 *
 * Takes new text from the member @name of @object.
 *
 * Returns: whether there was any
 */
gboolean
confab_answer_reader_take_text (ConfabAnswerReader *self,
                                ConfabDeltaKind kind,
                                JsonObject *object,
                                const char *name)
{
  const char *text = confab_json_peek_string (object, name);

  if (text == NULL || *text == '\0')
    return FALSE;

  add_text (self, kind, text, strlen (text));

  return TRUE;
}

/**
 * confab_answer_reader_take_model:
 *
 * Takes the model's name from the member "model" of @object; the first that is told stays.
 */
void
confab_answer_reader_take_model (ConfabAnswerReader *self, JsonObject *object)
{
  const char *model = confab_json_peek_string (object, "model");

  if (self->outcome->model == NULL && model != NULL && *model != '\0')
    self->outcome->model = g_strdup (model);
}

/**
 * confab_answer_reader_take_finish_reason:
 *
 * Takes the finish reason from the member @name of @object, if it is there and not empty.
 */
void
confab_answer_reader_take_finish_reason (ConfabAnswerReader *self,
                                         JsonObject *object,
                                         const char *name)
{
  const char *reason = confab_json_peek_string (object, name);

  if (reason == NULL || *reason == '\0')
    return;

  self->has_finish_reason = TRUE;
  self->outcome->finish_reason = CONFAB_FINISH_OTHER;
  for (const ConfabFinishName *known = self->format->finish_names; known->name != NULL; known++)
    {
      if (strcmp (known->name, reason) == 0)
        self->outcome->finish_reason = known->reason;
    }
}

/**
 * confab_answer_reader_end:
 *
 * Tells that the answer is complete; what follows in the body is not read any more.
 */
void
confab_answer_reader_end (ConfabAnswerReader *self)
{
  self->done = TRUE;
}

/**
 * confab_answer_reader_fail:
 * @error: (transfer full): why the answer has ended; the first that is told stays
 */
void
confab_answer_reader_fail (ConfabAnswerReader *self, GError *error)
{
  if (self->error == NULL)
    self->error = error;
  else
    g_error_free (error);
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

/* An "error" that is null says that there is none. */
static gboolean
carries_error (const char *event, JsonObject *object)
{
  JsonNode *node = json_object_get_member (object, "error");

  return strcmp (event, "error") == 0 || (node != NULL && !JSON_NODE_HOLDS_NULL (node))
         || g_strcmp0 (confab_json_peek_string (object, "type"), "error") == 0;
}

/* To build a tree for each token and take it down again would cost most of what a token costs. */
static gboolean
take_plain (ConfabAnswerReader *self, const char *event, const char *text, gsize length)
{
  ConfabJsonCursor cursor;
  ConfabDeltaKind kind = CONFAB_DELTA_TEXT;

  if (self->format->take_plain == NULL || length > MAX_PLAIN_EVENT
      || strcmp (event, "message") != 0)
    return FALSE;

  confab_json_cursor_init (&cursor, text, length);
  g_string_truncate (self->plain, 0);
  if (!self->format->take_plain (self, &cursor, &kind, self->plain)
      || !confab_json_cursor_is_at_end (&cursor))
    return FALSE;

  if (self->plain->len > 0)
    add_text (self, kind, self->plain->str, self->plain->len);

  return TRUE;
}

/* Returns: whether to go on */
static gboolean
take_piece (ConfabAnswerReader *self, const char *event, const char *text, gsize length)
{
  g_autoptr (JsonNode) node = NULL;

  if (take_plain (self, event, text, length))
    return TRUE;

  node = parse (text, length);
  if (node == NULL)
    confab_answer_reader_fail (self,
                               self->at_end ? truncated_error () : not_json_error (text, length));
  else if (carries_error (event, json_node_get_object (node)))
    confab_answer_reader_fail (self, confab_http_error_from_json (node));
  else
    self->format->take (self, event, json_node_get_object (node));

  return self->error == NULL && !self->done;
}

static gboolean
event_cb (const char *event, const char *data, gsize length, gpointer user_data)
{
  ConfabAnswerReader *self = user_data;

  /* Some proxies add this mark to APIs that have another; there it ends nothing. */
  if (g_str_has_prefix (data, "[DONE]"))
    {
      self->done = self->format->done_mark;
      return !self->done;
    }

  /* An event without content, as some proxies send to keep a connection open. */
  return length == 0 || take_piece (self, event, data, length);
}

static gboolean
line_cb (const char *line, gsize length, gpointer user_data)
{
  return take_piece (user_data, "message", line, length);
}

/* A stream of events never begins with a brace. */
static void
find_form (ConfabAnswerReader *self, const char *bytes, gsize length)
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
gather_whole (ConfabAnswerReader *self, const char *bytes, gsize length, GError **error)
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

static gboolean
feed_pieces (ConfabAnswerReader *self, const char *bytes, gsize length, GError **error)
{
  if (self->form == FORM_LINES)
    return confab_ndjson_reader_feed (self->lines, bytes, length, line_cb, self, error);

  return confab_sse_reader_feed (self->events, bytes, length, event_cb, self, error);
}

/**
 * confab_answer_reader_feed:
 * @bytes: @length bytes of the body, cut anywhere
 *
 * Reads on. Text is kept until confab_answer_reader_flush(), or until text of the other kind comes.
 *
 * Returns: whether more is wanted: FALSE after the end was seen, or with a %CONFAB_ERROR
 */
gboolean
confab_answer_reader_feed (ConfabAnswerReader *self,
                           const char *bytes,
                           gsize length,
                           GError **error)
{
  g_return_val_if_fail (self != NULL, FALSE);

  if (self->done)
    return FALSE;

  if (self->form == FORM_UNKNOWN)
    find_form (self, bytes, length);
  /* white space that decides nothing yet is a stream's all the same: it begins a line */
  if (self->form == FORM_WHOLE_JSON)
    return gather_whole (self, bytes, length, error);

  if (!feed_pieces (self, bytes, length, error))
    return FALSE;

  if (self->error != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&self->error));
      return FALSE;
    }

  return !self->done;
}

static void
finish_whole (ConfabAnswerReader *self)
{
  g_autoptr (JsonNode) node = parse (self->whole->str, self->whole->len);
  JsonObject *object = node != NULL ? json_node_get_object (node) : NULL;

  if (object != NULL && carries_error ("message", object))
    confab_answer_reader_fail (self, confab_http_error_from_json (node));
  else if (object != NULL && self->format->take_whole != NULL
           && self->format->take_whole (self, object))
    self->done = TRUE;
  else
    confab_answer_reader_fail (self, not_json_error (self->whole->str, self->whole->len));
}

/**
 * confab_answer_reader_finish:
 *
 * Tells that the body has ended, or that confab_answer_reader_feed() wanted no more, and gives away
 * what text is left.
 *
 * Returns: (transfer full) (nullable): how the answer ended; NULL with a %CONFAB_ERROR
 */
ConfabOutcome *
confab_answer_reader_finish (ConfabAnswerReader *self, GError **error)
{
  g_return_val_if_fail (self != NULL, NULL);

  self->at_end = TRUE;
  if (self->form == FORM_WHOLE_JSON)
    finish_whole (self);
  else if (!self->done && self->form == FORM_LINES)
    confab_ndjson_reader_finish (self->lines, line_cb, self);
  else if (!self->done)
    confab_sse_reader_finish (self->events, event_cb, self);
  confab_answer_reader_flush (self);

  if (!self->done && !(self->format->reason_is_end && self->has_finish_reason))
    confab_answer_reader_fail (self, truncated_error ());

  if (self->error != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&self->error));
      return NULL;
    }

  return g_steal_pointer (&self->outcome);
}

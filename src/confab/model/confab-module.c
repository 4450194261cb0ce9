/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-module.h"

#include <glib/gi18n-lib.h>

#include "confab-error.h"
#include "confab-id.h"

struct _ConfabModule
{
  GObject parent_instance;

  char *id;
  char *session_id;
  gint64 created_at;

  char *title;
  char *instructions;
  char *provider;
  char *model;
  JsonObject *parameters;

  GPtrArray *messages;   /* of ConfabMessage; a parent always stands before its children */
  GHashTable *by_id;     /* message id → ConfabMessage; both belong to @messages */
  GHashTable *requests;  /* request id → ConfabGeneration; key belongs to the value */
  ConfabMessage *newest; /* where the visible branch ends; belongs to @messages */

  ConfabGeneration *running;
};

G_DEFINE_FINAL_TYPE (ConfabModule, confab_module, G_TYPE_OBJECT)

static void running_ended_cb (ConfabGeneration *generation, gpointer user_data);

static void
confab_module_dispose (GObject *object)
{
  ConfabModule *self = CONFAB_MODULE (object);

  if (self->running != NULL)
    g_signal_handlers_disconnect_by_func (self->running, running_ended_cb, self);
  g_clear_object (&self->running);

  G_OBJECT_CLASS (confab_module_parent_class)->dispose (object);
}

static void
confab_module_finalize (GObject *object)
{
  ConfabModule *self = CONFAB_MODULE (object);

  g_free (self->id);
  g_free (self->session_id);
  g_free (self->title);
  g_free (self->instructions);
  g_free (self->provider);
  g_free (self->model);
  g_clear_pointer (&self->parameters, json_object_unref);
  g_hash_table_unref (self->requests);
  g_hash_table_unref (self->by_id);
  g_ptr_array_unref (self->messages);

  G_OBJECT_CLASS (confab_module_parent_class)->finalize (object);
}

static void
confab_module_class_init (ConfabModuleClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = confab_module_dispose;
  G_OBJECT_CLASS (klass)->finalize = confab_module_finalize;
}

static void
confab_module_init (ConfabModule *self)
{
  self->created_at = g_get_real_time () / 1000;
  self->messages = g_ptr_array_new_with_free_func (g_object_unref);
  self->by_id = g_hash_table_new (g_str_hash, g_str_equal);
  self->requests = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_object_unref);
}

/**
 * confab_module_new:
 * @id: its id
 * @session_id: the session to which it belongs
 *
 * Returns: (transfer full): an empty module
 */
ConfabModule *
confab_module_new (const char *id, const char *session_id)
{
  ConfabModule *self;

  g_return_val_if_fail (id != NULL && session_id != NULL, NULL);

  self = g_object_new (CONFAB_TYPE_MODULE, NULL);
  self->id = g_strdup (id);
  self->session_id = g_strdup (session_id);

  return self;
}

const char *
confab_module_get_id (ConfabModule *self)
{
  g_return_val_if_fail (CONFAB_IS_MODULE (self), NULL);

  return self->id;
}

const char *
confab_module_get_session_id (ConfabModule *self)
{
  g_return_val_if_fail (CONFAB_IS_MODULE (self), NULL);

  return self->session_id;
}

gint64
confab_module_get_created_at (ConfabModule *self)
{
  g_return_val_if_fail (CONFAB_IS_MODULE (self), 0);

  return self->created_at;
}

static void
set_string (char **member, const char *value)
{
  char *copy = g_strdup (value);

  g_free (*member);
  *member = copy;
}

const char *
confab_module_get_title (ConfabModule *self)
{
  g_return_val_if_fail (CONFAB_IS_MODULE (self), NULL);

  return self->title;
}

void
confab_module_set_title (ConfabModule *self, const char *title)
{
  g_return_if_fail (CONFAB_IS_MODULE (self));

  set_string (&self->title, title);
}

const char *
confab_module_get_instructions (ConfabModule *self)
{
  g_return_val_if_fail (CONFAB_IS_MODULE (self), NULL);

  return self->instructions;
}

void
confab_module_set_instructions (ConfabModule *self, const char *instructions)
{
  g_return_if_fail (CONFAB_IS_MODULE (self));

  set_string (&self->instructions, instructions);
}

const char *
confab_module_get_provider (ConfabModule *self)
{
  g_return_val_if_fail (CONFAB_IS_MODULE (self), NULL);

  return self->provider;
}

void
confab_module_set_provider (ConfabModule *self, const char *provider)
{
  g_return_if_fail (CONFAB_IS_MODULE (self));

  set_string (&self->provider, provider);
}

const char *
confab_module_get_model (ConfabModule *self)
{
  g_return_val_if_fail (CONFAB_IS_MODULE (self), NULL);

  return self->model;
}

void
confab_module_set_model (ConfabModule *self, const char *model)
{
  g_return_if_fail (CONFAB_IS_MODULE (self));

  set_string (&self->model, model);
}

JsonObject *
confab_module_get_parameters (ConfabModule *self)
{
  g_return_val_if_fail (CONFAB_IS_MODULE (self), NULL);

  return self->parameters;
}

void
confab_module_set_parameters (ConfabModule *self, JsonObject *parameters)
{
  g_return_if_fail (CONFAB_IS_MODULE (self));

  if (parameters != NULL)
    json_object_ref (parameters);
  g_clear_pointer (&self->parameters, json_object_unref);
  self->parameters = parameters;
}

guint
confab_module_get_n_messages (ConfabModule *self)
{
  g_return_val_if_fail (CONFAB_IS_MODULE (self), 0);

  return self->messages->len;
}

/**
 * confab_module_get_message:
 * @self: a module
 * @index: below confab_module_get_n_messages()
 *
 * Returns: (transfer none): the message
 */
ConfabMessage *
confab_module_get_message (ConfabModule *self, guint index)
{
  g_return_val_if_fail (CONFAB_IS_MODULE (self) && index < self->messages->len, NULL);

  return g_ptr_array_index (self->messages, index);
}

/**
 * confab_module_lookup_message:
 * @self: a module
 * @message_id: an id
 *
 * Returns: (transfer none) (nullable): the message of that id
 */
ConfabMessage *
confab_module_lookup_message (ConfabModule *self, const char *message_id)
{
  g_return_val_if_fail (CONFAB_IS_MODULE (self) && message_id != NULL, NULL);

  return g_hash_table_lookup (self->by_id, message_id);
}

/**
 * confab_module_get_running:
 * @self: a module
 *
 * Returns: (transfer none) (nullable): the generation that has not ended yet
 */
ConfabGeneration *
confab_module_get_running (ConfabModule *self)
{
  g_return_val_if_fail (CONFAB_IS_MODULE (self), NULL);

  return self->running;
}

/**
 * confab_module_lookup_request:
 * @self: a module
 * @request_id: a client's name for a request
 *
 * Returns: (transfer none) (nullable): the generation that this request started, ended or not
 */
ConfabGeneration *
confab_module_lookup_request (ConfabModule *self, const char *request_id)
{
  g_return_val_if_fail (CONFAB_IS_MODULE (self) && request_id != NULL, NULL);

  return g_hash_table_lookup (self->requests, request_id);
}

/**
 * confab_module_had_generation:
 * @self: a module
 * @generation_id: an id
 *
 * Returns: whether a generation of that id runs or ran in this module
 */
gboolean
confab_module_had_generation (ConfabModule *self, const char *generation_id)
{
  g_return_val_if_fail (CONFAB_IS_MODULE (self) && generation_id != NULL, FALSE);

  for (guint i = self->messages->len; i > 0; i--)
    {
      ConfabMessage *message = g_ptr_array_index (self->messages, i - 1);

      if (g_strcmp0 (confab_message_get_generation_id (message), generation_id) == 0)
        return TRUE;
    }

  return FALSE;
}

static void
add_message (ConfabModule *self, ConfabMessage *message)
{
  g_ptr_array_add (self->messages, g_object_ref (message));
  g_hash_table_insert (self->by_id, (char *) confab_message_get_id (message), message);
  self->newest = message;
}

static void
running_ended_cb (ConfabGeneration *generation, gpointer user_data)
{
  ConfabModule *self = CONFAB_MODULE (user_data);

  g_signal_handlers_disconnect_by_func (generation, running_ended_cb, self);
  if (self->running == generation)
    g_clear_object (&self->running);
}

/**
 * confab_module_ask:
 * @self: a module
 * @text: the question, UTF-8
 * @message_id: (nullable): the client's id for it; %NULL makes one
 * @request_id: (nullable): not seen in this module before
 * @error: return location: %CONFAB_ERROR_BUSY while a generation runs,
 *   %CONFAB_ERROR_INVALID_REQUEST if @message_id is taken
 *
 * Adds the question and the answer to come at the end of the visible branch.
 *
 * The module is the first to learn of the generation's end, so that for everybody else the next
 * question may follow from there.
 *
 * Returns: (transfer none) (nullable): the generation, queued
 */
ConfabGeneration *
confab_module_ask (ConfabModule *self,
                   const char *text,
                   const char *message_id,
                   const char *request_id,
                   GError **error)
{
  g_autoptr (ConfabMessage) question = NULL;
  g_autoptr (ConfabMessage) answer = NULL;
  g_autofree char *question_id = NULL;
  g_autofree char *answer_id = NULL;
  g_autofree char *generation_id = NULL;

  g_return_val_if_fail (CONFAB_IS_MODULE (self) && text != NULL, NULL);
  g_return_val_if_fail (
      request_id == NULL || confab_module_lookup_request (self, request_id) == NULL, NULL);

  if (self->running != NULL)
    {
      g_set_error_literal (error, CONFAB_ERROR, CONFAB_ERROR_BUSY,
                           _ ("This conversation is still being answered."));
      return NULL;
    }
  if (message_id != NULL && g_hash_table_contains (self->by_id, message_id))
    {
      g_set_error_literal (error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST,
                           _ ("A message with this userMessageId exists already."));
      return NULL;
    }

  question_id = message_id != NULL ? g_strdup (message_id) : confab_id_new ();
  answer_id = confab_id_new ();
  generation_id = confab_id_new ();
  question = confab_message_new_question (
      question_id, self->newest != NULL ? confab_message_get_id (self->newest) : NULL, text);
  answer = confab_message_new_answer (answer_id, question_id, generation_id);
  add_message (self, question);
  add_message (self, answer);

  self->running = confab_generation_new (generation_id, self->id, request_id, question, answer);
  g_signal_connect (self->running, "ended", G_CALLBACK (running_ended_cb), self);
  if (request_id != NULL)
    g_hash_table_insert (self->requests, (char *) confab_generation_get_request_id (self->running),
                         g_object_ref (self->running));

  return self->running;
}

/**
 * confab_module_build_prompt:
 * @self: a module
 *
 * Gathers instructions, settings and the turns of the visible branch. What came of an answer that
 * was stopped or failed is part of it, as the user has read it; an answer without text is not.
 *
 * Returns: (transfer full): the prompt
 */
ConfabPrompt *
confab_module_build_prompt (ConfabModule *self)
{
  g_autoptr (ConfabPrompt) prompt = confab_prompt_new ();
  g_autoptr (GPtrArray) branch = g_ptr_array_new ();
  ConfabMessage *message;

  g_return_val_if_fail (CONFAB_IS_MODULE (self), NULL);

  confab_prompt_set_model (prompt, self->model);
  confab_prompt_set_instructions (prompt, self->instructions);
  confab_prompt_set_parameters (prompt, self->parameters);

  for (message = self->newest; message != NULL;)
    {
      const char *parent_id = confab_message_get_parent_id (message);

      if (confab_message_get_content (message)[0] != '\0')
        g_ptr_array_add (branch, message);
      message = parent_id != NULL ? g_hash_table_lookup (self->by_id, parent_id) : NULL;
    }

  for (guint i = branch->len; i > 0; i--)
    {
      message = g_ptr_array_index (branch, i - 1);
      confab_prompt_add_turn (prompt, confab_message_get_role (message),
                              confab_message_get_content (message));
    }

  return g_steal_pointer (&prompt);
}

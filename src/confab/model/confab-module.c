/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-module.h"

struct _ConfabModule
{
  GObject parent_instance;

  char *id;
  char *session_id;
  guint64 ordinal;
  gint64 created_at;
  gint64 updated_at;

  char *title;
  gboolean title_is_auto;
  char *instructions;
  char *provider;
  char *model;
  JsonObject *parameters;

  char *head_id;
  guint64 n_messages;
  gboolean head_is_last;
  char *kept_head_id;
  guint64 kept_n_messages;

  GPtrArray *generations; /* of ConfabGeneration */
};

G_DEFINE_FINAL_TYPE (ConfabModule, confab_module, G_TYPE_OBJECT)

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
  g_free (self->head_id);
  g_free (self->kept_head_id);
  g_clear_pointer (&self->parameters, json_object_unref);
  g_clear_pointer (&self->generations, g_ptr_array_unref);

  G_OBJECT_CLASS (confab_module_parent_class)->finalize (object);
}

static void
confab_module_class_init (ConfabModuleClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = confab_module_finalize;
}

static void
confab_module_init (ConfabModule *self)
{
  self->created_at = g_get_real_time () / 1000;
  self->updated_at = self->created_at;
  self->title = g_strdup ("");
  self->title_is_auto = TRUE;
  self->head_is_last = TRUE;
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

guint64
confab_module_get_ordinal (ConfabModule *self)
{
  g_return_val_if_fail (CONFAB_IS_MODULE (self), 0);

  return self->ordinal;
}

void
confab_module_set_ordinal (ConfabModule *self, guint64 ordinal)
{
  g_return_if_fail (CONFAB_IS_MODULE (self));

  self->ordinal = ordinal;
}

gint64
confab_module_get_created_at (ConfabModule *self)
{
  g_return_val_if_fail (CONFAB_IS_MODULE (self), 0);

  return self->created_at;
}

void
confab_module_set_created_at (ConfabModule *self, gint64 created_at)
{
  g_return_if_fail (CONFAB_IS_MODULE (self));

  self->created_at = created_at;
}

gint64
confab_module_get_updated_at (ConfabModule *self)
{
  g_return_val_if_fail (CONFAB_IS_MODULE (self), 0);

  return self->updated_at;
}

void
confab_module_set_updated_at (ConfabModule *self, gint64 updated_at)
{
  g_return_if_fail (CONFAB_IS_MODULE (self));

  self->updated_at = updated_at;
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

gboolean
confab_module_get_title_is_auto (ConfabModule *self)
{
  g_return_val_if_fail (CONFAB_IS_MODULE (self), TRUE);

  return self->title_is_auto;
}

void
confab_module_set_title (ConfabModule *self, const char *title, gboolean is_auto)
{
  g_return_if_fail (CONFAB_IS_MODULE (self) && title != NULL);

  set_string (&self->title, title);
  self->title_is_auto = is_auto;
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

const char *
confab_module_get_head_id (ConfabModule *self)
{
  g_return_val_if_fail (CONFAB_IS_MODULE (self), NULL);

  return self->head_id;
}

guint64
confab_module_get_n_messages (ConfabModule *self)
{
  g_return_val_if_fail (CONFAB_IS_MODULE (self), 0);

  return self->n_messages;
}

/**
 * confab_module_set_head:
 * @self: a module
 * @head_id: (nullable): the newest message of the visible branch; %NULL for an empty module
 * @n_messages: how many messages that branch has
 */
void
confab_module_set_head (ConfabModule *self, const char *head_id, guint64 n_messages)
{
  g_return_if_fail (CONFAB_IS_MODULE (self));

  set_string (&self->head_id, head_id);
  self->n_messages = n_messages;
  self->head_is_last = FALSE;
}

gboolean
confab_module_is_head_last (ConfabModule *self)
{
  g_return_val_if_fail (CONFAB_IS_MODULE (self), FALSE);

  return self->head_is_last;
}

void
confab_module_mark_head_last (ConfabModule *self)
{
  g_return_if_fail (CONFAB_IS_MODULE (self));

  self->head_is_last = TRUE;
}

const char *
confab_module_get_kept_head_id (ConfabModule *self)
{
  g_return_val_if_fail (CONFAB_IS_MODULE (self), NULL);

  return self->kept_head_id;
}

void
confab_module_set_kept_head (ConfabModule *self, const char *head_id, guint64 n_messages)
{
  g_return_if_fail (CONFAB_IS_MODULE (self));

  set_string (&self->kept_head_id, head_id);
  self->kept_n_messages = n_messages;
}

void
confab_module_restore_head (ConfabModule *self)
{
  g_return_if_fail (CONFAB_IS_MODULE (self));

  confab_module_set_head (self, self->kept_head_id, self->kept_n_messages);
}

/**
 * confab_module_add_generation:
 * @self: a module
 * @generation: one that was made for this module, after all that were added before
 */
void
confab_module_add_generation (ConfabModule *self, ConfabGeneration *generation)
{
  g_return_if_fail (CONFAB_IS_MODULE (self) && CONFAB_IS_GENERATION (generation));

  if (self->generations == NULL)
    self->generations = g_ptr_array_new_with_free_func (g_object_unref);
  g_ptr_array_add (self->generations, g_object_ref (generation));
}

/**
 * confab_module_remove_generation:
 * @self: a module
 * @generation: one of its generations, or one that has left already
 */
void
confab_module_remove_generation (ConfabModule *self, ConfabGeneration *generation)
{
  g_return_if_fail (CONFAB_IS_MODULE (self));

  if (self->generations == NULL)
    return;

  g_ptr_array_remove (self->generations, generation);
  if (self->generations->len == 0)
    g_clear_pointer (&self->generations, g_ptr_array_unref);
}

guint
confab_module_get_n_generations (ConfabModule *self)
{
  g_return_val_if_fail (CONFAB_IS_MODULE (self), 0);

  return self->generations != NULL ? self->generations->len : 0;
}

/**
 * confab_module_get_generation:
 * @self: a module
 * @index: below confab_module_get_n_generations()
 *
 * Returns: (transfer none): the generation
 */
ConfabGeneration *
confab_module_get_generation (ConfabModule *self, guint index)
{
  g_return_val_if_fail (index < confab_module_get_n_generations (self), NULL);

  return g_ptr_array_index (self->generations, index);
}

/**
 * confab_module_get_running:
 * @self: a module
 *
 * Returns: (transfer none) (nullable): the first generation that has not ended yet
 */
ConfabGeneration *
confab_module_get_running (ConfabModule *self)
{
  for (guint i = 0; i < confab_module_get_n_generations (self); i++)
    if (!confab_generation_is_ended (g_ptr_array_index (self->generations, i)))
      return g_ptr_array_index (self->generations, i);

  return NULL;
}

/**
 * confab_module_get_newest:
 * @self: a module
 *
 * Returns: (transfer none) (nullable): the generation that was added last
 */
ConfabGeneration *
confab_module_get_newest (ConfabModule *self)
{
  guint n = confab_module_get_n_generations (self);

  return n > 0 ? g_ptr_array_index (self->generations, n - 1) : NULL;
}

/**
 * confab_module_lookup_generation:
 * @self: a module
 * @generation_id: an id
 *
 * Returns: (transfer none) (nullable): the generation of that id, if it is still here
 */
ConfabGeneration *
confab_module_lookup_generation (ConfabModule *self, const char *generation_id)
{
  g_return_val_if_fail (generation_id != NULL, NULL);

  for (guint i = 0; i < confab_module_get_n_generations (self); i++)
    {
      ConfabGeneration *generation = g_ptr_array_index (self->generations, i);

      if (g_str_equal (confab_generation_get_id (generation), generation_id))
        return generation;
    }

  return NULL;
}

/**
 * confab_module_lookup_request:
 * @self: a module
 * @request_id: a client's name for a request
 *
 * Returns: (transfer none) (nullable): the generation that this request started, if it is still
 *   here
 */
ConfabGeneration *
confab_module_lookup_request (ConfabModule *self, const char *request_id)
{
  g_return_val_if_fail (request_id != NULL, NULL);

  for (guint i = 0; i < confab_module_get_n_generations (self); i++)
    {
      ConfabGeneration *generation = g_ptr_array_index (self->generations, i);

      if (g_strcmp0 (confab_generation_get_request_id (generation), request_id) == 0)
        return generation;
    }

  return NULL;
}

/**
 * confab_module_build_prompt:
 * @self: a module
 * @branch: (element-type ConfabMessage): the messages that lead to the answer, oldest first
 *
 * Gathers instructions, settings and turns. What came of an answer that was stopped or failed is
 * part of it, as the user has read it; an answer without text is not.
 *
 * Returns: (transfer full): the prompt
 */
ConfabPrompt *
confab_module_build_prompt (ConfabModule *self, GPtrArray *branch)
{
  ConfabPrompt *prompt;

  g_return_val_if_fail (CONFAB_IS_MODULE (self) && branch != NULL, NULL);

  prompt = confab_prompt_new ();
  confab_prompt_set_model (prompt, self->model);
  confab_prompt_set_instructions (prompt, self->instructions);
  confab_prompt_set_parameters (prompt, self->parameters);

  for (guint i = 0; i < branch->len; i++)
    {
      ConfabMessage *message = g_ptr_array_index (branch, i);

      if (confab_message_get_content (message)[0] != '\0')
        confab_prompt_add_turn (prompt, confab_message_get_role (message),
                                confab_message_get_content (message));
    }

  return prompt;
}

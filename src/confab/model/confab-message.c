/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-message.h"

#include "confab-parts.h"

struct _ConfabMessage
{
  GObject parent_instance;

  char *id;
  char *parent_id;
  char *generation_id;
  char *model; /* that was asked; what the upstream called it stands in the outcome */
  ConfabRole role;
  ConfabState state;
  gint64 created_at;

  /* An answer has none before its end: until then the text grows in its generation. */
  char *content;
  char *reasoning;
  ConfabOutcome *outcome;
  GError *error;
  char *parts; /* as they were kept; NULL for a message that was made here */
  ConfabBranches *branches;
};

G_DEFINE_FINAL_TYPE (ConfabMessage, confab_message, G_TYPE_OBJECT)

static void
confab_message_finalize (GObject *object)
{
  ConfabMessage *self = CONFAB_MESSAGE (object);

  g_free (self->id);
  g_free (self->parent_id);
  g_free (self->generation_id);
  g_free (self->model);
  g_free (self->content);
  g_free (self->reasoning);
  g_free (self->parts);
  g_clear_pointer (&self->outcome, confab_outcome_free);
  g_clear_pointer (&self->branches, confab_branches_free);
  g_clear_error (&self->error);

  G_OBJECT_CLASS (confab_message_parent_class)->finalize (object);
}

static void
confab_message_class_init (ConfabMessageClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = confab_message_finalize;
}

static void
confab_message_init (ConfabMessage *self)
{
  self->created_at = g_get_real_time () / 1000;
}

/**
 * confab_message_new:
 * @fields: what a message was when it was kept
 *
 * Returns: (transfer full): that message
 */
ConfabMessage *
confab_message_new (const ConfabMessageFields *fields)
{
  ConfabMessage *self;

  g_return_val_if_fail (fields != NULL && fields->id != NULL && fields->parts != NULL, NULL);

  self = g_object_new (CONFAB_TYPE_MESSAGE, NULL);
  self->id = g_strdup (fields->id);
  self->parent_id = g_strdup (fields->parent_id);
  self->generation_id = g_strdup (fields->generation_id);
  self->model = g_strdup (fields->model);
  self->role = fields->role;
  self->state = fields->state;
  self->created_at = fields->created_at;
  self->parts = g_strdup (fields->parts);
  self->content = confab_parts_join (fields->parts, "text");
  self->reasoning = confab_parts_join (fields->parts, "reasoning");
  self->outcome = confab_outcome_copy (fields->outcome);
  self->error = fields->error != NULL ? g_error_copy (fields->error) : NULL;
  self->branches = confab_branches_copy (fields->branches);

  return self;
}

/**
 * confab_message_new_question:
 * @id: its id
 * @parent_id: (nullable): the answer to which it replies; %NULL for the first of a module
 * @content: what the user says, UTF-8
 *
 * Returns: (transfer full): the message
 */
ConfabMessage *
confab_message_new_question (const char *id, const char *parent_id, const char *content)
{
  ConfabMessage *self;

  g_return_val_if_fail (id != NULL && content != NULL, NULL);

  self = g_object_new (CONFAB_TYPE_MESSAGE, NULL);
  self->id = g_strdup (id);
  self->parent_id = g_strdup (parent_id);
  self->role = CONFAB_ROLE_USER;
  self->state = CONFAB_STATE_COMPLETED;
  self->content = g_strdup (content);

  return self;
}

/**
 * confab_message_new_answer:
 * @id: its id
 * @parent_id: the question
 * @generation_id: the generation that will write it
 *
 * Returns: (transfer full): the message, still empty
 */
ConfabMessage *
confab_message_new_answer (const char *id, const char *parent_id, const char *generation_id)
{
  ConfabMessage *self;

  g_return_val_if_fail (id != NULL && parent_id != NULL && generation_id != NULL, NULL);

  self = g_object_new (CONFAB_TYPE_MESSAGE, NULL);
  self->id = g_strdup (id);
  self->parent_id = g_strdup (parent_id);
  self->generation_id = g_strdup (generation_id);
  self->role = CONFAB_ROLE_ASSISTANT;
  self->state = CONFAB_STATE_QUEUED;

  return self;
}

const char *
confab_message_get_id (ConfabMessage *self)
{
  g_return_val_if_fail (CONFAB_IS_MESSAGE (self), NULL);

  return self->id;
}

const char *
confab_message_get_parent_id (ConfabMessage *self)
{
  g_return_val_if_fail (CONFAB_IS_MESSAGE (self), NULL);

  return self->parent_id;
}

const char *
confab_message_get_generation_id (ConfabMessage *self)
{
  g_return_val_if_fail (CONFAB_IS_MESSAGE (self), NULL);

  return self->generation_id;
}

ConfabRole
confab_message_get_role (ConfabMessage *self)
{
  g_return_val_if_fail (CONFAB_IS_MESSAGE (self), CONFAB_ROLE_USER);

  return self->role;
}

ConfabState
confab_message_get_state (ConfabMessage *self)
{
  g_return_val_if_fail (CONFAB_IS_MESSAGE (self), CONFAB_STATE_FAILED);

  return self->state;
}

gint64
confab_message_get_created_at (ConfabMessage *self)
{
  g_return_val_if_fail (CONFAB_IS_MESSAGE (self), 0);

  return self->created_at;
}

const char *
confab_message_get_content (ConfabMessage *self)
{
  g_return_val_if_fail (CONFAB_IS_MESSAGE (self), NULL);

  return self->content != NULL ? self->content : "";
}

const char *
confab_message_get_reasoning (ConfabMessage *self)
{
  g_return_val_if_fail (CONFAB_IS_MESSAGE (self), NULL);

  return self->reasoning != NULL ? self->reasoning : "";
}

const ConfabOutcome *
confab_message_get_outcome (ConfabMessage *self)
{
  g_return_val_if_fail (CONFAB_IS_MESSAGE (self), NULL);

  return self->outcome;
}

const char *
confab_message_get_model (ConfabMessage *self)
{
  g_return_val_if_fail (CONFAB_IS_MESSAGE (self), NULL);

  if (self->outcome != NULL && self->outcome->model != NULL)
    return self->outcome->model;

  return self->model;
}

void
confab_message_set_model (ConfabMessage *self, const char *model)
{
  g_return_if_fail (CONFAB_IS_MESSAGE (self));

  g_free (self->model);
  self->model = g_strdup (model);
}

char *
confab_message_dup_parts (ConfabMessage *self)
{
  g_return_val_if_fail (CONFAB_IS_MESSAGE (self), NULL);

  return self->parts != NULL ? g_strdup (self->parts)
                             : confab_parts_new (self->content, self->reasoning);
}

const GError *
confab_message_get_error (ConfabMessage *self)
{
  g_return_val_if_fail (CONFAB_IS_MESSAGE (self), NULL);

  return self->error;
}

const ConfabBranches *
confab_message_get_branches (ConfabMessage *self)
{
  g_return_val_if_fail (CONFAB_IS_MESSAGE (self), NULL);

  return self->branches;
}

/**
 * confab_message_set_branches:
 * @self: a message
 * @branches: (nullable): where it stands among its siblings; %NULL: it is alone
 */
void
confab_message_set_branches (ConfabMessage *self, const ConfabBranches *branches)
{
  ConfabBranches *copy = confab_branches_copy (branches);

  g_return_if_fail (CONFAB_IS_MESSAGE (self));

  confab_branches_free (self->branches);
  self->branches = copy;
}

void
confab_message_set_state (ConfabMessage *self, ConfabState state)
{
  g_return_if_fail (CONFAB_IS_MESSAGE (self));

  self->state = state;
}

/**
 * confab_message_take_answer:
 * @self: an answer that has none yet
 * @content: (transfer full): all of its text, or what came of it
 * @reasoning: (transfer full): the model's thinking, maybe ""
 * @outcome: (transfer full) (nullable): how the provider said it ended
 * @error: (nullable): why it did not end well
 *
 * Fills in the answer, for good.
 */
void
confab_message_take_answer (ConfabMessage *self,
                            char *content,
                            char *reasoning,
                            ConfabOutcome *outcome,
                            const GError *error)
{
  g_return_if_fail (CONFAB_IS_MESSAGE (self));
  g_return_if_fail (self->role == CONFAB_ROLE_ASSISTANT && self->content == NULL);

  self->content = content;
  self->reasoning = reasoning;
  self->outcome = outcome;
  self->error = error != NULL ? g_error_copy (error) : NULL;
}

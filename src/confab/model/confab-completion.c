/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-completion.h"

typedef struct
{
  ConfabRole role;
  char *content;
} Turn;

struct _ConfabPrompt
{
  gatomicrefcount refs;

  char *model;
  char *instructions;
  JsonObject *parameters;

  /* of Turn, which own their content */
  GArray *turns;
};

const char *
confab_role_to_string (ConfabRole role)
{
  switch (role)
    {
    case CONFAB_ROLE_SYSTEM:
      return "system";
    case CONFAB_ROLE_USER:
      return "user";
    case CONFAB_ROLE_ASSISTANT:
      return "assistant";
    default:
      g_return_val_if_reached ("user");
    }
}

const char *
confab_finish_reason_to_string (ConfabFinishReason reason)
{
  switch (reason)
    {
    case CONFAB_FINISH_STOP:
      return "stop";
    case CONFAB_FINISH_LENGTH:
      return "length";
    case CONFAB_FINISH_CONTENT_FILTER:
      return "content-filter";
    case CONFAB_FINISH_TOOL_CALLS:
      return "tool-calls";
    case CONFAB_FINISH_STOPPED:
      return "stopped";
    case CONFAB_FINISH_OTHER:
      return "other";
    default:
      g_return_val_if_reached ("other");
    }
}

static void
turn_clear (gpointer data)
{
  Turn *turn = data;

  g_clear_pointer (&turn->content, g_free);
}

ConfabPrompt *
confab_prompt_new (void)
{
  ConfabPrompt *self = g_new0 (ConfabPrompt, 1);

  g_atomic_ref_count_init (&self->refs);
  self->turns = g_array_new (FALSE, FALSE, sizeof (Turn));
  g_array_set_clear_func (self->turns, turn_clear);

  return self;
}

ConfabPrompt *
confab_prompt_ref (ConfabPrompt *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->refs);
  return self;
}

void
confab_prompt_unref (ConfabPrompt *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_ref_count_dec (&self->refs))
    return;

  g_free (self->model);
  g_free (self->instructions);
  g_clear_pointer (&self->parameters, json_object_unref);
  g_array_unref (self->turns);
  g_free (self);
}

/* Setters accept what is set already. */
static void
replace_string (char **place, const char *value)
{
  char *old = *place;

  *place = g_strdup (value);
  g_free (old);
}

/**
 * confab_prompt_set_model:
 * @model: (nullable): NULL for the provider's default
 */
void
confab_prompt_set_model (ConfabPrompt *self, const char *model)
{
  g_return_if_fail (self != NULL);

  replace_string (&self->model, model);
}

const char *
confab_prompt_get_model (ConfabPrompt *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->model;
}

/**
 * confab_prompt_set_instructions:
 * @instructions: (nullable): what the model is told before all turns
 */
void
confab_prompt_set_instructions (ConfabPrompt *self, const char *instructions)
{
  g_return_if_fail (self != NULL);

  replace_string (&self->instructions, instructions);
}

const char *
confab_prompt_get_instructions (ConfabPrompt *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->instructions;
}

/**
 * confab_prompt_set_parameters:
 * @parameters: (nullable) (transfer none): a reference is kept, so do not change it afterwards
 */
void
confab_prompt_set_parameters (ConfabPrompt *self, JsonObject *parameters)
{
  g_return_if_fail (self != NULL);

  if (parameters != NULL)
    json_object_ref (parameters);
  g_clear_pointer (&self->parameters, json_object_unref);
  self->parameters = parameters;
}

/**
 * confab_prompt_get_parameters:
 *
 * Returns: (nullable) (transfer none)
 */
JsonObject *
confab_prompt_get_parameters (ConfabPrompt *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->parameters;
}

/**
 * confab_prompt_add_turn:
 * @content: valid UTF-8
 *
 * Appends a turn; the oldest comes first.
 */
void
confab_prompt_add_turn (ConfabPrompt *self, ConfabRole role, const char *content)
{
  Turn turn;

  g_return_if_fail (self != NULL);
  g_return_if_fail (content != NULL);

  turn = (Turn){ .role = role, .content = g_strdup (content) };
  g_array_append_val (self->turns, turn);
}

guint
confab_prompt_get_n_turns (ConfabPrompt *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->turns->len;
}

ConfabRole
confab_prompt_get_turn_role (ConfabPrompt *self, guint index)
{
  g_return_val_if_fail (self != NULL && index < self->turns->len, CONFAB_ROLE_USER);

  return g_array_index (self->turns, Turn, index).role;
}

const char *
confab_prompt_get_turn_content (ConfabPrompt *self, guint index)
{
  g_return_val_if_fail (self != NULL && index < self->turns->len, NULL);

  return g_array_index (self->turns, Turn, index).content;
}

/**
 * confab_outcome_new:
 *
 * Returns: (transfer full): an outcome without usage and model
 */
ConfabOutcome *
confab_outcome_new (ConfabFinishReason reason)
{
  ConfabOutcome *self = g_new0 (ConfabOutcome, 1);

  self->finish_reason = reason;
  self->usage = (ConfabUsage){ -1, -1, -1, -1 };

  return self;
}

/**
 * confab_outcome_copy:
 * @self: (nullable): an outcome
 *
 * Returns: (transfer full) (nullable): a copy of its own
 */
ConfabOutcome *
confab_outcome_copy (const ConfabOutcome *self)
{
  ConfabOutcome *copy;

  if (self == NULL)
    return NULL;

  copy = g_memdup2 (self, sizeof *self);
  copy->model = g_strdup (self->model);

  return copy;
}

void
confab_outcome_free (ConfabOutcome *self)
{
  if (self == NULL)
    return;

  g_free (self->model);
  g_free (self);
}

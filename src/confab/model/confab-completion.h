/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* What goes to a provider, and what it brings back; plain data without I/O. */

typedef enum
{
  CONFAB_ROLE_SYSTEM,
  CONFAB_ROLE_USER,
  CONFAB_ROLE_ASSISTANT,
} ConfabRole;

const char *confab_role_to_string (ConfabRole role);

typedef enum
{
  CONFAB_DELTA_TEXT,
  CONFAB_DELTA_REASONING,
} ConfabDeltaKind;

typedef enum
{
  CONFAB_FINISH_STOP,
  CONFAB_FINISH_LENGTH,
  CONFAB_FINISH_CONTENT_FILTER,
  CONFAB_FINISH_TOOL_CALLS,
  CONFAB_FINISH_STOPPED,
  CONFAB_FINISH_OTHER,
} ConfabFinishReason;

/* "stop", "length", "content-filter", "tool-calls", "stopped", "other" */
const char *confab_finish_reason_to_string (ConfabFinishReason reason);

/* Tokens; -1 where the upstream did not tell. */
typedef struct
{
  gint64 input_tokens;
  gint64 output_tokens;
  gint64 reasoning_tokens;
  gint64 cached_input_tokens;
} ConfabUsage;

/* ConfabPrompt: instructions, the turns so far, and how to sample. Reference counted; filled by its
 * maker, then only read. */
typedef struct _ConfabPrompt ConfabPrompt;

ConfabPrompt *confab_prompt_new (void);
ConfabPrompt *confab_prompt_ref (ConfabPrompt *self);
void confab_prompt_unref (ConfabPrompt *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConfabPrompt, confab_prompt_unref)

void confab_prompt_set_model (ConfabPrompt *self, const char *model);
const char *confab_prompt_get_model (ConfabPrompt *self); /* NULL: the provider's default */
void confab_prompt_set_instructions (ConfabPrompt *self, const char *instructions);
const char *confab_prompt_get_instructions (ConfabPrompt *self); /* nullable */
/* Members as of OpenAI: temperature (double), max_tokens (int), top_p (double), seed (int). */
void confab_prompt_set_parameters (ConfabPrompt *self, JsonObject *parameters);
JsonObject *confab_prompt_get_parameters (ConfabPrompt *self); /* nullable */
void confab_prompt_add_turn (ConfabPrompt *self, ConfabRole role, const char *content);
guint confab_prompt_get_n_turns (ConfabPrompt *self);
ConfabRole confab_prompt_get_turn_role (ConfabPrompt *self, guint index);
const char *confab_prompt_get_turn_content (ConfabPrompt *self, guint index);

/* ConfabOutcome: how a run that came to its end did so. */
typedef struct
{
  ConfabFinishReason finish_reason;
  gboolean has_usage;
  ConfabUsage usage;
  char *model; /* as the upstream named it, or NULL */
} ConfabOutcome;

ConfabOutcome *confab_outcome_new (ConfabFinishReason reason);
ConfabOutcome *confab_outcome_copy (const ConfabOutcome *self);
void confab_outcome_free (ConfabOutcome *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConfabOutcome, confab_outcome_free)

G_END_DECLS

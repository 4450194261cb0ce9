/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-generation.h"

G_BEGIN_DECLS

#define CONFAB_TYPE_MODULE (confab_module_get_type ())

/*
 * ConfabModule: one conversation. Its messages form a tree by their parents and are kept by the
 * store; here are only its settings, its head – the newest message of the visible branch – and the
 * generations that have not ended yet, or whose end is not on disk yet.
 */
G_DECLARE_FINAL_TYPE (ConfabModule, confab_module, CONFAB, MODULE, GObject)

ConfabModule *confab_module_new (const char *id, const char *session_id);

const char *confab_module_get_id (ConfabModule *self);
const char *confab_module_get_session_id (ConfabModule *self);
/* Place in the order of making, which no clock can change. */
guint64 confab_module_get_ordinal (ConfabModule *self);
void confab_module_set_ordinal (ConfabModule *self, guint64 ordinal);
/* Times in ms since the epoch; updated: the newest change of settings or messages. */
gint64 confab_module_get_created_at (ConfabModule *self);
void confab_module_set_created_at (ConfabModule *self, gint64 created_at);
gint64 confab_module_get_updated_at (ConfabModule *self);
void confab_module_set_updated_at (ConfabModule *self, gint64 updated_at);

/* "" where there is none; automatic until a person chooses one. */
const char *confab_module_get_title (ConfabModule *self);
gboolean confab_module_get_title_is_auto (ConfabModule *self);
void confab_module_set_title (ConfabModule *self, const char *title, gboolean is_auto);
/* What the user sets; each NULL by default. */
const char *confab_module_get_instructions (ConfabModule *self);
void confab_module_set_instructions (ConfabModule *self, const char *instructions);
const char *confab_module_get_provider (ConfabModule *self);
void confab_module_set_provider (ConfabModule *self, const char *provider);
const char *confab_module_get_model (ConfabModule *self);
void confab_module_set_model (ConfabModule *self, const char *model);
JsonObject *confab_module_get_parameters (ConfabModule *self);
void confab_module_set_parameters (ConfabModule *self, JsonObject *parameters);

/* The end of the visible branch, and how long that branch is. */
const char *confab_module_get_head_id (ConfabModule *self); /* nullable */
guint64 confab_module_get_n_messages (ConfabModule *self);
void confab_module_set_head (ConfabModule *self, const char *head_id, guint64 n_messages);
/* Whether it is known that no message follows the head; not right after confab_module_set_head().
 */
gboolean confab_module_is_head_last (ConfabModule *self);
void confab_module_mark_head_last (ConfabModule *self);
/* As the store has it, to go back to when it takes no more. */
const char *confab_module_get_kept_head_id (ConfabModule *self); /* nullable */
void confab_module_set_kept_head (ConfabModule *self, const char *head_id, guint64 n_messages);
void confab_module_restore_head (ConfabModule *self);

/* Generations in the order in which they were accepted; those that ended leave when they are kept
 * elsewhere. */
void confab_module_add_generation (ConfabModule *self, ConfabGeneration *generation);
void confab_module_remove_generation (ConfabModule *self, ConfabGeneration *generation);
guint confab_module_get_n_generations (ConfabModule *self);
ConfabGeneration *confab_module_get_generation (ConfabModule *self, guint index);
ConfabGeneration *confab_module_get_running (ConfabModule *self);
ConfabGeneration *confab_module_get_newest (ConfabModule *self);
ConfabGeneration *confab_module_lookup_generation (ConfabModule *self, const char *generation_id);
ConfabGeneration *confab_module_lookup_request (ConfabModule *self, const char *request_id);

ConfabPrompt *confab_module_build_prompt (ConfabModule *self, GPtrArray *branch);

G_END_DECLS

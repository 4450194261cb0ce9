/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-generation.h"

G_BEGIN_DECLS

#define CONFAB_TYPE_MODULE (confab_module_get_type ())

/*
 * ConfabModule: one conversation. Its messages form a tree by their parents; the visible branch is
 * the way from the newest message up. At most one generation runs in it.
 */
G_DECLARE_FINAL_TYPE (ConfabModule, confab_module, CONFAB, MODULE, GObject)

ConfabModule *confab_module_new (const char *id, const char *session_id);

const char *confab_module_get_id (ConfabModule *self);
const char *confab_module_get_session_id (ConfabModule *self);
gint64 confab_module_get_created_at (ConfabModule *self); /* ms since the epoch */

/* What the user sets; each NULL by default. */
const char *confab_module_get_title (ConfabModule *self);
void confab_module_set_title (ConfabModule *self, const char *title);
const char *confab_module_get_instructions (ConfabModule *self);
void confab_module_set_instructions (ConfabModule *self, const char *instructions);
const char *confab_module_get_provider (ConfabModule *self);
void confab_module_set_provider (ConfabModule *self, const char *provider);
const char *confab_module_get_model (ConfabModule *self);
void confab_module_set_model (ConfabModule *self, const char *model);
JsonObject *confab_module_get_parameters (ConfabModule *self);
void confab_module_set_parameters (ConfabModule *self, JsonObject *parameters);

/* All messages in the order in which they came, whether visible or not. */
guint confab_module_get_n_messages (ConfabModule *self);
ConfabMessage *confab_module_get_message (ConfabModule *self, guint index);
ConfabMessage *confab_module_lookup_message (ConfabModule *self, const char *message_id);

ConfabGeneration *confab_module_get_running (ConfabModule *self);
ConfabGeneration *confab_module_lookup_request (ConfabModule *self, const char *request_id);
gboolean confab_module_had_generation (ConfabModule *self, const char *generation_id);

ConfabGeneration *confab_module_ask (ConfabModule *self,
                                     const char *text,
                                     const char *message_id,
                                     const char *request_id,
                                     GError **error);
ConfabPrompt *confab_module_build_prompt (ConfabModule *self);

G_END_DECLS

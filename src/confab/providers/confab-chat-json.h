/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-completion.h"

G_BEGIN_DECLS

/* JSON that the APIs of model servers have in common. Pure functions. */

/* ConfabParameterName: what an API calls one of a prompt's parameters. */
typedef struct
{
  const char *name;
  /* NULL: the API does not know it, or the provider sets it itself; it is left out. */
  const char *upstream_name;
} ConfabParameterName;

void confab_chat_json_append_message (GString *out, const char *role, const char *content);
void confab_chat_json_append_turns (GString *out, ConfabPrompt *prompt);
void confab_chat_json_append_parameters (GString *out,
                                         JsonObject *parameters,
                                         const ConfabParameterName *names);

GPtrArray *confab_chat_json_parse_models (JsonNode *node, const char *list, const char *name);

G_END_DECLS

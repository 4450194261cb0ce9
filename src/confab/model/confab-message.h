/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib-object.h>

#include "confab-branches.h"
#include "confab-completion.h"
#include "confab-state.h"

G_BEGIN_DECLS

#define CONFAB_TYPE_MESSAGE (confab_message_get_type ())

/*
 * ConfabMessage: one turn of a module: a question that stands as it was asked, or an answer, which
 * its generation fills in once, when it ends.
 */
G_DECLARE_FINAL_TYPE (ConfabMessage, confab_message, CONFAB, MESSAGE, GObject)

/* All that a message is, to make one that was kept; strings belong to the caller. */
typedef struct
{
  const char *id;
  const char *parent_id;     /* nullable */
  const char *generation_id; /* nullable */
  const char *model;         /* nullable */
  ConfabRole role;
  ConfabState state;
  const char *parts;              /* JSON */
  const ConfabOutcome *outcome;   /* nullable */
  const GError *error;            /* nullable */
  const ConfabBranches *branches; /* nullable */
  gint64 created_at;
} ConfabMessageFields;

ConfabMessage *confab_message_new (const ConfabMessageFields *fields);
ConfabMessage *
confab_message_new_question (const char *id, const char *parent_id, const char *content);
ConfabMessage *
confab_message_new_answer (const char *id, const char *parent_id, const char *generation_id);

const char *confab_message_get_id (ConfabMessage *self);
const char *confab_message_get_parent_id (ConfabMessage *self);     /* nullable */
const char *confab_message_get_generation_id (ConfabMessage *self); /* nullable */
ConfabRole confab_message_get_role (ConfabMessage *self);
ConfabState confab_message_get_state (ConfabMessage *self);
gint64 confab_message_get_created_at (ConfabMessage *self); /* ms since the epoch */

/* Text and reasoning so far; "" while an answer is being written. */
const char *confab_message_get_content (ConfabMessage *self);
const char *confab_message_get_reasoning (ConfabMessage *self);
/* The parts as JSON, those of kinds that this version does not know included. */
char *confab_message_dup_parts (ConfabMessage *self);
/* NULL until a provider told how the answer ended. */
const ConfabOutcome *confab_message_get_outcome (ConfabMessage *self);
/* Which model answered, as its upstream named it, else which was asked; NULL if unknown. */
const char *confab_message_get_model (ConfabMessage *self);
/* Why the answer failed or was interrupted, else NULL. */
const GError *confab_message_get_error (ConfabMessage *self);

/* Where it stood among its siblings when it was made or read; NULL: alone. */
const ConfabBranches *confab_message_get_branches (ConfabMessage *self);
void confab_message_set_branches (ConfabMessage *self, const ConfabBranches *branches);

/* Which model is asked for this answer; nullable. */
void confab_message_set_model (ConfabMessage *self, const char *model);
/* For the generation that writes this answer. */
void confab_message_set_state (ConfabMessage *self, ConfabState state);
void confab_message_take_answer (ConfabMessage *self,
                                 char *content,
                                 char *reasoning,
                                 ConfabOutcome *outcome,
                                 const GError *error);

G_END_DECLS

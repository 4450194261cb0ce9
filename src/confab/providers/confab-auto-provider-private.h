/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-auto-provider.h"

G_BEGIN_DECLS

/* What the choice of a provider shares with the calls that wait for it. */

typedef enum
{
  STATE_NEW,
  STATE_ASKING,
  STATE_DECIDED,
} State;

typedef enum
{
  ANSWER_NONE,
  ANSWER_YES,
  ANSWER_NO,
} Answer;

typedef struct
{
  ConfabLocalServer server;
  Answer answer;
} Candidate;

struct _ConfabAutoProvider
{
  GObject parent_instance;

  char *model;
  char *api_key;
  char *base_url;
  char *anthropic_api_key;
  char *anthropic_base_url;

  guint ask_timeout_ms;
  State state;
  /* of Candidate, the preferred first */
  GArray *candidates;
  SoupSession *session;
  GCancellable *asking;
  GSource *timeout_source;

  /* (element-type GTask): in the order in which they came */
  GQueue waiting;

  /* Once decided: one of these two. */
  ConfabProvider *chosen;
  GError *refusal;
  /* Of the local server that was chosen. */
  guint16 guessed_port;
};

/* Begins to choose; ends with a call of confab_auto_provider_decide(), at once or later. */
void confab_auto_provider_choose (ConfabAutoProvider *self);
/* @chosen: (transfer full) (nullable); @refusal: (transfer full) (nullable): the other one */
void
confab_auto_provider_decide (ConfabAutoProvider *self, ConfabProvider *chosen, GError *refusal);

G_END_DECLS

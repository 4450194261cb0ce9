/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-kept.h"
#include "confab-run.h"

G_BEGIN_DECLS

/*
 * A question on its way to being accepted: is its requestId known, are its ids free, is there room,
 * and is it on disk. What it reads may change while it waits for the store, so that everything is
 * looked at again, without waiting, where it is decided: in confab_asking_accept().
 */
typedef struct
{
  JsonObject *payload;
  const char *module_id;
  const char *request_id; /* nullable */
  const char *text;       /* nullable: the old question's */
  gboolean anew;          /* regenerate */

  /* Of that id when the store was asked; NULL: none. What is deleted is gone from here at once,
   * while reads that are on their way still find it there. */
  ConfabModule *asked_module;
  /* Its head at that time: when it is another one by now, so may be what was found by it. */
  char *asked_head_id;

  /* What is to be answered; of regenerate, from the store. */
  char *parent_id;
  guint64 depth; /* of the question: messages from the first of its branch to it */
  ConfabMessage *old_question;
  /* Where there may be siblings: those of what is made, and of the question that stands. */
  ConfabFork *fork;
  /* What the same requestId started, while it is seen whether this asks the same. */
  ConfabGeneration *known;
  /* Why it is refused, unless it turns out to be a repeat. */
  GError *refusal;

  /* Since acceptance. */
  ConfabRun *run;
  ConfabModule *module;
  ConfabSession *session;
  /* What is on disk when this is. */
  ConfabSnapshot *module_snapshot;
  ConfabSnapshot *session_snapshot;
} ConfabAsking;

/* confab-asking.c: what each needs is the task of confab_service_generate_async(), whose task data
 * is a ConfabAsking. */
/* Begins, or begins again, with what is here. */
void confab_asking_look_up (GTask *task);
/* Whether its module was deleted, or deleted and made anew, while the store was read: what was read
 * means nothing then, and it is looked up once more. */
gboolean confab_asking_starts_again (GTask *task);
void confab_asking_answer_repeat (GTask *task, ConfabGeneration *generation);
/* Takes @refusal. The same request may have been accepted while this one waited for the store. */
void confab_asking_refuse_unless_repeat (GTask *task, GError *refusal);
void confab_asking_return_generation (GTask *task, ConfabGeneration *generation, gboolean repeated);

/* confab-accepting.c */
/* Decides, without waiting. */
void confab_asking_accept (GTask *task);

G_END_DECLS

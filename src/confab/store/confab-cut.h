/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-record.h"

G_BEGIN_DECLS

/*
 * ConfabCut: what there is at one moment, so that it can be read bit by bit while others go on
 * writing. Sessions and modules are in it as they were then; of their messages it knows the newest,
 * and what comes later is not read.
 */
typedef struct
{
  gint64 seq; /* of its row */
  ConfabModuleRecord *record;
} ConfabCutModule;

typedef struct
{
  GPtrArray *sessions; /* of ConfabSessionRecord, oldest first */
  GPtrArray *modules;  /* of ConfabCutModule, oldest first */
  gint64 last_message; /* seq of the newest message */
} ConfabCut;

/* A message with the generation that wrote it, if any. */
typedef struct
{
  ConfabMessageRecord *message;
  ConfabGenerationRecord *generation; /* nullable */
} ConfabCutMessage;

ConfabCut *confab_cut_new (void);
void confab_cut_free (ConfabCut *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConfabCut, confab_cut_free)

ConfabCutModule *confab_cut_add_module (ConfabCut *self, gint64 seq, ConfabModuleRecord *record);

void confab_cut_message_free (ConfabCutMessage *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConfabCutMessage, confab_cut_message_free)

G_END_DECLS

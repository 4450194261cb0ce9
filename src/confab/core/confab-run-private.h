/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-run-meter.h"
#include "confab-run.h"

G_BEGIN_DECLS

/* Who is told of the end. */
typedef struct
{
  ConfabRunFunc func;
  gpointer data;
} ConfabRunWaiting;

struct _ConfabRun
{
  gatomicrefcount refs;
  ConfabService *service;
  ConfabModule *module;
  ConfabGeneration *generation;
  GPtrArray *waiters; /* of GTask; NULL once it is accepted or abandoned */
  gboolean announced;

  ConfabRunMeter *meter;
  ConfabProvider *provider; /* once it was asked; the module may have another by then */
  GCancellable *cancellable;
  GPtrArray *lead;  /* of ConfabMessage: what its question follows, if that was read ahead */
  gsize received;   /* bytes of all kinds */
  gboolean unsaved; /* the service saves it soon */

  /* How it will have ended when that is on disk; nothing changes it any more. */
  gboolean ending;
  ConfabState end_state;
  ConfabOutcome *outcome;
  GError *error;
  ConfabBatch *end_batch;
  GArray *waiting_for_end; /* of ConfabRunWaiting; NULL once it was told */
};

/* Tells that it has started. Of a module's generations each is told of only after the end of the
 * one before it. */
void confab_run_announce (ConfabRun *self);

/* confab-run-end.c */
/* Takes @outcome. From here on nothing is added, whatever the provider still has in hand. Returns
 * FALSE if the end stood already. */
gboolean
confab_run_end (ConfabRun *self, ConfabState state, ConfabOutcome *outcome, const GError *error);
gboolean confab_run_fail (ConfabRun *self, const GError *error);
/* The next of its module may have its turn. */
void confab_run_leave_service (ConfabRun *self);

G_END_DECLS

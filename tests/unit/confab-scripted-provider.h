/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-error.h"
#include "confab-provider.h"

/*
 * ScriptedProvider: a provider that does what the test says, when it says so. Its runs are counted
 * from 0 in the order in which they were asked for, and known until it is freed.
 */
#define SCRIPTED_TYPE_PROVIDER (scripted_provider_get_type ())
G_DECLARE_FINAL_TYPE (ScriptedProvider, scripted_provider, SCRIPTED, PROVIDER, GObject)

typedef struct
{
  GTask *task; /* NULL once it has ended */
  ConfabDeltaFunc on_delta;
  gpointer delta_data;
  ConfabPrompt *prompt;
  GCancellable *cancellable;
} ScriptedRun;

guint scripted_provider_get_n_runs (ScriptedProvider *self);
ScriptedRun *scripted_provider_get_run (ScriptedProvider *self, guint index);
/* Called when the provider is asked, from within. */
void scripted_provider_set_asked (ScriptedProvider *self, GFunc asked, gpointer user_data);

void scripted_run_say (ScriptedRun *run, const char *text);
void scripted_run_think (ScriptedRun *run, const char *text);
void scripted_run_finish (ScriptedRun *run);
void scripted_run_fail (ScriptedRun *run, ConfabError code);

/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-delta-log.h"
#include "confab-message.h"
#include "confab-metrics.h"

G_BEGIN_DECLS

/*
 * ConfabRunMeter: what is counted of one run: that it was accepted and how it ended, how soon and
 * how much was answered. The run as such counts for the provider of which was asked first; what a
 * provider does, for the one that does it, as the module may get another while the question waits.
 */
typedef struct _ConfabRunMeter ConfabRunMeter;

ConfabRunMeter *confab_run_meter_new (ConfabMetrics *metrics, const char *provider_name);
void confab_run_meter_free (ConfabRunMeter *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConfabRunMeter, confab_run_meter_free)

const char *confab_run_meter_get_provider_name (ConfabRunMeter *self);

void confab_run_meter_accepted (ConfabRunMeter *self);
void confab_run_meter_asked (ConfabRunMeter *self, const char *provider_name);
/* When the turn of the main loop began in which the bytes were noticed that are being handled. */
gint64 confab_run_meter_get_turn_time (void);
/* @noticed: that time, of what was handed on just now to all who follow */
void
confab_run_meter_told (ConfabRunMeter *self, ConfabDeltaKind kind, gsize length, gint64 noticed);
/* @outcome, @error: (nullable) */
void confab_run_meter_ended (ConfabRunMeter *self,
                             ConfabState state,
                             const ConfabOutcome *outcome,
                             const GError *error);

G_END_DECLS

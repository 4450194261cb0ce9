/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/*
 * ConfabSupervisor: who started the service and wants to hear of it, by the protocol of
 * sd_notify(3), which is stable and small enough to be spoken without libsystemd. Without one every
 * call does nothing.
 */
typedef struct _ConfabSupervisor ConfabSupervisor;

ConfabSupervisor *confab_supervisor_new (void);
void confab_supervisor_free (ConfabSupervisor *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConfabSupervisor, confab_supervisor_free)

void confab_supervisor_ready (ConfabSupervisor *self);
void confab_supervisor_reloading (ConfabSupervisor *self);
void confab_supervisor_stopping (ConfabSupervisor *self);
/* One line for people. */
void confab_supervisor_set_status (ConfabSupervisor *self, const char *status);

G_END_DECLS

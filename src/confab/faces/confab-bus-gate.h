/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "confab-limits.h"

G_BEGIN_DECLS

/* What a call needs to be allowed, in the names of data/polkit. */
#define CONFAB_BUS_ACTION_USE "org.confab.Confab1.use"
#define CONFAB_BUS_ACTION_MANAGE "org.confab.Confab1.manage"

/*
 * ConfabBusGate: the one place that decides whether a call may pass: methods and properties of all
 * objects alike. A session bus belongs to its user, so that all pass; on the system bus polkit is
 * asked each time, and where there is no polkit nobody but root passes. The calls of one sender
 * pass in their order, wait for nobody else, and only so fast.
 */
typedef struct _ConfabBusGate ConfabBusGate;

/* @invocation: (transfer full): may go on */
typedef void (*ConfabBusGateFunc) (GDBusMethodInvocation *invocation, gpointer user_data);

ConfabBusGate *confab_bus_gate_new (GDBusConnection *connection,
                                    gboolean is_system,
                                    ConfabLimits *limits,
                                    ConfabBusGateFunc func,
                                    gpointer user_data);
void confab_bus_gate_free (ConfabBusGate *self);

void
confab_bus_gate_pass (ConfabBusGate *self, GDBusMethodInvocation *invocation, const char *action);

G_END_DECLS

/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-service.h"

G_BEGIN_DECLS

#define CONFAB_TYPE_INHIBITOR (confab_inhibitor_get_type ())

/* ConfabInhibitor: asks the desktop, by its portal, not to suspend by itself while answers are
 * running. */
G_DECLARE_FINAL_TYPE (ConfabInhibitor, confab_inhibitor, CONFAB, INHIBITOR, GObject)

ConfabInhibitor *confab_inhibitor_new (ConfabService *service);

/* On which bus the desktop is; NULL: none. */
void confab_inhibitor_set_connection (ConfabInhibitor *self, GDBusConnection *connection);
void confab_inhibitor_set_enabled (ConfabInhibitor *self, gboolean enabled);

G_END_DECLS

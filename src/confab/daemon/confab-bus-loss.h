/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What the loss of a bus does to the program: nothing. Libraries (dconf, libsecret, GIO for its
 * portals and proxies) take the connection that a process shares, and GDBus ends the process with
 * SIGTERM when that one is lost, which for us would be the end of every answer. */

void confab_bus_loss_outlive (void);

G_END_DECLS

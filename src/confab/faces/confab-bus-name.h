/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "confab-bus-mode.h"

G_BEGIN_DECLS

#define CONFAB_WELL_KNOWN_NAME "org.confab.Confab"

#define CONFAB_TYPE_BUS_NAME (confab_bus_name_get_type ())

/*
 * ConfabBusName: our connection to a bus, and our name there. A bus that is lost is looked for
 * again, at longer and longer intervals, as long as this lives.
 *
 * Signals:
 *   connected (): there is a connection again; not emitted for the first one
 *   closed (): the connection is lost
 *   replaced (): another program has taken the name from us
 */
G_DECLARE_FINAL_TYPE (ConfabBusName, confab_bus_name, CONFAB, BUS_NAME, GObject)

ConfabBusName *confab_bus_name_claim (ConfabBusMode mode, gboolean replace, GError **error);

gboolean confab_bus_name_is_system (ConfabBusName *self);
GDBusConnection *confab_bus_name_get_connection (ConfabBusName *self); /* NULL: lost */
/* Once everything is shown there. */
gboolean confab_bus_name_own (ConfabBusName *self, GError **error);

G_END_DECLS

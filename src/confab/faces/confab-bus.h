/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-access.h"
#include "confab-limits.h"
#include "confab-bus-name.h"
#include "confab-service.h"
#include "socketio-server.h"

G_BEGIN_DECLS

#define CONFAB_BUS_PATH "/org/confab/Confab"

#define CONFAB_TYPE_BUS (confab_bus_get_type ())

/*
 * ConfabBus: the D-Bus face of the service, as data/org.confab.Confab1.xml describes it.
 *
 * Signals:
 *   called (): somebody calls
 */
G_DECLARE_FINAL_TYPE (ConfabBus, confab_bus, CONFAB, BUS, GObject)

ConfabBus *confab_bus_new (ConfabService *service,
                           ConfabAccess *access,
                           ConfabLimits *limits,
                           SocketioServer *server,
                           const char *version);
void confab_bus_set_addresses (ConfabBus *self, const char *const *addresses);
void confab_bus_set_chunk_interval (ConfabBus *self, guint interval_ms);
/* Makes a new token; the message of its error is a sentence for people. */
typedef gboolean (*ConfabBusRotateFunc) (gpointer user_data, GError **error);
/* Who is asked for a new token. */
void confab_bus_set_rotate_func (ConfabBus *self, ConfabBusRotateFunc func, gpointer user_data);
/* Providers, or whatever else the manager tells, may have changed. */
void confab_bus_refresh (ConfabBus *self);

/* Whether somebody watches a module. */
gboolean confab_bus_is_watched (ConfabBus *self);

/* Shows everything on the bus of @name, and takes the name. */
gboolean confab_bus_serve (ConfabBus *self, ConfabBusName *name, GError **error);

G_END_DECLS

/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-service.h"

G_BEGIN_DECLS

/* A watcher with more than this many bytes on their way is behind: nothing more is sent to it until
 * it has answered a Ping that came after them, as every client library does by itself. */
#define CONFAB_BUS_BEHIND_BYTES (256 * 1024)
/* One that would have to be sent more than this at once is told to watch anew instead. */
#define CONFAB_BUS_RESYNC_BYTES (1024 * 1024)

/*
 * ConfabBusWatchers: who on the bus hears the text of which module. The bus itself would queue any
 * amount for a client that does not read, so that we count what we send to each, and let it confirm
 * by org.freedesktop.DBus.Peer.Ping that it has read that far. So of each watcher there are never
 * more than about 1.3 MB under way, and none slows the others.
 */
typedef struct _ConfabBusWatchers ConfabBusWatchers;

ConfabBusWatchers *confab_bus_watchers_new (ConfabService *service);
void confab_bus_watchers_free (ConfabBusWatchers *self);

/* At least so long between two chunks, in ms; 0 sends each as it comes. */
void confab_bus_watchers_set_chunk_interval (ConfabBusWatchers *self, guint interval_ms);
/* Who watched on another one watches no more. */
void confab_bus_watchers_set_connection (ConfabBusWatchers *self, GDBusConnection *connection);

void confab_bus_watchers_watch (ConfabBusWatchers *self,
                                ConfabModule *module,
                                const char *path,
                                GDBusMethodInvocation *invocation);
void
confab_bus_watchers_unwatch (ConfabBusWatchers *self, const char *module_id, const char *sender);
void confab_bus_watchers_forget_module (ConfabBusWatchers *self, const char *module_id);

void confab_bus_watchers_start (ConfabBusWatchers *self, ConfabGeneration *generation);
/* Before the end is told to all: sends what is left. */
void confab_bus_watchers_end (ConfabBusWatchers *self, ConfabGeneration *generation);

gboolean confab_bus_watchers_has_any (ConfabBusWatchers *self);

G_END_DECLS

/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-bus.h"
#include "confab-service.h"
#include "socketio-server.h"

G_BEGIN_DECLS

#define CONFAB_TYPE_IDLE (confab_idle_get_type ())

/*
 * ConfabIdle: knows since when nobody needs the service: nothing runs, and nobody is connected or
 * watches.
 *
 * Signals:
 *   expired: that has been so for the whole timeout
 */
G_DECLARE_FINAL_TYPE (ConfabIdle, confab_idle, CONFAB, IDLE, GObject)

/* @bus: nullable */
ConfabIdle *confab_idle_new (ConfabService *service, SocketioServer *server, ConfabBus *bus);
void confab_idle_set_timeout (ConfabIdle *self, guint seconds);

/* Somebody was there just now, such as with a request that is over already. */
void confab_idle_touch (ConfabIdle *self);

G_END_DECLS

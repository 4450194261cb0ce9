/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-service.h"
#include "socketio-server.h"

G_BEGIN_DECLS

#define CONFAB_TYPE_IDLE (confab_idle_get_type ())

/*
 * ConfabIdle: knows since when nobody needs the service: nothing runs, nobody is connected, and
 * nobody holds it.
 *
 * Signals:
 *   expired: that has been so for the whole timeout
 */
G_DECLARE_FINAL_TYPE (ConfabIdle, confab_idle, CONFAB, IDLE, GObject)

ConfabIdle *confab_idle_new (ConfabService *service, SocketioServer *server);
void confab_idle_set_timeout (ConfabIdle *self, guint seconds);

/* Somebody was there just now, such as with a request that is over already. */
void confab_idle_touch (ConfabIdle *self);
/* For as long as somebody is there that neither service nor server knows of. */
void confab_idle_hold (ConfabIdle *self);
void confab_idle_release (ConfabIdle *self);

G_END_DECLS

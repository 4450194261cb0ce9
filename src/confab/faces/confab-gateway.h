/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-access.h"
#include "confab-limits.h"
#include "confab-service.h"
#include "socketio-server.h"

G_BEGIN_DECLS

#define CONFAB_TYPE_GATEWAY (confab_gateway_get_type ())

/* ConfabGateway: the Socket.IO face of the service, in the namespace "/". */
G_DECLARE_FINAL_TYPE (ConfabGateway, confab_gateway, CONFAB, GATEWAY, GObject)

ConfabGateway *confab_gateway_new (ConfabService *service,
                                   ConfabAccess *access,
                                   ConfabLimits *limits,
                                   SocketioServer *server,
                                   const char *version);
void confab_gateway_set_chunk_interval (ConfabGateway *self, guint interval_ms);
void confab_gateway_flush (ConfabGateway *self);
/* All clients have to show anew that they may be here. */
void confab_gateway_disconnect_all (ConfabGateway *self);

G_END_DECLS

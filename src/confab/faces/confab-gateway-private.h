/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-change-feed.h"
#include "confab-followers.h"
#include "confab-gateway.h"

G_BEGIN_DECLS

struct _ConfabGateway
{
  GObject parent_instance;

  ConfabService *service;
  ConfabAccess *access;
  ConfabLimits *limits;
  SocketioNamespace *namespace;
  ConfabFollowers *followers;
  ConfabChangeFeed *changes;
  gint64 max_payload;
  char *version;
};

/* confab-gateway-events.c: what clients ask, and how they are answered */
void confab_gateway_event_cb (SocketioSocket *socket,
                              const char *name,
                              SocketioArgs *args,
                              SocketioAck *ack,
                              gpointer user_data);

G_END_DECLS

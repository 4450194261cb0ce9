/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "engineio-files.h"
#include "engineio-server.h"

G_BEGIN_DECLS

/* What the server shares with the places where it is served, and with the requests there. */

struct _EngineioServer
{
  grefcount ref_count;
  SocketioReactor *reactor;
  EngineioOptions options;
  SocketioCounters *counters; /* a g_rc_box */
  GHashTable *sessions;       /* sid, held by the session, → session, with a reference */
  GPtrArray *mounts;          /* of EngineioMount */
  EngineioFiles *files;
  EngineioConnectionFunc connection_func;
  gpointer connection_data;
  EngineioOriginFunc origin_func;
  gpointer origin_data;
  EngineioRequestFunc request_func; /* nullable */
  gpointer request_data;
  gboolean closed; /* no new sessions */
};

/* Returns: (transfer none) (nullable): the session, which the table holds; NULL if it was closed at
 * once */
EngineioSession *engineio_server_open_session (EngineioServer *self,
                                               SocketioHandshake *handshake,
                                               guint protocol,
                                               EngineioTransport *transport);

G_END_DECLS

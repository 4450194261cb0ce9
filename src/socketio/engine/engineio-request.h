/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "engineio-server.h"

G_BEGIN_DECLS

/*
 * EngineioRequest: a request as far as Engine.IO looks at it. The strings are those of the query.
 */
typedef struct
{
  const char *transport; /* nullable */
  const char *sid;       /* nullable */
  guint protocol;
  gboolean b64;
  gboolean upgrade;
  EngineioSession *session; /* of the sid, if it is known; not owned */
} EngineioRequest;

/* @query: (nullable): of the address */
void engineio_request_read (EngineioRequest *self,
                            EngineioServer *server,
                            SoupServerMessage *message,
                            GHashTable *query);
/* Returns: whether it may go on; if not, it was answered */
gboolean engineio_request_verify (const EngineioRequest *self,
                                  EngineioServer *server,
                                  SoupServerMessage *message);

G_END_DECLS

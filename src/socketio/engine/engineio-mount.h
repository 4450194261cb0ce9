/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "engineio-server.h"

G_BEGIN_DECLS

/*
 * EngineioMount: one place on one HTTP server, and what becomes of the requests that come there.
 * Messages that are under way hold it.
 */
typedef struct _EngineioMount EngineioMount;

/* Serves at @path until it is removed, which must be before @server goes. See
 * engineio_server_serve(). */
EngineioMount *engineio_mount_new (EngineioServer *server,
                                   SoupServer *soup_server,
                                   const char *path,
                                   gboolean own);
/* (transfer full) */
void engineio_mount_remove (EngineioMount *mount);

G_END_DECLS

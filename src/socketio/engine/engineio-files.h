/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

/*
 * EngineioFiles: what is served below the path besides the protocol, such as the client's bundle
 * (the JS server's `serveClient`).
 */
typedef struct _EngineioFiles EngineioFiles;

EngineioFiles *engineio_files_new (void);
void engineio_files_free (EngineioFiles *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EngineioFiles, engineio_files_free)

void engineio_files_add (EngineioFiles *self,
                         const char *name,
                         const char *content_type,
                         GBytes *content);
/* FALSE if there is none of that name. */
gboolean engineio_files_serve (EngineioFiles *self, SoupServerMessage *message, const char *name);

G_END_DECLS

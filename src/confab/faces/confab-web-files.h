/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

/*
 * ConfabWebFiles: the files of the web client, from the program's GResource. A file that was
 * compressed ahead lies beside its siblings NAME.br and NAME.gz; each browser gets the smallest one
 * that it reads. Names under /assets/ end in a hash of their content, so that browsers keep them.
 */
typedef struct _ConfabWebFiles ConfabWebFiles;

ConfabWebFiles *confab_web_files_new (void);
void confab_web_files_free (ConfabWebFiles *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConfabWebFiles, confab_web_files_free)

/* Answers with a file; FALSE if there is none of that name. */
gboolean
confab_web_files_serve (ConfabWebFiles *self, SoupServerMessage *message, const char *name);

G_END_DECLS

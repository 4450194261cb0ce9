/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-completion.h"

G_BEGIN_DECLS

/* ConfabOpenaiReader: turns the body of a Chat Completions response into deltas and an outcome.
 * Takes a stream of events as well as one whole JSON object. No I/O. */
typedef struct _ConfabOpenaiReader ConfabOpenaiReader;

/* As ConfabDeltaFunc of ConfabProvider. */
typedef void (*ConfabOpenaiTextFunc) (ConfabDeltaKind kind,
                                      const char *text,
                                      gsize length,
                                      gpointer user_data);

ConfabOpenaiReader *confab_openai_reader_new (ConfabOpenaiTextFunc on_text, gpointer user_data);
void confab_openai_reader_free (ConfabOpenaiReader *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConfabOpenaiReader, confab_openai_reader_free)

gboolean confab_openai_reader_feed (ConfabOpenaiReader *self,
                                    const char *bytes,
                                    gsize length,
                                    GError **error);
void confab_openai_reader_flush (ConfabOpenaiReader *self);
ConfabOutcome *confab_openai_reader_finish (ConfabOpenaiReader *self, GError **error);

G_END_DECLS

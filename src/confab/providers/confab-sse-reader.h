/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The most that one event, or one line, may hold. */
#define CONFAB_SSE_MAX_EVENT (1024 * 1024)

/* ConfabSseReader: takes text/event-stream apart as bytes arrive, however they are cut. No I/O. */
typedef struct _ConfabSseReader ConfabSseReader;

/*
 * ConfabSseEventFunc:
 * @event: the event's type, "message" if the stream gave none
 * @data: @length bytes and a NUL; lines joined by LF; not checked to be UTF-8; valid during the
 * call
 *
 * Returns: whether to go on; if not, the rest of what is being fed is dropped
 */
typedef gboolean (*ConfabSseEventFunc) (const char *event,
                                        const char *data,
                                        gsize length,
                                        gpointer user_data);

ConfabSseReader *confab_sse_reader_new (void);
void confab_sse_reader_free (ConfabSseReader *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConfabSseReader, confab_sse_reader_free)

gboolean confab_sse_reader_feed (ConfabSseReader *self,
                                 const char *bytes,
                                 gsize length,
                                 ConfabSseEventFunc func,
                                 gpointer user_data,
                                 GError **error);
void confab_sse_reader_finish (ConfabSseReader *self, ConfabSseEventFunc func, gpointer user_data);

G_END_DECLS

/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The most that one line may hold, in bytes. */
#define CONFAB_NDJSON_MAX_LINE (1024 * 1024)

/* ConfabNdjsonReader: takes newline-delimited JSON apart as bytes arrive, however they are cut. It
 * finds the lines and leaves reading them to others. No I/O. */
typedef struct _ConfabNdjsonReader ConfabNdjsonReader;

/*
 * ConfabNdjsonLineFunc:
 * @line: @length bytes without the line's end and not followed by a NUL; not checked to be UTF-8;
 *   never blank; valid during the call
 *
 * Returns: whether to go on; if not, the rest of what is being fed is dropped
 */
typedef gboolean (*ConfabNdjsonLineFunc) (const char *line, gsize length, gpointer user_data);

ConfabNdjsonReader *confab_ndjson_reader_new (void);
void confab_ndjson_reader_free (ConfabNdjsonReader *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConfabNdjsonReader, confab_ndjson_reader_free)

gboolean confab_ndjson_reader_feed (ConfabNdjsonReader *self,
                                    const char *bytes,
                                    gsize length,
                                    ConfabNdjsonLineFunc func,
                                    gpointer user_data,
                                    GError **error);
void confab_ndjson_reader_finish (ConfabNdjsonReader *self,
                                  ConfabNdjsonLineFunc func,
                                  gpointer user_data);

G_END_DECLS

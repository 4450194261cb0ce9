/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-message.h"

G_BEGIN_DECLS

/* How many deltas can be told one by one; before the newest of these there is only the text. */
#define CONFAB_DELTA_LOG_MAX 32768

/* Called for a stretch of deltas of one kind: @from_seq to @seq, @length bytes at @text. */
typedef void (*ConfabStretchFunc) (ConfabDeltaKind kind,
                                   guint64 from_seq,
                                   guint64 seq,
                                   const char *text,
                                   gsize length,
                                   gpointer user_data);

/*
 * ConfabDeltaLog: where in a growing text each of its newest deltas stands, so that whoever knows
 * some of them can be told the others. It numbers them from 1, and keeps none of their text.
 */
typedef struct _ConfabDeltaLog ConfabDeltaLog;

ConfabDeltaLog *confab_delta_log_new (void);
void confab_delta_log_free (ConfabDeltaLog *self);

/* The seq of the new delta. */
guint64 confab_delta_log_add (ConfabDeltaLog *self, ConfabDeltaKind kind, gsize length);
gboolean confab_delta_log_reaches (const ConfabDeltaLog *self, guint64 after_seq);
void confab_delta_log_replay (const ConfabDeltaLog *self,
                              guint64 after_seq,
                              const char *const *texts,
                              ConfabStretchFunc func,
                              gpointer user_data);

G_END_DECLS

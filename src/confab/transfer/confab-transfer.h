/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-pump.h"

G_BEGIN_DECLS

/*
 * ConfabTransfer: one export or import, in a thread of its own, since the other end of its
 * descriptor may take its time. It belongs to the thread that makes it; only what is said so is for
 * the other one.
 */
typedef struct _ConfabTransfer ConfabTransfer;

/* @total: 0: not known. In the context of whoever started it, at most four times a second. */
typedef void (*ConfabTransferProgress) (guint64 done, guint64 total, gpointer user_data);
/* In the thread. Returns: FALSE with @error set: it failed */
typedef gboolean (*ConfabTransferRun) (ConfabTransfer *self, gpointer user_data, GError **error);
/* In the context of whoever started it, once the thread is gone. @error: NULL: it succeeded */
typedef void (*ConfabTransferEnd) (ConfabTransfer *self, const GError *error, gpointer user_data);

/* Takes @fd. @cancellable and @progress: nullable */
ConfabTransfer *confab_transfer_new (int fd,
                                     GCancellable *cancellable,
                                     ConfabTransferProgress progress,
                                     gpointer progress_data);
/* After the end, or before the start. */
void confab_transfer_free (ConfabTransfer *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConfabTransfer, confab_transfer_free)

void confab_transfer_start (ConfabTransfer *self,
                            ConfabTransferRun run,
                            ConfabTransferEnd end,
                            gpointer user_data);
void confab_transfer_cancel (ConfabTransfer *self);
GCancellable *confab_transfer_get_cancellable (ConfabTransfer *self);

/* For the thread. */
ConfabPump *confab_transfer_get_pump (ConfabTransfer *self);
void confab_transfer_report (ConfabTransfer *self, guint64 done, guint64 total);

G_END_DECLS

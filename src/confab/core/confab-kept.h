/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-session.h"

G_BEGIN_DECLS

/*
 * What of a session or a module is on disk, while changes of it are on their way there. Changes are
 * made in memory at once, so that the next one builds on them; when the store refuses the last of
 * them, memory goes back to what is kept.
 */
typedef struct _ConfabSnapshot ConfabSnapshot;

/* The settings as they are now. */
ConfabSnapshot *confab_snapshot_new (gpointer object);
void confab_snapshot_free (ConfabSnapshot *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConfabSnapshot, confab_snapshot_free)

/* Before a change is made; @is_new: @object was only just made. Each is answered by one of
 * confab_kept_written() and confab_kept_refused(). */
void confab_kept_begin (gpointer object, gboolean is_new);
gboolean confab_kept_is_on_disk (gpointer object);
void confab_kept_written (gpointer object, ConfabSnapshot *written);
gboolean confab_kept_refused (gpointer object);

G_END_DECLS

/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "ctl.h"

G_BEGIN_DECLS

/* Calls Watch of any number of modules, as fast as Confab lets us. */
typedef struct _CtlWatches CtlWatches;

/* Told of the cut of each: what runs there (maybe ""), and its text so far, up to @seq. */
typedef void (*CtlWatchesFunc) (const char *path,
                                const char *generation,
                                guint64 seq,
                                const char *text,
                                gpointer user_data);

CtlWatches *ctl_watches_new (Ctl *ctl, CtlWatchesFunc func, gpointer user_data);
void ctl_watches_free (CtlWatches *self);
void ctl_watches_add (CtlWatches *self, const char *path);
void ctl_watches_hurry (CtlWatches *self, const char *path);

G_END_DECLS

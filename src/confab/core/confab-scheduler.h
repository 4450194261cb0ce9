/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/*
 * ConfabScheduler: decides whose turn it is. Items wait in lanes; of each lane one item runs at a
 * time, in all at most a limit of them, and lanes that wait take turns. Lanes and items are opaque
 * and belong to the caller, who removes an item before it goes away.
 */
typedef struct _ConfabScheduler ConfabScheduler;

/* May call back into the scheduler. */
typedef void (*ConfabSchedulerFunc) (gpointer item, gpointer user_data);

ConfabScheduler *
confab_scheduler_new (guint max_running, ConfabSchedulerFunc start, gpointer user_data);
void confab_scheduler_free (ConfabScheduler *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConfabScheduler, confab_scheduler_free)

void confab_scheduler_set_max_running (ConfabScheduler *self, guint max_running);
void confab_scheduler_add (ConfabScheduler *self, gconstpointer lane, gpointer item);
void confab_scheduler_remove (ConfabScheduler *self, gconstpointer lane, gpointer item);
guint confab_scheduler_get_n_running (ConfabScheduler *self);
guint confab_scheduler_get_n_waiting (ConfabScheduler *self);

G_END_DECLS

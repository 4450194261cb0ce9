/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "confab-db.h"

G_BEGIN_DECLS

/*
 * ConfabStoreThread: owns the database and the one thread that uses it. Jobs run in the order in
 * which they were pushed, but for what is called aside; nothing else is shared. Thread-safe.
 */
typedef struct _ConfabStoreThread ConfabStoreThread;

/* Runs in the thread. Returns: a result that free_result frees; NULL with @error set is a failure,
 * NULL without is a result too. */
typedef gpointer (*ConfabStoreFunc) (ConfabDb *db, gpointer input, GError **error);

ConfabStoreThread *confab_store_thread_new (ConfabDb *db);
void confab_store_thread_free (ConfabStoreThread *self, gboolean wait);

/* Answers @task in its own context with a pointer; takes @task and @input. */
void confab_store_thread_push (ConfabStoreThread *self,
                               GTask *task,
                               ConfabStoreFunc run,
                               gpointer input,
                               GDestroyNotify free_input,
                               GDestroyNotify free_result);
/* The same, for what does not mind which of the commits that were pushed before it are done: it
 * runs before the group of them that is being gathered. */
void confab_store_thread_push_aside (ConfabStoreThread *self,
                                     GTask *task,
                                     ConfabStoreFunc run,
                                     gpointer input,
                                     GDestroyNotify free_input,
                                     GDestroyNotify free_result);
/* Answers @task with TRUE; takes @task. */
void confab_store_thread_push_batch (ConfabStoreThread *self, GTask *task, ConfabBatch *batch);
/* The same as the first, but blocks and answers to the caller, who keeps @input. */
gpointer confab_store_thread_call (ConfabStoreThread *self,
                                   ConfabStoreFunc run,
                                   gpointer input,
                                   GError **error);

/* The last job; later ones are refused. Takes @task (nullable). */
void confab_store_thread_push_close (ConfabStoreThread *self, GTask *task);
gboolean confab_store_thread_wait_closed (ConfabStoreThread *self,
                                          gint64 end_time,
                                          gboolean *timed_out,
                                          GError **error);

G_END_DECLS

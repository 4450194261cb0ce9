/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "confab-batch.h"
#include "confab-histogram.h"
#include "confab-record.h"
#include "confab-store-error.h"

G_BEGIN_DECLS

#define CONFAB_TYPE_STORE (confab_store_get_type ())

/*
 * ConfabStore: sessions, modules, messages and generations on disk.
 *
 * Every call but open, recover, read_overview and close returns at once; a thread of the store does
 * the work, in the order of the calls, so a read sees every commit asked for before it. Callbacks
 * run in the thread-default context of the caller. All results are records of the caller's own.
 * Errors are CONFAB_STORE_ERROR (or G_IO_ERROR_CANCELLED).
 */
G_DECLARE_FINAL_TYPE (ConfabStore, confab_store, CONFAB, STORE, GObject)

ConfabStore *confab_store_open (const char *path, GError **error);

/* At start, before anything else; these block. */
gboolean confab_store_recover (ConfabStore *self, guint *n_recovered, GError **error);
ConfabOverview *confab_store_read_overview (ConfabStore *self, GError **error);

void confab_store_commit_async (ConfabStore *self,
                                ConfabBatch *batch,
                                GAsyncReadyCallback callback,
                                gpointer user_data);
gboolean confab_store_commit_finish (ConfabStore *self, GAsyncResult *result, GError **error);

void confab_store_history_async (ConfabStore *self,
                                 const char *module_id,
                                 const char *before_id,
                                 guint limit,
                                 GCancellable *cancellable,
                                 GAsyncReadyCallback callback,
                                 gpointer user_data);
GPtrArray *confab_store_history_finish (ConfabStore *self,
                                        GAsyncResult *result,
                                        gboolean *more,
                                        GError **error);

void confab_store_branch_async (ConfabStore *self,
                                const char *module_id,
                                const char *leaf_id,
                                GCancellable *cancellable,
                                GAsyncReadyCallback callback,
                                gpointer user_data);
void confab_store_lead_async (ConfabStore *self,
                              const char *module_id,
                              const char *leaf_id,
                              GCancellable *cancellable,
                              GAsyncReadyCallback callback,
                              gpointer user_data);
GPtrArray *confab_store_branch_finish (ConfabStore *self, GAsyncResult *result, GError **error);

void confab_store_get_message_async (ConfabStore *self,
                                     const char *module_id,
                                     const char *message_id,
                                     GCancellable *cancellable,
                                     GAsyncReadyCallback callback,
                                     gpointer user_data);
ConfabMessageRecord *
confab_store_get_message_finish (ConfabStore *self, GAsyncResult *result, GError **error);

/* One finish for the three: it tells the generation with its question and its answer. */
void confab_store_find_request_async (ConfabStore *self,
                                      const char *module_id,
                                      const char *request_id,
                                      GCancellable *cancellable,
                                      GAsyncReadyCallback callback,
                                      gpointer user_data);
void confab_store_get_generation_async (ConfabStore *self,
                                        const char *module_id,
                                        const char *generation_id,
                                        GCancellable *cancellable,
                                        GAsyncReadyCallback callback,
                                        gpointer user_data);
void confab_store_last_generation_async (ConfabStore *self,
                                         const char *module_id,
                                         GCancellable *cancellable,
                                         GAsyncReadyCallback callback,
                                         gpointer user_data);
ConfabExchange *
confab_store_exchange_finish (ConfabStore *self, GAsyncResult *result, GError **error);

void confab_store_search_async (ConfabStore *self,
                                const char *query,
                                guint limit,
                                GCancellable *cancellable,
                                GAsyncReadyCallback callback,
                                gpointer user_data);
GPtrArray *confab_store_search_finish (ConfabStore *self, GAsyncResult *result, GError **error);

void confab_store_close_async (ConfabStore *self, GAsyncReadyCallback callback, gpointer user_data);
gboolean confab_store_close_finish (ConfabStore *self, GAsyncResult *result, GError **error);
gboolean confab_store_close (ConfabStore *self, gint64 timeout_ms, GError **error);

/* How long commits took. */
void confab_store_get_latency (ConfabStore *self, ConfabHistogram *latency);

G_END_DECLS

/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-service.h"
#include "confab-transfer.h"

G_BEGIN_DECLS

/* Exports and imports at once; each costs a thread. */
#define CONFAB_MAX_TRANSFERS 4

void confab_service_export_async (ConfabService *self,
                                  const char *const *session_ids,
                                  int fd,
                                  GCancellable *cancellable,
                                  ConfabTransferProgress progress,
                                  gpointer progress_data,
                                  GAsyncReadyCallback callback,
                                  gpointer user_data);
gboolean confab_service_export_finish (ConfabService *self, GAsyncResult *result, GError **error);

void confab_service_import_async (ConfabService *self,
                                  int fd,
                                  gboolean all_parameters,
                                  GCancellable *cancellable,
                                  ConfabTransferProgress progress,
                                  gpointer progress_data,
                                  GAsyncReadyCallback callback,
                                  gpointer user_data);
GPtrArray *confab_service_import_finish (ConfabService *self, GAsyncResult *result, GError **error);

guint confab_service_get_n_transfers (ConfabService *self);

G_END_DECLS

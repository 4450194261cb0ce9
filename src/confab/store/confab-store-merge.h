/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-staging.h"
#include "confab-store.h"

G_BEGIN_DECLS

void confab_store_merge_async (ConfabStore *self,
                               ConfabStaging *staging,
                               const char *const *session_ids,
                               const char *const *module_ids,
                               GCancellable *cancellable,
                               GAsyncReadyCallback callback,
                               gpointer user_data);
gboolean confab_store_merge_finish (ConfabStore *self, GAsyncResult *result, GError **error);

G_END_DECLS

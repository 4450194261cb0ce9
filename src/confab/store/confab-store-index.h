/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-store.h"

G_BEGIN_DECLS

/*
 * The search's share of an import: what is stored, but not found yet.
 */

gboolean confab_store_is_indexed (ConfabStore *self);
void confab_store_index_async (ConfabStore *self, GAsyncReadyCallback callback, gpointer user_data);
gboolean confab_store_index_finish (ConfabStore *self, GAsyncResult *result, GError **error);

G_END_DECLS

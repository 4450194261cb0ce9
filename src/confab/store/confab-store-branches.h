/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-store.h"

G_BEGIN_DECLS

/* What it takes to go from one branch of a module to another. */

void confab_store_branch_end_async (ConfabStore *self,
                                    const char *module_id,
                                    const char *message_id,
                                    GAsyncReadyCallback callback,
                                    gpointer user_data);
ConfabBranchEnd *
confab_store_branch_end_finish (ConfabStore *self, GAsyncResult *result, GError **error);

void confab_store_fork_async (ConfabStore *self,
                              const char *module_id,
                              const char *parent_id,
                              GAsyncReadyCallback callback,
                              gpointer user_data);
ConfabFork *confab_store_fork_finish (ConfabStore *self, GAsyncResult *result, GError **error);

G_END_DECLS

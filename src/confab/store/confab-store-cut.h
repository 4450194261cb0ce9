/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-cut.h"
#include "confab-store.h"

G_BEGIN_DECLS

/*
 * To read everything bit by bit. Other than the rest of ConfabStore these block, and are for
 * threads other than the one that owns the store; what others ask for goes on in between.
 */

ConfabCut *confab_store_read_cut (ConfabStore *self, GError **error);

/* Both fail with NOT_FOUND when the module was deleted since. */
GArray *confab_store_list_messages (ConfabStore *self,
                                    const ConfabCut *cut,
                                    const ConfabCutModule *module,
                                    GError **error);
GPtrArray *confab_store_read_page (ConfabStore *self,
                                   const ConfabCutModule *module,
                                   const gint64 *seqs,
                                   gsize n_seqs,
                                   GError **error);

G_END_DECLS

/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-db.h"

G_BEGIN_DECLS

/* The tree that the messages of a module form by their parents. */

/* A place in it; seq 0 is above every first message. */
typedef struct
{
  gint64 seq;
  gint64 parent;
  gint64 depth;
} ConfabNode;

/* @head: 0: none */
gboolean confab_db_find_module (ConfabDb *self,
                                const char *id,
                                gint64 *module,
                                gint64 *head,
                                GError **error);
gboolean
confab_db_find_message (ConfabDb *self, gint64 module, const char *id, gint64 *seq, GError **error);
gboolean confab_db_read_node (ConfabDb *self, gint64 seq, ConfabNode *node, GError **error);
gboolean
confab_db_find_end_before (ConfabDb *self, gint64 head, gint64 before, gint64 *end, GError **error);

G_END_DECLS

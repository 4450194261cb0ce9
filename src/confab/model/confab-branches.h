/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/*
 * ConfabBranches: where a message stands among its siblings, the messages of its module with the
 * same parent: other answers to one question, or other wordings of it. One branch of the module
 * runs through each of them. Owns its strings; a message without siblings has none.
 */
typedef struct
{
  guint64 index;     /* from 1, in the order of their making */
  guint64 count;     /* at least 2 */
  char *previous_id; /* nullable: it is the oldest */
  char *next_id;     /* nullable: it is the newest */
} ConfabBranches;

ConfabBranches *confab_branches_copy (const ConfabBranches *self);
void confab_branches_free (ConfabBranches *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConfabBranches, confab_branches_free)

G_END_DECLS

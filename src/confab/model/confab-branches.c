/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-branches.h"

/**
 * confab_branches_copy:
 * @self: (nullable): where a message stands
 *
 * Returns: (transfer full) (nullable): a copy that shares nothing with @self
 */
ConfabBranches *
confab_branches_copy (const ConfabBranches *self)
{
  ConfabBranches *copy;

  if (self == NULL)
    return NULL;

  copy = g_new (ConfabBranches, 1);
  *copy = (ConfabBranches){ self->index, self->count, g_strdup (self->previous_id),
                            g_strdup (self->next_id) };

  return copy;
}

/**
 * confab_branches_free:
 * @self: (transfer full) (nullable): where a message stands
 */
void
confab_branches_free (ConfabBranches *self)
{
  if (self == NULL)
    return;

  g_free (self->previous_id);
  g_free (self->next_id);
  g_free (self);
}

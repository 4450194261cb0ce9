/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-id.h"

#include <string.h>

/**
 * confab_id_is_valid:
 * @id: (nullable): an id from outside
 *
 * Returns: whether @id may name a session, a module, a message, a generation or a request
 */
gboolean
confab_id_is_valid (const char *id)
{
  gsize length;

  if (id == NULL)
    return FALSE;

  for (length = 0; id[length] != '\0'; length++)
    if (length == CONFAB_ID_MAX_LENGTH
        || (!g_ascii_isalnum (id[length]) && strchr ("._~:@-", id[length]) == NULL))
      return FALSE;

  return length > 0;
}

/**
 * confab_id_new:
 *
 * Makes a random UUID. It tells things apart and is no secret: whoever may read an id may read what
 * it names.
 *
 * Returns: (transfer full): the id
 */
char *
confab_id_new (void)
{
  return g_uuid_string_random ();
}

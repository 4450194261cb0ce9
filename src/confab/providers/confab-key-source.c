/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-key-source.h"

G_DEFINE_INTERFACE (ConfabKeySource, confab_key_source, G_TYPE_OBJECT)

static void
confab_key_source_default_init (ConfabKeySourceInterface *iface)
{
}

/**
 * confab_key_source_lookup_async:
 * @name: the provider's name
 */
void
confab_key_source_lookup_async (ConfabKeySource *self,
                                const char *name,
                                GCancellable *cancellable,
                                GAsyncReadyCallback callback,
                                gpointer user_data)
{
  g_return_if_fail (CONFAB_IS_KEY_SOURCE (self) && name != NULL);

  CONFAB_KEY_SOURCE_GET_IFACE (self)->lookup_async (self, name, cancellable, callback, user_data);
}

/**
 * confab_key_source_lookup_finish:
 *
 * Returns: (transfer full) (nullable): the key, to be wiped by the caller; NULL without an error if
 *   there is none, and with one if there is one that cannot be had now
 */
char *
confab_key_source_lookup_finish (ConfabKeySource *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (CONFAB_IS_KEY_SOURCE (self), NULL);

  return CONFAB_KEY_SOURCE_GET_IFACE (self)->lookup_finish (self, result, error);
}

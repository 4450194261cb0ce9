/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Keys of providers in the user's Secret Service. Without libsecret there is none, and every
 * function fails with %G_IO_ERROR_NOT_SUPPORTED. Kept apart from the rest, for programs that only
 * set keys. */

void confab_keyring_lookup_async (const char *provider,
                                  GCancellable *cancellable,
                                  GAsyncReadyCallback callback,
                                  gpointer user_data);
char *confab_keyring_lookup_finish (GAsyncResult *result, GError **error);

/* These wait, also for the user, who may have to unlock the keyring. */
gboolean confab_keyring_store (const char *provider,
                               const char *key,
                               GCancellable *cancellable,
                               GError **error);
gboolean confab_keyring_clear (const char *provider, GCancellable *cancellable, GError **error);

G_END_DECLS

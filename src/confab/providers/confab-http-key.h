/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-http-provider.h"

G_BEGIN_DECLS

/* The key of a provider that has a source of keys, fetched before a request needs it. */

gboolean confab_http_key_is_wanted (ConfabHttpProvider *provider);
void confab_http_key_fetch_async (ConfabHttpProvider *provider,
                                  GCancellable *cancellable,
                                  GAsyncReadyCallback callback,
                                  gpointer user_data);
gboolean
confab_http_key_fetch_finish (ConfabHttpProvider *provider, GAsyncResult *result, GError **error);
void confab_http_key_refused (ConfabHttpProvider *provider);

G_END_DECLS

/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-http-provider.h"

G_BEGIN_DECLS

/* The generation of an answer over HTTP, as ConfabProviderInterface wants it: the request, again if
 * need be, and what is read of its response. */

void confab_http_generation_run_async (ConfabHttpProvider *provider,
                                       ConfabPrompt *prompt,
                                       ConfabDeltaFunc on_delta,
                                       gpointer delta_data,
                                       GCancellable *cancellable,
                                       GAsyncReadyCallback callback,
                                       gpointer user_data);
ConfabOutcome *confab_http_generation_run_finish (ConfabHttpProvider *provider,
                                                  GAsyncResult *result,
                                                  GError **error);

G_END_DECLS

/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

/* For the first byte, and between bytes. */
#define CONFAB_HTTP_STALL_TIMEOUT_MS (120 * 1000)

/* ConfabHttpHandler: who takes what a response brings. All is called from the main loop, between
 * confab_http_stream_run_async() and its callback, and never once the run was cancelled. */
typedef struct
{
  /* Nullable. The head of a successful response; %FALSE with @error set refuses it. */
  gboolean (*head) (SoupMessage *message, gpointer user_data, GError **error);
  /* Returns whether to go on. FALSE without @error: no more is wanted, the run ends well. */
  gboolean (*data) (const char *bytes, gsize length, gpointer user_data, GError **error);
  /* Nullable. All that could be read without blocking was given. */
  void (*turn_done) (gpointer user_data);
} ConfabHttpHandler;

void confab_http_stream_run_async (SoupSession *session,
                                   SoupMessage *message,
                                   GBytes *json,
                                   guint stall_timeout_ms,
                                   const ConfabHttpHandler *handler,
                                   gpointer handler_data,
                                   GCancellable *cancellable,
                                   GAsyncReadyCallback callback,
                                   gpointer user_data);
gboolean confab_http_stream_run_finish (SoupSession *session, GAsyncResult *result, GError **error);

G_END_DECLS

/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>
#include <libsoup/soup.h>

G_BEGIN_DECLS

/* Servers of models that people run on their own machine. */

typedef enum
{
  CONFAB_LOCAL_SERVER_OLLAMA,
  CONFAB_LOCAL_SERVER_LLAMA_CPP,
  CONFAB_LOCAL_SERVER_LM_STUDIO,
  CONFAB_LOCAL_SERVER_INFERENCE_SNAP,
} ConfabLocalServerKind;

typedef struct
{
  ConfabLocalServerKind kind;
  /* Without a path and a slash at the end, such as "http://127.0.0.1:8080". */
  char *origin;
  /* Where nobody said that it is there, its port at 127.0.0.1: whose that is counts. Else 0. */
  guint16 guessed_port;
} ConfabLocalServer;

const char *confab_local_server_kind_to_string (ConfabLocalServerKind kind);
char *confab_local_server_parse_ollama_host (const char *value);

/* Asks the server by its own API who it is; no chat is sent. */
void confab_local_server_identify_async (const ConfabLocalServer *server,
                                         SoupSession *session,
                                         guint timeout_ms,
                                         GCancellable *cancellable,
                                         GAsyncReadyCallback callback,
                                         gpointer user_data);
gboolean
confab_local_server_identify_finish (SoupSession *session, GAsyncResult *result, GError **error);

G_END_DECLS

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib/gi18n-lib.h>

#include "confab-http-fetch.h"
#include "confab-error.h"
#include "confab-http-stream.h"
#include "socketio-json.h"

/* The list of models of a large router is about 1 MiB. */
#define MAX_DOCUMENT (4 * 1024 * 1024)

static gboolean
take_data (const char *bytes, gsize length, gpointer user_data, GError **error)
{
  GString *document = user_data;

  if (document->len + length > MAX_DOCUMENT)
    {
      g_set_error_literal (error, CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_ERROR,
                           _ ("The model server sent a list that is too large."));
      return FALSE;
    }

  g_string_append_len (document, bytes, (gssize) length);
  return TRUE;
}

static const ConfabHttpHandler fetch_handler = { .data = take_data };

static void
free_document (gpointer data)
{
  g_string_free (data, TRUE);
}

static void
fetched_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GString *document = g_task_get_task_data (task);
  g_autoptr (GError) parse_error = NULL;
  GError *error = NULL;
  JsonNode *node;

  if (!confab_http_stream_run_finish (SOUP_SESSION (source), result, &error))
    {
      g_task_return_error (task, error);
      return;
    }

  node = socketio_json_parse (document->str, document->len, &parse_error);
  if (node == NULL)
    g_task_return_new_error (task, CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_ERROR,
                             _ ("The model server's answer is not JSON (%s)."),
                             parse_error->message);
  else
    g_task_return_pointer (task, node, (GDestroyNotify) json_node_unref);
}

/**
 * confab_http_fetch_json_async:
 * @session: of confab_http_session_new()
 * @stall_timeout_ms: how long the server may be silent
 * @cancellable: (nullable)
 */
void
confab_http_fetch_json_async (SoupSession *session,
                              SoupMessage *message,
                              guint stall_timeout_ms,
                              GCancellable *cancellable,
                              GAsyncReadyCallback callback,
                              gpointer user_data)
{
  GTask *task = g_task_new (session, cancellable, callback, user_data);
  GString *document = g_string_new (NULL);

  g_task_set_source_tag (task, confab_http_fetch_json_async);
  g_task_set_task_data (task, document, free_document);

  confab_http_stream_run_async (session, message, NULL, stall_timeout_ms, &fetch_handler, document,
                                cancellable, fetched_cb, task);
}

/**
 * confab_http_fetch_json_finish:
 *
 * Returns: (transfer full): the document; NULL with a %CONFAB_ERROR or %G_IO_ERROR_CANCELLED
 */
JsonNode *
confab_http_fetch_json_finish (SoupSession *session, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, session), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

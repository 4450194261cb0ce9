/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-http-stream.h"

#include <glib/gi18n-lib.h>

#include "confab-error.h"
#include "confab-http-body.h"
#include "confab-http-error.h"
#include "confab-http-watcher.h"

/* A refusal is told in a few lines, at once; what comes beyond is not waited for. */
#define MAX_ERROR_BODY (64 * 1024)
#define ERROR_BODY_TIMEOUT_MS 5000

/* Notices before an answer (1xx); servers send one or two. libsoup goes on to the next without a
 * turn of the main loop for as long as there is one, so that nobody else would be served. */
#define MAX_NOTICES 16

/*
 * Run: one request and its response. It is the task data of its GTask, which the watch, a source's
 * closure and the send hold a reference on; run_end() drops them all.
 */
typedef struct
{
  SoupMessage *message;
  /* NULL for a request without a body */
  GBytes *json;
  const ConfabHttpHandler *handler;
  gpointer handler_data;

  /* Whether the request went out on a connection of its own, or on one that was kept. */
  gboolean new_connection;
  gulong network_event_id;
  gulong notice_id;

  /* Ours, so that a stall can end the send as the caller's cancellable does. */
  GCancellable *send_cancellable;
  guint stall_timeout_ms;
  gboolean stalled;
  guint n_notices;

  /* From the beginning to the end. */
  ConfabHttpWatch *watch;

  /* The response's, once its head has come. */
  ConfabHttpBody *body;
  /* Whether the watch tells when there is more; else the body does. */
  gboolean socket_watched;

  /* Gathers the body of a refusal; NULL for a response that goes to the handler. */
  GByteArray *refusal;
} Run;

/* Only ever called when the task goes away, so all sources are gone by then. */
static void
run_free (gpointer data)
{
  Run *run = data;

  g_clear_pointer (&run->body, confab_http_body_free);
  g_clear_signal_handler (&run->network_event_id, run->message);
  g_clear_signal_handler (&run->notice_id, run->message);
  g_clear_object (&run->message);
  g_clear_pointer (&run->json, g_bytes_unref);
  g_clear_object (&run->send_cancellable);
  g_clear_pointer (&run->refusal, g_byte_array_unref);
  g_free (run);
}

/* The one way to end. Takes @error. Callers in a source's dispatch hold a reference on @task. */
static void
run_end (GTask *task, GError *error)
{
  Run *run = g_task_get_task_data (task);

  g_clear_pointer (&run->watch, confab_http_watch_free);
  g_clear_pointer (&run->body, confab_http_body_free);

  if (error != NULL)
    g_task_return_error (task, error);
  else
    g_task_return_boolean (task, TRUE);
}

static GError *
stall_error (Run *run)
{
  return g_error_new (CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_TIMEOUT,
                      _ ("The model server sent nothing for %u seconds."),
                      MAX (run->stall_timeout_ms / 1000, 1));
}

static GError *
refusal_error (Run *run)
{
  return confab_http_error_from_response (soup_message_get_status (run->message),
                                          soup_message_get_response_headers (run->message),
                                          (const char *) run->refusal->data, run->refusal->len);
}

static void
stop_because (GTask *task, GError *error)
{
  Run *run = g_task_get_task_data (task);

  /* While the head is awaited libsoup owns the connection: it gives it up and calls sent_cb(). */
  if (run->body == NULL)
    {
      g_cancellable_cancel (run->send_cancellable);
      g_clear_error (&error);
      return;
    }

  run_end (task, error);
}

/* A ConfabHttpBodyFunc. */
static gboolean
take_bytes (const char *bytes, gsize length, gpointer user_data, GError **error)
{
  Run *run = user_data;

  if (run->refusal == NULL)
    return run->handler->data (bytes, length, run->handler_data, error);

  g_byte_array_append (run->refusal, (const guint8 *) bytes,
                       (guint) MIN (length, MAX_ERROR_BODY - run->refusal->len));
  return run->refusal->len < MAX_ERROR_BODY;
}

/* Takes @error. */
static void
body_ended (GTask *task, GError *error)
{
  Run *run = g_task_get_task_data (task);

  /* a refusal is one, however much of its words has come */
  if (run->refusal != NULL
      && (error == NULL || g_error_matches (error, CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_TRUNCATED)))
    {
      g_clear_error (&error);
      error = refusal_error (run);
    }
  run_end (task, error);
}

static gboolean readable_cb (GObject *stream, gpointer user_data);

static void
take_turn (GTask *task)
{
  Run *run = g_task_get_task_data (task);
  GCancellable *cancellable = g_task_get_cancellable (task);
  GError *error = NULL;
  ConfabHttpBodyTurn turn =
      confab_http_body_read_turn (run->body, cancellable, take_bytes, run, &error);

  confab_http_watch_touch (run->watch);
  if (run->refusal == NULL && run->handler->turn_done != NULL
      && !g_cancellable_is_cancelled (cancellable))
    run->handler->turn_done (run->handler_data);

  if (turn == CONFAB_HTTP_BODY_FULL)
    confab_http_watch_mark (run->watch, CONFAB_HTTP_WATCH_READABLE);
  else if (turn == CONFAB_HTTP_BODY_ENDED)
    body_ended (task, error);
  else if (!run->socket_watched)
    confab_http_body_wait (run->body, g_task_get_context (task), readable_cb, g_object_ref (task),
                           g_object_unref);
}

static gboolean
readable_cb (GObject *stream, gpointer user_data)
{
  g_autoptr (GTask) task = g_object_ref (G_TASK (user_data));

  take_turn (task);

  return G_SOURCE_REMOVE;
}

/* A response of HTTP/1 has its connection to itself. */
static void
watch_socket (GTask *task)
{
  Run *run = g_task_get_task_data (task);
  g_autoptr (GSocket) socket =
      confab_http_watcher_find (confab_http_watcher_of (g_task_get_source_object (task)),
                                soup_message_get_connection_id (run->message));

  run->socket_watched = socket != NULL && confab_http_watch_set_socket (run->watch, socket);
}

static void
watch_cb (ConfabHttpWatchReasons reasons, gpointer user_data)
{
  g_autoptr (GTask) task = g_object_ref (G_TASK (user_data));
  Run *run = g_task_get_task_data (task);

  if (reasons & CONFAB_HTTP_WATCH_CANCELLED)
    stop_because (task, g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED, _ ("Stopped.")));
  else if (reasons & CONFAB_HTTP_WATCH_READABLE)
    take_turn (task);
  else if (!run->stalled)
    {
      run->stalled = TRUE;
      stop_because (task, run->refusal != NULL ? refusal_error (run) : stall_error (run));
    }
}

/* Only happens for connections that are made. */
static void
network_event_cb (SoupMessage *message,
                  GSocketClientEvent event,
                  GIOStream *connection,
                  gpointer user_data)
{
  GTask *task = user_data;
  Run *run = g_task_get_task_data (task);

  run->new_connection = TRUE;
  if (event == G_SOCKET_CLIENT_CONNECTED && G_IS_SOCKET_CONNECTION (connection))
    confab_http_watcher_learn (confab_http_watcher_of (g_task_get_source_object (task)),
                               soup_message_get_connection_id (message),
                               g_socket_connection_get_socket (G_SOCKET_CONNECTION (connection)));
}

static void
notice_cb (SoupMessage *message, gpointer user_data)
{
  Run *run = user_data;

  if (++run->n_notices > MAX_NOTICES)
    g_cancellable_cancel (run->send_cancellable);
}

/* Why we have ended the send ourselves; NULL if we have not. */
static GError *
own_error (Run *run)
{
  if (run->stalled)
    return stall_error (run);
  if (run->n_notices > MAX_NOTICES)
    return g_error_new_literal (CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_ERROR,
                                _ ("The model server sent an answer that is too large."));

  return NULL;
}

/* A kept connection may turn out to be dead when the next request is written on it. libsoup sends a
 * GET again, but not a POST. */
static gboolean
met_dead_connection (Run *run, const GError *cause)
{
  return !run->new_connection && !run->stalled
         && (g_error_matches (cause, G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT)
             || g_error_matches (cause, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED)
             || g_error_matches (cause, G_IO_ERROR, G_IO_ERROR_BROKEN_PIPE));
}

static GError *
send_failed (GTask *task, GError *cause)
{
  Run *run = g_task_get_task_data (task);
  GError *error = own_error (run);

  if (error == NULL && g_error_matches (cause, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return cause;
  if (error == NULL)
    error = confab_http_error_from_transport (
        cause, soup_message_get_uri (run->message),
        soup_message_get_tls_peer_certificate_errors (run->message));

  g_error_free (cause);
  return error;
}

static void send_request (GTask *task);

static void
sent_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Run *run = g_task_get_task_data (task);
  GError *error = NULL;
  GInputStream *body = soup_session_send_finish (SOUP_SESSION (source), result, &error);

  if (error != NULL && met_dead_connection (run, error))
    {
      g_clear_error (&error);
      soup_message_add_flags (run->message, SOUP_MESSAGE_NEW_CONNECTION);
      send_request (g_steal_pointer (&task));
      return;
    }
  if (error != NULL)
    {
      run_end (task, send_failed (task, error));
      return;
    }

  run->body = confab_http_body_new (body);
  confab_http_watch_touch (run->watch);
  error = own_error (run);
  if (error != NULL || g_cancellable_set_error_if_cancelled (g_task_get_cancellable (task), &error))
    ;
  else if (!SOUP_STATUS_IS_SUCCESSFUL (soup_message_get_status (run->message)))
    {
      run->refusal = g_byte_array_new ();
      confab_http_watch_set_silence (run->watch,
                                     MIN (run->stall_timeout_ms, ERROR_BODY_TIMEOUT_MS));
    }
  else if (run->handler->head != NULL)
    run->handler->head (run->message, run->handler_data, &error);

  if (error != NULL)
    {
      run_end (task, error);
      return;
    }

  /* some of the body may have come with the head */
  watch_socket (task);
  confab_http_watch_mark (run->watch, CONFAB_HTTP_WATCH_READABLE);
}

/* Takes @task. */
static void
send_request (GTask *task)
{
  Run *run = g_task_get_task_data (task);

  if (run->json != NULL)
    soup_message_set_request_body_from_bytes (run->message, "application/json", run->json);
  soup_session_send_async (g_task_get_source_object (task), run->message, G_PRIORITY_DEFAULT,
                           run->send_cancellable, sent_cb, task);
}

/**
 * confab_http_stream_run_async:
 * @session: of confab_http_session_new()
 * @message: (transfer none): the request; it is never redirected. A question to a model changes
 *   nothing there, so it is sent a second time when a connection that was kept proves to be dead
 *   before anything of a response came
 * @json: (nullable): the request's body
 * @stall_timeout_ms: how long the server may be silent, before its head and within its body
 * @handler: takes the body of a 2xx response; must outlive the call, as static data does
 * @cancellable: (nullable): closes the connection at once, wherever the run stands
 *
 * Sends @message and hands its response's body over as it comes, without waiting for more than what
 * is there: one call of turn_done for each turn of the main loop.
 */
void
confab_http_stream_run_async (SoupSession *session,
                              SoupMessage *message,
                              GBytes *json,
                              guint stall_timeout_ms,
                              const ConfabHttpHandler *handler,
                              gpointer handler_data,
                              GCancellable *cancellable,
                              GAsyncReadyCallback callback,
                              gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  Run *run;

  g_return_if_fail (SOUP_IS_SESSION (session));
  g_return_if_fail (SOUP_IS_MESSAGE (message));
  g_return_if_fail (handler != NULL && handler->data != NULL);

  task = g_task_new (session, cancellable, callback, user_data);
  g_task_set_source_tag (task, confab_http_stream_run_async);

  run = g_new0 (Run, 1);
  run->message = g_object_ref (message);
  run->json = json != NULL ? g_bytes_ref (json) : NULL;
  run->handler = handler;
  run->handler_data = handler_data;
  run->send_cancellable = g_cancellable_new ();
  run->stall_timeout_ms = stall_timeout_ms;
  g_task_set_task_data (task, run, run_free);

  /* IDEMPOTENT, since libsoup makes a new connection for every POST otherwise. */
  soup_message_add_flags (message, SOUP_MESSAGE_NO_REDIRECT | SOUP_MESSAGE_IDEMPOTENT);
  /* Else libsoup reads the whole body of a 401 into memory by itself, however long it is; without
   * an auth manager in the session it does so too. */
  soup_message_disable_feature (message, SOUP_TYPE_AUTH_MANAGER);

  run->watch = confab_http_watch_new (confab_http_watcher_of (session), stall_timeout_ms,
                                      cancellable, watch_cb, g_object_ref (task), g_object_unref);
  run->network_event_id =
      g_signal_connect (message, "network-event", G_CALLBACK (network_event_cb), task);
  run->notice_id = g_signal_connect (message, "got-informational", G_CALLBACK (notice_cb), run);

  send_request (g_steal_pointer (&task));
}

/**
 * confab_http_stream_run_finish:
 *
 * Returns: TRUE if the body ended as it should or the handler had enough; else FALSE with a
 *   %CONFAB_ERROR, or with %G_IO_ERROR_CANCELLED
 */
gboolean
confab_http_stream_run_finish (SoupSession *session, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, session), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

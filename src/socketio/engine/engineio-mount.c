/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engineio-mount.h"

#include <string.h>

#include "engineio-http.h"
#include "engineio-polling-transport.h"
#include "engineio-post.h"
#include "engineio-request.h"
#include "engineio-server-private.h"
#include "engineio-upgrade.h"
#include "socketio-body-turns.h"
#include "socketio-decision-private.h"
#include "socketio-handshake-private.h"

struct _EngineioMount
{
  EngineioServer *server; /* not owned; NULL once unmounted */
  SoupServer *soup_server;
  char *path; /* without the trailing slash */
  gulong started_id;
  gboolean own;
};

static void
mount_clear (gpointer data)
{
  EngineioMount *mount = data;

  g_object_unref (mount->soup_server);
  g_free (mount->path);
}

static void
mount_unref (gpointer data)
{
  g_rc_box_release_full (data, mount_clear);
}

/* CORS; Engine.IO leaves it to the server. */
static void
add_cors_headers (EngineioServer *self, SoupServerMessage *message)
{
  SoupMessageHeaders *request = soup_server_message_get_request_headers (message);
  const char *origin = soup_message_headers_get_one (request, "Origin");

  if (self->origin_func != NULL)
    engineio_cors_add_headers (&self->options.cors, message,
                               origin != NULL && self->origin_func (origin, self->origin_data));
}

/* For proxies that lead a client by it to the same server again. */
static void
set_cookie (EngineioServer *self, SoupServerMessage *message, EngineioSession *session)
{
  g_autoptr (SoupCookie) cookie = NULL;
  g_autofree char *header = NULL;

  if (self->options.cookie == NULL)
    return;

  cookie = soup_cookie_copy (self->options.cookie);
  /* one without a domain, which is for this host alone, is never made by libsoup */
  if (soup_cookie_get_domain (cookie) != NULL && soup_cookie_get_domain (cookie)[0] == '\0')
    soup_cookie_set_domain (cookie, NULL);
  soup_cookie_set_value (cookie, engineio_session_get_sid (session));
  header = soup_cookie_to_set_cookie_header (cookie);
  soup_message_headers_append (soup_server_message_get_response_headers (message), "Set-Cookie",
                               header);
}

static void
handle_polling_handshake (EngineioServer *self,
                          SoupServerMessage *message,
                          EngineioRequest *request)
{
  g_autoptr (SocketioHandshake) handshake = socketio_handshake_new (message);
  g_autoptr (EngineioTransport) transport = engineio_polling_transport_new (
      self->reactor, request->protocol, !request->b64, self->options.http_compression);
  EngineioSession *session =
      engineio_server_open_session (self, handshake, request->protocol, transport);

  if (session != NULL)
    set_cookie (self, message, session);
  engineio_polling_transport_handle_get (ENGINEIO_POLLING_TRANSPORT (transport), message);
}

static void
handle_polling (EngineioServer *self, SoupServerMessage *message, EngineioRequest *request)
{
  const char *method = soup_server_message_get_method (message);
  EngineioPollingTransport *transport;

  if (request->session == NULL)
    {
      handle_polling_handshake (self, message, request);
      return;
    }

  transport = ENGINEIO_POLLING_TRANSPORT (engineio_session_get_transport (request->session));
  if (method == SOUP_METHOD_GET)
    engineio_polling_transport_handle_get (transport, message);
  else if (method == SOUP_METHOD_POST)
    engineio_post_finish (message, self->counters);
  else
    engineio_http_error (message, ENGINEIO_HTTP_ERROR_BAD_REQUEST, self->counters);
}

/* Clients of the reference server, too, see a WebSocket that has no place open, and close again:
 * when the session has one already, is about to get one, or went meanwhile. */
static gboolean
place_transport (EngineioServer *self,
                 const char *sid,
                 SocketioHandshake *handshake,
                 guint protocol,
                 EngineioTransport *transport)
{
  EngineioSession *session;

  if (sid == NULL)
    {
      if (self->closed)
        return FALSE;
      engineio_server_open_session (self, handshake, protocol, transport);
      return TRUE;
    }

  session = g_hash_table_lookup (self->sessions, sid);
  return session != NULL && engineio_session_offer_upgrade (session, transport);
}

static void
handle_websocket (EngineioServer *self,
                  EngineioMount *mount,
                  SoupServerMessage *message,
                  EngineioRequest *request)
{
  guint protocol = request->session != NULL ? engineio_session_get_protocol (request->session)
                                            : request->protocol;

  engineio_upgrade_begin (self, message, request->sid, protocol, mount->own, place_transport);
}

static gboolean
is_our_path (EngineioMount *mount, const char *path)
{
  gsize length = strlen (mount->path);

  return strncmp (path, mount->path, length) == 0
         && (path[length] == '\0' || strcmp (path + length, "/") == 0);
}

/* A handshake that the application decides on. */
typedef struct
{
  EngineioServer *server; /* owned */
  EngineioMount *mount;   /* owned */
  SoupServerMessage *message;
  EngineioRequest request;
  char *transport;
  gboolean paused;
} Asked;

static void
serve_request (EngineioServer *self,
               EngineioMount *mount,
               SoupServerMessage *message,
               EngineioRequest *request)
{
  if (request->upgrade)
    handle_websocket (self, mount, message, request);
  else
    handle_polling (self, message, request);
}

static void
decided_cb (gboolean allowed, const char *text, const char *data, gpointer user_data)
{
  Asked *asked = user_data;
  EngineioServer *self = asked->server;
  gboolean open = asked->mount->server != NULL && !self->closed;

  socketio_reactor_push_context (self->reactor);
  if (allowed && open)
    serve_request (self, asked->mount, asked->message, &asked->request);
  else
    engineio_http_refuse (asked->message, text, self->counters);
  /* a poll that is allowed waits for its answer, which is told then */
  if (asked->paused && (asked->request.upgrade || !allowed || !open))
    soup_server_message_unpause (asked->message);
  socketio_reactor_pop_context (self->reactor);

  g_object_unref (asked->message);
  mount_unref (asked->mount);
  g_free (asked->transport);
  g_free (asked);
  engineio_server_unref (self);
}

static void
ask (EngineioServer *self,
     EngineioMount *mount,
     SoupServerMessage *message,
     EngineioRequest *request)
{
  g_autoptr (SocketioHandshake) handshake = socketio_handshake_new (message);
  Asked *asked = g_new0 (Asked, 1);
  g_autoptr (SocketioDecision) decision = socketio_decision_new (decided_cb, asked);

  asked->server = engineio_server_ref (self);
  asked->mount = g_rc_box_acquire (mount);
  asked->message = g_object_ref (message);
  asked->request = *request;
  /* the query goes with the handler */
  asked->request.transport = asked->transport = g_strdup (request->transport);
  self->request_func (handshake, decision, self->request_data);
  /* whoever keeps the decision decides later */
  if (!socketio_decision_is_made (decision))
    {
      asked->paused = TRUE;
      soup_server_message_pause (message);
    }
}

static void
handler_cb (SoupServer *soup_server,
            SoupServerMessage *message,
            const char *path,
            GHashTable *query,
            gpointer user_data)
{
  EngineioMount *mount = user_data;
  EngineioServer *self = mount->server;
  EngineioRequest request = { 0 };

  if (!is_our_path (mount, path))
    {
      if (!engineio_files_serve (self->files, message, path + strlen (mount->path) + 1))
        engineio_http_respond_static (message, SOUP_STATUS_NOT_FOUND, "text/plain", "Not found");
      return;
    }

  socketio_reactor_push_context (self->reactor);
  add_cors_headers (self, message);
  engineio_request_read (&request, self, message, query);
  if (soup_server_message_get_method (message) == SOUP_METHOD_OPTIONS)
    engineio_cors_answer_preflight (&self->options.cors, message);
  else if (self->closed && request.session == NULL)
    engineio_http_respond_static (message, SOUP_STATUS_SERVICE_UNAVAILABLE, "application/json",
                                  "{\"code\":3,\"message\":\"Server shutting down\"}");
  else if (!engineio_request_verify (&request, self, message))
    g_debug ("A request to Engine.IO was refused");
  else if (request.session == NULL && self->request_func != NULL)
    ask (self, mount, message, &request);
  else
    serve_request (self, mount, message, &request);
  socketio_reactor_pop_context (self->reactor);
}

/* The head of a request is there: a POST's body is bounded before it comes in. */
static void
got_headers_cb (SoupServerMessage *message, gpointer user_data)
{
  EngineioMount *mount = user_data;
  EngineioServer *self = mount->server;
  GUri *uri = soup_server_message_get_uri (message);
  g_autoptr (GHashTable) query = NULL;
  EngineioRequest request = { 0 };
  EngineioTransport *transport = NULL;

  if (self == NULL || soup_server_message_get_status (message) != 0
      || soup_server_message_get_method (message) == SOUP_METHOD_GET
      || !is_our_path (mount, g_uri_get_path (uri)))
    return;

  if (g_uri_get_query (uri) != NULL)
    query = soup_form_decode (g_uri_get_query (uri));
  engineio_request_read (&request, self, message, query);
  if (request.session != NULL && g_strcmp0 (request.transport, "polling") == 0
      && soup_server_message_get_method (message) == SOUP_METHOD_POST)
    transport = engineio_session_get_transport (request.session);
  add_cors_headers (self, message);
  /* a server of our own does so from the start */
  if (!mount->own)
    socketio_body_turns_keep (message);
  engineio_post_begin (
      message,
      ENGINEIO_IS_POLLING_TRANSPORT (transport) ? ENGINEIO_POLLING_TRANSPORT (transport) : NULL,
      self->options.max_payload, self->counters);
}

static void
request_started_cb (SoupServer *soup_server, SoupServerMessage *message, gpointer user_data)
{
  g_signal_connect_data (message, "got-headers", G_CALLBACK (got_headers_cb),
                         g_rc_box_acquire (user_data), (GClosureNotify) (GCallback) mount_unref, 0);
}

EngineioMount *
engineio_mount_new (EngineioServer *server, SoupServer *soup_server, const char *path, gboolean own)
{
  EngineioMount *mount = g_rc_box_new0 (EngineioMount);
  gsize length = strlen (path);

  mount->server = server;
  mount->soup_server = g_object_ref (soup_server);
  mount->path = g_strndup (path, length > 1 && path[length - 1] == '/' ? length - 1 : length);
  mount->own = own;
  mount->started_id =
      g_signal_connect (soup_server, "request-started", G_CALLBACK (request_started_cb), mount);
  soup_server_add_handler (soup_server, mount->path, handler_cb, mount, NULL);

  return mount;
}

void
engineio_mount_remove (EngineioMount *mount)
{
  mount->server = NULL;
  g_signal_handler_disconnect (mount->soup_server, mount->started_id);
  soup_server_remove_handler (mount->soup_server, mount->path);
  mount_unref (mount);
}

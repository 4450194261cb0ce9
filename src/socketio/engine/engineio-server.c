/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engineio-server.h"

#include <string.h>

#include "engineio-files.h"
#include "engineio-http.h"
#include "engineio-polling-transport.h"
#include "engineio-post.h"
#include "engineio-upgrade.h"
#include "socketio-decision-private.h"
#include "socketio-handshake-private.h"
#include "socketio-peer.h"

/* One place on one HTTP server. Messages that are under way hold it. */
typedef struct
{
  EngineioServer *server; /* not owned; NULL once unmounted */
  SoupServer *soup_server;
  char *path; /* without the trailing slash */
  gulong started_id;
  gboolean own;
} Mount;

struct _EngineioServer
{
  grefcount ref_count;
  SocketioReactor *reactor;
  EngineioOptions options;
  SocketioCounters *counters; /* a g_rc_box */
  GHashTable *sessions;       /* sid, held by the session, → session, with a reference */
  GPtrArray *mounts;          /* of Mount */
  EngineioFiles *files;
  EngineioConnectionFunc connection_func;
  gpointer connection_data;
  EngineioOriginFunc origin_func;
  gpointer origin_data;
  EngineioRequestFunc request_func; /* nullable */
  gpointer request_data;
  SocketioReactorFunc empty_func; /* nullable */
  gpointer empty_data;
  gboolean closed; /* no new sessions */
};

/* A request as far as Engine.IO looks at it. */
typedef struct
{
  const char *transport; /* nullable */
  const char *sid;       /* nullable */
  guint protocol;
  gboolean b64;
  gboolean upgrade;
  EngineioSession *session; /* of the sid, if it is known; not owned */
} Request;

EngineioServer *
engineio_server_ref (EngineioServer *self)
{
  g_ref_count_inc (&self->ref_count);
  return self;
}

void
engineio_server_unref (EngineioServer *self)
{
  if (!g_ref_count_dec (&self->ref_count))
    return;

  g_hash_table_unref (self->sessions);
  g_ptr_array_unref (self->mounts);
  engineio_files_free (self->files);
  g_rc_box_release (self->counters);
  socketio_reactor_unref (self->reactor);
  g_free (self);
}

static void
mount_clear (gpointer data)
{
  Mount *mount = data;

  g_object_unref (mount->soup_server);
  g_free (mount->path);
}

static void
mount_unref (gpointer data)
{
  g_rc_box_release_full (data, mount_clear);
}

static void
unmount (gpointer data)
{
  Mount *mount = data;

  mount->server = NULL;
  g_signal_handler_disconnect (mount->soup_server, mount->started_id);
  soup_server_remove_handler (mount->soup_server, mount->path);
  mount_unref (mount);
}

EngineioServer *
engineio_server_new (SocketioReactor *reactor, const EngineioOptions *options)
{
  EngineioServer *self = g_new0 (EngineioServer, 1);

  g_ref_count_init (&self->ref_count);
  self->reactor = socketio_reactor_ref (reactor);
  self->options = *options;
  self->sessions = g_hash_table_new_full (g_str_hash, g_str_equal, NULL,
                                          (GDestroyNotify) engineio_session_unref);
  self->mounts = g_ptr_array_new_with_free_func (unmount);
  self->files = engineio_files_new ();
  self->counters = g_rc_box_new0 (SocketioCounters);
  return self;
}

void
engineio_server_free (EngineioServer *self)
{
  self->empty_func = NULL;
  engineio_server_abort_sessions (self, "server shutting down");
  g_ptr_array_set_size (self->mounts, 0);
  self->connection_func = NULL;
  self->origin_func = NULL;
  self->request_func = NULL;
  engineio_server_unref (self);
}

void
engineio_server_set_connection_func (EngineioServer *self,
                                     EngineioConnectionFunc func,
                                     gpointer user_data)
{
  self->connection_func = func;
  self->connection_data = user_data;
}

void
engineio_server_set_origin_func (EngineioServer *self, EngineioOriginFunc func, gpointer user_data)
{
  self->origin_func = func;
  self->origin_data = user_data;
}

void
engineio_server_set_request_func (EngineioServer *self,
                                  EngineioRequestFunc func,
                                  gpointer user_data)
{
  self->request_func = func;
  self->request_data = user_data;
}

void
engineio_server_add_file (EngineioServer *self,
                          const char *name,
                          const char *content_type,
                          GBytes *content)
{
  engineio_files_add (self->files, name, content_type, content);
}

EngineioOptions *
engineio_server_get_options (EngineioServer *self)
{
  return &self->options;
}

SocketioReactor *
engineio_server_get_reactor (EngineioServer *self)
{
  return self->reactor;
}

SocketioCounters *
engineio_server_get_counters (EngineioServer *self)
{
  return self->counters;
}

guint
engineio_server_get_n_sessions (EngineioServer *self)
{
  return g_hash_table_size (self->sessions);
}

void
engineio_server_add_session (EngineioServer *self, EngineioSession *session)
{
  g_hash_table_insert (self->sessions, (gpointer) engineio_session_get_sid (session),
                       engineio_session_ref (session));
}

static void
tell_empty_cb (gpointer user_data)
{
  EngineioServer *self = user_data;
  SocketioReactorFunc func = g_steal_pointer (&self->empty_func);

  if (func != NULL && g_hash_table_size (self->sessions) == 0)
    func (self->empty_data);
  else
    self->empty_func = func;
  engineio_server_unref (self);
}

static void
maybe_tell_empty (EngineioServer *self)
{
  if (self->empty_func != NULL && g_hash_table_size (self->sessions) == 0)
    socketio_reactor_invoke (self->reactor, tell_empty_cb, engineio_server_ref (self));
}

void
engineio_server_remove_session (EngineioServer *self, EngineioSession *session)
{
  const char *sid = engineio_session_get_sid (session);

  if (g_hash_table_lookup (self->sessions, sid) == session)
    g_hash_table_remove (self->sessions, sid);
  maybe_tell_empty (self);
}

void
engineio_server_notify_empty (EngineioServer *self, SocketioReactorFunc func, gpointer user_data)
{
  self->empty_func = func;
  self->empty_data = user_data;
  maybe_tell_empty (self);
}

static void
for_all_sessions (EngineioServer *self,
                  void (*func) (EngineioSession *, const char *),
                  const char *reason)
{
  g_autoptr (GPtrArray) all =
      g_ptr_array_new_with_free_func ((GDestroyNotify) engineio_session_unref);
  GHashTableIter iter;
  gpointer session;

  /* they leave the table while this goes on */
  g_hash_table_iter_init (&iter, self->sessions);
  while (g_hash_table_iter_next (&iter, NULL, &session))
    g_ptr_array_add (all, engineio_session_ref (session));
  for (guint i = 0; i < all->len; i++)
    func (g_ptr_array_index (all, i), reason);
}

void
engineio_server_close_sessions (EngineioServer *self, const char *reason)
{
  self->closed = TRUE;
  for_all_sessions (self, engineio_session_close_hastily, reason);
}

gboolean
engineio_server_awaits_polls (EngineioServer *self)
{
  GHashTableIter iter;
  gpointer session;

  g_hash_table_iter_init (&iter, self->sessions);
  while (g_hash_table_iter_next (&iter, NULL, &session))
    if (engineio_session_awaits_poll (session))
      return TRUE;
  return FALSE;
}

void
engineio_server_abort_sessions (EngineioServer *self, const char *reason)
{
  self->closed = TRUE;
  for_all_sessions (self, engineio_session_abort, reason);
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

static const char *
lookup (GHashTable *query, const char *name)
{
  return query != NULL ? g_hash_table_lookup (query, name) : NULL;
}

static gboolean
is_upgrade (SoupServerMessage *message)
{
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (message);

  return soup_server_message_get_method (message) == SOUP_METHOD_GET
         && soup_message_headers_header_contains (headers, "Upgrade", "websocket")
         && soup_message_headers_header_contains (headers, "Connection", "upgrade");
}

/* A session id is as good as its owner; but one that was handed out over the UNIX socket, whose
 * peer the kernel vouches for, is of use only there and to the same user, and the other way round.
 */
static EngineioSession *
find_session (EngineioServer *self, SoupServerMessage *message, const char *sid)
{
  EngineioSession *session = g_hash_table_lookup (self->sessions, sid);
  SocketioPeer *peer = socketio_peer_from_message (message);
  gint64 uid = peer != NULL ? peer->uid : -1;

  if (session == NULL
      || socketio_handshake_get_peer_uid (engineio_session_get_handshake (session)) != uid)
    return NULL;
  return session;
}

/* Engine.IO's checks in its reference server's order; FALSE if it was answered. */
static gboolean
verify (EngineioServer *self, SoupServerMessage *message, Request *request)
{
  gboolean websocket = g_strcmp0 (request->transport, "websocket") == 0;
  EngineioHttpError error;

  if (!(websocket && self->options.websocket)
      && !(self->options.polling && g_strcmp0 (request->transport, "polling") == 0))
    error = ENGINEIO_HTTP_ERROR_UNKNOWN_TRANSPORT;
  else if (request->sid != NULL && request->session == NULL)
    error = ENGINEIO_HTTP_ERROR_UNKNOWN_SID;
  else if (request->session != NULL && !request->upgrade
           && strcmp (
                  engineio_transport_get_name (engineio_session_get_transport (request->session)),
                  request->transport)
                  != 0)
    error = ENGINEIO_HTTP_ERROR_BAD_REQUEST;
  else if (websocket != request->upgrade)
    error = ENGINEIO_HTTP_ERROR_BAD_REQUEST;
  else if (request->sid == NULL && soup_server_message_get_method (message) != SOUP_METHOD_GET)
    error = ENGINEIO_HTTP_ERROR_BAD_HANDSHAKE_METHOD;
  else if (request->sid == NULL && request->protocol != 4
           && !(request->protocol == 3 && self->options.allow_eio3))
    error = ENGINEIO_HTTP_ERROR_UNSUPPORTED_PROTOCOL_VERSION;
  else
    return TRUE;

  engineio_http_error (message, error, self->counters);
  return FALSE;
}

/* Returns the session, which the table holds; NULL if it was closed at once. */
static EngineioSession *
open_session (EngineioServer *self,
              SocketioHandshake *handshake,
              guint protocol,
              EngineioTransport *transport)
{
  g_autoptr (EngineioSession) session = engineio_session_new (self, handshake, protocol, transport);

  engineio_server_add_session (self, session);
  engineio_session_open (session);
  if (self->connection_func != NULL)
    self->connection_func (session, self->connection_data);
  return g_hash_table_lookup (self->sessions, engineio_session_get_sid (session));
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
handle_polling_handshake (EngineioServer *self, SoupServerMessage *message, Request *request)
{
  g_autoptr (SocketioHandshake) handshake = socketio_handshake_new (message);
  g_autoptr (EngineioTransport) transport = engineio_polling_transport_new (
      self->reactor, request->protocol, !request->b64, self->options.http_compression);
  EngineioSession *session = open_session (self, handshake, request->protocol, transport);

  if (session != NULL)
    set_cookie (self, message, session);
  engineio_polling_transport_handle_get (ENGINEIO_POLLING_TRANSPORT (transport), message);
}

static void
handle_polling (EngineioServer *self, SoupServerMessage *message, Request *request)
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
      open_session (self, handshake, protocol, transport);
      return TRUE;
    }

  session = g_hash_table_lookup (self->sessions, sid);
  return session != NULL && engineio_session_offer_upgrade (session, transport);
}

static void
handle_websocket (EngineioServer *self, Mount *mount, SoupServerMessage *message, Request *request)
{
  guint protocol = request->session != NULL ? engineio_session_get_protocol (request->session)
                                            : request->protocol;

  engineio_upgrade_begin (self, message, request->sid, protocol, mount->own, place_transport);
}

static gboolean
is_our_path (Mount *mount, const char *path)
{
  gsize length = strlen (mount->path);

  return strncmp (path, mount->path, length) == 0
         && (path[length] == '\0' || strcmp (path + length, "/") == 0);
}

static void
read_request (EngineioServer *self, SoupServerMessage *message, GHashTable *query, Request *request)
{
  const char *version = lookup (query, "EIO");

  request->transport = lookup (query, "transport");
  request->sid = lookup (query, "sid");
  request->protocol = g_strcmp0 (version, "4") == 0 ? 4 : g_strcmp0 (version, "3") == 0 ? 3 : 0;
  request->b64 = lookup (query, "b64") != NULL;
  request->upgrade = is_upgrade (message);
  if (request->sid != NULL)
    request->session = find_session (self, message, request->sid);
}

/* A handshake that the application decides on. */
typedef struct
{
  EngineioServer *server; /* owned */
  Mount *mount;           /* owned */
  SoupServerMessage *message;
  Request request;
  char *transport;
  gboolean paused;
} Asked;

static void
serve_request (EngineioServer *self, Mount *mount, SoupServerMessage *message, Request *request)
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
ask (EngineioServer *self, Mount *mount, SoupServerMessage *message, Request *request)
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
  Mount *mount = user_data;
  EngineioServer *self = mount->server;
  Request request = { 0 };

  if (!is_our_path (mount, path))
    {
      if (!engineio_files_serve (self->files, message, path + strlen (mount->path) + 1))
        engineio_http_respond_static (message, SOUP_STATUS_NOT_FOUND, "text/plain", "Not found");
      return;
    }

  socketio_reactor_push_context (self->reactor);
  add_cors_headers (self, message);
  read_request (self, message, query, &request);
  if (soup_server_message_get_method (message) == SOUP_METHOD_OPTIONS)
    engineio_cors_answer_preflight (&self->options.cors, message);
  else if (self->closed && request.session == NULL)
    engineio_http_respond_static (message, SOUP_STATUS_SERVICE_UNAVAILABLE, "application/json",
                                  "{\"code\":3,\"message\":\"Server shutting down\"}");
  else if (!verify (self, message, &request))
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
  Mount *mount = user_data;
  EngineioServer *self = mount->server;
  GUri *uri = soup_server_message_get_uri (message);
  g_autoptr (GHashTable) query = NULL;
  Request request = { 0 };
  EngineioTransport *transport = NULL;

  if (self == NULL || soup_server_message_get_status (message) != 0
      || soup_server_message_get_method (message) == SOUP_METHOD_GET
      || !is_our_path (mount, g_uri_get_path (uri)))
    return;

  if (g_uri_get_query (uri) != NULL)
    query = soup_form_decode (g_uri_get_query (uri));
  read_request (self, message, query, &request);
  if (request.session != NULL && g_strcmp0 (request.transport, "polling") == 0
      && soup_server_message_get_method (message) == SOUP_METHOD_POST)
    transport = engineio_session_get_transport (request.session);
  add_cors_headers (self, message);
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

void
engineio_server_serve (EngineioServer *self,
                       SoupServer *soup_server,
                       const char *path,
                       gboolean own)
{
  Mount *mount = g_rc_box_new0 (Mount);
  gsize length = strlen (path);

  mount->server = self;
  mount->soup_server = g_object_ref (soup_server);
  mount->path = g_strndup (path, length > 1 && path[length - 1] == '/' ? length - 1 : length);
  mount->own = own;
  mount->started_id =
      g_signal_connect (soup_server, "request-started", G_CALLBACK (request_started_cb), mount);
  soup_server_add_handler (soup_server, mount->path, handler_cb, mount, NULL);
  g_ptr_array_add (self->mounts, mount);
}

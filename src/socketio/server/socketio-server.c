/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "socketio-server.h"

#include <sys/resource.h>

#include "engineio-server.h"
#include "socketio-doorman.h"
#include "socketio-adapter.h"
#include "socketio-error.h"
#include "socketio-namespace-private.h"
#include "socketio-peer.h"
#include "socketio-server-private.h"

/* How often a closing server looks whether its last connections are through. */
#define CLOSE_CHECK_MS 10
/* File descriptors that connections leave to the rest of the program. */
#define RESERVED_FDS 64

struct _SocketioServer
{
  GObject parent_instance;

  SocketioReactor *reactor;
  EngineioServer *engine;
  GHashTable *namespaces; /* name, held by the namespace, → SocketioNamespace */
  GHashTable *clients;    /* a set of SocketioClient, with references */

  SoupServer *soup_server;  /* of our own; NULL until it is asked for */
  SocketioDoorman *doorman; /* of the same */

  char *path;
  EngineioOptions options;
  guint connect_timeout;
  SocketioRecoveryOptions recovery;
  SocketioCounters counters;
  GType adapter_type;
  char **cors_origins; /* nullable */
  SocketioOriginFunc origin_func;
  gpointer origin_data;
  GDestroyNotify origin_destroy;
  gboolean realtime;

  GTask *close_task;
  SocketioTimer close_timer;
  gint64 close_deadline; /* monotonic, µs */
};

G_DEFINE_FINAL_TYPE (SocketioServer, socketio_server, G_TYPE_OBJECT)

enum
{
  PROP_0,
  PROP_PATH,
  PROP_PING_INTERVAL,
  PROP_PING_TIMEOUT,
  PROP_UPGRADE_TIMEOUT,
  PROP_CONNECT_TIMEOUT,
  PROP_MAX_PAYLOAD,
  PROP_MAX_QUEUED_BYTES,
  PROP_ALLOW_EIO3,
  PROP_CORS_ORIGINS,
  PROP_RECOVERY_WINDOW,
  PROP_RECOVERY_MAX_PACKETS,
  PROP_RECOVERY_MAX_BYTES,
  PROP_RECOVERY_SKIP_MIDDLEWARE,
  PROP_ADAPTER_TYPE,
  PROP_N_CONNECTIONS,
  N_PROPS,
};

static GParamSpec *properties[N_PROPS];

enum
{
  SIGNAL_CONNECTION_OPENED,
  SIGNAL_CONNECTION_CLOSED,
  N_SIGNALS,
};

static guint signals[N_SIGNALS];

/**
 * socketio_server_new:
 * @path: (nullable): where it is served, with or without the trailing slash; %NULL for
 * "/socket.io/"
 *
 * Returns: (transfer full): a server with default options; for others use g_object_new()
 */
SocketioServer *
socketio_server_new (const char *path)
{
  return g_object_new (SOCKETIO_TYPE_SERVER, "path", path, NULL);
}

SocketioReactor *
socketio_server_get_reactor (SocketioServer *self)
{
  return self->reactor;
}

guint
socketio_server_get_connect_timeout (SocketioServer *self)
{
  return self->connect_timeout;
}

const SocketioRecoveryOptions *
socketio_server_get_recovery_options (SocketioServer *self)
{
  return &self->recovery;
}

SocketioCounters *
socketio_server_get_counters (SocketioServer *self)
{
  return &self->counters;
}

GType
socketio_server_get_adapter_type (SocketioServer *self)
{
  return self->adapter_type;
}

/**
 * socketio_server_of:
 * @self: a server
 * @name: name of a namespace; the slash at its start may be left out
 *
 * Returns: (transfer none): the namespace of that name, made at the first call
 */
SocketioNamespace *
socketio_server_of (SocketioServer *self, const char *name)
{
  g_autofree char *full = NULL;
  SocketioNamespace *nsp;

  g_return_val_if_fail (SOCKETIO_IS_SERVER (self), NULL);
  g_return_val_if_fail (name != NULL, NULL);

  full = name[0] == '/' ? g_strdup (name) : g_strconcat ("/", name, NULL);
  nsp = g_hash_table_lookup (self->namespaces, full);
  if (nsp == NULL)
    {
      nsp = socketio_namespace_new (self, full);
      g_hash_table_insert (self->namespaces, (gpointer) socketio_namespace_get_name (nsp), nsp);
    }
  return nsp;
}

SocketioNamespace *
socketio_server_lookup_namespace (SocketioServer *self, const char *name)
{
  return g_hash_table_lookup (self->namespaces, name);
}

/**
 * socketio_server_set_origin_func:
 * @self: a server
 * @func: (scope notified) (nullable): says whether pages of an origin may read the server's answers
 * @user_data: for @func
 * @destroy: for @user_data
 *
 * Asked for every origin that `cors-origins` does not list. CORS keeps no page from sending: a
 * server that has something to protect checks the Origin header itself.
 */
void
socketio_server_set_origin_func (SocketioServer *self,
                                 SocketioOriginFunc func,
                                 gpointer user_data,
                                 GDestroyNotify destroy)
{
  g_return_if_fail (SOCKETIO_IS_SERVER (self));

  if (self->origin_destroy != NULL)
    self->origin_destroy (self->origin_data);
  self->origin_func = func;
  self->origin_data = user_data;
  self->origin_destroy = destroy;
}

static gboolean
allows_origin (const char *origin, gpointer user_data)
{
  SocketioServer *self = user_data;

  if (self->cors_origins != NULL
      && (g_strv_contains ((const char *const *) self->cors_origins, "*")
          || g_strv_contains ((const char *const *) self->cors_origins, origin)))
    return TRUE;
  return self->origin_func != NULL && self->origin_func (origin, self->origin_data);
}

static void
connection_cb (EngineioSession *session, gpointer user_data)
{
  SocketioServer *self = user_data;
  g_autoptr (SocketioClient) client = socketio_client_new (self, session);

  g_hash_table_add (self->clients, socketio_client_ref (client));
  g_signal_emit (self, signals[SIGNAL_CONNECTION_OPENED], 0,
                 engineio_session_get_handshake (session));
  socketio_client_start (client);
}

void
socketio_server_remove_client (SocketioServer *self,
                               SocketioClient *client,
                               SocketioHandshake *handshake)
{
  if (g_hash_table_remove (self->clients, client))
    g_signal_emit (self, signals[SIGNAL_CONNECTION_CLOSED], 0, handshake);
}

/**
 * socketio_server_attach:
 * @self: a server
 * @soup_server: an HTTP server that belongs to somebody else
 *
 * Serves at the path on @soup_server, over its own streams. That costs more for each connection
 * than [method@Server.listen], and leaves the guarding of the door to @soup_server.
 */
void
socketio_server_attach (SocketioServer *self, SoupServer *soup_server)
{
  g_return_if_fail (SOCKETIO_IS_SERVER (self));
  g_return_if_fail (SOUP_IS_SERVER (soup_server));

  engineio_server_serve (self->engine, soup_server, self->path, FALSE);
}

/* One request a connection: libsoup leaks an fd for every kept one that its client closes. */
static void
request_started_cb (SoupServer *soup_server, SoupServerMessage *message, gpointer user_data)
{
  soup_message_headers_replace (soup_server_message_get_response_headers (message), "Connection",
                                "close");
}

/* Where connections must leave the rest of the program its fds. */
static int
get_max_fd (void)
{
  struct rlimit limit;

  if (getrlimit (RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > G_MAXINT)
    return G_MAXINT;

  return (int) limit.rlim_cur - (int) MIN (RESERVED_FDS, limit.rlim_cur / 4);
}

/**
 * socketio_server_get_soup_server:
 * @self: a server
 *
 * The HTTP server behind [method@Server.listen], for handlers of other paths. It must not be given
 * listeners of its own.
 *
 * Returns: (transfer none): the HTTP server
 */
SoupServer *
socketio_server_get_soup_server (SocketioServer *self)
{
  g_return_val_if_fail (SOCKETIO_IS_SERVER (self), NULL);

  if (self->soup_server == NULL)
    {
      self->soup_server = soup_server_new (NULL, NULL);
      g_signal_connect (self->soup_server, "request-started", G_CALLBACK (request_started_cb),
                        self);
      self->doorman = socketio_doorman_new (self->reactor, self->soup_server);
      socketio_doorman_set_max_fd (self->doorman, get_max_fd ());
      if (self->realtime)
        engineio_server_serve (self->engine, self->soup_server, self->path, TRUE);
    }
  return self->soup_server;
}

/**
 * socketio_server_set_realtime:
 * @self: a server
 * @realtime: whether Socket.IO is served
 *
 * To be called before anything of the HTTP server of our own is used. Without it
 * [method@Server.listen] serves only what handlers were added for.
 */
void
socketio_server_set_realtime (SocketioServer *self, gboolean realtime)
{
  g_return_if_fail (SOCKETIO_IS_SERVER (self));
  g_return_if_fail (self->soup_server == NULL);

  self->realtime = realtime;
}

/**
 * socketio_server_listen:
 * @self: a server
 * @address: an inet or a UNIX address; port 0 takes a free one
 * @error: return location for an error of %G_IO_ERROR
 *
 * Listens. It can be called for several addresses.
 *
 * Returns: (transfer full): the address bound, or %NULL
 */
GSocketAddress *
socketio_server_listen (SocketioServer *self, GSocketAddress *address, GError **error)
{
  g_return_val_if_fail (SOCKETIO_IS_SERVER (self), NULL);
  g_return_val_if_fail (G_IS_SOCKET_ADDRESS (address), NULL);

  socketio_server_get_soup_server (self);
  return socketio_doorman_listen (self->doorman, address, error);
}

/**
 * socketio_server_listen_fd:
 * @self: a server
 * @fd: a socket that listens; taken in any case
 * @error: return location for an error of %G_IO_ERROR
 *
 * Takes over a socket that somebody else has opened, such as systemd.
 *
 * Returns: whether it could
 */
gboolean
socketio_server_listen_fd (SocketioServer *self, int fd, GError **error)
{
  g_return_val_if_fail (SOCKETIO_IS_SERVER (self), FALSE);
  g_return_val_if_fail (fd >= 0, FALSE);

  socketio_server_get_soup_server (self);
  return socketio_doorman_listen_fd (self->doorman, fd, error);
}

/**
 * socketio_server_get_n_connections:
 * @self: a server
 *
 * Returns: how many Engine.IO connections are open
 */
guint
socketio_server_get_n_connections (SocketioServer *self)
{
  g_return_val_if_fail (SOCKETIO_IS_SERVER (self), 0);

  return g_hash_table_size (self->clients);
}

/**
 * socketio_server_count_connections:
 * @self: a server
 * @transport: "websocket" or "polling"
 *
 * Counts one by one; made for looking now and then.
 *
 * Returns: how many Engine.IO connections use that transport now
 */
guint
socketio_server_count_connections (SocketioServer *self, const char *transport)
{
  GHashTableIter iter;
  gpointer client;
  guint n = 0;

  g_return_val_if_fail (SOCKETIO_IS_SERVER (self) && transport != NULL, 0);

  g_hash_table_iter_init (&iter, self->clients);
  while (g_hash_table_iter_next (&iter, &client, NULL))
    n += g_strcmp0 (socketio_client_get_transport (client), transport) == 0;

  return n;
}

/**
 * socketio_server_get_peer_uid:
 * @message: a request
 *
 * Returns: the uid of the UNIX peer who sent it, as the kernel knows it; -1 for TCP, and for
 * requests of an HTTP server that is not ours
 */
gint64
socketio_server_get_peer_uid (SoupServerMessage *message)
{
  SocketioPeer *peer = socketio_peer_from_message (message);

  return peer != NULL ? peer->uid : -1;
}

/**
 * socketio_server_is_unix_peer:
 * @message: a request
 *
 * Returns: whether it came through a UNIX socket of ours
 */
gboolean
socketio_server_is_unix_peer (SoupServerMessage *message)
{
  SocketioPeer *peer = socketio_peer_from_message (message);

  return peer != NULL && peer->is_unix;
}

static void
finish_close (SocketioServer *self)
{
  g_autoptr (GTask) task = g_steal_pointer (&self->close_task);

  socketio_reactor_stop_timer (self->reactor, &self->close_timer);
  if (task != NULL)
    g_task_return_boolean (task, TRUE);
}

/* A client that polls comes for the rest with a new connection; all others are refused meanwhile.
 */
static void
maybe_stop_listening (SocketioServer *self)
{
  if (self->doorman != NULL && !engineio_server_awaits_polls (self->engine))
    socketio_doorman_stop_listening (self->doorman);
}

/* The sessions end when their transports are told to; those then still say goodbye. */
static void
close_check_cb (gpointer user_data)
{
  SocketioServer *self = user_data;

  maybe_stop_listening (self);
  if (g_get_monotonic_time () >= self->close_deadline)
    {
      engineio_server_abort_sessions (self->engine, "server shutting down");
      maybe_stop_listening (self);
      finish_close (self);
    }
  else if (engineio_server_get_n_sessions (self->engine) == 0
           && socketio_reactor_get_n_shards (self->reactor) == 0)
    finish_close (self);
  else
    socketio_reactor_start_timer (self->reactor, &self->close_timer, CLOSE_CHECK_MS, close_check_cb,
                                  self);
}

/**
 * socketio_server_close_async:
 * @self: a server
 * @timeout_ms: how long to wait for clients to take what is queued, in ms
 * @callback: (scope async): called when it is closed
 * @user_data: for @callback
 *
 * Stops listening and closes every connection once its queue is sent, without a DISCONNECT packet:
 * stock clients try to come back. What is not through after @timeout_ms is cut off.
 */
void
socketio_server_close_async (SocketioServer *self,
                             guint timeout_ms,
                             GAsyncReadyCallback callback,
                             gpointer user_data)
{
  g_autoptr (GTask) task = NULL;

  g_return_if_fail (SOCKETIO_IS_SERVER (self));

  task = g_task_new (self, NULL, callback, user_data);
  g_task_set_source_tag (task, socketio_server_close_async);
  if (self->close_task != NULL)
    {
      g_task_return_new_error (task, SOCKETIO_ERROR, SOCKETIO_ERROR_CLOSING,
                               "The server is being closed already");
      return;
    }

  self->close_task = g_steal_pointer (&task);
  self->close_deadline = g_get_monotonic_time () + timeout_ms * G_GINT64_CONSTANT (1000);
  engineio_server_close_sessions (self->engine, "server shutting down");
  maybe_stop_listening (self);
  socketio_reactor_start_timer (self->reactor, &self->close_timer, CLOSE_CHECK_MS, close_check_cb,
                                self);
}

/**
 * socketio_server_close_finish:
 * @self: a server
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Returns: %TRUE; or %FALSE with %SOCKETIO_ERROR_CLOSING if it was being closed already
 */
gboolean
socketio_server_close_finish (SocketioServer *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

static void
socketio_server_set_property (GObject *object,
                              guint prop_id,
                              const GValue *value,
                              GParamSpec *pspec)
{
  SocketioServer *self = SOCKETIO_SERVER (object);

  switch (prop_id)
    {
    case PROP_PATH:
      self->path = g_value_dup_string (value);
      if (self->path == NULL)
        self->path = g_strdup ("/socket.io/");
      break;
    case PROP_PING_INTERVAL:
      self->options.ping_interval = g_value_get_uint (value);
      break;
    case PROP_PING_TIMEOUT:
      self->options.ping_timeout = g_value_get_uint (value);
      break;
    case PROP_UPGRADE_TIMEOUT:
      self->options.upgrade_timeout = g_value_get_uint (value);
      break;
    case PROP_CONNECT_TIMEOUT:
      self->connect_timeout = g_value_get_uint (value);
      break;
    case PROP_MAX_PAYLOAD:
      self->options.max_payload = g_value_get_uint (value);
      break;
    case PROP_MAX_QUEUED_BYTES:
      self->options.max_queued = g_value_get_uint64 (value);
      break;
    case PROP_ALLOW_EIO3:
      self->options.allow_eio3 = g_value_get_boolean (value);
      break;
    case PROP_CORS_ORIGINS:
      self->cors_origins = g_value_dup_boxed (value);
      break;
    case PROP_RECOVERY_WINDOW:
      self->recovery.window = g_value_get_uint (value);
      break;
    case PROP_RECOVERY_MAX_PACKETS:
      self->recovery.max_packets = g_value_get_uint (value);
      break;
    case PROP_RECOVERY_MAX_BYTES:
      self->recovery.max_bytes = g_value_get_uint64 (value);
      break;
    case PROP_RECOVERY_SKIP_MIDDLEWARE:
      self->recovery.skip_middleware = g_value_get_boolean (value);
      break;
    case PROP_ADAPTER_TYPE:
      self->adapter_type = g_value_get_gtype (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
socketio_server_get_property (GObject *object, guint prop_id, GValue *value, GParamSpec *pspec)
{
  SocketioServer *self = SOCKETIO_SERVER (object);

  switch (prop_id)
    {
    case PROP_PATH:
      g_value_set_string (value, self->path);
      break;
    case PROP_PING_INTERVAL:
      g_value_set_uint (value, self->options.ping_interval);
      break;
    case PROP_PING_TIMEOUT:
      g_value_set_uint (value, self->options.ping_timeout);
      break;
    case PROP_UPGRADE_TIMEOUT:
      g_value_set_uint (value, self->options.upgrade_timeout);
      break;
    case PROP_CONNECT_TIMEOUT:
      g_value_set_uint (value, self->connect_timeout);
      break;
    case PROP_MAX_PAYLOAD:
      g_value_set_uint (value, self->options.max_payload);
      break;
    case PROP_MAX_QUEUED_BYTES:
      g_value_set_uint64 (value, self->options.max_queued);
      break;
    case PROP_ALLOW_EIO3:
      g_value_set_boolean (value, self->options.allow_eio3);
      break;
    case PROP_CORS_ORIGINS:
      g_value_set_boxed (value, self->cors_origins);
      break;
    case PROP_RECOVERY_WINDOW:
      g_value_set_uint (value, self->recovery.window);
      break;
    case PROP_RECOVERY_MAX_PACKETS:
      g_value_set_uint (value, self->recovery.max_packets);
      break;
    case PROP_RECOVERY_MAX_BYTES:
      g_value_set_uint64 (value, self->recovery.max_bytes);
      break;
    case PROP_RECOVERY_SKIP_MIDDLEWARE:
      g_value_set_boolean (value, self->recovery.skip_middleware);
      break;
    case PROP_ADAPTER_TYPE:
      g_value_set_gtype (value, self->adapter_type);
      break;
    case PROP_N_CONNECTIONS:
      g_value_set_uint (value, socketio_server_get_n_connections (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
socketio_server_constructed (GObject *object)
{
  SocketioServer *self = SOCKETIO_SERVER (object);

  G_OBJECT_CLASS (socketio_server_parent_class)->constructed (object);

  self->engine = engineio_server_new (self->reactor, &self->options);
  engineio_server_set_connection_func (self->engine, connection_cb, self);
  engineio_server_set_origin_func (self->engine, allows_origin, self);
}

static void
socketio_server_dispose (GObject *object)
{
  SocketioServer *self = SOCKETIO_SERVER (object);
  GHashTableIter iter;
  gpointer nsp;

  /* while the object is still whole: the sockets' last signals come now */
  g_clear_pointer (&self->engine, engineio_server_free);
  /* others may hold them longer than the server */
  g_hash_table_iter_init (&iter, self->namespaces);
  while (g_hash_table_iter_next (&iter, NULL, &nsp))
    socketio_namespace_detach (nsp);
  g_clear_pointer (&self->doorman, socketio_doorman_free);
  if (self->soup_server != NULL)
    g_signal_handlers_disconnect_by_data (self->soup_server, self);
  g_clear_object (&self->soup_server);

  G_OBJECT_CLASS (socketio_server_parent_class)->dispose (object);
}

static void
socketio_server_finalize (GObject *object)
{
  SocketioServer *self = SOCKETIO_SERVER (object);

  socketio_server_set_origin_func (self, NULL, NULL, NULL);
  g_hash_table_unref (self->clients);
  g_hash_table_unref (self->namespaces);
  g_strfreev (self->cors_origins);
  g_free (self->path);
  socketio_reactor_unref (self->reactor);

  G_OBJECT_CLASS (socketio_server_parent_class)->finalize (object);
}

static void
install_recovery_options (GParamFlags flags)
{
  /**
   * SocketioServer:recovery-window:
   *
   * How long what a client was is kept after it lost its connection, in ms; 0: it is not
   * (`connectionStateRecovery.maxDisconnectionDuration`). With it, events carry an additional last
   * argument, the offset, which clients hand on to the handlers of the event.
   */
  properties[PROP_RECOVERY_WINDOW] =
      g_param_spec_uint ("recovery-window", NULL, NULL, 0, G_MAXINT, 0, flags);
  /**
   * SocketioServer:recovery-max-packets:
   *
   * How many packets are kept for one client, to be sent again. One that missed more is not
   * recovered.
   */
  properties[PROP_RECOVERY_MAX_PACKETS] =
      g_param_spec_uint ("recovery-max-packets", NULL, NULL, 1, G_MAXINT, 1000, flags);
  /**
   * SocketioServer:recovery-max-bytes:
   *
   * The same in bytes.
   */
  properties[PROP_RECOVERY_MAX_BYTES] =
      g_param_spec_uint64 ("recovery-max-bytes", NULL, NULL, 1, G_MAXSSIZE, 256 * 1024, flags);
  /**
   * SocketioServer:recovery-skip-middleware:
   *
   * Whether clients that are recovered need not pass the middleware again
   * (`connectionStateRecovery.skipMiddlewares`).
   */
  properties[PROP_RECOVERY_SKIP_MIDDLEWARE] =
      g_param_spec_boolean ("recovery-skip-middleware", NULL, NULL, FALSE, flags);
}

static void
install_options (GObjectClass *object_class)
{
  GParamFlags flags = G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS;

  /**
   * SocketioServer:path:
   *
   * Where it is served; with and without the trailing slash.
   */
  properties[PROP_PATH] = g_param_spec_string ("path", NULL, NULL, "/socket.io/", flags);
  /**
   * SocketioServer:ping-interval:
   *
   * Time between two pings, in ms (`pingInterval`).
   */
  properties[PROP_PING_INTERVAL] =
      g_param_spec_uint ("ping-interval", NULL, NULL, 1, G_MAXINT, 25000, flags);
  /**
   * SocketioServer:ping-timeout:
   *
   * Time for a pong before the connection is closed, in ms (`pingTimeout`).
   */
  properties[PROP_PING_TIMEOUT] =
      g_param_spec_uint ("ping-timeout", NULL, NULL, 1, G_MAXINT, 20000, flags);
  /**
   * SocketioServer:upgrade-timeout:
   *
   * Time for an upgrade before it is given up, in ms (`upgradeTimeout`).
   */
  properties[PROP_UPGRADE_TIMEOUT] =
      g_param_spec_uint ("upgrade-timeout", NULL, NULL, 1, G_MAXINT, 10000, flags);
  /**
   * SocketioServer:connect-timeout:
   *
   * Time that a connection may be in no namespace before it is closed, in ms (`connectTimeout`).
   */
  properties[PROP_CONNECT_TIMEOUT] =
      g_param_spec_uint ("connect-timeout", NULL, NULL, 1, G_MAXINT, 45000, flags);
  /**
   * SocketioServer:max-payload:
   *
   * Largest body of a POST and largest WebSocket message, its fragments summed, in bytes
   * (`maxHttpBufferSize`).
   */
  properties[PROP_MAX_PAYLOAD] =
      g_param_spec_uint ("max-payload", NULL, NULL, 1, G_MAXINT, 1000000, flags);
  /**
   * SocketioServer:max-queued-bytes:
   *
   * What may wait for a client that does not read, in bytes: when more is sent on top of that, its
   * connection is closed.
   */
  properties[PROP_MAX_QUEUED_BYTES] =
      g_param_spec_uint64 ("max-queued-bytes", NULL, NULL, 1024, G_MAXSSIZE, 1024 * 1024, flags);
  /**
   * SocketioServer:allow-eio3:
   *
   * Whether clients of Engine.IO protocol 3 (Socket.IO 2) are served (`allowEIO3`).
   */
  properties[PROP_ALLOW_EIO3] = g_param_spec_boolean ("allow-eio3", NULL, NULL, FALSE, flags);
  /**
   * SocketioServer:cors-origins:
   *
   * Origins whose pages may read the server's answers; "*" for all (`cors.origin`).
   */
  properties[PROP_CORS_ORIGINS] =
      g_param_spec_boxed ("cors-origins", NULL, NULL, G_TYPE_STRV, flags);
  install_recovery_options (flags);
  /**
   * SocketioServer:adapter-type:
   *
   * The type of the namespaces' adapters (`adapter`).
   */
  properties[PROP_ADAPTER_TYPE] =
      g_param_spec_gtype ("adapter-type", NULL, NULL, SOCKETIO_TYPE_ADAPTER, flags);
  /**
   * SocketioServer:n-connections:
   *
   * How many Engine.IO connections are open. Not notified.
   */
  properties[PROP_N_CONNECTIONS] = g_param_spec_uint ("n-connections", NULL, NULL, 0, G_MAXUINT, 0,
                                                      G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
install_signals (void)
{
  /**
   * SocketioServer::connection-opened:
   * @self: the server
   * @handshake: the request with which it began
   *
   * An Engine.IO connection is open, which may ask for namespaces now. For counting: to refuse one,
   * answer its request before the server does, or use a middleware of the namespace.
   */
  signals[SIGNAL_CONNECTION_OPENED] =
      g_signal_new ("connection-opened", SOCKETIO_TYPE_SERVER, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                    NULL, G_TYPE_NONE, 1, SOCKETIO_TYPE_HANDSHAKE);
  /**
   * SocketioServer::connection-closed:
   * @self: the server
   * @handshake: the request with which it began
   *
   * An Engine.IO connection has closed; once for each that was opened.
   */
  signals[SIGNAL_CONNECTION_CLOSED] =
      g_signal_new ("connection-closed", SOCKETIO_TYPE_SERVER, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                    NULL, G_TYPE_NONE, 1, SOCKETIO_TYPE_HANDSHAKE);
}

static void
socketio_server_class_init (SocketioServerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->set_property = socketio_server_set_property;
  object_class->get_property = socketio_server_get_property;
  object_class->constructed = socketio_server_constructed;
  object_class->dispose = socketio_server_dispose;
  object_class->finalize = socketio_server_finalize;
  install_options (object_class);
  install_signals ();
}

static void
socketio_server_init (SocketioServer *self)
{
  self->reactor = socketio_reactor_new ();
  self->realtime = TRUE;
  self->namespaces = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_object_unref);
  self->clients = g_hash_table_new_full (NULL, NULL, (GDestroyNotify) socketio_client_unref, NULL);
}

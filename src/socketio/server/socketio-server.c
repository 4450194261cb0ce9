/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "socketio-server-struct-private.h"

#include "socketio-adapter.h"
#include "socketio-parent-namespace-private.h"

G_DEFINE_FINAL_TYPE (SocketioServer, socketio_server, G_TYPE_OBJECT)

/* Comes after the options. */
static guint prop_n_connections;

enum
{
  SIGNAL_CONNECTION_OPENED,
  SIGNAL_CONNECTION_CLOSED,
  SIGNAL_NAMESPACE_ADDED,
  N_SIGNALS,
};

static guint signals[N_SIGNALS];

/**
 * socketio_server_new:
 * @path: (nullable): where it is served, with or without the trailing slash; %NULL for
 * "/socket.io/"
 *
 * Makes a server, which does not listen yet.
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
  return self->options.connect_timeout;
}

const SocketioRecoveryOptions *
socketio_server_get_recovery_options (SocketioServer *self)
{
  return &self->options.recovery;
}

SocketioCounters *
socketio_server_get_counters (SocketioServer *self)
{
  return self->counters;
}

GType
socketio_server_get_adapter_type (SocketioServer *self)
{
  return self->options.adapter_type;
}

void
socketio_server_emit_namespace_added (SocketioServer *self, SocketioNamespace *nsp)
{
  g_signal_emit (self, signals[SIGNAL_NAMESPACE_ADDED], 0, nsp);
}

/**
 * socketio_server_of:
 * @self: a server
 * @name: name of a namespace; the slash at its start may be left out
 *
 * Gets a namespace (`of()`). It stays as long as the server.
 *
 * Returns: (transfer none): the namespace of that name, made at the first call
 */
SocketioNamespace *
socketio_server_of (SocketioServer *self, const char *name)
{
  g_autofree char *full = NULL;

  g_return_val_if_fail (SOCKETIO_IS_SERVER (self), NULL);
  g_return_val_if_fail (self->thread == g_thread_self (), NULL);
  g_return_val_if_fail (name != NULL, NULL);

  full = name[0] == '/' ? g_strdup (name) : g_strconcat ("/", name, NULL);
  return socketio_directory_ensure (self->directory, full);
}

/**
 * socketio_server_of_pattern:
 * @self: a server
 * @pattern: matches the names, which start with a slash; it is not anchored of itself
 *
 * Has namespaces made when clients ask for names that match (`of(regex)`).
 *
 * Returns: (transfer none): what stands for all of them
 */
SocketioParentNamespace *
socketio_server_of_pattern (SocketioServer *self, GRegex *pattern)
{
  g_return_val_if_fail (SOCKETIO_IS_SERVER (self), NULL);
  g_return_val_if_fail (self->thread == g_thread_self (), NULL);
  g_return_val_if_fail (pattern != NULL, NULL);

  return socketio_directory_add_parent (self->directory,
                                        socketio_parent_namespace_new (pattern, NULL, NULL, NULL));
}

/**
 * socketio_server_of_func:
 * @self: a server
 * @func: (scope notified): decides on names, now or later
 * @user_data: for @func
 * @destroy: for @user_data
 *
 * Has namespaces made when clients ask for names that @func allows (`of((name, auth, next) => …)`).
 * It is asked after all that was set up before it; static namespaces come first.
 *
 * Returns: (transfer none): what stands for all of them
 */
SocketioParentNamespace *
socketio_server_of_func (SocketioServer *self,
                         SocketioNamespaceFunc func,
                         gpointer user_data,
                         GDestroyNotify destroy)
{
  g_return_val_if_fail (SOCKETIO_IS_SERVER (self), NULL);
  g_return_val_if_fail (self->thread == g_thread_self (), NULL);
  g_return_val_if_fail (func != NULL, NULL);

  return socketio_directory_add_parent (
      self->directory, socketio_parent_namespace_new (NULL, func, user_data, destroy));
}

void
socketio_server_find_namespace (SocketioServer *self,
                                const char *name,
                                JsonNode *auth,
                                SocketioFoundFunc func,
                                gpointer user_data)
{
  socketio_directory_find (self->directory, name, auth, func, user_data);
}

void
socketio_server_release_namespace (SocketioServer *self, SocketioNamespace *nsp)
{
  if (self->options.cleanup_empty_child_namespaces)
    socketio_directory_release (self->directory, nsp);
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

static void
clear_allow_request (SocketioServer *self)
{
  if (self->allow_request_destroy != NULL)
    self->allow_request_destroy (self->allow_request_data);
  self->allow_request_destroy = NULL;
}

/**
 * socketio_server_set_allow_request:
 * @self: a server
 * @func: (scope notified) (nullable): decides, now or later
 * @user_data: for @func
 * @destroy: for @user_data
 *
 * Has @func decide on every request that would begin a connection (`allowRequest`), before anything
 * is kept for it. One that is refused is answered with HTTP status 403 and the body
 * `{"code":4,"message":…}`, with the message of the decision or "Forbidden".
 */
void
socketio_server_set_allow_request (SocketioServer *self,
                                   SocketioRequestFunc func,
                                   gpointer user_data,
                                   GDestroyNotify destroy)
{
  g_return_if_fail (SOCKETIO_IS_SERVER (self));

  clear_allow_request (self);
  self->allow_request_data = user_data;
  self->allow_request_destroy = destroy;
  engineio_server_set_request_func (self->engine, func, user_data);
}

/**
 * socketio_server_add_file:
 * @self: a server
 * @name: its name below the path, such as "socket.io.js"
 * @content_type: its type, such as "application/javascript; charset=utf-8"
 * @content: what is served
 *
 * Serves a file below the path: the client, for pages that load it from there (`serveClient`). The
 * application brings the bytes, such as those of the npm package socket.io-client.
 */
void
socketio_server_add_file (SocketioServer *self,
                          const char *name,
                          const char *content_type,
                          GBytes *content)
{
  g_return_if_fail (SOCKETIO_IS_SERVER (self));
  g_return_if_fail (name != NULL && content_type != NULL && content != NULL);

  engineio_server_add_file (self->engine, name, content_type, content);
}

static gboolean
allows_origin (const char *origin, gpointer user_data)
{
  SocketioServer *self = user_data;

  if (self->options.cors_origins != NULL
      && (g_strv_contains ((const char *const *) self->options.cors_origins, "*")
          || g_strv_contains ((const char *const *) self->options.cors_origins, origin)))
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
 * socketio_server_get_n_connections:
 * @self: a server
 *
 * Counts the connections, over which there may be sockets in several namespaces.
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
 * socketio_server_get_counter:
 * @self: a server
 * @counter: what is counted
 *
 * For metrics. The names of the counters are the nicks of #SocketioCounter.
 *
 * Returns: how often it happened, or how many bytes it were, since the server was made
 */
guint64
socketio_server_get_counter (SocketioServer *self, SocketioCounter counter)
{
  g_return_val_if_fail (SOCKETIO_IS_SERVER (self), 0);
  g_return_val_if_fail ((guint) counter < SOCKETIO_N_COUNTERS, 0);

  return self->counters->values[counter];
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

static void
socketio_server_set_property (GObject *object,
                              guint prop_id,
                              const GValue *value,
                              GParamSpec *pspec)
{
  if (!socketio_options_set (&SOCKETIO_SERVER (object)->options, prop_id, value))
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
}

static void
socketio_server_get_property (GObject *object, guint prop_id, GValue *value, GParamSpec *pspec)
{
  SocketioServer *self = SOCKETIO_SERVER (object);

  if (prop_id == prop_n_connections)
    g_value_set_uint (value, socketio_server_get_n_connections (self));
  else if (!socketio_options_get (&self->options, prop_id, value))
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
}

static void
socketio_server_constructed (GObject *object)
{
  SocketioServer *self = SOCKETIO_SERVER (object);

  G_OBJECT_CLASS (socketio_server_parent_class)->constructed (object);

  socketio_options_complete (&self->options);
  self->engine = engineio_server_new (self->reactor, &self->options.engine);
  self->counters = g_rc_box_acquire (engineio_server_get_counters (self->engine));
  engineio_server_set_connection_func (self->engine, connection_cb, self);
  engineio_server_set_origin_func (self->engine, allows_origin, self);
  self->front = socketio_front_new (self->reactor, self->engine, self->options.path);
  self->closing = socketio_closing_new (self->reactor, self->engine, self->front);
}

static void
socketio_server_dispose (GObject *object)
{
  SocketioServer *self = SOCKETIO_SERVER (object);

  socketio_directory_freeze (self->directory);
  g_clear_pointer (&self->closing, socketio_closing_free);
  /* while the object is still whole: the sockets' last signals come now */
  g_clear_pointer (&self->engine, engineio_server_free);
  socketio_directory_detach (self->directory);
  g_clear_pointer (&self->front, socketio_front_free);

  G_OBJECT_CLASS (socketio_server_parent_class)->dispose (object);
}

static void
socketio_server_finalize (GObject *object)
{
  SocketioServer *self = SOCKETIO_SERVER (object);

  socketio_server_set_origin_func (self, NULL, NULL, NULL);
  clear_allow_request (self);
  g_hash_table_unref (self->clients);
  g_rc_box_release (self->counters);
  socketio_directory_free (self->directory);
  socketio_options_clear (&self->options);
  socketio_reactor_unref (self->reactor);

  G_OBJECT_CLASS (socketio_server_parent_class)->finalize (object);
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
install_namespace_signal (void)
{
  /**
   * SocketioServer::namespace-added:
   * @self: the server
   * @nsp: the namespace, in which nobody is yet
   *
   * A namespace was made (`new_namespace`).
   */
  signals[SIGNAL_NAMESPACE_ADDED] =
      g_signal_new ("namespace-added", SOCKETIO_TYPE_SERVER, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                    G_TYPE_NONE, 1, SOCKETIO_TYPE_NAMESPACE);
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
  prop_n_connections = socketio_options_install (object_class);
  /**
   * SocketioServer:n-connections:
   *
   * How many Engine.IO connections are open. Not notified.
   */
  g_object_class_install_property (object_class, prop_n_connections,
                                   g_param_spec_uint ("n-connections", NULL, NULL, 0, G_MAXUINT, 0,
                                                      G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
  install_signals ();
  install_namespace_signal ();
}

static void
socketio_server_init (SocketioServer *self)
{
  self->thread = g_thread_self ();
  self->reactor = socketio_reactor_new ();
  self->directory = socketio_directory_new (self);
  self->clients = g_hash_table_new_full (NULL, NULL, (GDestroyNotify) socketio_client_unref, NULL);
}

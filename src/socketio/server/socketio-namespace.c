/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "socketio-namespace.h"

#include "socketio-adapter-private.h"
#include "socketio-admission-private.h"
#include "socketio-broadcast-private.h"
#include "socketio-namespace-private.h"
#include "socketio-parent-namespace-private.h"
#include "socketio-recovery-private.h"
#include "socketio-server-private.h"

struct _SocketioNamespace
{
  GObject parent_instance;

  char *name;
  GThread *thread;                 /* in which it was made, and may be used */
  SocketioServer *server;          /* not owned; NULL once that let go of it */
  SocketioParentNamespace *parent; /* nullable */
  guint n_joining;                 /* sockets on their way in */
  SocketioAdapter *adapter;
  SocketioRecovery *recovery; /* NULL: off */
  SocketioMiddlewares *middlewares;
};

G_DEFINE_FINAL_TYPE (SocketioNamespace, socketio_namespace, G_TYPE_OBJECT)

/* A socket on its way in. */
typedef struct
{
  SocketioNamespace *nsp; /* owned */
  SocketioSocket *socket; /* owned */
  SocketioAdmissionFunc func;
  gpointer user_data;
} Admission;

enum
{
  SIGNAL_CONNECT,
  SIGNAL_SERVER_SIDE_EVENT,
  N_SIGNALS,
};

static guint signals[N_SIGNALS];

SocketioNamespace *
socketio_namespace_new (SocketioServer *server, SocketioParentNamespace *parent, const char *name)
{
  SocketioNamespace *self = g_object_new (SOCKETIO_TYPE_NAMESPACE, NULL);
  const SocketioRecoveryOptions *recovery = socketio_server_get_recovery_options (server);

  self->name = g_strdup (name);
  self->server = server;
  if (parent != NULL)
    {
      self->parent = g_object_ref (parent);
      socketio_parent_namespace_add (parent, self);
    }
  self->adapter = socketio_adapter_new (socketio_server_get_adapter_type (server), self);
  if (recovery->window > 0)
    self->recovery = socketio_recovery_new (self, socketio_server_get_reactor (server), recovery,
                                            socketio_server_get_counters (server));
  return self;
}

void
socketio_namespace_detach (SocketioNamespace *self)
{
  self->server = NULL;
  if (self->parent != NULL)
    socketio_parent_namespace_remove (self->parent, self);
  g_clear_object (&self->parent);
  g_clear_pointer (&self->recovery, socketio_recovery_free);
}

SocketioRecovery *
socketio_namespace_get_recovery (SocketioNamespace *self)
{
  return self->recovery;
}

gboolean
socketio_namespace_is_own_thread (SocketioNamespace *self)
{
  return self->thread == g_thread_self ();
}

/**
 * socketio_namespace_get_adapter:
 * @self: a namespace
 *
 * Gets the adapter, which is of the type that [property@Server:adapter-type] names.
 *
 * Returns: (transfer none): what keeps its sockets and rooms
 */
SocketioAdapter *
socketio_namespace_get_adapter (SocketioNamespace *self)
{
  g_return_val_if_fail (SOCKETIO_IS_NAMESPACE (self), NULL);

  return self->adapter;
}

/**
 * socketio_namespace_get_name:
 * @self: a namespace
 *
 * Gets the name (`name`).
 *
 * Returns: (transfer none): the name, which starts with a slash
 */
const char *
socketio_namespace_get_name (SocketioNamespace *self)
{
  g_return_val_if_fail (SOCKETIO_IS_NAMESPACE (self), NULL);

  return self->name;
}

/**
 * socketio_namespace_use:
 * @self: a namespace
 * @middleware: (scope notified): decides who may join
 * @user_data: for @middleware
 * @destroy: for @user_data
 *
 * Adds a function that every client has to pass. They are asked in the order in which they were
 * added; the first to refuse decides, and the client gets a CONNECT_ERROR (Socket.IO protocol,
 * "Connection to a namespace").
 */
void
socketio_namespace_use (SocketioNamespace *self,
                        SocketioMiddleware middleware,
                        gpointer user_data,
                        GDestroyNotify destroy)
{
  g_return_if_fail (SOCKETIO_IS_NAMESPACE (self));
  g_return_if_fail (middleware != NULL);

  socketio_middlewares_add (self->middlewares, middleware, NULL, user_data, destroy);
}

/**
 * socketio_namespace_use_async:
 * @self: a namespace
 * @middleware: (scope notified): decides who may join, in its own time
 * @user_data: for @middleware
 * @destroy: for @user_data
 *
 * Like [method@Namespace.use], for what cannot be decided at once. The client waits meanwhile, no
 * longer than its own patience and the server's `connect-timeout`.
 */
void
socketio_namespace_use_async (SocketioNamespace *self,
                              SocketioAsyncMiddleware middleware,
                              gpointer user_data,
                              GDestroyNotify destroy)
{
  g_return_if_fail (SOCKETIO_IS_NAMESPACE (self));
  g_return_if_fail (middleware != NULL);

  socketio_middlewares_add (self->middlewares, NULL, middleware, user_data, destroy);
}

/**
 * socketio_namespace_get_n_sockets:
 * @self: a namespace
 *
 * Counts the sockets.
 *
 * Returns: how many sockets are connected
 */
guint
socketio_namespace_get_n_sockets (SocketioNamespace *self)
{
  g_return_val_if_fail (SOCKETIO_IS_NAMESPACE (self), 0);

  return socketio_adapter_get_n_sockets (self->adapter);
}

/**
 * socketio_namespace_lookup:
 * @self: a namespace
 * @id: id of a socket
 *
 * Finds a socket by its id.
 *
 * Returns: (transfer none) (nullable): the connected socket of that id
 */
SocketioSocket *
socketio_namespace_lookup (SocketioNamespace *self, const char *id)
{
  g_return_val_if_fail (SOCKETIO_IS_NAMESPACE (self), NULL);
  g_return_val_if_fail (id != NULL, NULL);

  return socketio_adapter_lookup (self->adapter, id);
}

gboolean
socketio_namespace_is_empty (SocketioNamespace *self)
{
  return self->n_joining == 0 && socketio_adapter_get_n_sockets (self->adapter) == 0
         && (self->recovery == NULL || !socketio_recovery_is_needed (self->recovery));
}

/* A child that nobody is in any more goes, if the server is told to do so. */
static void
release_if_empty (SocketioNamespace *self)
{
  if (self->parent != NULL && self->server != NULL && socketio_namespace_is_empty (self))
    socketio_server_release_namespace (self->server, self);
}

void
socketio_namespace_handle_forgotten (SocketioNamespace *self)
{
  release_if_empty (self);
}

static void
end_admission (Admission *admission, gboolean allowed, const char *message, const char *data)
{
  g_autoptr (SocketioNamespace) self = admission->nsp;

  admission->func (admission->socket, allowed, message, data, admission->user_data);
  self->n_joining--;
  release_if_empty (self);
  g_object_unref (admission->socket);
  g_free (admission);
}

static void
passed_own_cb (SocketioSocket *socket,
               gboolean allowed,
               const char *message,
               const char *data,
               gpointer user_data)
{
  end_admission (user_data, allowed, message, data);
}

static void
passed_parent_cb (SocketioSocket *socket,
                  gboolean allowed,
                  const char *message,
                  const char *data,
                  gpointer user_data)
{
  Admission *admission = user_data;

  if (allowed)
    socketio_middlewares_run (admission->nsp->middlewares, socket, passed_own_cb, admission);
  else
    end_admission (admission, FALSE, message, data);
}

void
socketio_namespace_admit (SocketioNamespace *self,
                          SocketioSocket *socket,
                          SocketioAdmissionFunc func,
                          gpointer user_data)
{
  const SocketioRecoveryOptions *options =
      self->recovery != NULL ? socketio_recovery_get_options (self->recovery) : NULL;
  Admission *admission = g_new (Admission, 1);

  *admission = (Admission){ g_object_ref (self), g_object_ref (socket), func, user_data };
  self->n_joining++;
  if (options != NULL && options->skip_middleware && socketio_socket_is_recovered (socket))
    end_admission (admission, TRUE, NULL, NULL);
  else if (self->parent != NULL)
    socketio_middlewares_run (socketio_parent_namespace_get_middlewares (self->parent), socket,
                              passed_parent_cb, admission);
  else
    passed_parent_cb (socket, TRUE, NULL, NULL, admission);
}

void
socketio_namespace_add (SocketioNamespace *self, SocketioSocket *socket)
{
  socketio_adapter_add (self->adapter, socket);
}

void
socketio_namespace_emit_connect (SocketioNamespace *self, SocketioSocket *socket)
{
  g_autoptr (SocketioParentNamespace) parent =
      self->parent != NULL ? g_object_ref (self->parent) : NULL;

  if (parent != NULL)
    socketio_parent_namespace_emit_connect (parent, socket);
  g_signal_emit (self, signals[SIGNAL_CONNECT], 0, socket);
}

void
socketio_namespace_join (SocketioNamespace *self, SocketioSocket *socket, const char *room)
{
  socketio_adapter_join (self->adapter, socket, room);
}

void
socketio_namespace_leave (SocketioNamespace *self, SocketioSocket *socket, const char *room)
{
  socketio_adapter_leave (self->adapter, socket, room);
}

void
socketio_namespace_remove (SocketioNamespace *self, SocketioSocket *socket, gboolean recoverable)
{
  if (recoverable && self->recovery != NULL)
    socketio_recovery_keep (self->recovery, socket);
  socketio_adapter_remove (self->adapter, socket);
  release_if_empty (self);
}

void
socketio_namespace_emit_server_side_event (SocketioNamespace *self,
                                           const char *event,
                                           SocketioArgs *args,
                                           SocketioAck *ack)
{
  g_signal_emit (self, signals[SIGNAL_SERVER_SIDE_EVENT], g_quark_try_string (event), event, args,
                 ack);
}

static void
socketio_namespace_finalize (GObject *object)
{
  SocketioNamespace *self = SOCKETIO_NAMESPACE (object);

  socketio_namespace_detach (self);
  if (self->adapter != NULL)
    socketio_adapter_detach (self->adapter);
  g_clear_object (&self->adapter);
  socketio_middlewares_unref (self->middlewares);
  g_free (self->name);

  G_OBJECT_CLASS (socketio_namespace_parent_class)->finalize (object);
}

static void
socketio_namespace_class_init (SocketioNamespaceClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = socketio_namespace_finalize;

  /**
   * SocketioNamespace::connect:
   * @self: the namespace
   * @socket: the socket that is in
   *
   * A client connected, and has been told so; none of its events was handled yet.
   */
  signals[SIGNAL_CONNECT] = g_signal_new ("connect", SOCKETIO_TYPE_NAMESPACE, G_SIGNAL_RUN_LAST, 0,
                                          NULL, NULL, NULL, G_TYPE_NONE, 1, SOCKETIO_TYPE_SOCKET);
  /**
   * SocketioNamespace::server-side-event:
   * @self: the namespace
   * @name: the event's name
   * @args: its arguments
   * @ack: (nullable): to answer with, if the other server wants an acknowledgement
   *
   * Another server spoke to this one by [method@Namespace.server_side_emit]. The detail is the
   * event's name.
   */
  signals[SIGNAL_SERVER_SIDE_EVENT] = g_signal_new (
      "server-side-event", SOCKETIO_TYPE_NAMESPACE, G_SIGNAL_RUN_LAST | G_SIGNAL_DETAILED, 0, NULL,
      NULL, NULL, G_TYPE_NONE, 3, G_TYPE_STRING | G_SIGNAL_TYPE_STATIC_SCOPE, SOCKETIO_TYPE_ARGS,
      SOCKETIO_TYPE_ACK);
}

static void
socketio_namespace_init (SocketioNamespace *self)
{
  self->thread = g_thread_self ();
  self->middlewares = socketio_middlewares_new ();
}

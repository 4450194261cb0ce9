/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "socketio-parent-namespace.h"

#include "socketio-decision-private.h"
#include "socketio-parent-namespace-private.h"

struct _SocketioParentNamespace
{
  GObject parent_instance;

  GRegex *pattern;            /* one of the two */
  SocketioNamespaceFunc func; /* is set */
  gpointer user_data;
  GDestroyNotify destroy;
  GPtrArray *children; /* of SocketioNamespace, which the server holds */
  SocketioMiddlewares *middlewares;
};

G_DEFINE_FINAL_TYPE (SocketioParentNamespace, socketio_parent_namespace, G_TYPE_OBJECT)

enum
{
  SIGNAL_CONNECT,
  N_SIGNALS,
};

static guint signals[N_SIGNALS];

/* A name on its way through the parents. */
typedef struct
{
  GPtrArray *parents; /* owned, as they were when it came */
  guint index;        /* the one to ask next */
  char *name;
  JsonNode *auth; /* nullable */
  SocketioResolvedFunc func;
  gpointer user_data;
} Resolution;

SocketioParentNamespace *
socketio_parent_namespace_new (GRegex *pattern,
                               SocketioNamespaceFunc func,
                               gpointer user_data,
                               GDestroyNotify destroy)
{
  SocketioParentNamespace *self = g_object_new (SOCKETIO_TYPE_PARENT_NAMESPACE, NULL);

  self->pattern = pattern != NULL ? g_regex_ref (pattern) : NULL;
  self->func = func;
  self->user_data = user_data;
  self->destroy = destroy;
  return self;
}

static void
finish (Resolution *self, SocketioParentNamespace *parent)
{
  self->func (parent, self->user_data);
  g_ptr_array_unref (self->parents);
  g_clear_pointer (&self->auth, json_node_unref);
  g_free (self->name);
  g_free (self);
}

static void advance (Resolution *self);

static void
decided_cb (gboolean allowed, const char *message, const char *data, gpointer user_data)
{
  Resolution *self = user_data;

  if (allowed)
    finish (self, g_ptr_array_index (self->parents, self->index - 1));
  else
    advance (self);
}

static void
advance (Resolution *self)
{
  while (self->index < self->parents->len)
    {
      SocketioParentNamespace *parent = g_ptr_array_index (self->parents, self->index++);

      if (parent->func != NULL)
        {
          g_autoptr (SocketioDecision) decision = socketio_decision_new (decided_cb, self);

          parent->func (self->name, self->auth, decision, parent->user_data);
          return;
        }
      if (g_regex_match (parent->pattern, self->name, 0, NULL))
        {
          finish (self, parent);
          return;
        }
    }
  finish (self, NULL);
}

void
socketio_parent_namespaces_resolve (GPtrArray *parents,
                                    const char *name,
                                    JsonNode *auth,
                                    SocketioResolvedFunc func,
                                    gpointer user_data)
{
  Resolution *resolution = g_new0 (Resolution, 1);

  resolution->parents = g_ptr_array_copy (parents, (GCopyFunc) (GCallback) g_object_ref, NULL);
  resolution->name = g_strdup (name);
  resolution->auth = auth != NULL ? json_node_ref (auth) : NULL;
  resolution->func = func;
  resolution->user_data = user_data;
  advance (resolution);
}

void
socketio_parent_namespace_add (SocketioParentNamespace *self, SocketioNamespace *child)
{
  g_ptr_array_add (self->children, child);
}

void
socketio_parent_namespace_remove (SocketioParentNamespace *self, SocketioNamespace *child)
{
  g_ptr_array_remove_fast (self->children, child);
}

SocketioMiddlewares *
socketio_parent_namespace_get_middlewares (SocketioParentNamespace *self)
{
  return self->middlewares;
}

void
socketio_parent_namespace_emit_connect (SocketioParentNamespace *self, SocketioSocket *socket)
{
  g_signal_emit (self, signals[SIGNAL_CONNECT], 0, socket);
}

/**
 * socketio_parent_namespace_use:
 * @self: a parent namespace
 * @middleware: (scope notified): decides who may join one of its children
 * @user_data: for @middleware
 * @destroy: for @user_data
 *
 * As [method@Namespace.use], for every child, those that are there included.
 */
void
socketio_parent_namespace_use (SocketioParentNamespace *self,
                               SocketioMiddleware middleware,
                               gpointer user_data,
                               GDestroyNotify destroy)
{
  g_return_if_fail (SOCKETIO_IS_PARENT_NAMESPACE (self));
  g_return_if_fail (middleware != NULL);

  socketio_middlewares_add (self->middlewares, middleware, NULL, user_data, destroy);
}

/**
 * socketio_parent_namespace_use_async:
 * @self: a parent namespace
 * @middleware: (scope notified): decides who may join one of its children, in its own time
 * @user_data: for @middleware
 * @destroy: for @user_data
 *
 * As [method@Namespace.use_async], for every child, those that are there included.
 */
void
socketio_parent_namespace_use_async (SocketioParentNamespace *self,
                                     SocketioAsyncMiddleware middleware,
                                     gpointer user_data,
                                     GDestroyNotify destroy)
{
  g_return_if_fail (SOCKETIO_IS_PARENT_NAMESPACE (self));
  g_return_if_fail (middleware != NULL);

  socketio_middlewares_add (self->middlewares, NULL, middleware, user_data, destroy);
}

/**
 * socketio_parent_namespace_dup_children:
 * @self: a parent namespace
 *
 * Lists the namespaces that were made.
 *
 * Returns: (transfer full) (element-type SocketioNamespace): the namespaces that were made by now,
 *   in no order
 */
GPtrArray *
socketio_parent_namespace_dup_children (SocketioParentNamespace *self)
{
  GPtrArray *children;

  g_return_val_if_fail (SOCKETIO_IS_PARENT_NAMESPACE (self), NULL);

  children = g_ptr_array_new_with_free_func (g_object_unref);
  for (guint i = 0; i < self->children->len; i++)
    g_ptr_array_add (children, g_object_ref (g_ptr_array_index (self->children, i)));
  return children;
}

/**
 * socketio_parent_namespace_emit:
 * @self: a parent namespace
 * @room: (nullable): name of a room, or %NULL for all sockets
 * @event: the event's name
 * @args: (nullable): the arguments; only read, and not to be changed afterwards
 *
 * Sends an event to the sockets of every child.
 */
void
socketio_parent_namespace_emit (SocketioParentNamespace *self,
                                const char *room,
                                const char *event,
                                SocketioArgs *args)
{
  g_autoptr (GPtrArray) children = NULL;

  g_return_if_fail (SOCKETIO_IS_PARENT_NAMESPACE (self));
  g_return_if_fail (event != NULL);

  children = socketio_parent_namespace_dup_children (self);
  for (guint i = 0; i < children->len; i++)
    socketio_namespace_emit (g_ptr_array_index (children, i), room, NULL, event, args);
}

static void
socketio_parent_namespace_finalize (GObject *object)
{
  SocketioParentNamespace *self = SOCKETIO_PARENT_NAMESPACE (object);

  if (self->destroy != NULL)
    self->destroy (self->user_data);
  g_clear_pointer (&self->pattern, g_regex_unref);
  g_ptr_array_unref (self->children);
  socketio_middlewares_unref (self->middlewares);

  G_OBJECT_CLASS (socketio_parent_namespace_parent_class)->finalize (object);
}

static void
socketio_parent_namespace_class_init (SocketioParentNamespaceClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = socketio_parent_namespace_finalize;

  /**
   * SocketioParentNamespace::connect:
   * @self: the parent namespace
   * @socket: the socket that is in
   *
   * A client connected to a child, whose own [signal@Namespace::connect] comes after this.
   */
  signals[SIGNAL_CONNECT] =
      g_signal_new ("connect", SOCKETIO_TYPE_PARENT_NAMESPACE, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                    NULL, G_TYPE_NONE, 1, SOCKETIO_TYPE_SOCKET);
}

static void
socketio_parent_namespace_init (SocketioParentNamespace *self)
{
  self->children = g_ptr_array_new ();
  self->middlewares = socketio_middlewares_new ();
}

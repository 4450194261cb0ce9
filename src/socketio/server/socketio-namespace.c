/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "socketio-namespace.h"

#include "socketio-namespace-private.h"

typedef struct
{
  SocketioMiddleware func;
  gpointer user_data;
  GDestroyNotify destroy;
} Middleware;

struct _SocketioNamespace
{
  GObject parent_instance;

  char *name;
  GHashTable *sockets;   /* id, held by the socket, → socket, with a reference */
  GHashTable *rooms;     /* name → set of sockets; a room goes with its last member */
  GPtrArray *middleware; /* of Middleware */
};

G_DEFINE_FINAL_TYPE (SocketioNamespace, socketio_namespace, G_TYPE_OBJECT)

enum
{
  SIGNAL_CONNECT,
  N_SIGNALS,
};

static guint signals[N_SIGNALS];

static void
middleware_free (gpointer data)
{
  Middleware *middleware = data;

  if (middleware->destroy != NULL)
    middleware->destroy (middleware->user_data);
  g_free (middleware);
}

SocketioNamespace *
socketio_namespace_new (const char *name)
{
  SocketioNamespace *self = g_object_new (SOCKETIO_TYPE_NAMESPACE, NULL);

  self->name = g_strdup (name);
  return self;
}

/**
 * socketio_namespace_get_name:
 * @self: a namespace
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
  Middleware *entry;

  g_return_if_fail (SOCKETIO_IS_NAMESPACE (self));
  g_return_if_fail (middleware != NULL);

  entry = g_new (Middleware, 1);
  entry->func = middleware;
  entry->user_data = user_data;
  entry->destroy = destroy;
  g_ptr_array_add (self->middleware, entry);
}

/**
 * socketio_namespace_get_n_sockets:
 * @self: a namespace
 *
 * Returns: how many sockets are connected
 */
guint
socketio_namespace_get_n_sockets (SocketioNamespace *self)
{
  g_return_val_if_fail (SOCKETIO_IS_NAMESPACE (self), 0);

  return g_hash_table_size (self->sockets);
}

/**
 * socketio_namespace_lookup:
 * @self: a namespace
 * @id: id of a socket
 *
 * Returns: (transfer none) (nullable): the connected socket of that id
 */
SocketioSocket *
socketio_namespace_lookup (SocketioNamespace *self, const char *id)
{
  g_return_val_if_fail (SOCKETIO_IS_NAMESPACE (self), NULL);
  g_return_val_if_fail (id != NULL, NULL);

  return g_hash_table_lookup (self->sockets, id);
}

gboolean
socketio_namespace_admit (SocketioNamespace *self,
                          SocketioSocket *socket,
                          char **message,
                          char **data)
{
  for (guint i = 0; i < self->middleware->len; i++)
    {
      Middleware *middleware = g_ptr_array_index (self->middleware, i);
      g_autoptr (GError) error = NULL;
      g_autofree char *own_data = NULL;

      if (middleware->func (socket, &own_data, middleware->user_data, &error))
        continue;

      *message = g_strdup (error != NULL ? error->message : "Refused");
      *data = g_steal_pointer (&own_data);
      return FALSE;
    }
  return TRUE;
}

void
socketio_namespace_add (SocketioNamespace *self, SocketioSocket *socket)
{
  g_hash_table_insert (self->sockets, (gpointer) socketio_socket_get_id (socket),
                       g_object_ref (socket));
}

void
socketio_namespace_emit_connect (SocketioNamespace *self, SocketioSocket *socket)
{
  g_signal_emit (self, signals[SIGNAL_CONNECT], 0, socket);
}

void
socketio_namespace_join (SocketioNamespace *self, SocketioSocket *socket, const char *room)
{
  GHashTable *rooms = socketio_socket_peek_rooms (socket);
  gpointer key, members;

  if (!g_hash_table_lookup_extended (self->rooms, room, &key, &members))
    {
      key = g_strdup (room);
      members = g_hash_table_new (NULL, NULL);
      g_hash_table_insert (self->rooms, key, members);
    }
  if (rooms == NULL)
    {
      /* the names are those of the table of rooms, which keeps them while there are members */
      rooms = g_hash_table_new (g_str_hash, g_str_equal);
      socketio_socket_set_rooms (socket, rooms);
    }
  g_hash_table_add (members, socket);
  g_hash_table_add (rooms, key);
}

void
socketio_namespace_leave (SocketioNamespace *self, SocketioSocket *socket, const char *room)
{
  GHashTable *rooms = socketio_socket_peek_rooms (socket);
  GHashTable *members = g_hash_table_lookup (self->rooms, room);

  if (rooms == NULL || !g_hash_table_remove (rooms, room))
    return;
  if (g_hash_table_size (rooms) == 0)
    {
      g_hash_table_unref (rooms);
      socketio_socket_set_rooms (socket, NULL);
    }

  g_hash_table_remove (members, socket);
  if (g_hash_table_size (members) == 0)
    g_hash_table_remove (self->rooms, room);
}

void
socketio_namespace_remove (SocketioNamespace *self, SocketioSocket *socket)
{
  GHashTable *rooms;

  while ((rooms = socketio_socket_peek_rooms (socket)) != NULL)
    {
      GHashTableIter iter;
      gpointer room;

      g_hash_table_iter_init (&iter, rooms);
      g_hash_table_iter_next (&iter, &room, NULL);
      socketio_namespace_leave (self, socket, room);
    }
  g_hash_table_remove (self->sockets, socketio_socket_get_id (socket));
}

/* The receivers, held: sending to one can end others, and change the tables. */
static GPtrArray *
collect (SocketioNamespace *self, const char *room, SocketioSocket *except)
{
  GHashTable *table = room != NULL ? g_hash_table_lookup (self->rooms, room) : self->sockets;
  GPtrArray *receivers = g_ptr_array_new_with_free_func (g_object_unref);
  GHashTableIter iter;
  gpointer key, value;

  if (table == NULL)
    return receivers;

  /* a room is a set: key and value are the same */
  g_hash_table_iter_init (&iter, table);
  while (g_hash_table_iter_next (&iter, &key, &value))
    if (value != except)
      g_ptr_array_add (receivers, g_object_ref (value));
  return receivers;
}

static void
send_to_all (GPtrArray *receivers, GArray *packets)
{
  for (guint i = 0; i < receivers->len; i++)
    socketio_socket_send_packets (g_ptr_array_index (receivers, i), packets);
}

/**
 * socketio_namespace_emit:
 * @self: a namespace
 * @room: (nullable): name of a room, or %NULL for all sockets of the namespace
 * @except: (nullable): a socket that is left out
 * @event: the event's name
 * @args: (nullable): the arguments; only read, and not to be changed afterwards
 *
 * Sends an event to many. It is encoded once.
 */
void
socketio_namespace_emit (SocketioNamespace *self,
                         const char *room,
                         SocketioSocket *except,
                         const char *event,
                         SocketioArgs *args)
{
  g_autoptr (GPtrArray) receivers = NULL;
  g_autoptr (GArray) packets = NULL;

  g_return_if_fail (SOCKETIO_IS_NAMESPACE (self));
  g_return_if_fail (event != NULL);

  receivers = collect (self, room, except);
  if (receivers->len == 0)
    return;
  packets = socketio_packet_encode_event (self->name, event, args, -1);
  send_to_all (receivers, packets);
}

/**
 * socketio_namespace_emit_json:
 * @self: a namespace
 * @room: (nullable): name of a room, or %NULL for all sockets of the namespace
 * @except: (nullable): a socket that is left out
 * @event: the event's name
 * @json_args: (nullable): the arguments as JSON, separated by commas, without brackets; not checked
 *
 * Like [method@Namespace.emit], without a tree.
 */
void
socketio_namespace_emit_json (SocketioNamespace *self,
                              const char *room,
                              SocketioSocket *except,
                              const char *event,
                              const char *json_args)
{
  g_autoptr (GPtrArray) receivers = NULL;

  g_return_if_fail (SOCKETIO_IS_NAMESPACE (self));

  receivers = collect (self, room, except);
  socketio_namespace_emit_json_to (self, receivers, event, json_args);
}

/**
 * socketio_namespace_emit_json_to:
 * @self: a namespace
 * @sockets: (element-type SocketioSocket): sockets of it; those that are gone are left out. The
 *   array must not change while this runs
 * @event: the event's name
 * @json_args: (nullable): the arguments as JSON, separated by commas, without brackets; not checked
 *
 * Sends an event to receivers that the caller keeps. It is encoded once.
 */
void
socketio_namespace_emit_json_to (SocketioNamespace *self,
                                 GPtrArray *sockets,
                                 const char *event,
                                 const char *json_args)
{
  g_autoptr (GArray) packets = NULL;
  EngineioPacket packet;

  g_return_if_fail (SOCKETIO_IS_NAMESPACE (self));
  g_return_if_fail (sockets != NULL && event != NULL);

  if (sockets->len == 0)
    return;

  packets = g_array_new (FALSE, FALSE, sizeof (EngineioPacket));
  g_array_set_clear_func (packets, (GDestroyNotify) engineio_packet_clear);
  packet = engineio_packet_take (socketio_packet_encode_event_json (self->name, event, json_args),
                                 FALSE);
  g_array_append_val (packets, packet);
  send_to_all (sockets, packets);
}

/**
 * socketio_namespace_fetch_sockets:
 * @self: a namespace
 * @room: (nullable): name of a room, or %NULL for all sockets of the namespace
 *
 * Returns: (transfer full) (element-type SocketioSocket): those that are there now
 */
GPtrArray *
socketio_namespace_fetch_sockets (SocketioNamespace *self, const char *room)
{
  g_return_val_if_fail (SOCKETIO_IS_NAMESPACE (self), NULL);

  return collect (self, room, NULL);
}

static void
socketio_namespace_finalize (GObject *object)
{
  SocketioNamespace *self = SOCKETIO_NAMESPACE (object);

  g_hash_table_unref (self->sockets);
  g_hash_table_unref (self->rooms);
  g_ptr_array_unref (self->middleware);
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
}

static void
socketio_namespace_init (SocketioNamespace *self)
{
  self->sockets = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_object_unref);
  self->rooms =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_hash_table_unref);
  self->middleware = g_ptr_array_new_with_free_func (middleware_free);
}

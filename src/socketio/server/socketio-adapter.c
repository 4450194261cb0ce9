/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "socketio-adapter.h"

#include <string.h>

#include "socketio-adapter-private.h"
#include "socketio-broadcast-private.h"
#include "socketio-namespace-private.h"

typedef struct
{
  SocketioNamespace *nsp; /* not owned; NULL once it is gone */
  GHashTable *sockets;    /* id, held by the socket, → socket, with a reference */
  GHashTable *rooms;      /* name → set of sockets; a room goes with its last member */
} SocketioAdapterPrivate;

G_DEFINE_TYPE_WITH_PRIVATE (SocketioAdapter, socketio_adapter, G_TYPE_OBJECT)

SocketioAdapter *
socketio_adapter_new (GType type, SocketioNamespace *nsp)
{
  SocketioAdapter *self = g_object_new (type, NULL);
  SocketioAdapterPrivate *priv = socketio_adapter_get_instance_private (self);

  priv->nsp = nsp;
  return self;
}

void
socketio_adapter_detach (SocketioAdapter *self)
{
  SocketioAdapterPrivate *priv = socketio_adapter_get_instance_private (self);

  priv->nsp = NULL;
}

gboolean
socketio_adapter_is_own_thread (SocketioAdapter *self)
{
  SocketioAdapterPrivate *priv = socketio_adapter_get_instance_private (self);

  return priv->nsp == NULL || socketio_namespace_is_own_thread (priv->nsp);
}

/**
 * socketio_adapter_get_namespace:
 * @self: an adapter
 *
 * Gets the namespace.
 *
 * Returns: (transfer none) (nullable): the namespace that it works for; %NULL once that is gone
 */
SocketioNamespace *
socketio_adapter_get_namespace (SocketioAdapter *self)
{
  SocketioAdapterPrivate *priv = socketio_adapter_get_instance_private (self);

  g_return_val_if_fail (SOCKETIO_IS_ADAPTER (self), NULL);

  return priv->nsp;
}

void
socketio_adapter_add (SocketioAdapter *self, SocketioSocket *socket)
{
  SocketioAdapterPrivate *priv = socketio_adapter_get_instance_private (self);

  g_hash_table_insert (priv->sockets, (gpointer) socketio_socket_get_id (socket),
                       g_object_ref (socket));
}

SocketioSocket *
socketio_adapter_lookup (SocketioAdapter *self, const char *id)
{
  SocketioAdapterPrivate *priv = socketio_adapter_get_instance_private (self);

  return g_hash_table_lookup (priv->sockets, id);
}

guint
socketio_adapter_get_n_sockets (SocketioAdapter *self)
{
  SocketioAdapterPrivate *priv = socketio_adapter_get_instance_private (self);

  return g_hash_table_size (priv->sockets);
}

void
socketio_adapter_remove (SocketioAdapter *self, SocketioSocket *socket)
{
  SocketioAdapterPrivate *priv = socketio_adapter_get_instance_private (self);
  GHashTable *rooms;

  while ((rooms = socketio_socket_peek_rooms (socket)) != NULL)
    {
      GHashTableIter iter;
      gpointer room;

      g_hash_table_iter_init (&iter, rooms);
      g_hash_table_iter_next (&iter, &room, NULL);
      socketio_adapter_leave (self, socket, room);
    }
  if (socketio_adapter_lookup (self, socketio_socket_get_id (socket)) == socket)
    g_hash_table_remove (priv->sockets, socketio_socket_get_id (socket));
}

static void
socketio_adapter_real_join (SocketioAdapter *self, SocketioSocket *socket, const char *room)
{
  SocketioAdapterPrivate *priv = socketio_adapter_get_instance_private (self);
  GHashTable *rooms = socketio_socket_peek_rooms (socket);
  gpointer key, members;

  if (!g_hash_table_lookup_extended (priv->rooms, room, &key, &members))
    {
      key = g_strdup (room);
      members = g_hash_table_new (NULL, NULL);
      g_hash_table_insert (priv->rooms, key, members);
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

static void
socketio_adapter_real_leave (SocketioAdapter *self, SocketioSocket *socket, const char *room)
{
  SocketioAdapterPrivate *priv = socketio_adapter_get_instance_private (self);
  GHashTable *rooms = socketio_socket_peek_rooms (socket);
  GHashTable *members = g_hash_table_lookup (priv->rooms, room);

  if (rooms == NULL || !g_hash_table_remove (rooms, room))
    return;
  if (g_hash_table_size (rooms) == 0)
    {
      g_hash_table_unref (rooms);
      socketio_socket_set_rooms (socket, NULL);
    }

  g_hash_table_remove (members, socket);
  if (g_hash_table_size (members) == 0)
    g_hash_table_remove (priv->rooms, room);
}

static gboolean
is_excluded (GPtrArray *except, SocketioSocket *socket)
{
  GHashTable *rooms = socketio_socket_peek_rooms (socket);

  for (guint i = 0; except != NULL && i < except->len; i++)
    {
      const char *room = g_ptr_array_index (except, i);

      if (strcmp (socketio_socket_get_id (socket), room) == 0
          || (rooms != NULL && g_hash_table_contains (rooms, room)))
        return TRUE;
    }
  return FALSE;
}

/* @seen: (nullable): where a socket can be met more than once */
static void
select_one (GPtrArray *selected, GHashTable *seen, GPtrArray *except, SocketioSocket *socket)
{
  if (is_excluded (except, socket) || (seen != NULL && !g_hash_table_add (seen, socket)))
    return;
  g_ptr_array_add (selected, g_object_ref (socket));
}

/* A room is a set: key and value are the same. */
static void
select_set (GPtrArray *selected, GHashTable *seen, GPtrArray *except, GHashTable *set)
{
  GHashTableIter iter;
  gpointer socket;

  if (set == NULL)
    return;
  g_hash_table_iter_init (&iter, set);
  while (g_hash_table_iter_next (&iter, NULL, &socket))
    select_one (selected, seen, except, socket);
}

/**
 * socketio_adapter_select:
 * @self: an adapter
 * @broadcast: the selection
 *
 * Finds out whom a broadcast means now.
 *
 * Returns: (transfer full) (element-type SocketioSocket): the sockets of this process that are
 *   selected, each once. They are held: what is done to one can end others.
 */
GPtrArray *
socketio_adapter_select (SocketioAdapter *self, SocketioBroadcast *broadcast)
{
  SocketioAdapterPrivate *priv = socketio_adapter_get_instance_private (self);
  g_autoptr (GPtrArray) selected = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GHashTable) seen = NULL;
  GPtrArray *rooms, *except;

  g_return_val_if_fail (SOCKETIO_IS_ADAPTER (self), NULL);
  g_return_val_if_fail (socketio_adapter_is_own_thread (self), NULL);
  g_return_val_if_fail (SOCKETIO_IS_BROADCAST (broadcast), NULL);

  rooms = socketio_broadcast_peek_rooms (broadcast);
  except = socketio_broadcast_peek_except (broadcast);
  if (rooms == NULL)
    {
      select_set (selected, NULL, except, priv->sockets);
      return g_steal_pointer (&selected);
    }

  if (rooms->len > 1)
    seen = g_hash_table_new (NULL, NULL);
  for (guint i = 0; i < rooms->len; i++)
    {
      const char *room = g_ptr_array_index (rooms, i);
      GHashTable *members = g_hash_table_lookup (priv->rooms, room);
      SocketioSocket *own = g_hash_table_lookup (priv->sockets, room);

      select_set (selected, seen, except, members);
      /* an id is a room of one */
      if (own != NULL && (members == NULL || !g_hash_table_contains (members, own)))
        select_one (selected, seen, except, own);
    }
  return g_steal_pointer (&selected);
}

static void
socketio_adapter_real_broadcast (SocketioAdapter *self,
                                 SocketioBroadcast *broadcast,
                                 const char *event,
                                 SocketioArgs *args,
                                 const char *json_args)
{
  SocketioAdapterPrivate *priv = socketio_adapter_get_instance_private (self);
  g_autoptr (GPtrArray) sockets = socketio_adapter_select (self, broadcast);

  if (priv->nsp != NULL)
    socketio_namespace_deliver (priv->nsp, sockets, broadcast, event, args, json_args);
}

static void
socketio_adapter_real_sockets_join (SocketioAdapter *self,
                                    SocketioBroadcast *broadcast,
                                    const char *const *rooms)
{
  g_autoptr (GPtrArray) sockets = socketio_adapter_select (self, broadcast);

  for (guint i = 0; i < sockets->len; i++)
    for (gsize j = 0; rooms[j] != NULL; j++)
      socketio_socket_join (g_ptr_array_index (sockets, i), rooms[j]);
}

static void
socketio_adapter_real_sockets_leave (SocketioAdapter *self,
                                     SocketioBroadcast *broadcast,
                                     const char *const *rooms)
{
  g_autoptr (GPtrArray) sockets = socketio_adapter_select (self, broadcast);

  for (guint i = 0; i < sockets->len; i++)
    for (gsize j = 0; rooms[j] != NULL; j++)
      socketio_socket_leave (g_ptr_array_index (sockets, i), rooms[j]);
}

static void
socketio_adapter_real_disconnect_sockets (SocketioAdapter *self,
                                          SocketioBroadcast *broadcast,
                                          gboolean close_connection)
{
  g_autoptr (GPtrArray) sockets = socketio_adapter_select (self, broadcast);

  for (guint i = 0; i < sockets->len; i++)
    socketio_socket_disconnect (g_ptr_array_index (sockets, i), close_connection);
}

/**
 * socketio_adapter_join:
 * @self: an adapter
 * @socket: a socket of its namespace
 * @room: name of a room
 *
 * Puts a socket into a room.
 */
void
socketio_adapter_join (SocketioAdapter *self, SocketioSocket *socket, const char *room)
{
  g_return_if_fail (SOCKETIO_IS_ADAPTER (self));
  g_return_if_fail (socketio_adapter_is_own_thread (self));
  g_return_if_fail (SOCKETIO_IS_SOCKET (socket) && room != NULL);

  SOCKETIO_ADAPTER_GET_CLASS (self)->join (self, socket, room);
}

/**
 * socketio_adapter_leave:
 * @self: an adapter
 * @socket: a socket of its namespace
 * @room: name of a room
 *
 * Takes a socket out of a room.
 */
void
socketio_adapter_leave (SocketioAdapter *self, SocketioSocket *socket, const char *room)
{
  g_return_if_fail (SOCKETIO_IS_ADAPTER (self));
  g_return_if_fail (socketio_adapter_is_own_thread (self));
  g_return_if_fail (SOCKETIO_IS_SOCKET (socket) && room != NULL);

  SOCKETIO_ADAPTER_GET_CLASS (self)->leave (self, socket, room);
}

/**
 * socketio_adapter_broadcast:
 * @self: an adapter
 * @broadcast: to whom, and how
 * @event: the event's name
 * @args: (nullable): the arguments
 * @json_args: (nullable): or these, as JSON without brackets
 *
 * Sends an event to many.
 */
void
socketio_adapter_broadcast (SocketioAdapter *self,
                            SocketioBroadcast *broadcast,
                            const char *event,
                            SocketioArgs *args,
                            const char *json_args)
{
  g_return_if_fail (SOCKETIO_IS_ADAPTER (self));
  g_return_if_fail (socketio_adapter_is_own_thread (self));
  g_return_if_fail (SOCKETIO_IS_BROADCAST (broadcast) && event != NULL);

  SOCKETIO_ADAPTER_GET_CLASS (self)->broadcast (self, broadcast, event, args, json_args);
}

/**
 * socketio_adapter_sockets_join:
 * @self: an adapter
 * @broadcast: who
 * @rooms: (array zero-terminated=1): names of rooms
 *
 * Makes many join rooms.
 */
void
socketio_adapter_sockets_join (SocketioAdapter *self,
                               SocketioBroadcast *broadcast,
                               const char *const *rooms)
{
  g_return_if_fail (SOCKETIO_IS_ADAPTER (self));
  g_return_if_fail (socketio_adapter_is_own_thread (self));
  g_return_if_fail (SOCKETIO_IS_BROADCAST (broadcast) && rooms != NULL);

  SOCKETIO_ADAPTER_GET_CLASS (self)->sockets_join (self, broadcast, rooms);
}

/**
 * socketio_adapter_sockets_leave:
 * @self: an adapter
 * @broadcast: who
 * @rooms: (array zero-terminated=1): names of rooms
 *
 * Makes many leave rooms.
 */
void
socketio_adapter_sockets_leave (SocketioAdapter *self,
                                SocketioBroadcast *broadcast,
                                const char *const *rooms)
{
  g_return_if_fail (SOCKETIO_IS_ADAPTER (self));
  g_return_if_fail (socketio_adapter_is_own_thread (self));
  g_return_if_fail (SOCKETIO_IS_BROADCAST (broadcast) && rooms != NULL);

  SOCKETIO_ADAPTER_GET_CLASS (self)->sockets_leave (self, broadcast, rooms);
}

/**
 * socketio_adapter_disconnect_sockets:
 * @self: an adapter
 * @broadcast: who
 * @close_connection: whether to close their connections too
 *
 * Disconnects many.
 */
void
socketio_adapter_disconnect_sockets (SocketioAdapter *self,
                                     SocketioBroadcast *broadcast,
                                     gboolean close_connection)
{
  g_return_if_fail (SOCKETIO_IS_ADAPTER (self));
  g_return_if_fail (socketio_adapter_is_own_thread (self));
  g_return_if_fail (SOCKETIO_IS_BROADCAST (broadcast));

  SOCKETIO_ADAPTER_GET_CLASS (self)->disconnect_sockets (self, broadcast, close_connection);
}

static void
socketio_adapter_finalize (GObject *object)
{
  SocketioAdapter *self = SOCKETIO_ADAPTER (object);
  SocketioAdapterPrivate *priv = socketio_adapter_get_instance_private (self);

  g_hash_table_unref (priv->sockets);
  g_hash_table_unref (priv->rooms);

  G_OBJECT_CLASS (socketio_adapter_parent_class)->finalize (object);
}

static void
socketio_adapter_class_init (SocketioAdapterClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = socketio_adapter_finalize;
  klass->join = socketio_adapter_real_join;
  klass->leave = socketio_adapter_real_leave;
  klass->broadcast = socketio_adapter_real_broadcast;
  klass->sockets_join = socketio_adapter_real_sockets_join;
  klass->sockets_leave = socketio_adapter_real_sockets_leave;
  klass->disconnect_sockets = socketio_adapter_real_disconnect_sockets;
  klass->server_side_emit = socketio_adapter_real_server_side_emit;
  klass->server_side_emit_with_ack_async = socketio_adapter_real_server_side_emit_with_ack_async;
  klass->server_side_emit_with_ack_finish = socketio_adapter_real_server_side_emit_with_ack_finish;
}

static void
socketio_adapter_init (SocketioAdapter *self)
{
  SocketioAdapterPrivate *priv = socketio_adapter_get_instance_private (self);

  priv->sockets = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_object_unref);
  priv->rooms =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_hash_table_unref);
}

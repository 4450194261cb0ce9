/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rooms that a socket is in. */
#include "socketio-namespace-private.h"
#include "socketio-socket-struct-private.h"

/**
 * socketio_socket_dup_rooms:
 * @self: a socket
 *
 * Lists the rooms (`rooms`).
 *
 * Returns: (transfer full) (array zero-terminated=1): the names of the rooms that it is in
 *   (`rooms`), but for its own id, by which it can be addressed like a room
 */
char **
socketio_socket_dup_rooms (SocketioSocket *self)
{
  GStrvBuilder *builder;
  GHashTableIter iter;
  gpointer room;
  char **rooms;

  g_return_val_if_fail (SOCKETIO_IS_SOCKET (self), NULL);

  builder = g_strv_builder_new ();
  if (self->rooms != NULL)
    {
      g_hash_table_iter_init (&iter, self->rooms);
      while (g_hash_table_iter_next (&iter, &room, NULL))
        g_strv_builder_add (builder, room);
    }
  rooms = g_strv_builder_end (builder);
  g_strv_builder_unref (builder);
  return rooms;
}

/**
 * socketio_socket_join:
 * @self: a socket
 * @room: name of a room
 *
 * Puts the socket into a room, which is made by its first member and goes with its last.
 */
void
socketio_socket_join (SocketioSocket *self, const char *room)
{
  g_return_if_fail (SOCKETIO_IS_SOCKET (self));
  g_return_if_fail (socketio_namespace_is_own_thread (self->nsp));
  g_return_if_fail (room != NULL);

  if (self->connected)
    socketio_namespace_join (self->nsp, self, room);
}

/**
 * socketio_socket_join_rooms:
 * @self: a socket
 * @rooms: (array zero-terminated=1): names of rooms
 *
 * Puts the socket into several rooms (`join([…])`).
 */
void
socketio_socket_join_rooms (SocketioSocket *self, const char *const *rooms)
{
  g_return_if_fail (SOCKETIO_IS_SOCKET (self));
  g_return_if_fail (rooms != NULL);

  for (gsize i = 0; rooms[i] != NULL; i++)
    socketio_socket_join (self, rooms[i]);
}

/**
 * socketio_socket_leave:
 * @self: a socket
 * @room: name of a room
 *
 * Takes the socket out of a room; nothing happens if it is not in.
 */
void
socketio_socket_leave (SocketioSocket *self, const char *room)
{
  g_return_if_fail (SOCKETIO_IS_SOCKET (self));
  g_return_if_fail (socketio_namespace_is_own_thread (self->nsp));
  g_return_if_fail (room != NULL);

  socketio_namespace_leave (self->nsp, self, room);
}

/**
 * socketio_socket_is_in:
 * @self: a socket
 * @room: name of a room
 *
 * Says whether the socket is in a room.
 *
 * Returns: whether the socket is in the room
 */
gboolean
socketio_socket_is_in (SocketioSocket *self, const char *room)
{
  g_return_val_if_fail (SOCKETIO_IS_SOCKET (self), FALSE);
  g_return_val_if_fail (room != NULL, FALSE);

  return self->rooms != NULL && g_hash_table_contains (self->rooms, room);
}

GHashTable *
socketio_socket_peek_rooms (SocketioSocket *self)
{
  return self->rooms;
}

void
socketio_socket_set_rooms (SocketioSocket *self, GHashTable *rooms)
{
  self->rooms = rooms;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "socketio-broadcast.h"

#include "socketio-adapter.h"
#include "socketio-broadcast-private.h"
#include "socketio-namespace-private.h"

struct _SocketioBroadcast
{
  GObject parent_instance;

  SocketioNamespace *nsp; /* owned */
  GPtrArray *rooms;       /* of char; NULL: everybody */
  GPtrArray *except;      /* of char; NULL: nobody */
  SocketioEmitFlags flags;
};

G_DEFINE_FINAL_TYPE (SocketioBroadcast, socketio_broadcast, G_TYPE_OBJECT)

/* The data of a task that waits for many. */
typedef struct
{
  GPtrArray *answers; /* of SocketioArgs */
  guint n_waiting;
  GError *error; /* the first */
} Collection;

static void
collection_free (gpointer data)
{
  Collection *collection = data;

  g_ptr_array_unref (collection->answers);
  g_clear_error (&collection->error);
  g_free (collection);
}

SocketioBroadcast *
socketio_broadcast_new (SocketioNamespace *nsp)
{
  SocketioBroadcast *self = g_object_new (SOCKETIO_TYPE_BROADCAST, NULL);

  self->nsp = g_object_ref (nsp);
  return self;
}

static void
add_name (GPtrArray **names, const char *name)
{
  if (*names == NULL)
    *names = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (*names, g_strdup (name));
}

/**
 * socketio_broadcast_to:
 * @self: a broadcast
 * @room: name of a room, or id of a socket
 *
 * Selects the sockets of a room; of several rooms, those that are in any of them (`to`, `in`).
 *
 * Returns: (transfer none): @self, for the next call
 */
SocketioBroadcast *
socketio_broadcast_to (SocketioBroadcast *self, const char *room)
{
  g_return_val_if_fail (SOCKETIO_IS_BROADCAST (self), NULL);
  g_return_val_if_fail (room != NULL, NULL);

  add_name (&self->rooms, room);
  return self;
}

/**
 * socketio_broadcast_except:
 * @self: a broadcast
 * @room: name of a room, or id of a socket
 *
 * Leaves out the sockets of a room (`except`).
 *
 * Returns: (transfer none): @self, for the next call
 */
SocketioBroadcast *
socketio_broadcast_except (SocketioBroadcast *self, const char *room)
{
  g_return_val_if_fail (SOCKETIO_IS_BROADCAST (self), NULL);
  g_return_val_if_fail (room != NULL, NULL);

  add_name (&self->except, room);
  return self;
}

/**
 * socketio_broadcast_to_rooms:
 * @self: a broadcast
 * @rooms: (array zero-terminated=1): names of rooms, or ids of sockets
 *
 * Selects the sockets that are in any of these rooms (`to([…])`, `in([…])`). An empty list changes
 * nothing, as in JavaScript: without another room all sockets stay selected.
 *
 * Returns: (transfer none): @self, for the next call
 */
SocketioBroadcast *
socketio_broadcast_to_rooms (SocketioBroadcast *self, const char *const *rooms)
{
  g_return_val_if_fail (SOCKETIO_IS_BROADCAST (self), NULL);
  g_return_val_if_fail (rooms != NULL, NULL);

  for (gsize i = 0; rooms[i] != NULL; i++)
    add_name (&self->rooms, rooms[i]);
  return self;
}

/**
 * socketio_broadcast_except_rooms:
 * @self: a broadcast
 * @rooms: (array zero-terminated=1): names of rooms, or ids of sockets
 *
 * Leaves out the sockets that are in any of these rooms (`except([…])`).
 *
 * Returns: (transfer none): @self, for the next call
 */
SocketioBroadcast *
socketio_broadcast_except_rooms (SocketioBroadcast *self, const char *const *rooms)
{
  g_return_val_if_fail (SOCKETIO_IS_BROADCAST (self), NULL);
  g_return_val_if_fail (rooms != NULL, NULL);

  for (gsize i = 0; rooms[i] != NULL; i++)
    add_name (&self->except, rooms[i]);
  return self;
}

/**
 * socketio_broadcast_set_flags:
 * @self: a broadcast
 * @flags: how to send
 *
 * Sets how its events are sent (`volatile`, `local`, `compress`).
 *
 * Returns: (transfer none): @self, for the next call
 */
SocketioBroadcast *
socketio_broadcast_set_flags (SocketioBroadcast *self, SocketioEmitFlags flags)
{
  g_return_val_if_fail (SOCKETIO_IS_BROADCAST (self), NULL);

  self->flags = flags;
  return self;
}

/**
 * socketio_broadcast_get_flags:
 * @self: a broadcast
 *
 * Gets what [method@Broadcast.set_flags] has set.
 *
 * Returns: how its events are sent
 */
SocketioEmitFlags
socketio_broadcast_get_flags (SocketioBroadcast *self)
{
  g_return_val_if_fail (SOCKETIO_IS_BROADCAST (self), SOCKETIO_EMIT_DEFAULT);

  return self->flags;
}

static char **
dup_names (GPtrArray *names)
{
  GStrvBuilder *builder = g_strv_builder_new ();
  char **strv;

  for (guint i = 0; names != NULL && i < names->len; i++)
    g_strv_builder_add (builder, g_ptr_array_index (names, i));
  strv = g_strv_builder_end (builder);
  g_strv_builder_unref (builder);
  return strv;
}

/**
 * socketio_broadcast_dup_rooms:
 * @self: a broadcast
 *
 * For adapters.
 *
 * Returns: (transfer full) (nullable) (array zero-terminated=1): the names given to
 *   [method@Broadcast.to], or %NULL for all sockets of the namespace
 */
char **
socketio_broadcast_dup_rooms (SocketioBroadcast *self)
{
  g_return_val_if_fail (SOCKETIO_IS_BROADCAST (self), NULL);

  return self->rooms != NULL ? dup_names (self->rooms) : NULL;
}

/**
 * socketio_broadcast_dup_excluded:
 * @self: a broadcast
 *
 * For adapters.
 *
 * Returns: (transfer full) (array zero-terminated=1): the names given to [method@Broadcast.except];
 *   a socket that speaks to the others is among them by its id
 */
char **
socketio_broadcast_dup_excluded (SocketioBroadcast *self)
{
  g_return_val_if_fail (SOCKETIO_IS_BROADCAST (self), NULL);

  return dup_names (self->except);
}

GPtrArray *
socketio_broadcast_peek_rooms (SocketioBroadcast *self)
{
  return self->rooms;
}

GPtrArray *
socketio_broadcast_peek_except (SocketioBroadcast *self)
{
  return self->except;
}

/**
 * socketio_broadcast_emit:
 * @self: a broadcast
 * @event: the event's name
 * @args: (nullable): the arguments; only read, and not to be changed afterwards
 *
 * Sends an event to the selected sockets. It is encoded once.
 */
void
socketio_broadcast_emit (SocketioBroadcast *self, const char *event, SocketioArgs *args)
{
  g_return_if_fail (SOCKETIO_IS_BROADCAST (self));
  g_return_if_fail (event != NULL);

  socketio_adapter_broadcast (socketio_namespace_get_adapter (self->nsp), self, event, args, NULL);
}

/**
 * socketio_broadcast_emit_json:
 * @self: a broadcast
 * @event: the event's name
 * @json_args: (nullable): the arguments as JSON, separated by commas, without brackets; not checked
 *
 * Like [method@Broadcast.emit], without a tree.
 */
void
socketio_broadcast_emit_json (SocketioBroadcast *self, const char *event, const char *json_args)
{
  g_return_if_fail (SOCKETIO_IS_BROADCAST (self));
  g_return_if_fail (event != NULL);

  socketio_adapter_broadcast (socketio_namespace_get_adapter (self->nsp), self, event, NULL,
                              json_args);
}

static void
maybe_finish (GTask *task)
{
  Collection *collection = g_task_get_task_data (task);

  if (collection->n_waiting > 0)
    return;
  if (g_task_return_error_if_cancelled (task))
    return;
  if (collection->error != NULL)
    g_task_return_error (task, g_steal_pointer (&collection->error));
  else
    g_task_return_boolean (task, TRUE);
}

static void
answer_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Collection *collection = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;
  SocketioArgs *answer =
      socketio_socket_emit_with_ack_finish (SOCKETIO_SOCKET (source), result, &error);

  collection->n_waiting--;
  if (answer != NULL)
    g_ptr_array_add (collection->answers, answer);
  else if (collection->error == NULL)
    collection->error = g_steal_pointer (&error);
  maybe_finish (task);
}

/**
 * socketio_broadcast_emit_with_ack_async:
 * @self: a broadcast
 * @event: the event's name
 * @args: (nullable): the arguments; only read
 * @timeout_ms: how long to wait for each, in ms; 0 for as long as the sockets live
 * @cancellable: (nullable): stops the wait
 * @callback: (scope async): called with what was answered
 * @user_data: for @callback
 *
 * Sends an event to the selected sockets of this process, and waits for all their acknowledgements
 * (`timeout(ms).emitWithAck()`).
 */
void
socketio_broadcast_emit_with_ack_async (SocketioBroadcast *self,
                                        const char *event,
                                        SocketioArgs *args,
                                        guint timeout_ms,
                                        GCancellable *cancellable,
                                        GAsyncReadyCallback callback,
                                        gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  g_autoptr (GPtrArray) sockets = NULL;
  Collection *collection;

  g_return_if_fail (SOCKETIO_IS_BROADCAST (self));
  g_return_if_fail (event != NULL);

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, socketio_broadcast_emit_with_ack_async);
  collection = g_new0 (Collection, 1);
  collection->answers = g_ptr_array_new_with_free_func ((GDestroyNotify) socketio_args_unref);
  g_task_set_task_data (task, collection, collection_free);

  sockets = socketio_broadcast_fetch_sockets (self);
  collection->n_waiting = sockets->len;
  for (guint i = 0; i < sockets->len; i++)
    socketio_socket_emit_with_ack_async (g_ptr_array_index (sockets, i), event, args, timeout_ms,
                                         cancellable, answer_cb, g_object_ref (task));
  if (sockets->len == 0)
    maybe_finish (task);
}

/**
 * socketio_broadcast_emit_with_ack_finish:
 * @self: a broadcast
 * @result: what the callback was given
 * @answers: (out) (transfer full) (optional) (element-type SocketioArgs): what was answered, in the
 *   order in which it came; set with an error too
 * @error: return location for an error
 *
 * Ends [method@Broadcast.emit_with_ack_async].
 *
 * Returns: %TRUE if all answered; else %FALSE with the first error, as of
 *   [method@Socket.emit_with_ack_finish]
 */
gboolean
socketio_broadcast_emit_with_ack_finish (SocketioBroadcast *self,
                                         GAsyncResult *result,
                                         GPtrArray **answers,
                                         GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  if (answers != NULL)
    {
      Collection *collection = g_task_get_task_data (G_TASK (result));

      *answers = g_ptr_array_ref (collection->answers);
    }
  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * socketio_broadcast_fetch_sockets:
 * @self: a broadcast
 *
 * Gets the sockets that are selected now (`fetchSockets()`).
 *
 * Returns: (transfer full) (element-type SocketioSocket): the selected sockets of this process
 *   (`fetchSockets()`)
 */
GPtrArray *
socketio_broadcast_fetch_sockets (SocketioBroadcast *self)
{
  g_return_val_if_fail (SOCKETIO_IS_BROADCAST (self), NULL);

  return socketio_adapter_select (socketio_namespace_get_adapter (self->nsp), self);
}

/**
 * socketio_broadcast_sockets_join:
 * @self: a broadcast
 * @room: name of a room
 *
 * Makes the selected sockets join a room (`socketsJoin()`).
 */
void
socketio_broadcast_sockets_join (SocketioBroadcast *self, const char *room)
{
  g_return_if_fail (SOCKETIO_IS_BROADCAST (self));
  g_return_if_fail (room != NULL);

  socketio_broadcast_sockets_join_rooms (self, (const char *[]){ room, NULL });
}

/**
 * socketio_broadcast_sockets_join_rooms:
 * @self: a broadcast
 * @rooms: (array zero-terminated=1): names of rooms
 *
 * Makes the sockets that are selected now join several rooms (`socketsJoin([…])`).
 */
void
socketio_broadcast_sockets_join_rooms (SocketioBroadcast *self, const char *const *rooms)
{
  g_return_if_fail (SOCKETIO_IS_BROADCAST (self));
  g_return_if_fail (rooms != NULL);

  socketio_adapter_sockets_join (socketio_namespace_get_adapter (self->nsp), self, rooms);
}

/**
 * socketio_broadcast_sockets_leave:
 * @self: a broadcast
 * @room: name of a room
 *
 * Makes the selected sockets leave a room (`socketsLeave()`).
 */
void
socketio_broadcast_sockets_leave (SocketioBroadcast *self, const char *room)
{
  g_return_if_fail (SOCKETIO_IS_BROADCAST (self));
  g_return_if_fail (room != NULL);

  socketio_broadcast_sockets_leave_rooms (self, (const char *[]){ room, NULL });
}

/**
 * socketio_broadcast_sockets_leave_rooms:
 * @self: a broadcast
 * @rooms: (array zero-terminated=1): names of rooms
 *
 * Makes the sockets that are selected now leave several rooms (`socketsLeave([…])`).
 */
void
socketio_broadcast_sockets_leave_rooms (SocketioBroadcast *self, const char *const *rooms)
{
  g_return_if_fail (SOCKETIO_IS_BROADCAST (self));
  g_return_if_fail (rooms != NULL);

  socketio_adapter_sockets_leave (socketio_namespace_get_adapter (self->nsp), self, rooms);
}

/**
 * socketio_broadcast_disconnect_sockets:
 * @self: a broadcast
 * @close_connection: whether to close their connections, with all their namespaces
 *
 * Ends the selected sockets, as [method@Socket.disconnect] does (`disconnectSockets()`).
 */
void
socketio_broadcast_disconnect_sockets (SocketioBroadcast *self, gboolean close_connection)
{
  g_return_if_fail (SOCKETIO_IS_BROADCAST (self));

  socketio_adapter_disconnect_sockets (socketio_namespace_get_adapter (self->nsp), self,
                                       close_connection);
}

static void
socketio_broadcast_finalize (GObject *object)
{
  SocketioBroadcast *self = SOCKETIO_BROADCAST (object);

  g_clear_pointer (&self->rooms, g_ptr_array_unref);
  g_clear_pointer (&self->except, g_ptr_array_unref);
  g_object_unref (self->nsp);

  G_OBJECT_CLASS (socketio_broadcast_parent_class)->finalize (object);
}

static void
socketio_broadcast_class_init (SocketioBroadcastClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = socketio_broadcast_finalize;
}

static void
socketio_broadcast_init (SocketioBroadcast *self)
{
}

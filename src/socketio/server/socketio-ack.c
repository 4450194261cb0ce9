/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "socketio-ack.h"

#include "socketio-namespace-private.h"
#include "socketio-socket-private.h"

struct _SocketioAck
{
  grefcount ref_count;
  SocketioSocket *socket; /* owned until it is answered */
  gint64 id;
  SocketioAckFunc func; /* instead of a socket; NULL once it is answered */
  gpointer user_data;
  GDestroyNotify destroy;
};

G_DEFINE_BOXED_TYPE (SocketioAck, socketio_ack, socketio_ack_ref, socketio_ack_unref)

SocketioAck *
socketio_ack_new (SocketioSocket *socket, gint64 id)
{
  SocketioAck *self = g_new0 (SocketioAck, 1);

  g_ref_count_init (&self->ref_count);
  self->socket = g_object_ref (socket);
  self->id = id;
  return self;
}

/**
 * socketio_ack_new_for_func: (constructor)
 * @func: (scope notified): takes the answer
 * @user_data: for @func
 * @destroy: for @user_data; called too if there never is an answer
 *
 * For adapters: a wish that came from another server.
 *
 * Returns: (transfer full): an ack
 */
SocketioAck *
socketio_ack_new_for_func (SocketioAckFunc func, gpointer user_data, GDestroyNotify destroy)
{
  SocketioAck *self;

  g_return_val_if_fail (func != NULL, NULL);

  self = g_new0 (SocketioAck, 1);
  g_ref_count_init (&self->ref_count);
  self->func = func;
  self->user_data = user_data;
  self->destroy = destroy;
  return self;
}

/**
 * socketio_ack_ref:
 * @self: an ack
 *
 * Takes a reference.
 *
 * Returns: (transfer full): @self
 */
SocketioAck *
socketio_ack_ref (SocketioAck *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_ref_count_inc (&self->ref_count);
  return self;
}

/**
 * socketio_ack_unref:
 * @self: (transfer full): an ack
 *
 * Drops a reference. A wish that nobody has answered then stays without an answer.
 */
void
socketio_ack_unref (SocketioAck *self)
{
  g_return_if_fail (self != NULL);

  if (!g_ref_count_dec (&self->ref_count))
    return;
  g_clear_object (&self->socket);
  if (self->destroy != NULL)
    self->destroy (self->user_data);
  g_free (self);
}

/**
 * socketio_ack_send:
 * @self: an ack
 * @args: (nullable): the arguments; only read, and not to be changed afterwards
 *
 * Answers the event that the client wants acknowledged (Socket.IO protocol, "Acknowledgement").
 *
 * Returns: %TRUE if the answer is on its way; %FALSE if there was one before, or the socket is gone
 */
gboolean
socketio_ack_send (SocketioAck *self, SocketioArgs *args)
{
  g_autoptr (SocketioSocket) socket = NULL;

  g_return_val_if_fail (self != NULL, FALSE);
  g_return_val_if_fail (
      self->socket == NULL
          || socketio_namespace_is_own_thread (socketio_socket_get_namespace (self->socket)),
      FALSE);

  if (self->func != NULL)
    {
      SocketioAckFunc func = g_steal_pointer (&self->func);

      func (args, self->user_data);
      return TRUE;
    }

  socket = g_steal_pointer (&self->socket);
  return socket != NULL && socketio_socket_send_ack (socket, self->id, args);
}

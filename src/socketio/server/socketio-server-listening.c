/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "socketio-server-struct-private.h"

#include "socketio-error.h"
#include "socketio-peer.h"

/* Where a server is reached: its addresses, who comes there, and the end of it. */

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
  g_return_if_fail (self->thread == g_thread_self ());
  g_return_if_fail (SOUP_IS_SERVER (soup_server));

  engineio_server_serve (self->engine, soup_server, self->options.path, FALSE);
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

  return socketio_front_get_soup_server (self->front);
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
  g_return_if_fail (!socketio_front_is_made (self->front));

  socketio_front_set_realtime (self->front, realtime);
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
  g_return_val_if_fail (self->thread == g_thread_self (), NULL);
  g_return_val_if_fail (G_IS_SOCKET_ADDRESS (address), NULL);

  return socketio_front_listen (self->front, address, error);
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
  g_return_val_if_fail (self->thread == g_thread_self (), FALSE);
  g_return_val_if_fail (fd >= 0, FALSE);

  return socketio_front_listen_fd (self->front, fd, error);
}

/**
 * socketio_server_get_peer_uid:
 * @message: a request
 *
 * Finds out which user has sent a request.
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
 * Finds out which way a request came.
 *
 * Returns: whether it came through a UNIX socket of ours
 */
gboolean
socketio_server_is_unix_peer (SoupServerMessage *message)
{
  SocketioPeer *peer = socketio_peer_from_message (message);

  return peer != NULL && peer->is_unix;
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
  g_return_if_fail (self->thread == g_thread_self ());

  task = g_task_new (self, NULL, callback, user_data);
  g_task_set_source_tag (task, socketio_server_close_async);
  if (socketio_closing_is_running (self->closing))
    {
      g_task_return_new_error (task, SOCKETIO_ERROR, SOCKETIO_ERROR_CLOSING,
                               "The server is being closed already");
      return;
    }

  socketio_closing_start (self->closing, timeout_ms, g_steal_pointer (&task));
}

/**
 * socketio_server_close_finish:
 * @self: a server
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Ends [method@Server.close_async].
 *
 * Returns: %TRUE; or %FALSE with %SOCKETIO_ERROR_CLOSING if it was being closed already
 */
gboolean
socketio_server_close_finish (SocketioServer *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a socket keeps to be found again after it lost its connection. */
#include <string.h>

#include "socketio-namespace-private.h"
#include "socketio-recovery-private.h"
#include "socketio-socket-struct-private.h"

/**
 * socketio_socket_is_recovered:
 * @self: a socket
 *
 * Says whether the client was here before.
 *
 * Returns: whether the client came back to what it was before it lost its connection: the socket
 *   has the id, the rooms and the data that it had, and nothing that was sent is missing
 *   (`recovered`)
 */
gboolean
socketio_socket_is_recovered (SocketioSocket *self)
{
  g_return_val_if_fail (SOCKETIO_IS_SOCKET (self), FALSE);

  return self->recovered;
}

/**
 * socketio_socket_get_recovered_offset:
 * @self: a socket
 *
 * Gets what the client has seen before it was away.
 *
 * Returns: the offset of the newest event that the client had before it was recovered; 0 if it had
 *   none, or was not recovered
 */
guint64
socketio_socket_get_recovered_offset (SocketioSocket *self)
{
  g_return_val_if_fail (SOCKETIO_IS_SOCKET (self), 0);

  return self->claimed_offset;
}

/**
 * socketio_socket_get_recoverable:
 * @self: a socket
 *
 * Says whether the client may come back to what it was.
 *
 * Returns: whether the client may come back to what it was, if it loses its connection or has
 *   just lost it
 */
gboolean
socketio_socket_get_recoverable (SocketioSocket *self)
{
  g_return_val_if_fail (SOCKETIO_IS_SOCKET (self), FALSE);

  return socketio_socket_is_tracked (self);
}

/**
 * socketio_socket_set_recoverable:
 * @self: a socket
 * @recoverable: whether the client may come back to what it was; only %FALSE for one that is
 *   connected
 *
 * Takes a client out of connection state recovery, which is otherwise a matter of
 * [property@Server:recovery-window] alone. Its events then carry no offset, as an additional last
 * argument, which clients hand on to the handlers of the event.
 */
void
socketio_socket_set_recoverable (SocketioSocket *self, gboolean recoverable)
{
  g_return_if_fail (SOCKETIO_IS_SOCKET (self));
  g_return_if_fail (!recoverable || !self->connected);

  if (recoverable == socketio_socket_is_tracked (self)
      || socketio_namespace_get_recovery (self->nsp) == NULL
      || socketio_client_get_protocol (self->client) != 4)
    return;
  if (!self->connected)
    socketio_socket_renew (self);
  if (!recoverable)
    {
      self->secret[0] = '\0';
      g_clear_pointer (&self->log, socketio_log_free);
    }
}

gboolean
socketio_socket_is_tracked (SocketioSocket *self)
{
  return self->secret[0] != '\0' && socketio_namespace_get_recovery (self->nsp) != NULL;
}

const char *
socketio_socket_get_secret (SocketioSocket *self)
{
  return self->secret;
}

void
socketio_socket_renew_secret (SocketioSocket *self)
{
  socketio_id_generate (self->secret);
}

void
socketio_socket_renew (SocketioSocket *self)
{
  socketio_id_generate (self->id);
  socketio_id_generate (self->secret);
  self->recovered = FALSE;
  self->claimed_offset = 0;
  g_clear_pointer (&self->data, json_object_unref);
}

void
socketio_socket_assume (SocketioSocket *self,
                        const char *id,
                        const char *secret,
                        JsonObject *data,
                        guint64 offset)
{
  memcpy (self->id, id, SOCKETIO_ID_LENGTH);
  memcpy (self->secret, secret, SOCKETIO_ID_LENGTH);
  self->data = data != NULL ? json_object_ref (data) : NULL;
  self->claimed_offset = offset;
  self->recovered = TRUE;
}

JsonObject *
socketio_socket_peek_data (SocketioSocket *self)
{
  return self->data;
}

SocketioLog *
socketio_socket_peek_log (SocketioSocket *self)
{
  return self->log;
}

SocketioLog *
socketio_socket_steal_log (SocketioSocket *self)
{
  return g_steal_pointer (&self->log);
}

void
socketio_socket_set_log (SocketioSocket *self, SocketioLog *log)
{
  g_clear_pointer (&self->log, socketio_log_free);
  self->log = log;
}

void
socketio_socket_abort (SocketioSocket *self, const char *reason)
{
  socketio_client_abort (self->client, reason);
}

/* The answer to a ping says that all that was sent before it has arrived. */
void
socketio_socket_handle_heartbeat (SocketioSocket *self, gboolean answered)
{
  if (self->log == NULL)
    return;
  if (answered)
    socketio_log_trim (self->log, self->ping_offset);
  else
    self->ping_offset = socketio_log_get_last (self->log);
}

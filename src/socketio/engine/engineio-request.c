/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engineio-request.h"

#include <string.h>

#include "engineio-http.h"
#include "engineio-server-private.h"
#include "socketio-handshake-private.h"
#include "socketio-peer.h"

static const char *
lookup (GHashTable *query, const char *name)
{
  return query != NULL ? g_hash_table_lookup (query, name) : NULL;
}

static gboolean
is_upgrade (SoupServerMessage *message)
{
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (message);

  return soup_server_message_get_method (message) == SOUP_METHOD_GET
         && soup_message_headers_header_contains (headers, "Upgrade", "websocket")
         && soup_message_headers_header_contains (headers, "Connection", "upgrade");
}

/* A session id is as good as its owner; but one that was handed out over the UNIX socket, whose
 * peer the kernel vouches for, is of use only there and to the same user, and the other way round.
 */
static EngineioSession *
find_session (EngineioServer *server, SoupServerMessage *message, const char *sid)
{
  EngineioSession *session = g_hash_table_lookup (server->sessions, sid);
  SocketioPeer *peer = socketio_peer_from_message (message);
  gint64 uid = peer != NULL ? peer->uid : -1;

  if (session == NULL
      || socketio_handshake_get_peer_uid (engineio_session_get_handshake (session)) != uid)
    return NULL;
  return session;
}

void
engineio_request_read (EngineioRequest *self,
                       EngineioServer *server,
                       SoupServerMessage *message,
                       GHashTable *query)
{
  const char *version = lookup (query, "EIO");

  self->transport = lookup (query, "transport");
  self->sid = lookup (query, "sid");
  self->protocol = g_strcmp0 (version, "4") == 0 ? 4 : g_strcmp0 (version, "3") == 0 ? 3 : 0;
  self->b64 = lookup (query, "b64") != NULL;
  self->upgrade = is_upgrade (message);
  if (self->sid != NULL)
    self->session = find_session (server, message, self->sid);
}

/* Engine.IO's checks in its reference server's order. */
gboolean
engineio_request_verify (const EngineioRequest *self,
                         EngineioServer *server,
                         SoupServerMessage *message)
{
  gboolean websocket = g_strcmp0 (self->transport, "websocket") == 0;
  EngineioHttpError error;

  if (!(websocket && server->options.websocket)
      && !(server->options.polling && g_strcmp0 (self->transport, "polling") == 0))
    error = ENGINEIO_HTTP_ERROR_UNKNOWN_TRANSPORT;
  else if (self->sid != NULL && self->session == NULL)
    error = ENGINEIO_HTTP_ERROR_UNKNOWN_SID;
  else if (self->session != NULL && !self->upgrade
           && strcmp (engineio_transport_get_name (engineio_session_get_transport (self->session)),
                      self->transport)
                  != 0)
    error = ENGINEIO_HTTP_ERROR_BAD_REQUEST;
  else if (websocket != self->upgrade)
    error = ENGINEIO_HTTP_ERROR_BAD_REQUEST;
  else if (self->sid == NULL && soup_server_message_get_method (message) != SOUP_METHOD_GET)
    error = ENGINEIO_HTTP_ERROR_BAD_HANDSHAKE_METHOD;
  else if (self->sid == NULL && self->protocol != 4
           && !(self->protocol == 3 && server->options.allow_eio3))
    error = ENGINEIO_HTTP_ERROR_UNSUPPORTED_PROTOCOL_VERSION;
  else
    return TRUE;

  engineio_http_error (message, error, server->counters);
  return FALSE;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-requester.h"

#include <string.h>

#include "confab-limits.h"
#include "socketio-server.h"

static gboolean
is_proxied (SoupMessageHeaders *headers)
{
  SoupMessageHeadersIter iter;
  const char *name, *value;

  soup_message_headers_iter_init (&iter, headers);
  while (soup_message_headers_iter_next (&iter, &name, &value))
    if (g_ascii_strcasecmp (name, "Forwarded") == 0
        || g_ascii_strncasecmp (name, "X-Forwarded-", strlen ("X-Forwarded-")) == 0)
      return TRUE;

  return FALSE;
}

/**
 * confab_requester_from_message:
 * @message: a request whose headers have been read
 *
 * Returns: what it tells about its sender; repeated headers are joined, and so match nothing
 */
ConfabRequester
confab_requester_from_message (SoupServerMessage *message)
{
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (message);

  return (ConfabRequester){
    .host = soup_message_headers_get_list (headers, "Host"),
    .origin = soup_message_headers_get_list (headers, "Origin"),
    .fetch_site = soup_message_headers_get_list (headers, "Sec-Fetch-Site"),
    .authorization = soup_message_headers_get_list (headers, "Authorization"),
    .cookie = soup_message_headers_get_list (headers, "Cookie"),
    .unix_peer = socketio_server_is_unix_peer (message),
    .peer_uid = socketio_server_get_peer_uid (message),
    .proxied = is_proxied (headers),
  };
}

/**
 * confab_requester_from_handshake:
 * @handshake: a handshake of Socket.IO that has passed a guard
 *
 * Returns: what it tells about its sender
 */
ConfabRequester
confab_requester_from_handshake (SocketioHandshake *handshake)
{
  const char *address = socketio_handshake_get_address (handshake);

  /* the guard makes sure that "Forwarded" stands for every header of its kind */
  return (ConfabRequester){
    .host = socketio_handshake_get_header (handshake, "Host"),
    .origin = socketio_handshake_get_header (handshake, "Origin"),
    .fetch_site = socketio_handshake_get_header (handshake, "Sec-Fetch-Site"),
    .authorization = socketio_handshake_get_header (handshake, "Authorization"),
    .cookie = socketio_handshake_get_header (handshake, "Cookie"),
    .unix_peer = address[0] == '\0',
    .peer_uid = socketio_handshake_get_peer_uid (handshake),
    .proxied = socketio_handshake_get_header (handshake, "Forwarded") != NULL,
  };
}

/**
 * confab_requester_name_message:
 * @message: a request whose headers have been read
 *
 * Returns: (transfer full): the name of its address for #ConfabLimits
 */
char *
confab_requester_name_message (SoupServerMessage *message)
{
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (message);
  const char *peer =
      socketio_server_is_unix_peer (message) ? "" : soup_server_message_get_remote_host (message);

  return confab_limits_name_address (peer,
                                     soup_message_headers_get_list (headers, "X-Forwarded-For"),
                                     soup_message_headers_get_list (headers, "Forwarded"));
}

/**
 * confab_requester_name_handshake:
 * @handshake: a handshake of Socket.IO that has passed a guard
 *
 * Returns: (transfer full): the name of its address for #ConfabLimits
 */
char *
confab_requester_name_handshake (SocketioHandshake *handshake)
{
  return confab_limits_name_address (socketio_handshake_get_address (handshake), NULL,
                                     socketio_handshake_get_header (handshake, "Forwarded"));
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <libsoup/soup.h>

#include "socketio-handshake.h"

G_BEGIN_DECLS

/* ConfabRequester: what a request tells about its sender; strings belong to the request, NULL where
 * not sent. */
typedef struct
{
  const char *host;
  const char *origin;
  const char *fetch_site;    /* Sec-Fetch-Site */
  const char *authorization; /* Authorization */
  const char *cookie;        /* Cookie */
  gboolean unix_peer;
  gint64 peer_uid;  /* of a UNIX peer, else -1 */
  gboolean proxied; /* whether there is a Forwarded or X-Forwarded-* header */
} ConfabRequester;

/* Valid as long as what they are read from. */
ConfabRequester confab_requester_from_message (SoupServerMessage *message);
ConfabRequester confab_requester_from_handshake (SocketioHandshake *handshake);

/* Whose the request is for ConfabLimits. */
char *confab_requester_name_message (SoupServerMessage *message);
char *confab_requester_name_handshake (SocketioHandshake *handshake);

G_END_DECLS

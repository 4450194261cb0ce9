/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "socketio-client-private.h"
#include "socketio-decoder.h"
#include "socketio-namespace-private.h"

G_BEGIN_DECLS

/* For the files that make up SocketioClient: the connection, and how it comes into namespaces. */

struct _SocketioClient
{
  grefcount ref_count;
  SocketioServer *server;   /* not owned; NULL once closed */
  EngineioSession *session; /* owned; NULL once closed */
  SocketioHandshake *handshake;
  GPtrArray *sockets; /* of SocketioSocket, one a namespace; NULL while there is none */
  GPtrArray *joining; /* of SocketioSocket: those that middleware decides on; likewise */
  GPtrArray *looking; /* of Looking of socketio-client-joining.c, not owned: namespaces that may be
                         made; likewise */
  SocketioDecoder decoder;
  SocketioTimer connect_timer; /* while there is no socket */
  guint protocol;              /* of Engine.IO */
  /* namespaces that are decided on; who gives one up does not make the application's work less */
  guint n_undecided;
};

/* Returns: (transfer none) (nullable): the one of @sockets (nullable) that is in @nsp */
SocketioSocket *socketio_client_find_among (GPtrArray *sockets, const char *nsp);
/* It is in its namespace. */
void socketio_client_add_socket (SocketioClient *self, SocketioSocket *socket);

/* socketio-client-joining.c */
/* @auth: (nullable): the payload of CONNECT. The client is in or refused now, or later. */
void socketio_client_join (SocketioClient *self, const char *name, JsonNode *auth);
/* Whether it is not yet known. */
gboolean socketio_client_is_joining (SocketioClient *self, const char *name);
/* FALSE if it was not joining. */
gboolean socketio_client_give_up (SocketioClient *self, const char *name);

G_END_DECLS

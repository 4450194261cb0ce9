/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "socketio-ack-waits-private.h"
#include "socketio-socket-private.h"

G_BEGIN_DECLS

/* For the files that make up SocketioSocket: its state, its rooms, what comes in, what goes out,
 * and recovery. */
typedef struct _SocketioFilter SocketioFilter;

struct _SocketioSocket
{
  GObject parent_instance;

  SocketioNamespace *nsp; /* owned */
  SocketioClient *client; /* owned */
  /* The auth payload as JSON text; NULL if there was none. Its tree, many times as large, is made
   * when somebody asks, and kept until settled or to the end. */
  char *auth_text;
  JsonNode *auth;
  JsonObject *data;          /* NULL until somebody asks for it */
  GHashTable *rooms;         /* names; NULL if it is in none */
  SocketioAckWaits *waiting; /* NULL if nothing ever waited */
  SocketioFilter *filter;    /* nullable */
  gint64 next_ack;

  SocketioLog *log;       /* what may have to be sent again; NULL: nothing */
  guint64 ping_offset;    /* the newest event that was sent before the last ping */
  guint64 claimed_offset; /* the newest event that a client which comes back has seen */

  guint connected : 1;
  guint ending : 1; /* `disconnecting` is being told */
  guint recovered : 1;
  char id[SOCKETIO_ID_LENGTH + 1];
  /* Proves to be the same client when it comes back; empty: it cannot. */
  char secret[SOCKETIO_ID_LENGTH + 1];
};

enum
{
  SOCKETIO_SOCKET_SIGNAL_EVENT,
  SOCKETIO_SOCKET_SIGNAL_OUTGOING,
  SOCKETIO_SOCKET_SIGNAL_REFUSED,
  SOCKETIO_SOCKET_SIGNAL_DISCONNECTING,
  SOCKETIO_SOCKET_SIGNAL_DISCONNECTED,
  SOCKETIO_SOCKET_SIGNAL_DRAINED,
  SOCKETIO_SOCKET_N_SIGNALS,
};

extern guint socketio_socket_signals[SOCKETIO_SOCKET_N_SIGNALS];

void socketio_filter_unref (SocketioFilter *self);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "socketio-counters-private.h"
#include "socketio-broadcast-private.h"
#include "socketio-log-private.h"
#include "socketio-reactor.h"
#include "socketio-socket-private.h"

G_BEGIN_DECLS

/* @window: how long a client may be away, in ms; 0: no recovery
 * @max_packets, @max_bytes: what is kept for one client
 * @skip_middleware: clients that are recovered need not pass it again */
typedef struct
{
  guint window;
  guint max_packets;
  gsize max_bytes;
  gboolean skip_middleware;
} SocketioRecoveryOptions;

/*
 * SocketioRecovery: connection state recovery of one namespace. It numbers the events that go out,
 * and keeps what clients leave behind that lost their connection, for the time of the window.
 *
 * What a client shows to get its state back, `pid`, is its socket id and a secret: the id finds the
 * state, whether the client is away or its old connection only seems to live; the secret proves
 * whose it is.
 */
typedef struct _SocketioRecovery SocketioRecovery;

/* @options: outlive it. @counters: likewise */
SocketioRecovery *socketio_recovery_new (SocketioNamespace *nsp,
                                         SocketioReactor *reactor,
                                         const SocketioRecoveryOptions *options,
                                         SocketioCounters *counters);
void socketio_recovery_free (SocketioRecovery *self);

/* Returns: (transfer none): as given */
const SocketioRecoveryOptions *socketio_recovery_get_options (SocketioRecovery *self);
/* A number for the next event. */
guint64 socketio_recovery_next_offset (SocketioRecovery *self);

/* Makes @socket, which is new, the one that @auth asks for where that can be had, and gives it a
 * secret of its own otherwise. Nothing changes yet for the one that was there. */
void socketio_recovery_identify (SocketioRecovery *self, SocketioSocket *socket, JsonNode *auth);
/* @socket is let in. What it was is taken over now, or is no longer to be had: then it becomes an
 * ordinary new socket.
 * Returns: (transfer full) (nullable) (element-type EngineioPacket): what it missed, if it is
 *   recovered */
GArray *socketio_recovery_take_over (SocketioRecovery *self, SocketioSocket *socket);
/* @socket lost its connection: what it leaves is kept. */
void socketio_recovery_keep (SocketioRecovery *self, SocketioSocket *socket);

/* Whether anybody is away, and has to be remembered in broadcasts. */
gboolean socketio_recovery_is_needed (SocketioRecovery *self);
/* Adds an event for those away whom @broadcast selects. */
void socketio_recovery_record (SocketioRecovery *self,
                               SocketioBroadcast *broadcast,
                               guint64 offset,
                               GArray *packets);

G_END_DECLS

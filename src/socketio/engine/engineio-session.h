/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "engineio-packet.h"
#include "engineio-transport.h"
#include "socketio-counters-private.h"
#include "socketio-handshake.h"

G_BEGIN_DECLS

typedef struct _EngineioServer EngineioServer;

/* Bytes of a session id in text, without the NUL. */
#define ENGINEIO_SID_LENGTH 20

/*
 * EngineioSessionFuncs: what the layer above hears of a session. Called in the reactor's context.
 * @message: a MESSAGE packet; a text one still starts with its type digit
 * @drained: what waits has come down to the low mark; after engineio_session_notify_drained()
 * @heartbeat: (nullable): a ping is about to be sent, or was @answered; not of protocol 3
 * @closed: nothing more comes; called exactly once
 */
typedef struct
{
  void (*message) (EngineioSession *session, const EngineioPacket *packet, gpointer user_data);
  void (*drained) (EngineioSession *session, gpointer user_data);
  void (*heartbeat) (EngineioSession *session, gboolean answered, gpointer user_data);
  void (*closed) (EngineioSession *session, const char *reason, gpointer user_data);
} EngineioSessionFuncs;

/*
 * EngineioSession: one Engine.IO connection over whatever transport it has at the moment. The
 * server holds it from the handshake until the last transport is through.
 */
EngineioSession *engineio_session_new (EngineioServer *server,
                                       SocketioHandshake *handshake,
                                       guint protocol,
                                       EngineioTransport *transport);
EngineioSession *engineio_session_ref (EngineioSession *self);
void engineio_session_unref (EngineioSession *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EngineioSession, engineio_session_unref)

/* Sends the OPEN packet and starts the heartbeat. */
void engineio_session_open (EngineioSession *self);

void engineio_session_set_funcs (EngineioSession *self,
                                 const EngineioSessionFuncs *funcs,
                                 gpointer user_data);

/* Returns: (transfer none): the same for its life */
const char *engineio_session_get_sid (EngineioSession *self);
/* 3 or 4 */
guint engineio_session_get_protocol (EngineioSession *self);
/* Returns: (transfer none): the request with which it began */
SocketioHandshake *engineio_session_get_handshake (EngineioSession *self);
/* Returns: (transfer none) (nullable): what carries it now; NULL once it is closed */
EngineioTransport *engineio_session_get_transport (EngineioSession *self);
/* Returns: (transfer none): the server's, a g_rc_box */
SocketioCounters *engineio_session_get_counters (EngineioSession *self);

/* Sends MESSAGE packets, in order. FALSE if it is not open, or if more than the server's max_queued
 * bytes (twice as many where it refuses) were waiting before: then the session is closed, because
 * its peer does not read. */
gboolean
engineio_session_send (EngineioSession *self, const EngineioPacket *packets, guint n_packets);
/* Whether events are to be refused, as so much waits already. */
gboolean engineio_session_refuses (EngineioSession *self);
/* Whether no more than the high mark waits. */
gboolean engineio_session_is_ready (EngineioSession *self);
/* Bytes sent, and not yet handed to the kernel. */
gsize engineio_session_get_queued (EngineioSession *self);
/* Asks for one call of drained. */
void engineio_session_notify_drained (EngineioSession *self);

/* Closes after what was sent; bounded in time. @reason: static */
void engineio_session_close (EngineioSession *self, const char *reason);
/* The same for what the layer above could not read: a parse error, whatever @reason is. */
void engineio_session_close_unread (EngineioSession *self, const char *reason);
/* The same when the server goes: a client between two polls is not waited for, unless there is
 * something for it. */
void engineio_session_close_hastily (EngineioSession *self, const char *reason);
/* Whether there is something for a client that has to ask for it with another request. */
gboolean engineio_session_awaits_poll (EngineioSession *self);
/* Closes at once. */
void engineio_session_abort (EngineioSession *self, const char *reason);

/* Takes a WebSocket on which the client may upgrade; FALSE if the session does not want one. */
gboolean engineio_session_offer_upgrade (EngineioSession *self, EngineioTransport *candidate);

/* For transports */
void engineio_session_handle_packet (EngineioSession *self,
                                     EngineioTransport *transport,
                                     const EngineioPacket *packet);
/* The transport has room again, or a poll came. */
void engineio_session_handle_progress (EngineioSession *self, EngineioTransport *transport);
void engineio_session_handle_lost (EngineioSession *self,
                                   EngineioTransport *transport,
                                   const char *reason);

G_END_DECLS

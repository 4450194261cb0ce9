/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "engineio-server.h"
#include "engineio-session.h"

G_BEGIN_DECLS

/* What the parts of a session share: its heartbeat, its upgrade, and all else. */

typedef enum
{
  SESSION_OPENING, /* being made: nothing was sent yet */
  SESSION_OPEN,
  SESSION_CLOSING, /* the layer above knows; what was sent is still on its way */
  SESSION_CLOSED,
} SessionState;

struct _EngineioSession
{
  grefcount ref_count;
  EngineioServer *server;            /* not owned; NULL once closed */
  SocketioReactor *reactor;          /* the server's */
  SocketioCounters *counters;        /* the server's, a reference */
  SocketioHandshake *handshake;      /* owned */
  EngineioTransport *transport;      /* owned; NULL once closed */
  EngineioTransport *candidate;      /* owned: a WebSocket that may take over; nullable */
  const EngineioSessionFuncs *funcs; /* NULL once told that it is closed */
  gpointer user_data;

  GArray *queue; /* of EngineioPacket, not yet taken by the transport; NULL when empty */
  gsize queued;  /* bytes in it */
  gsize cost;    /* the same, small packets counted as what they take */

  SocketioTimer heartbeat_timer;
  SocketioTimer upgrade_timer; /* while there is a candidate */
  SocketioTimer close_timer;

  SessionState state;
  guint8 protocol;
  guint8 awaits_pong : 1;
  guint8 probed : 1; /* the candidate's probe was answered: polls are to end */
  guint8 flush_pending : 1;
  guint8 peer_closed : 1; /* by a CLOSE packet */
  guint8 hasty : 1;       /* closing: not to wait for a poll just to say goodbye in its answer */
  guint8 wants_drained : 1;
  guint8 unread : 1; /* closing: over a message that made no sense */
  char sid[ENGINEIO_SID_LENGTH + 1];
};

/* Ends it because of what the peer did: @orderly lets the transport say goodbye. */
void engineio_session_fail (EngineioSession *self, const char *reason, gboolean orderly);
void engineio_session_release_transport (EngineioTransport **place);
/* Closes the transport if the session is closing and all is out. */
void engineio_session_advance_close (EngineioSession *self);

/* engineio-session-sending.c: what is on its way out, and what waits for that */
void engineio_session_send_packets (EngineioSession *self,
                                    const EngineioPacket *packets,
                                    guint n_packets);
/* Gives packets to a transport, as many as it takes. Returns: how many, of @size bytes */
guint engineio_session_hand_over (EngineioSession *self,
                                  EngineioTransport *transport,
                                  const EngineioPacket *packets,
                                  guint n_packets,
                                  gsize *size);
void engineio_session_flush_now (EngineioSession *self);
/* Answers a poll that waits, so that the client can stop polling; a poll that comes later is
 * answered when it comes. */
void engineio_session_end_poll (EngineioSession *self);
void engineio_session_drop_queue (EngineioSession *self);
/* If somebody wants to be told of it, and little enough is left. */
void engineio_session_maybe_tell_drained (EngineioSession *self);

/* engineio-session-heartbeat.c */
void engineio_session_start_heartbeat (EngineioSession *self);
void engineio_session_handle_ping (EngineioSession *self, const EngineioPacket *packet);
void engineio_session_handle_pong (EngineioSession *self);

/* engineio-session-upgrade.c; the first does nothing if there is none */
void engineio_session_drop_candidate (EngineioSession *self);
void engineio_session_handle_candidate_packet (EngineioSession *self, const EngineioPacket *packet);

G_END_DECLS

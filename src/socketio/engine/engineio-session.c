/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engineio-session-private.h"

#include <string.h>

#include "socketio-id.h"

/* A closing session whose peer does not take the rest is aborted after this. */
#define CLOSE_TIMEOUT_MS 30000
/* How long a session that its client closed waits for a poll that may be on its way. */
#define LAST_POLL_TIMEOUT_MS 1000

G_STATIC_ASSERT (ENGINEIO_SID_LENGTH == SOCKETIO_ID_LENGTH);

EngineioSession *
engineio_session_new (EngineioServer *server,
                      SocketioHandshake *handshake,
                      guint protocol,
                      EngineioTransport *transport)
{
  EngineioSession *self = g_new0 (EngineioSession, 1);

  g_ref_count_init (&self->ref_count);
  self->server = server;
  self->reactor = engineio_server_get_reactor (server);
  self->counters = g_rc_box_acquire (engineio_server_get_counters (server));
  self->handshake = socketio_handshake_ref (handshake);
  self->protocol = protocol;
  self->transport = g_object_ref (transport);
  socketio_id_generate (self->sid);
  engineio_transport_attach (transport, self);
  return self;
}

EngineioSession *
engineio_session_ref (EngineioSession *self)
{
  g_ref_count_inc (&self->ref_count);
  return self;
}

void
engineio_session_unref (EngineioSession *self)
{
  if (!g_ref_count_dec (&self->ref_count))
    return;

  g_assert (self->transport == NULL && self->candidate == NULL);
  g_clear_pointer (&self->queue, g_array_unref);
  socketio_handshake_unref (self->handshake);
  g_rc_box_release (self->counters);
  g_free (self);
}

void
engineio_session_set_funcs (EngineioSession *self,
                            const EngineioSessionFuncs *funcs,
                            gpointer user_data)
{
  self->funcs = funcs;
  self->user_data = user_data;
}

const char *
engineio_session_get_sid (EngineioSession *self)
{
  return self->sid;
}

guint
engineio_session_get_protocol (EngineioSession *self)
{
  return self->protocol;
}

SocketioHandshake *
engineio_session_get_handshake (EngineioSession *self)
{
  return self->handshake;
}

EngineioTransport *
engineio_session_get_transport (EngineioSession *self)
{
  return self->transport;
}

SocketioCounters *
engineio_session_get_counters (EngineioSession *self)
{
  return self->counters;
}

static void
count_end (EngineioSession *self, const char *reason)
{
  static const struct
  {
    const char *reason;
    SocketioCounter counter;
  } ends[] = {
    { "transport close", SOCKETIO_COUNTER_ENDS_TRANSPORT_CLOSE },
    { "transport error", SOCKETIO_COUNTER_ENDS_TRANSPORT_ERROR },
    { "ping timeout", SOCKETIO_COUNTER_ENDS_PING_TIMEOUT },
    { "parse error", SOCKETIO_COUNTER_ENDS_PARSE_ERROR },
  };
  SocketioCounter counter = SOCKETIO_COUNTER_ENDS_BY_SERVER;

  if (self->unread)
    counter = SOCKETIO_COUNTER_ENDS_PARSE_ERROR;
  for (guint i = 0; i < G_N_ELEMENTS (ends); i++)
    if (strcmp (ends[i].reason, reason) == 0)
      counter = ends[i].counter;
  socketio_counters_count (self->counters, counter);
}

static void
tell_closed (EngineioSession *self, const char *reason)
{
  const EngineioSessionFuncs *funcs = g_steal_pointer (&self->funcs);

  if (funcs == NULL)
    return;

  count_end (self, reason);
  funcs->closed (self, reason, self->user_data);
}

void
engineio_session_release_transport (EngineioTransport **place)
{
  if (*place == NULL)
    return;

  engineio_transport_detach (*place);
  g_clear_object (place);
}

/* The end: nothing of the session is left but the references of those in the middle of a call. The
 * caller has dealt with the transport. */
static void
session_finish (EngineioSession *self, const char *reason)
{
  if (self->state == SESSION_CLOSED)
    return;

  self->state = SESSION_CLOSED;
  socketio_reactor_stop_timer (self->reactor, &self->heartbeat_timer);
  socketio_reactor_stop_timer (self->reactor, &self->close_timer);
  engineio_session_drop_candidate (self);
  engineio_session_release_transport (&self->transport);
  engineio_session_drop_queue (self);
  tell_closed (self, reason);
  /* may drop the last reference but the caller's */
  engineio_server_remove_session (g_steal_pointer (&self->server), self);
}

void
engineio_session_fail (EngineioSession *self, const char *reason, gboolean orderly)
{
  g_autoptr (EngineioSession) alive G_GNUC_UNUSED = engineio_session_ref (self);
  g_autoptr (EngineioTransport) transport = NULL;

  if (self->state == SESSION_CLOSED)
    return;

  transport = g_object_ref (self->transport);
  session_finish (self, reason);
  if (orderly)
    engineio_transport_close (transport);
  else
    engineio_transport_abort (transport);
}

void
engineio_session_abort (EngineioSession *self, const char *reason)
{
  engineio_session_fail (self, reason, FALSE);
}

static void
close_timeout_cb (gpointer user_data)
{
  engineio_session_fail (user_data, "forced close", FALSE);
}

void
engineio_session_advance_close (EngineioSession *self)
{
  if (self->state != SESSION_CLOSING || self->queue != NULL)
    return;

  if (engineio_session_get_queued (self) > 0)
    engineio_transport_notify_empty (self->transport);
  else if (self->hasty || engineio_transport_can_close (self->transport))
    {
      /* a client that said goodbye itself is only to be released from its poll */
      if (self->peer_closed)
        engineio_session_end_poll (self);
      engineio_session_fail (self, "forced close", TRUE);
    }
}

static void
begin_close (EngineioSession *self, const char *reason, guint timeout_ms)
{
  g_autoptr (EngineioSession) alive G_GNUC_UNUSED = engineio_session_ref (self);

  if (self->state >= SESSION_CLOSING)
    return;

  self->state = SESSION_CLOSING;
  socketio_reactor_stop_timer (self->reactor, &self->heartbeat_timer);
  socketio_reactor_start_timer (self->reactor, &self->close_timer, timeout_ms, close_timeout_cb,
                                self);
  /* A client that knows that its probe was answered polls no more: it hears of the close where it
   * moves to. */
  if (!self->probed || self->peer_closed)
    engineio_session_drop_candidate (self);
  tell_closed (self, reason);
  engineio_session_flush_now (self);
  engineio_session_advance_close (self);
}

void
engineio_session_close (EngineioSession *self, const char *reason)
{
  begin_close (self, reason, CLOSE_TIMEOUT_MS);
}

void
engineio_session_close_unread (EngineioSession *self, const char *reason)
{
  self->unread = TRUE;
  begin_close (self, reason, CLOSE_TIMEOUT_MS);
}

void
engineio_session_close_hastily (EngineioSession *self, const char *reason)
{
  g_autoptr (EngineioSession) alive G_GNUC_UNUSED = engineio_session_ref (self);

  self->hasty = TRUE;
  begin_close (self, reason, CLOSE_TIMEOUT_MS);
  /* one that was closing already */
  engineio_session_advance_close (self);
}

void
engineio_session_open (EngineioSession *self)
{
  const EngineioOptions *options = engineio_server_get_options (self->server);
  gboolean upgrades =
      engineio_transport_gathers (self->transport) && options->websocket && options->allow_upgrades;
  g_autofree char *text =
      g_strdup_printf ("0{\"sid\":\"%s\",\"upgrades\":[%s],\"pingInterval\":%u,\"pingTimeout\":%u,"
                       "\"maxPayload\":%" G_GSIZE_FORMAT "}",
                       self->sid, upgrades ? "\"websocket\"" : "", options->ping_interval,
                       options->ping_timeout, options->max_payload);
  gsize length = strlen (text);
  EngineioPacket packet =
      engineio_packet_take (g_bytes_new_take (g_steal_pointer (&text), length), FALSE);

  self->state = SESSION_OPEN;
  socketio_counters_count (self->counters, engineio_transport_gathers (self->transport)
                                               ? SOCKETIO_COUNTER_CONNECTIONS_POLLING
                                               : SOCKETIO_COUNTER_CONNECTIONS_WEBSOCKET);
  engineio_session_start_heartbeat (self);
  engineio_session_send_packets (self, &packet, 1);
  engineio_packet_clear (&packet);
}

static void
handle_current_packet (EngineioSession *self, const EngineioPacket *packet)
{
  if (self->protocol == 3)
    engineio_session_start_heartbeat (self);

  switch (engineio_packet_get_type_of (packet))
    {
    case ENGINEIO_PACKET_MESSAGE:
      if (self->funcs != NULL)
        self->funcs->message (self, packet, self->user_data);
      break;
    case ENGINEIO_PACKET_PING:
      engineio_session_handle_ping (self, packet);
      break;
    case ENGINEIO_PACKET_PONG:
      engineio_session_handle_pong (self);
      break;
    case ENGINEIO_PACKET_CLOSE:
      self->peer_closed = TRUE;
      engineio_session_drop_queue (self);
      begin_close (self, "transport close", LAST_POLL_TIMEOUT_MS);
      break;
    case ENGINEIO_PACKET_NOOP:
      break;
    case ENGINEIO_PACKET_OPEN:
    case ENGINEIO_PACKET_UPGRADE:
      engineio_session_fail (self, "parse error", TRUE);
      break;
    }
}

void
engineio_session_handle_packet (EngineioSession *self,
                                EngineioTransport *transport,
                                const EngineioPacket *packet)
{
  g_autoptr (EngineioSession) alive G_GNUC_UNUSED = engineio_session_ref (self);

  socketio_counters_count (self->counters, SOCKETIO_COUNTER_PACKETS_IN);
  socketio_counters_add (self->counters, SOCKETIO_COUNTER_BYTES_IN,
                         g_bytes_get_size (packet->data));
  if (!engineio_packet_validate (packet, NULL))
    {
      if (transport == self->candidate)
        engineio_session_drop_candidate (self);
      else
        engineio_session_fail (self, "parse error", TRUE);
      return;
    }

  if (transport == self->candidate)
    engineio_session_handle_candidate_packet (self, packet);
  else if (self->state == SESSION_OPEN)
    handle_current_packet (self, packet);
}

void
engineio_session_handle_progress (EngineioSession *self, EngineioTransport *transport)
{
  g_autoptr (EngineioSession) alive G_GNUC_UNUSED = engineio_session_ref (self);

  if (transport != self->transport)
    return;

  engineio_session_flush_now (self);
  if (self->state == SESSION_OPEN && self->probed && self->queue == NULL)
    engineio_session_end_poll (self);
  engineio_session_maybe_tell_drained (self);
  engineio_session_advance_close (self);
}

void
engineio_session_handle_lost (EngineioSession *self,
                              EngineioTransport *transport,
                              const char *reason)
{
  if (transport == self->candidate)
    engineio_session_drop_candidate (self);
  else
    engineio_session_fail (self, reason, TRUE);
}

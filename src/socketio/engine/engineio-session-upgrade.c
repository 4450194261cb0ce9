/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engineio-session-private.h"

#include <string.h>

/* The upgrade of a session: from polling to a WebSocket, a candidate until the client moves. */

void
engineio_session_drop_candidate (EngineioSession *self)
{
  g_autoptr (EngineioTransport) candidate = NULL;

  if (self->candidate == NULL)
    return;

  candidate = g_object_ref (self->candidate);
  socketio_counters_count (self->counters, SOCKETIO_COUNTER_UPGRADES_FAILED);
  socketio_reactor_stop_timer (self->reactor, &self->upgrade_timer);
  engineio_session_release_transport (&self->candidate);
  self->probed = FALSE;
  engineio_transport_close (candidate);
}

static void
upgrade_timeout_cb (gpointer user_data)
{
  engineio_session_drop_candidate (user_data);
}

gboolean
engineio_session_offer_upgrade (EngineioSession *self, EngineioTransport *candidate)
{
  if (self->state != SESSION_OPEN || self->candidate != NULL
      || !engineio_transport_gathers (self->transport))
    return FALSE;

  self->candidate = g_object_ref (candidate);
  engineio_transport_attach (candidate, self);
  socketio_reactor_start_timer (self->reactor, &self->upgrade_timer,
                                engineio_server_get_options (self->server)->upgrade_timeout,
                                upgrade_timeout_cb, self);
  return TRUE;
}

static void
take_over (EngineioSession *self)
{
  g_autoptr (EngineioTransport) old = g_object_ref (self->transport);

  engineio_session_end_poll (self);
  socketio_counters_count (self->counters, SOCKETIO_COUNTER_UPGRADES);
  socketio_reactor_stop_timer (self->reactor, &self->upgrade_timer);
  engineio_session_release_transport (&self->transport);
  self->transport = g_steal_pointer (&self->candidate);
  self->probed = FALSE;
  engineio_transport_abort (old);
  engineio_session_flush_now (self);
  engineio_session_advance_close (self);
}

static gboolean
packet_is (const EngineioPacket *packet, const char *text)
{
  gsize size;
  const char *data = g_bytes_get_data (packet->data, &size);

  return !packet->binary && size == strlen (text) && memcmp (data, text, size) == 0;
}

/* Engine.IO, "Upgrade": the client probes the WebSocket, then says on it that it moved. */
void
engineio_session_handle_candidate_packet (EngineioSession *self, const EngineioPacket *packet)
{
  EngineioPacket answer;
  gsize size;

  if (!self->probed && packet_is (packet, "2probe"))
    {
      answer = engineio_packet_new_static ("3probe");
      self->probed = TRUE;
      engineio_session_hand_over (self, self->candidate, &answer, 1, &size);
      engineio_packet_clear (&answer);
      engineio_session_end_poll (self);
    }
  else if (self->probed && packet_is (packet, "5"))
    take_over (self);
  else
    engineio_session_drop_candidate (self);
}

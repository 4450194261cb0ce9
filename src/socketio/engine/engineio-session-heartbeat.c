/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engineio-session-private.h"

/* The heartbeat of a session: how each side finds out that the other is gone. */

static void
ping_timeout_cb (gpointer user_data)
{
  engineio_session_fail (user_data, "ping timeout", FALSE);
}

static void
tell_heartbeat (EngineioSession *self, gboolean answered)
{
  if (self->funcs != NULL && self->funcs->heartbeat != NULL)
    self->funcs->heartbeat (self, answered, self->user_data);
}

static void
send_control (EngineioSession *self, const char *text)
{
  EngineioPacket packet = engineio_packet_new_static (text);

  engineio_session_send_packets (self, &packet, 1);
  engineio_packet_clear (&packet);
}

static void
send_ping_cb (gpointer user_data)
{
  g_autoptr (EngineioSession) self = engineio_session_ref (user_data);

  self->awaits_pong = TRUE;
  socketio_reactor_start_timer (self->reactor, &self->heartbeat_timer,
                                engineio_server_get_options (self->server)->ping_timeout,
                                ping_timeout_cb, self);
  tell_heartbeat (self, FALSE);
  send_control (self, "2");
}

/* Protocol 4: the server pings and the client answers. Protocol 3: the client pings, and any packet
 * is a sign of life. */
void
engineio_session_start_heartbeat (EngineioSession *self)
{
  const EngineioOptions *options = engineio_server_get_options (self->server);

  self->awaits_pong = FALSE;
  if (self->protocol == 4)
    socketio_reactor_start_timer (self->reactor, &self->heartbeat_timer, options->ping_interval,
                                  send_ping_cb, self);
  else
    socketio_reactor_start_timer (self->reactor, &self->heartbeat_timer,
                                  options->ping_interval + options->ping_timeout, ping_timeout_cb,
                                  self);
}

static void
answer_ping_v3 (EngineioSession *self, const EngineioPacket *packet)
{
  gsize size;
  const char *data = g_bytes_get_data (packet->data, &size);
  g_autofree char *text = g_strndup (data, size);
  EngineioPacket pong;

  text[0] = '0' + ENGINEIO_PACKET_PONG;
  pong = engineio_packet_take (g_bytes_new_take (g_steal_pointer (&text), size), FALSE);
  engineio_session_send_packets (self, &pong, 1);
  engineio_packet_clear (&pong);
}

void
engineio_session_handle_ping (EngineioSession *self, const EngineioPacket *packet)
{
  if (self->protocol == 3)
    answer_ping_v3 (self, packet);
  else
    engineio_session_fail (self, "transport error", TRUE);
}

void
engineio_session_handle_pong (EngineioSession *self)
{
  if (self->protocol == 3)
    engineio_session_fail (self, "transport error", TRUE);
  else if (self->awaits_pong)
    {
      engineio_session_start_heartbeat (self);
      tell_heartbeat (self, TRUE);
    }
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engineio-session-private.h"

/* Bytes of memory that a packet takes while it waits, however small it is: its place in the queue,
 * its GBytes, and what malloc() needs for itself. */
#define LEAST_PACKET_COST 256

gsize
engineio_session_get_queued (EngineioSession *self)
{
  return self->queued
         + (self->transport != NULL ? engineio_transport_get_pending (self->transport) : 0);
}

void
engineio_session_drop_queue (EngineioSession *self)
{
  g_clear_pointer (&self->queue, g_array_unref);
  self->queued = 0;
  self->cost = 0;
}

gboolean
engineio_session_awaits_poll (EngineioSession *self)
{
  return self->queue != NULL && engineio_transport_gathers (self->transport);
}

void
engineio_session_maybe_tell_drained (EngineioSession *self)
{
  if (!self->wants_drained)
    return;
  if (engineio_session_get_queued (self) > engineio_server_get_options (self->server)->low_mark)
    {
      /* the transport is not through with what it took; with packets left here, it calls anyway */
      if (self->queue == NULL)
        engineio_transport_notify_empty (self->transport);
      return;
    }

  self->wants_drained = FALSE;
  if (self->funcs != NULL)
    self->funcs->drained (self, self->user_data);
}

guint
engineio_session_hand_over (EngineioSession *self,
                            EngineioTransport *transport,
                            const EngineioPacket *packets,
                            guint n_packets,
                            gsize *size)
{
  guint n = engineio_transport_send (transport, packets, n_packets);

  *size = 0;
  for (guint i = 0; i < n; i++)
    *size += g_bytes_get_size (packets[i].data);
  socketio_counters_add (self->counters, SOCKETIO_COUNTER_PACKETS_OUT, n);
  socketio_counters_add (self->counters, SOCKETIO_COUNTER_BYTES_OUT, *size);
  return n;
}

/* Of what waits: a small packet takes more memory than its bytes. */
static gsize
get_cost (const EngineioPacket *packet)
{
  return MAX (g_bytes_get_size (packet->data), LEAST_PACKET_COST);
}

void
engineio_session_flush_now (EngineioSession *self)
{
  EngineioPacket *packets;
  gsize size;
  guint n;

  if (self->queue == NULL || self->transport == NULL)
    return;

  packets = (EngineioPacket *) self->queue->data;
  n = engineio_session_hand_over (self, self->transport, packets, self->queue->len, &size);
  self->queued -= size;
  for (guint i = 0; i < n; i++)
    self->cost -= get_cost (&packets[i]);
  if (n == self->queue->len)
    g_clear_pointer (&self->queue, g_array_unref);
  else if (n > 0)
    g_array_remove_range (self->queue, 0, n);

  if (self->wants_drained && self->queue == NULL)
    engineio_transport_notify_empty (self->transport);
}

static void
flush_cb (gpointer user_data)
{
  g_autoptr (EngineioSession) self = user_data;

  self->flush_pending = FALSE;
  engineio_session_flush_now (self);
  engineio_session_advance_close (self);
}

static void
session_flush (EngineioSession *self)
{
  if (self->transport == NULL || self->queue == NULL)
    return;
  if (!engineio_transport_gathers (self->transport))
    {
      engineio_session_flush_now (self);
      return;
    }
  if (self->flush_pending)
    return;

  self->flush_pending = TRUE;
  socketio_reactor_invoke (self->reactor, flush_cb, engineio_session_ref (self));
}

static void
enqueue (EngineioSession *self, const EngineioPacket *packet)
{
  EngineioPacket copy = engineio_packet_copy (packet);

  if (self->queue == NULL)
    {
      self->queue = g_array_sized_new (FALSE, FALSE, sizeof (EngineioPacket), 4);
      g_array_set_clear_func (self->queue, (GDestroyNotify) engineio_packet_clear);
    }
  g_array_append_val (self->queue, copy);
  self->queued += g_bytes_get_size (packet->data);
  self->cost += get_cost (packet);
}

void
engineio_session_send_packets (EngineioSession *self,
                               const EngineioPacket *packets,
                               guint n_packets)
{
  gsize size;
  guint n = 0;

  /* the usual case: the transport takes it as it is */
  if (self->queue == NULL && !engineio_transport_gathers (self->transport))
    n = engineio_session_hand_over (self, self->transport, packets, n_packets, &size);
  for (; n < n_packets; n++)
    enqueue (self, &packets[n]);
  session_flush (self);
}

static gboolean
exceeds (EngineioSession *self, gsize limit)
{
  gsize with_transport = engineio_session_get_queued (self) - self->queued;

  return self->cost + with_transport > limit;
}

/* What may wait. Where events are refused before, it is the rest that is bounded here. */
static gsize
get_limit (EngineioSession *self)
{
  const EngineioOptions *options = engineio_server_get_options (self->server);

  return options->overflow == SOCKETIO_OVERFLOW_REFUSE ? 2 * options->max_queued
                                                       : options->max_queued;
}

gboolean
engineio_session_refuses (EngineioSession *self)
{
  const EngineioOptions *options;

  if (self->state != SESSION_OPEN)
    return FALSE;
  options = engineio_server_get_options (self->server);
  return options->overflow == SOCKETIO_OVERFLOW_REFUSE && exceeds (self, options->max_queued);
}

gboolean
engineio_session_is_ready (EngineioSession *self)
{
  return self->state == SESSION_OPEN
         && engineio_session_get_queued (self)
                <= engineio_server_get_options (self->server)->high_mark;
}

gboolean
engineio_session_send (EngineioSession *self, const EngineioPacket *packets, guint n_packets)
{
  if (self->state != SESSION_OPEN)
    return FALSE;
  if (exceeds (self, get_limit (self)))
    {
      socketio_counters_count (self->counters, SOCKETIO_COUNTER_OVERFLOWS);
      g_debug ("A client does not read what it is sent; its connection is closed");
      engineio_session_fail (self, "transport error", FALSE);
      return FALSE;
    }

  engineio_session_send_packets (self, packets, n_packets);
  return TRUE;
}

void
engineio_session_notify_drained (EngineioSession *self)
{
  if (self->state != SESSION_OPEN || self->wants_drained)
    return;

  self->wants_drained = TRUE;
  if (self->queue == NULL)
    engineio_transport_notify_empty (self->transport);
}

void
engineio_session_end_poll (EngineioSession *self)
{
  EngineioPacket noop = engineio_packet_new_static ("6");
  gsize size;

  if (self->queue != NULL)
    engineio_session_flush_now (self);
  else
    engineio_session_hand_over (self, self->transport, &noop, 1, &size);
  engineio_packet_clear (&noop);
}

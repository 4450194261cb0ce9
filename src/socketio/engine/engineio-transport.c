/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engineio-transport.h"

#include "engineio-session.h"

typedef struct
{
  EngineioSession *session; /* not owned: the session detaches before it goes */
} EngineioTransportPrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (EngineioTransport, engineio_transport, G_TYPE_OBJECT)

static void
engineio_transport_class_init (EngineioTransportClass *klass)
{
}

static void
engineio_transport_init (EngineioTransport *self)
{
}

const char *
engineio_transport_get_name (EngineioTransport *self)
{
  return ENGINEIO_TRANSPORT_GET_CLASS (self)->name;
}

gboolean
engineio_transport_gathers (EngineioTransport *self)
{
  return ENGINEIO_TRANSPORT_GET_CLASS (self)->gathers;
}

EngineioSession *
engineio_transport_get_session (EngineioTransport *self)
{
  EngineioTransportPrivate *priv = engineio_transport_get_instance_private (self);

  return priv->session;
}

void
engineio_transport_attach (EngineioTransport *self, EngineioSession *session)
{
  EngineioTransportPrivate *priv = engineio_transport_get_instance_private (self);

  g_return_if_fail (priv->session == NULL);
  priv->session = session;
}

void
engineio_transport_detach (EngineioTransport *self)
{
  EngineioTransportPrivate *priv = engineio_transport_get_instance_private (self);

  priv->session = NULL;
}

guint
engineio_transport_send (EngineioTransport *self, const EngineioPacket *packets, guint n_packets)
{
  return ENGINEIO_TRANSPORT_GET_CLASS (self)->send (self, packets, n_packets);
}

gsize
engineio_transport_get_pending (EngineioTransport *self)
{
  return ENGINEIO_TRANSPORT_GET_CLASS (self)->get_pending (self);
}

void
engineio_transport_notify_empty (EngineioTransport *self)
{
  ENGINEIO_TRANSPORT_GET_CLASS (self)->notify_empty (self);
}

gboolean
engineio_transport_can_close (EngineioTransport *self)
{
  return ENGINEIO_TRANSPORT_GET_CLASS (self)->can_close (self);
}

void
engineio_transport_close (EngineioTransport *self)
{
  ENGINEIO_TRANSPORT_GET_CLASS (self)->close (self);
}

void
engineio_transport_abort (EngineioTransport *self)
{
  ENGINEIO_TRANSPORT_GET_CLASS (self)->abort (self);
}

void
engineio_transport_packet (EngineioTransport *self, const EngineioPacket *packet)
{
  EngineioSession *session = engineio_transport_get_session (self);

  if (session != NULL)
    engineio_session_handle_packet (session, self, packet);
}

void
engineio_transport_progress (EngineioTransport *self)
{
  EngineioSession *session = engineio_transport_get_session (self);

  if (session != NULL)
    engineio_session_handle_progress (session, self);
}

void
engineio_transport_lost (EngineioTransport *self, const char *reason)
{
  EngineioSession *session = engineio_transport_get_session (self);

  if (session != NULL)
    engineio_session_handle_lost (session, self, reason);
}

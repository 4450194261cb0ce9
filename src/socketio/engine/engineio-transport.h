/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib-object.h>

#include "engineio-packet.h"

G_BEGIN_DECLS

typedef struct _EngineioSession EngineioSession;

#define ENGINEIO_TYPE_TRANSPORT (engineio_transport_get_type ())

/*
 * EngineioTransport: a way to carry the packets of one session. It belongs to a session until it is
 * detached; a detached transport reports nothing any more, and holds itself until it is through
 * with closing.
 */
G_DECLARE_DERIVABLE_TYPE (EngineioTransport, engineio_transport, ENGINEIO, TRANSPORT, GObject)

struct _EngineioTransportClass
{
  GObjectClass parent_class;

  const char *name;
  /* Output is better gathered until the end of the turn than sent packet by packet. */
  gboolean gathers;

  /* Takes as many of the packets as it has room for, and says how many. Reports nothing meanwhile:
   * what it finds out in doing so, it reports in a later turn. */
  guint (*send) (EngineioTransport *self, const EngineioPacket *packets, guint n_packets);
  /* Bytes taken, and not yet handed to the kernel. */
  gsize (*get_pending) (EngineioTransport *self);
  /* Asks for one engineio_transport_progress() once nothing is pending. */
  void (*notify_empty) (EngineioTransport *self);
  /* Whether the peer can be told now that it ends (a poll is there to answer). */
  gboolean (*can_close) (EngineioTransport *self);
  /* Ends it in good order, after what it has taken. */
  void (*close) (EngineioTransport *self);
  /* Ends it at once. */
  void (*abort) (EngineioTransport *self);
};

/* Returns: (transfer none): static, in the protocol's words */
const char *engineio_transport_get_name (EngineioTransport *self);
gboolean engineio_transport_gathers (EngineioTransport *self);
/* Returns: (transfer none) (nullable): NULL while it is attached to none */
EngineioSession *engineio_transport_get_session (EngineioTransport *self);
void engineio_transport_attach (EngineioTransport *self, EngineioSession *session);
void engineio_transport_detach (EngineioTransport *self);

guint
engineio_transport_send (EngineioTransport *self, const EngineioPacket *packets, guint n_packets);
gsize engineio_transport_get_pending (EngineioTransport *self);
void engineio_transport_notify_empty (EngineioTransport *self);
gboolean engineio_transport_can_close (EngineioTransport *self);
void engineio_transport_close (EngineioTransport *self);
void engineio_transport_abort (EngineioTransport *self);

/* For the implementations; all of them in the reactor's context, and nothing once detached. */
void engineio_transport_packet (EngineioTransport *self, const EngineioPacket *packet);
void engineio_transport_progress (EngineioTransport *self);
/* @reason: one of the JS server's strings, static */
void engineio_transport_lost (EngineioTransport *self, const char *reason);

G_END_DECLS

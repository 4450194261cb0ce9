/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <libsoup/soup.h>

#include "engineio-transport.h"
#include "socketio-reactor.h"

G_BEGIN_DECLS

#define ENGINEIO_TYPE_POLLING_TRANSPORT (engineio_polling_transport_get_type ())

/*
 * EngineioPollingTransport: packets as bodies of HTTP requests: GETs that wait for what the server
 * has to say, and POSTs.
 */
G_DECLARE_FINAL_TYPE (EngineioPollingTransport,
                      engineio_polling_transport,
                      ENGINEIO,
                      POLLING_TRANSPORT,
                      EngineioTransport)

EngineioTransport *engineio_polling_transport_new (SocketioReactor *reactor,
                                                   guint protocol,
                                                   gboolean takes_binary,
                                                   gsize compression);

/* A GET: answers it now or keeps it. A second one while the first waits ends the session. */
void
engineio_polling_transport_handle_get (EngineioPollingTransport *self, SoupServerMessage *message);

/* A POST begins to come in. FALSE if another is under way, which ends the session. */
gboolean engineio_polling_transport_begin_post (EngineioPollingTransport *self);
/* It is there: @body NULL if its connection broke off. Answers @message unless it is NULL. */
void engineio_polling_transport_end_post (EngineioPollingTransport *self,
                                          SoupServerMessage *message,
                                          GBytes *body);

G_END_DECLS

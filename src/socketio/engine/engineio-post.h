/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "engineio-polling-transport.h"
#include "socketio-counters-private.h"

G_BEGIN_DECLS

/*
 * The body of a POST while it comes in. libsoup has no limit for it, so it is collected here, and
 * what is over the limit is answered with 413 and read no further than that a client can hear it.
 *
 * It lives with its message: when that goes before the body is whole, the session hears of it.
 */

/* At got-headers. @transport: (nullable): whom the body is for; NULL for one that will be refused
 */
void engineio_post_begin (SoupServerMessage *message,
                          EngineioPollingTransport *transport,
                          gsize limit,
                          SocketioCounters *counters);
/* The body is whole: answers the message. */
void engineio_post_finish (SoupServerMessage *message, SocketioCounters *counters);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "socketio-macros.h"

G_BEGIN_DECLS

/**
 * SocketioCounter:
 * @SOCKETIO_COUNTER_CONNECTIONS_POLLING: connections that began by polling
 * @SOCKETIO_COUNTER_CONNECTIONS_WEBSOCKET: connections that began on a WebSocket
 * @SOCKETIO_COUNTER_UPGRADES: connections that moved from polling to a WebSocket
 * @SOCKETIO_COUNTER_UPGRADES_FAILED: WebSockets that were offered for that, and came to nothing
 * @SOCKETIO_COUNTER_PACKETS_IN: Engine.IO packets from clients
 * @SOCKETIO_COUNTER_PACKETS_OUT: Engine.IO packets handed to a transport
 * @SOCKETIO_COUNTER_BYTES_IN: bytes of the packets from clients, without the frames around them
 * @SOCKETIO_COUNTER_BYTES_OUT: bytes of the packets handed to a transport, likewise
 * @SOCKETIO_COUNTER_RECOVERIES: clients that came back to what they were
 * @SOCKETIO_COUNTER_RECOVERIES_FAILED: clients that wanted to, and could not
 * @SOCKETIO_COUNTER_DROPS: volatile events that were not sent, for each client
 * @SOCKETIO_COUNTER_REFUSALS: events that were refused for a full queue, for each client
 * @SOCKETIO_COUNTER_OVERFLOWS: connections that were closed for a full queue
 * @SOCKETIO_COUNTER_CONNECT_ERRORS: CONNECT_ERROR packets: clients that were let into no namespace
 * @SOCKETIO_COUNTER_ERRORS_UNKNOWN_TRANSPORT: requests answered with Engine.IO's code 0
 * @SOCKETIO_COUNTER_ERRORS_UNKNOWN_SID: requests answered with code 1
 * @SOCKETIO_COUNTER_ERRORS_BAD_HANDSHAKE_METHOD: requests answered with code 2
 * @SOCKETIO_COUNTER_ERRORS_BAD_REQUEST: requests answered with code 3, too large ones among them
 * @SOCKETIO_COUNTER_ERRORS_FORBIDDEN: requests answered with code 4
 * @SOCKETIO_COUNTER_ERRORS_UNSUPPORTED_PROTOCOL_VERSION: requests answered with code 5
 * @SOCKETIO_COUNTER_ENDS_TRANSPORT_CLOSE: connections that their clients closed
 * @SOCKETIO_COUNTER_ENDS_TRANSPORT_ERROR: connections that broke
 * @SOCKETIO_COUNTER_ENDS_PING_TIMEOUT: connections whose clients fell silent
 * @SOCKETIO_COUNTER_ENDS_PARSE_ERROR: connections closed over packets of Engine.IO or Socket.IO
 * that made no sense
 * @SOCKETIO_COUNTER_ENDS_BY_SERVER: connections that the server closed for other reasons
 *
 * What a server counts from its beginning.
 */
typedef enum
{
  SOCKETIO_COUNTER_CONNECTIONS_POLLING,
  SOCKETIO_COUNTER_CONNECTIONS_WEBSOCKET,
  SOCKETIO_COUNTER_UPGRADES,
  SOCKETIO_COUNTER_UPGRADES_FAILED,
  SOCKETIO_COUNTER_PACKETS_IN,
  SOCKETIO_COUNTER_PACKETS_OUT,
  SOCKETIO_COUNTER_BYTES_IN,
  SOCKETIO_COUNTER_BYTES_OUT,
  SOCKETIO_COUNTER_RECOVERIES,
  SOCKETIO_COUNTER_RECOVERIES_FAILED,
  SOCKETIO_COUNTER_DROPS,
  SOCKETIO_COUNTER_REFUSALS,
  SOCKETIO_COUNTER_OVERFLOWS,
  SOCKETIO_COUNTER_CONNECT_ERRORS,
  SOCKETIO_COUNTER_ERRORS_UNKNOWN_TRANSPORT,
  SOCKETIO_COUNTER_ERRORS_UNKNOWN_SID,
  SOCKETIO_COUNTER_ERRORS_BAD_HANDSHAKE_METHOD,
  SOCKETIO_COUNTER_ERRORS_BAD_REQUEST,
  SOCKETIO_COUNTER_ERRORS_FORBIDDEN,
  SOCKETIO_COUNTER_ERRORS_UNSUPPORTED_PROTOCOL_VERSION,
  SOCKETIO_COUNTER_ENDS_TRANSPORT_CLOSE,
  SOCKETIO_COUNTER_ENDS_TRANSPORT_ERROR,
  SOCKETIO_COUNTER_ENDS_PING_TIMEOUT,
  SOCKETIO_COUNTER_ENDS_PARSE_ERROR,
  SOCKETIO_COUNTER_ENDS_BY_SERVER,
} SocketioCounter;

/**
 * SocketioOverflowPolicy:
 * @SOCKETIO_OVERFLOW_DISCONNECT: its connection is closed; a stock client comes back
 * @SOCKETIO_OVERFLOW_REFUSE: events for it are refused until it has read, and it stays. What the
 *   protocol owes it, such as acknowledgements, is still sent; twice as much closes its connection
 *
 * What becomes of a client for which more than [property@Server:max-queued-bytes] wait, when there
 * is more for it.
 */
typedef enum
{
  SOCKETIO_OVERFLOW_DISCONNECT,
  SOCKETIO_OVERFLOW_REFUSE,
} SocketioOverflowPolicy;

G_END_DECLS

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-socketio-metrics.h"

#include "confab-exposition.h"

/* Rows of one metric stand together; the first has its help. */
static const struct
{
  const char *name;
  const char *help;
  const char *label; /* nullable */
  const char *value;
  SocketioCounter counter;
} table[] = {
  { "confab_socketio_connections_total", "Connections of Socket.IO that began, by transport.",
    "transport", "polling", SOCKETIO_COUNTER_CONNECTIONS_POLLING },
  { "confab_socketio_connections_total", NULL, "transport", "websocket",
    SOCKETIO_COUNTER_CONNECTIONS_WEBSOCKET },
  { "confab_socketio_ended_connections_total", "Connections of Socket.IO that ended, by reason.",
    "reason", "transport-close", SOCKETIO_COUNTER_ENDS_TRANSPORT_CLOSE },
  { "confab_socketio_ended_connections_total", NULL, "reason", "transport-error",
    SOCKETIO_COUNTER_ENDS_TRANSPORT_ERROR },
  { "confab_socketio_ended_connections_total", NULL, "reason", "ping-timeout",
    SOCKETIO_COUNTER_ENDS_PING_TIMEOUT },
  { "confab_socketio_ended_connections_total", NULL, "reason", "parse-error",
    SOCKETIO_COUNTER_ENDS_PARSE_ERROR },
  { "confab_socketio_ended_connections_total", NULL, "reason", "by-server",
    SOCKETIO_COUNTER_ENDS_BY_SERVER },
  { "confab_socketio_upgrades_total", "WebSockets offered to polling connections, by result.",
    "result", "done", SOCKETIO_COUNTER_UPGRADES },
  { "confab_socketio_upgrades_total", NULL, "result", "failed", SOCKETIO_COUNTER_UPGRADES_FAILED },
  { "confab_socketio_packets_total", "Packets of Engine.IO from and to clients.", "direction", "in",
    SOCKETIO_COUNTER_PACKETS_IN },
  { "confab_socketio_packets_total", NULL, "direction", "out", SOCKETIO_COUNTER_PACKETS_OUT },
  { "confab_socketio_bytes_total", "Bytes of these packets, without the frames around them.",
    "direction", "in", SOCKETIO_COUNTER_BYTES_IN },
  { "confab_socketio_bytes_total", NULL, "direction", "out", SOCKETIO_COUNTER_BYTES_OUT },
  { "confab_socketio_recoveries_total",
    "Clients that came back to what they were, or could not, by result.", "result", "done",
    SOCKETIO_COUNTER_RECOVERIES },
  { "confab_socketio_recoveries_total", NULL, "result", "failed",
    SOCKETIO_COUNTER_RECOVERIES_FAILED },
  { "confab_socketio_dropped_events_total",
    "Events that were not sent, for each client: volatile ones, and those for a full queue.",
    "reason", "volatile", SOCKETIO_COUNTER_DROPS },
  { "confab_socketio_dropped_events_total", NULL, "reason", "queue-full",
    SOCKETIO_COUNTER_REFUSALS },
  { "confab_socketio_overflows_total", "Connections that were closed for a full queue.", NULL, NULL,
    SOCKETIO_COUNTER_OVERFLOWS },
  { "confab_socketio_connect_errors_total", "Clients that were let into no namespace.", NULL, NULL,
    SOCKETIO_COUNTER_CONNECT_ERRORS },
  { "confab_socketio_errors_total", "Requests that were refused, by the code of Engine.IO.", "code",
    "unknown-transport", SOCKETIO_COUNTER_ERRORS_UNKNOWN_TRANSPORT },
  { "confab_socketio_errors_total", NULL, "code", "unknown-sid",
    SOCKETIO_COUNTER_ERRORS_UNKNOWN_SID },
  { "confab_socketio_errors_total", NULL, "code", "bad-handshake-method",
    SOCKETIO_COUNTER_ERRORS_BAD_HANDSHAKE_METHOD },
  { "confab_socketio_errors_total", NULL, "code", "bad-request",
    SOCKETIO_COUNTER_ERRORS_BAD_REQUEST },
  { "confab_socketio_errors_total", NULL, "code", "forbidden", SOCKETIO_COUNTER_ERRORS_FORBIDDEN },
  { "confab_socketio_errors_total", NULL, "code", "unsupported-protocol-version",
    SOCKETIO_COUNTER_ERRORS_UNSUPPORTED_PROTOCOL_VERSION },
};

void
confab_socketio_metrics_append (GString *out, SocketioServer *server)
{
  for (guint i = 0; i < G_N_ELEMENTS (table); i++)
    {
      if (table[i].help != NULL)
        confab_exposition_begin (out, table[i].name, "counter", table[i].help);
      confab_exposition_add (out, table[i].name, (const char *[]){ table[i].label, NULL },
                             (const char *[]){ table[i].value, NULL },
                             (double) socketio_server_get_counter (server, table[i].counter));
    }
}

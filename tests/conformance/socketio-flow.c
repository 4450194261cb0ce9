/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A Socket.IO server for what flows: queues and their marks, refusals, floods, counters, and what
 * is kept for recovery. Only the public API is used. Properties of the server are set by
 * --set NAME=VALUE, with VALUE as GVariant text. */
#include "echo-args.h"
#include "echo-options.h"
#include "echo-set.h"
#include "echo-serve.h"
#include "socketio.h"

typedef struct
{
  SocketioServer *server;
  SocketioNamespace *nsp;
  guint n_admitted; /* by the middleware */
} Flow;

/* Says "tick" to all, again and again. */
typedef struct
{
  Flow *flow;
  SocketioSocket *starter; /* owned: told "ticked" at the end */
  char *padding;
  gint64 left;
} Ticker;

typedef void (*CommandFunc) (Flow *flow,
                             SocketioSocket *socket,
                             SocketioArgs *args,
                             SocketioAck *ack);

static void
answer (SocketioAck *ack, JsonObject *object)
{
  g_autoptr (SocketioArgs) out = socketio_args_new ();

  socketio_args_take_object (out, object);
  if (ack != NULL)
    socketio_ack_send (ack, out);
}

/* The nick of the library's error. */
static const char *
name_error (GError *error)
{
  g_autoptr (GTypeClass) klass = g_type_class_ref (SOCKETIO_TYPE_ERROR);
  GEnumValue *value;

  if (error == NULL)
    return "";
  if (error->domain != SOCKETIO_ERROR)
    return error->message;
  value = g_enum_get_value (G_ENUM_CLASS (klass), error->code);
  return value != NULL ? value->value_nick : "unknown";
}

/* fill ID COUNT SIZE HOW: sends "chunk" that often to another socket, or until that is refused. HOW
 * is "volatile" or nothing → how many went out, why no more, and how the socket stands then */
static void
fill (Flow *flow, SocketioSocket *socket, SocketioArgs *args, SocketioAck *ack)
{
  SocketioSocket *other = socketio_namespace_lookup (flow->nsp, echo_arg_string (args, 0));
  g_autoptr (SocketioSocket) alive G_GNUC_UNUSED = other != NULL ? g_object_ref (other) : NULL;
  g_autofree char *text = g_strnfill ((gsize) echo_arg_int (args, 2), 'x');
  g_autoptr (SocketioArgs) chunk = socketio_args_new ();
  g_autoptr (GError) error = NULL;
  JsonObject *object = json_object_new ();
  gint64 n = 0;

  socketio_args_add_string (chunk, text);
  while (other != NULL && n < echo_arg_int (args, 1)
         && socketio_socket_try_emit (other, "chunk", chunk,
                                      g_str_equal (echo_arg_string (args, 3), "volatile")
                                          ? SOCKETIO_EMIT_VOLATILE
                                          : SOCKETIO_EMIT_DEFAULT,
                                      &error))
    n++;
  json_object_set_int_member (object, "sent", n);
  json_object_set_string_member (object, "error", name_error (error));
  json_object_set_boolean_member (object, "connected",
                                  other != NULL && socketio_socket_is_connected (other));
  json_object_set_boolean_member (object, "ready",
                                  other != NULL && socketio_socket_is_ready (other));
  json_object_set_int_member (
      object, "queued", other != NULL ? (gint64) socketio_socket_get_queued_bytes (other) : 0);
  answer (ack, object);
}

static void
drained_cb (SocketioSocket *socket, gpointer user_data)
{
  SocketioSocket *watcher = user_data;
  g_autoptr (SocketioArgs) out = socketio_args_new ();

  socketio_args_add_int (out, (gint64) socketio_socket_get_queued_bytes (socket));
  socketio_socket_emit (watcher, "drained", out);
}

/* watch ID: tells this socket "drained", with what is still queued, when the other one has */
static void
watch (Flow *flow, SocketioSocket *socket, SocketioArgs *args, SocketioAck *ack)
{
  SocketioSocket *other = socketio_namespace_lookup (flow->nsp, echo_arg_string (args, 0));

  if (other != NULL)
    {
      g_signal_connect_object (other, "drained", G_CALLBACK (drained_cb), socket, 0);
      socketio_socket_request_drained (other);
    }
  answer (ack, json_object_new ());
}

static void
asked_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (SocketioSocket) asker = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (SocketioArgs) reply =
      socketio_socket_emit_with_ack_finish (SOCKETIO_SOCKET (source), result, &error);
  g_autoptr (SocketioArgs) out = socketio_args_new ();

  socketio_args_add_string (out, reply != NULL ? "answered" : name_error (error));
  socketio_socket_emit (asker, "asked", out);
}

/* ask ID: asks another socket "question", and tells this one "asked" with what came of it */
static void
ask (Flow *flow, SocketioSocket *socket, SocketioArgs *args, SocketioAck *ack)
{
  SocketioSocket *other = socketio_namespace_lookup (flow->nsp, echo_arg_string (args, 0));

  if (other != NULL)
    socketio_socket_emit_with_ack_async (other, "question", NULL, 0, NULL, asked_cb,
                                         g_object_ref (socket));
}

/* say TEXT BYTES: all but this socket hear "said" */
static void
say (Flow *flow, SocketioSocket *socket, SocketioArgs *args, SocketioAck *ack)
{
  socketio_namespace_emit (flow->nsp, NULL, socket, "said", args);
  answer (ack, json_object_new ());
}

/* counters → all of them by name */
static void
counters (Flow *flow, SocketioSocket *socket, SocketioArgs *args, SocketioAck *ack)
{
  g_autoptr (GTypeClass) klass = g_type_class_ref (SOCKETIO_TYPE_COUNTER);
  GEnumClass *values = G_ENUM_CLASS (klass);
  JsonObject *object = json_object_new ();

  for (guint i = 0; i < values->n_values; i++)
    json_object_set_int_member (
        object, values->values[i].value_nick,
        (gint64) socketio_server_get_counter (flow->server, values->values[i].value));
  answer (ack, object);
}

/* state → what is known of this socket, and of the server */
static void
state (Flow *flow, SocketioSocket *socket, SocketioArgs *args, SocketioAck *ack)
{
  JsonObject *object = json_object_new ();

  json_object_set_boolean_member (object, "recovered", socketio_socket_is_recovered (socket));
  json_object_set_boolean_member (object, "recoverable", socketio_socket_get_recoverable (socket));
  json_object_set_int_member (object, "admitted", flow->n_admitted);
  json_object_set_int_member (object, "sockets", socketio_namespace_get_n_sockets (flow->nsp));
  json_object_set_int_member (object, "connections",
                              socketio_server_get_n_connections (flow->server));
  answer (ack, object);
}

static void
ticker_free (gpointer data)
{
  Ticker *ticker = data;

  g_object_unref (ticker->starter);
  g_free (ticker->padding);
  g_free (ticker);
}

static gboolean
tick_cb (gpointer user_data)
{
  Ticker *ticker = user_data;
  g_autofree char *json = NULL;

  if (ticker->left-- == 0)
    {
      socketio_socket_emit (ticker->starter, "ticked", NULL);
      return G_SOURCE_REMOVE;
    }
  /* the same clock as the reader's */
  json = g_strdup_printf ("%" G_GINT64_FORMAT ",\"%s\"", g_get_monotonic_time (), ticker->padding);
  socketio_namespace_emit_json (ticker->flow->nsp, NULL, ticker->starter, "tick", json);
  return G_SOURCE_CONTINUE;
}

/* tick MS COUNT SIZE: says "tick" to all others at that pace, with the time in µs and a text of
 * that size, and "ticked" to this one at the end */
static void
tick (Flow *flow, SocketioSocket *socket, SocketioArgs *args, SocketioAck *ack)
{
  Ticker *ticker = g_new (Ticker, 1);

  ticker->flow = flow;
  ticker->starter = g_object_ref (socket);
  ticker->left = echo_arg_int (args, 1);
  ticker->padding = g_strnfill ((gsize) echo_arg_int (args, 2), 'x');
  g_timeout_add_full (G_PRIORITY_DEFAULT, (guint) echo_arg_int (args, 0), tick_cb, ticker,
                      ticker_free);
}

/* forget: takes this socket out of recovery */
static void
forget (Flow *flow, SocketioSocket *socket, SocketioArgs *args, SocketioAck *ack)
{
  socketio_socket_set_recoverable (socket, FALSE);
  answer (ack, json_object_new ());
}

static const struct
{
  const char *name;
  CommandFunc func;
} commands[] = {
  { "fill", fill },         { "watch", watch }, { "ask", ask },   { "say", say },
  { "counters", counters }, { "state", state }, { "tick", tick }, { "forget", forget },
};

static void
event_cb (SocketioSocket *socket,
          const char *name,
          SocketioArgs *args,
          SocketioAck *ack,
          gpointer user_data)
{
  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++)
    if (g_str_equal (commands[i].name, name))
      commands[i].func (user_data, socket, args, ack);
}

static void
connect_cb (SocketioNamespace *nsp, SocketioSocket *socket, gpointer user_data)
{
  g_signal_connect (socket, "event", G_CALLBACK (event_cb), user_data);
}

static gboolean
admit (SocketioSocket *socket, char **data, gpointer user_data, GError **error)
{
  Flow *flow = user_data;

  flow->n_admitted++;
  return TRUE;
}

int
main (int argc, char **argv)
{
  EchoOptions options = { .path = g_strdup ("/socket.io/"), .takes_set = TRUE };
  Flow flow = { NULL };
  g_autoptr (SocketioServer) server = NULL;
  int status;

  echo_options_parse (&options, argc, argv);
  server = echo_make_server (options.set);
  flow.server = server;
  flow.nsp = socketio_server_of (server, "/");
  socketio_namespace_use (flow.nsp, admit, &flow, NULL);
  g_signal_connect (flow.nsp, "connect", G_CALLBACK (connect_cb), &flow);
  status = echo_serve (server, &options);
  echo_options_clear (&options);
  return status;
}

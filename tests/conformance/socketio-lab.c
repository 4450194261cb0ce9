/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A Socket.IO server that does on demand what an echo cannot show: rooms, broadcasts, questions to
 * the client, ends of several kinds, a sender that waits for `drained`, timers and tasks. Only the
 * public API is used.
 *
 * "/" takes the events of the table `commands`, "/guarded" asks for the token "right", "/patient"
 * does so later, and "/any" tells the name of every event. */
#include "echo-args.h"
#include "echo-options.h"
#include "echo-serve.h"
#include "lab-adapter.h"
#include "lab-flood.h"
#include "lab-guards.h"
#include "lab.h"
#include "socketio.h"

typedef struct
{
  SocketioSocket *socket; /* owned */
  char *text;
} Remark;

void
lab_ack_int (SocketioAck *ack, gint64 value)
{
  g_autoptr (SocketioArgs) args = socketio_args_new ();

  socketio_args_add_int (args, value);
  if (ack != NULL)
    socketio_ack_send (ack, args);
}

static void
emit_text (SocketioSocket *socket, const char *event, const char *text)
{
  g_autoptr (SocketioArgs) args = socketio_args_new ();

  socketio_args_add_string (args, text);
  socketio_socket_emit (socket, event, args);
}

static Remark *
remark_new (SocketioSocket *socket, const char *text)
{
  Remark *remark = g_new (Remark, 1);

  remark->socket = g_object_ref (socket);
  remark->text = g_strdup (text);
  return remark;
}

static void
remark_free (gpointer data)
{
  Remark *remark = data;

  g_object_unref (remark->socket);
  g_free (remark->text);
  g_free (remark);
}

static void
filter_cb (SocketioSocket *socket,
           const char *event,
           SocketioArgs *args,
           SocketioDecision *decision,
           gpointer user_data)
{
  if (g_str_equal (event, "join"))
    socketio_decision_refuse (decision, "Not this", NULL);
  else
    socketio_decision_allow (decision);
}

static void
refused_cb (SocketioSocket *socket,
            const char *name,
            const char *message,
            SocketioAck *ack,
            gpointer user_data)
{
  emit_text (socket, "refused", message);
}

/* filter: refuses "join" from here on */
static void
filter (Lab *lab, SocketioSocket *socket, SocketioArgs *args, SocketioAck *ack)
{
  g_signal_connect (socket, "refused", G_CALLBACK (refused_cb), NULL);
  socketio_socket_set_event_filter (socket, filter_cb, NULL, NULL);
  lab_ack_int (ack, 1);
}

/* keep TEXT: in the socket's data; nothing is changed if TEXT is empty → the text kept, and whether
 * the socket is recovered */
static void
keep (Lab *lab, SocketioSocket *socket, SocketioArgs *args, SocketioAck *ack)
{
  JsonObject *data = socketio_socket_get_data (socket);
  g_autoptr (SocketioArgs) out = socketio_args_new ();

  if (echo_arg_string (args, 0)[0] != '\0')
    json_object_set_string_member (data, "kept", echo_arg_string (args, 0));
  socketio_args_add_string (out, json_object_get_string_member_with_default (data, "kept", ""));
  socketio_args_add_int (out, socketio_socket_is_recovered (socket));
  if (ack != NULL)
    socketio_ack_send (ack, out);
}

static void
asked_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  SocketioSocket *socket = SOCKETIO_SOCKET (source);
  g_autoptr (SocketioSocket) listener = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (SocketioArgs) answer = socketio_socket_emit_with_ack_finish (socket, result, &error);

  if (answer != NULL)
    socketio_socket_emit (listener, "answered", answer);
  else if (g_error_matches (error, SOCKETIO_ERROR, SOCKETIO_ERROR_TIMED_OUT))
    emit_text (listener, "unanswered", "timed-out");
  else if (g_error_matches (error, SOCKETIO_ERROR, SOCKETIO_ERROR_DISCONNECTED))
    emit_text (listener, "unanswered", "closed");
  else
    emit_text (listener, "unanswered", error->message);
}

/* ask ID TIMEOUT ARGS…: asks another socket (or this, if ID is empty) "question", with all the
 * arguments, and tells this one of the end */
static void
ask (Lab *lab, SocketioSocket *socket, SocketioArgs *args, SocketioAck *ack)
{
  const char *id = echo_arg_string (args, 0);
  SocketioSocket *other = id[0] != '\0' ? socketio_namespace_lookup (lab->nsp, id) : socket;

  if (other == NULL)
    emit_text (socket, "unanswered", "unknown");
  else
    socketio_socket_emit_with_ack_async (other, "question", args, (guint) echo_arg_int (args, 1),
                                         NULL, asked_cb, g_object_ref (socket));
}

/* end ID HOW: disconnects another socket (or this), with its connection if HOW is 2; if it is 1,
 * closes the connection alone */
static void
end (Lab *lab, SocketioSocket *socket, SocketioArgs *args, SocketioAck *ack)
{
  const char *id = echo_arg_string (args, 0);
  SocketioSocket *other = id[0] != '\0' ? socketio_namespace_lookup (lab->nsp, id) : socket;

  if (other != NULL && echo_arg_int (args, 1) == 1)
    socketio_socket_close_connection (other);
  else if (other != NULL)
    socketio_socket_disconnect (other, echo_arg_int (args, 1) == 2);
  lab_ack_int (ack, other != NULL);
}

/* end-others ID…: says "room" to the room "doomed", then closes the connections of these sockets
 * → whether this one is still there */
static void
end_others (Lab *lab, SocketioSocket *socket, SocketioArgs *args, SocketioAck *ack)
{
  g_autoptr (SocketioArgs) last = socketio_args_new ();

  socketio_args_add_string (last, "last words");
  socketio_namespace_emit (lab->nsp, "doomed", socket, "room", last);
  for (guint i = 0; i < socketio_args_get_length (args); i++)
    {
      SocketioSocket *other = socketio_namespace_lookup (lab->nsp, echo_arg_string (args, i));

      if (other != NULL && other != socket)
        socketio_socket_disconnect (other, TRUE);
    }
  lab_ack_int (ack, socketio_socket_is_connected (socket));
}

/* flood COUNT SIZE: see lab_flood() */
static void
flood (Lab *lab, SocketioSocket *socket, SocketioArgs *args, SocketioAck *ack)
{
  lab_flood (socket, echo_arg_int (args, 0), (gsize) echo_arg_int (args, 1));
}

/* pour COUNT SIZE → how many were taken: sends without regard to the queue */
static void
pour (Lab *lab, SocketioSocket *socket, SocketioArgs *args, SocketioAck *ack)
{
  g_autofree char *text = g_strnfill ((gsize) echo_arg_int (args, 1), 'x');
  g_autofree char *json = g_strdup_printf ("\"%s\"", text);
  gint64 n = 0;

  while (n < echo_arg_int (args, 0) && socketio_socket_emit_json (socket, "chunk", json))
    n++;
  lab_ack_int (ack, n);
}

static gboolean
remark_timeout_cb (gpointer user_data)
{
  Remark *remark = user_data;

  emit_text (remark->socket, "later", remark->text);
  return G_SOURCE_REMOVE;
}

/* later MS TEXT: says it after that time */
static void
later (Lab *lab, SocketioSocket *socket, SocketioArgs *args, SocketioAck *ack)
{
  g_autoptr (GSource) source = g_timeout_source_new ((guint) echo_arg_int (args, 0));

  /* the context that was thread default when the server was made */
  g_source_set_static_name (source, "lab remark");
  g_source_set_callback (source, remark_timeout_cb, remark_new (socket, echo_arg_string (args, 1)),
                         remark_free);
  g_source_attach (source, g_main_context_get_thread_default ());
}

static void
remark_thread (GTask *task, gpointer source, gpointer task_data, GCancellable *cancellable)
{
  Remark *remark = task_data;

  g_task_return_pointer (task, g_strreverse (g_strdup (remark->text)), g_free);
}

static void
remark_task_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree char *text = g_task_propagate_pointer (G_TASK (result), NULL);

  emit_text (SOCKETIO_SOCKET (source), "task", text);
}

/* task TEXT: has another thread reverse it */
static void
task (Lab *lab, SocketioSocket *socket, SocketioArgs *args, SocketioAck *ack)
{
  g_autoptr (GTask) work = g_task_new (socket, NULL, remark_task_cb, NULL);

  g_task_set_source_tag (work, task);
  g_task_set_task_data (work, remark_new (socket, echo_arg_string (args, 0)), remark_free);
  g_task_run_in_thread (work, remark_thread);
}

/* binary → "binary" with bytes as an argument, in an object and in an array */
static void
binary (Lab *lab, SocketioSocket *socket, SocketioArgs *args, SocketioAck *ack)
{
  g_autoptr (SocketioArgs) out = socketio_args_new ();
  g_autoptr (GBytes) bytes = g_bytes_new_static ("\1\2\3", 3);
  g_autoptr (GBytes) empty = g_bytes_new_static ("", 0);
  JsonObject *object = json_object_new ();
  JsonArray *array = json_array_new ();

  socketio_args_add_bytes (out, bytes);
  json_object_set_member (object, "part", socketio_args_attach (out, empty));
  json_array_add_element (array, socketio_args_attach (out, bytes));
  json_object_set_array_member (object, "parts", array);
  socketio_args_take_object (out, object);
  socketio_args_add_boolean (out, TRUE);
  socketio_socket_emit (socket, "binary", out);
}

/* handshake → what the server knows of the request: query "x", header "X-Lab", and the rest */
static void
handshake (Lab *lab, SocketioSocket *socket, SocketioArgs *args, SocketioAck *ack)
{
  SocketioHandshake *info = socketio_socket_get_handshake (socket);
  g_autofree char *query = socketio_handshake_dup_query (info, "x");
  g_autoptr (SocketioArgs) out = socketio_args_new ();
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "url", socketio_handshake_get_url (info));
  json_object_set_string_member (object, "query", query != NULL ? query : "");
  json_object_set_string_member (object, "header", socketio_handshake_get_header (info, "x-lab"));
  json_object_set_string_member (object, "address", socketio_handshake_get_address (info));
  json_object_set_boolean_member (object, "secure", socketio_handshake_is_secure (info));
  json_object_set_int_member (object, "uid", socketio_handshake_get_peer_uid (info));
  json_object_set_int_member (object, "time", socketio_handshake_get_time (info) / 1000);
  socketio_args_take_object (out, object);
  if (ack != NULL)
    socketio_ack_send (ack, out);
}

/* twice → acks twice; then "acked" with whether each was taken */
static void
twice (Lab *lab, SocketioSocket *socket, SocketioArgs *args, SocketioAck *ack)
{
  g_autoptr (SocketioArgs) out = socketio_args_new ();

  if (ack == NULL)
    return;
  socketio_args_add_boolean (out, socketio_ack_send (ack, NULL));
  socketio_args_add_boolean (out, socketio_ack_send (ack, NULL));
  socketio_socket_emit (socket, "acked", out);
}

/* stats → connections, sockets, and the reasons of those that ended */
static void
stats (Lab *lab, SocketioSocket *socket, SocketioArgs *args, SocketioAck *ack)
{
  g_autoptr (SocketioArgs) out = socketio_args_new ();
  JsonObject *object = json_object_new ();
  JsonArray *reasons = json_array_new ();

  for (guint i = 0; i < lab->reasons->len; i++)
    json_array_add_string_element (reasons, g_ptr_array_index (lab->reasons, i));
  json_object_set_int_member (object, "connections",
                              socketio_server_get_n_connections (lab->server));
  json_object_set_int_member (object, "sockets", socketio_namespace_get_n_sockets (lab->nsp));
  json_object_set_array_member (object, "reasons", reasons);
  socketio_args_take_object (out, object);
  if (ack != NULL)
    socketio_ack_send (ack, out);
}

static void
server_closed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  if (socketio_server_close_finish (SOCKETIO_SERVER (source), result, &error))
    g_print ("Closed\n");
  else
    g_print ("Not closed: %s\n", error->message);
}

/* close TIMEOUT: the whole server, and "Closed" on standard output */
static void
close_server (Lab *lab, SocketioSocket *socket, SocketioArgs *args, SocketioAck *ack)
{
  emit_text (socket, "closing", "bye");
  socketio_server_close_async (lab->server, (guint) echo_arg_int (args, 0), server_closed_cb, NULL);
}

static const LabCommand commands[] = {
  { "event::keep", keep },     { "event::filter", filter },         { "event::ask", ask },
  { "event::end", end },       { "event::end-others", end_others }, { "event::flood", flood },
  { "event::pour", pour },     { "event::later", later },           { "event::task", task },
  { "event::binary", binary }, { "event::handshake", handshake },   { "event::twice", twice },
  { "event::stats", stats },   { "event::close", close_server },    { NULL },
};

static const LabCommand *const tables[] = { commands, lab_room_commands };

static void
command_cb (SocketioSocket *socket,
            const char *name,
            SocketioArgs *args,
            SocketioAck *ack,
            gpointer user_data)
{
  Lab *lab = user_data;

  for (gsize i = 0; i < G_N_ELEMENTS (tables); i++)
    for (const LabCommand *command = tables[i]; command->signal != NULL; command++)
      if (g_str_equal (command->signal + strlen ("event::"), name))
        command->func (lab, socket, args, ack);
}

static void
disconnecting_cb (SocketioSocket *socket, const char *reason, gpointer user_data)
{
  Lab *lab = user_data;
  g_autoptr (SocketioArgs) args = socketio_args_new ();
  g_auto (GStrv) rooms = socketio_socket_dup_rooms (socket);
  JsonArray *names = json_array_new ();

  for (gsize i = 0; rooms[i] != NULL; i++)
    json_array_add_string_element (names, rooms[i]);
  socketio_args_add_string (args, socketio_socket_get_id (socket));
  socketio_args_add_string (args, reason);
  socketio_args_take_node (args, json_node_init_array (json_node_alloc (), names));
  json_array_unref (names);
  socketio_args_add_boolean (args, socketio_socket_is_connected (socket));
  /* what a careless application might do here harms nothing */
  socketio_socket_disconnect (socket, FALSE);
  socketio_socket_emit (socket, "late", args);
  socketio_namespace_emit (lab->nsp, "watchers", NULL, "ending", args);
}

static void
disconnected_cb (SocketioSocket *socket, const char *reason, gpointer user_data)
{
  Lab *lab = user_data;
  g_autoptr (SocketioArgs) args = socketio_args_new ();

  g_ptr_array_add (lab->reasons, g_strdup (reason));
  if (g_str_equal (reason, "server shutting down"))
    g_print ("Ended: %s\n", reason);
  /* from here the socket is in no room, and those that are left can be told */
  socketio_args_add_string (args, socketio_socket_get_id (socket));
  socketio_args_add_string (args, reason);
  socketio_namespace_emit (lab->nsp, "watchers", NULL, "ended", args);
}

static void
connect_cb (SocketioNamespace *nsp, SocketioSocket *socket, gpointer user_data)
{
  for (gsize i = 0; i < G_N_ELEMENTS (tables); i++)
    for (const LabCommand *command = tables[i]; command->signal != NULL; command++)
      g_signal_connect (socket, command->signal, G_CALLBACK (command_cb), user_data);
  g_signal_connect (socket, "disconnecting", G_CALLBACK (disconnecting_cb), user_data);
  g_signal_connect (socket, "disconnected", G_CALLBACK (disconnected_cb), user_data);
}

static void
any_event_cb (SocketioSocket *socket,
              const char *name,
              SocketioArgs *args,
              SocketioAck *ack,
              gpointer user_data)
{
  g_autoptr (SocketioArgs) out = socketio_args_new ();

  socketio_args_add_string (out, name);
  socketio_args_add_int (out, socketio_args_get_length (args));
  socketio_socket_emit (socket, "heard", out);
}

static void
connect_any_cb (SocketioNamespace *nsp, SocketioSocket *socket, gpointer user_data)
{
  g_signal_connect (socket, "event", G_CALLBACK (any_event_cb), NULL);
}

static gboolean
allow_origin (const char *origin, gpointer user_data)
{
  return g_str_equal (origin, "http://lab.example");
}

static SocketioServer *
make_server (EchoOptions *options, Lab *lab)
{
  SocketioServer *server = g_object_new (
      SOCKETIO_TYPE_SERVER, "path", options->path, "ping-interval", options->ping_interval,
      "ping-timeout", options->ping_timeout, "upgrade-timeout", options->upgrade_timeout,
      "connect-timeout", options->connect_timeout, "max-payload", options->max_payload,
      "max-queued-bytes", (guint64) options->max_queued, "allow-eio3", options->allow_eio3,
      "recovery-window", options->recovery_window, "recovery-max-packets",
      options->recovery_max_packets, "adapter-type", LAB_TYPE_ADAPTER, NULL);

  lab->server = server;
  lab->nsp = socketio_server_of (server, "/");
  g_signal_connect (lab->nsp, "connect", G_CALLBACK (connect_cb), lab);
  g_signal_connect (socketio_server_of (server, "/any"), "connect", G_CALLBACK (connect_any_cb),
                    NULL);
  lab_guards_add (server);
  socketio_server_set_origin_func (server, allow_origin, NULL, NULL);
  return server;
}

int
main (int argc, char **argv)
{
  EchoOptions options = { .path = g_strdup ("/socket.io/"),
                          .ping_interval = 25000,
                          .ping_timeout = 20000,
                          .upgrade_timeout = 10000,
                          .connect_timeout = 45000,
                          .max_payload = 1000000,
                          .max_queued = 1024 * 1024,
                          .recovery_max_packets = 1000 };
  g_autoptr (GPtrArray) reasons = g_ptr_array_new_with_free_func (g_free);
  Lab lab = { .reasons = reasons };
  g_autoptr (SocketioServer) server = NULL;
  int status;

  echo_options_parse (&options, argc, argv);
  server = make_server (&options, &lab);
  status = echo_serve (server, &options);
  echo_options_clear (&options);
  return status;
}

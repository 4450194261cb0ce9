/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A Socket.IO server that does on demand what an echo cannot show: rooms, broadcasts, questions to
 * the client, ends of several kinds, a sender that waits for `drained`, timers and tasks. Only the
 * public API is used.
 *
 * "/" takes the events of the table `commands`, "/guarded" asks for the token "right", "/patient"
 * does so later, and "/any" tells the name of every event. */
#include "echo-options.h"
#include "echo-start.h"
#include "socketio.h"

/* A flood pauses while this much is queued. */
#define FLOOD_MARK (64 * 1024)

/* An adapter of the application's own: it counts what is said to many. */
#define LAB_TYPE_ADAPTER (lab_adapter_get_type ())
G_DECLARE_FINAL_TYPE (LabAdapter, lab_adapter, LAB, ADAPTER, SocketioAdapter)

struct _LabAdapter
{
  SocketioAdapter parent_instance;

  guint n_broadcasts;
};

G_DEFINE_FINAL_TYPE (LabAdapter, lab_adapter, SOCKETIO_TYPE_ADAPTER)

static void
lab_adapter_broadcast (SocketioAdapter *adapter,
                       SocketioBroadcast *broadcast,
                       const char *event,
                       SocketioArgs *args,
                       const char *json_args)
{
  LAB_ADAPTER (adapter)->n_broadcasts++;
  SOCKETIO_ADAPTER_CLASS (lab_adapter_parent_class)
      ->broadcast (adapter, broadcast, event, args, json_args);
}

static void
lab_adapter_class_init (LabAdapterClass *klass)
{
  SOCKETIO_ADAPTER_CLASS (klass)->broadcast = lab_adapter_broadcast;
}

static void
lab_adapter_init (LabAdapter *self)
{
}

typedef struct
{
  SocketioServer *server;
  SocketioNamespace *nsp;
  GPtrArray *reasons; /* of char: why sockets ended, oldest first */
} Lab;

/* What one socket is being flooded with; goes with the socket. */
typedef struct
{
  gint64 left;
  gint64 sent;
  gint64 n_drained;
  guint64 most_queued;
  char *json; /* the arguments */
} Flood;

/* Something to say to a socket later. */
typedef struct
{
  SocketioSocket *socket; /* owned */
  char *text;
} Remark;

typedef void (*CommandFunc) (Lab *lab,
                             SocketioSocket *socket,
                             SocketioArgs *args,
                             SocketioAck *ack);

static gint64
arg_int (SocketioArgs *args, guint index)
{
  JsonNode *node =
      index < socketio_args_get_length (args) ? socketio_args_get_node (args, index) : NULL;

  return node != NULL && JSON_NODE_HOLDS_VALUE (node) ? json_node_get_int (node) : 0;
}

static const char *
arg_string (SocketioArgs *args, guint index)
{
  const char *text =
      index < socketio_args_get_length (args) ? socketio_args_get_string (args, index) : NULL;

  return text != NULL ? text : "";
}

static void
ack_int (SocketioAck *ack, gint64 value)
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

/* join ROOM → whether it is in */
static void
join (Lab *lab, SocketioSocket *socket, SocketioArgs *args, SocketioAck *ack)
{
  socketio_socket_join (socket, arg_string (args, 0));
  ack_int (ack, socketio_socket_is_in (socket, arg_string (args, 0)));
}

/* join-rooms ROOMS, separated by commas → in how many it is */
static void
join_rooms (Lab *lab, SocketioSocket *socket, SocketioArgs *args, SocketioAck *ack)
{
  g_auto (GStrv) wanted = g_strsplit (arg_string (args, 0), ",", -1);
  g_auto (GStrv) rooms = NULL;

  socketio_socket_join_rooms (socket, (const char *const *) wanted);
  rooms = socketio_socket_dup_rooms (socket);
  ack_int (ack, g_strv_length (rooms));
}

/* leave ROOM → whether it is in */
static void
leave (Lab *lab, SocketioSocket *socket, SocketioArgs *args, SocketioAck *ack)
{
  socketio_socket_leave (socket, arg_string (args, 0));
  ack_int (ack, socketio_socket_is_in (socket, arg_string (args, 0)));
}

/* to-room ROOM TEXT: all in it but the sender hear "room" */
static void
to_room (Lab *lab, SocketioSocket *socket, SocketioArgs *args, SocketioAck *ack)
{
  g_autoptr (SocketioArgs) out = socketio_args_new ();

  socketio_args_add_string (out, arg_string (args, 1));
  socketio_namespace_emit (lab->nsp, arg_string (args, 0), socket, "room", out);
  ack_int (ack, 1);
}

/* to-all BYTES: all of the namespace hear "all" with the bytes */
static void
to_all (Lab *lab, SocketioSocket *socket, SocketioArgs *args, SocketioAck *ack)
{
  socketio_namespace_emit (lab->nsp, NULL, NULL, "all", args);
  ack_int (ack, 1);
}

/* select FLAGS TO EXCEPT TEXT: those in the rooms TO, but not in the rooms EXCEPT, hear "selected";
 * names of rooms are separated by commas, and FLAGS is "volatile", "uncompressed" or nothing */
static void
select_to (Lab *lab, SocketioSocket *socket, SocketioArgs *args, SocketioAck *ack)
{
  g_autoptr (SocketioBroadcast) broadcast = socketio_namespace_broadcast (lab->nsp);
  g_autoptr (SocketioArgs) out = socketio_args_new ();
  g_autoptr (GPtrArray) selected = NULL;
  g_auto (GStrv) to = g_strsplit (arg_string (args, 1), ",", -1);
  g_auto (GStrv) except = g_strsplit (arg_string (args, 2), ",", -1);

  socketio_broadcast_to_rooms (broadcast, (const char *const *) to);
  socketio_broadcast_except_rooms (broadcast, (const char *const *) except);
  if (g_str_equal (arg_string (args, 0), "volatile"))
    socketio_broadcast_set_flags (broadcast, SOCKETIO_EMIT_VOLATILE);
  else if (g_str_equal (arg_string (args, 0), "uncompressed"))
    socketio_broadcast_set_flags (broadcast, SOCKETIO_EMIT_UNCOMPRESSED);
  socketio_args_add_string (out, arg_string (args, 3));
  socketio_broadcast_emit (broadcast, "selected", out);
  selected = socketio_broadcast_fetch_sockets (broadcast);
  ack_int (ack, selected->len);
}

/* count-broadcasts → how many there were, as the adapter counts */
static void
count_broadcasts (Lab *lab, SocketioSocket *socket, SocketioArgs *args, SocketioAck *ack)
{
  ack_int (ack, LAB_ADAPTER (socketio_namespace_get_adapter (lab->nsp))->n_broadcasts);
}

static SocketioBroadcast *
broadcast_to (Lab *lab, const char *room)
{
  SocketioBroadcast *broadcast = socketio_namespace_broadcast (lab->nsp);

  return socketio_broadcast_to (broadcast, room);
}

static void
all_asked_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (SocketioSocket) listener = user_data;
  g_autoptr (GPtrArray) answers = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (SocketioArgs) out = socketio_args_new ();
  gboolean ok = socketio_broadcast_emit_with_ack_finish (SOCKETIO_BROADCAST (source), result,
                                                         &answers, &error);

  socketio_args_add_int (out, answers->len);
  socketio_args_add_string (out, ok ? "all"
                                 : g_error_matches (error, SOCKETIO_ERROR, SOCKETIO_ERROR_TIMED_OUT)
                                     ? "timed-out"
                                     : error->message);
  socketio_socket_emit (listener, "asked-all", out);
}

/* ask-all ROOM TIMEOUT: asks a room "question", and tells this socket of the end */
static void
ask_all (Lab *lab, SocketioSocket *socket, SocketioArgs *args, SocketioAck *ack)
{
  g_autoptr (SocketioBroadcast) broadcast = broadcast_to (lab, arg_string (args, 0));

  socketio_broadcast_emit_with_ack_async (broadcast, "question", args, (guint) arg_int (args, 1),
                                          NULL, all_asked_cb, g_object_ref (socket));
}

/* swap ROOM ROOMS: all of a room join these, separated by commas, then leave them, each in one
 * call; → how many are left in the room */
static void
swap (Lab *lab, SocketioSocket *socket, SocketioArgs *args, SocketioAck *ack)
{
  g_autoptr (SocketioBroadcast) from = broadcast_to (lab, arg_string (args, 0));
  g_auto (GStrv) rooms = g_strsplit (arg_string (args, 1), ",", -1);
  g_autoptr (GPtrArray) left = NULL;

  socketio_broadcast_sockets_join_rooms (from, (const char *const *) rooms);
  socketio_broadcast_sockets_leave_rooms (from, (const char *const *) rooms);
  left = socketio_broadcast_fetch_sockets (from);
  ack_int (ack, left->len);
}

/* tell-servers: the other servers, of which there are none → why not */
static void
tell_servers (Lab *lab, SocketioSocket *socket, SocketioArgs *args, SocketioAck *ack)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SocketioArgs) out = socketio_args_new ();

  if (socketio_namespace_server_side_emit (lab->nsp, "told", args, &error))
    socketio_args_add_string (out, "told");
  else
    socketio_args_add_string (out,
                              g_error_matches (error, SOCKETIO_ERROR, SOCKETIO_ERROR_NOT_SUPPORTED)
                                  ? "not supported"
                                  : error->message);
  if (ack != NULL)
    socketio_ack_send (ack, out);
}

/* move FROM TO: all of a room into another */
static void
move (Lab *lab, SocketioSocket *socket, SocketioArgs *args, SocketioAck *ack)
{
  g_autoptr (SocketioBroadcast) from = broadcast_to (lab, arg_string (args, 0));

  socketio_broadcast_sockets_join (from, arg_string (args, 1));
  socketio_broadcast_sockets_leave (from, arg_string (args, 0));
  ack_int (ack, 1);
}

/* dismiss ROOM: disconnects all in it */
static void
dismiss (Lab *lab, SocketioSocket *socket, SocketioArgs *args, SocketioAck *ack)
{
  g_autoptr (SocketioBroadcast) broadcast = broadcast_to (lab, arg_string (args, 0));

  socketio_broadcast_disconnect_sockets (broadcast, FALSE);
  ack_int (ack, 1);
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
  ack_int (ack, 1);
}

/* keep TEXT: in the socket's data; nothing is changed if TEXT is empty → the text kept, and whether
 * the socket is recovered */
static void
keep (Lab *lab, SocketioSocket *socket, SocketioArgs *args, SocketioAck *ack)
{
  JsonObject *data = socketio_socket_get_data (socket);
  g_autoptr (SocketioArgs) out = socketio_args_new ();

  if (arg_string (args, 0)[0] != '\0')
    json_object_set_string_member (data, "kept", arg_string (args, 0));
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
  const char *id = arg_string (args, 0);
  SocketioSocket *other = id[0] != '\0' ? socketio_namespace_lookup (lab->nsp, id) : socket;

  if (other == NULL)
    emit_text (socket, "unanswered", "unknown");
  else
    socketio_socket_emit_with_ack_async (other, "question", args, (guint) arg_int (args, 1), NULL,
                                         asked_cb, g_object_ref (socket));
}

/* end ID HOW: disconnects another socket (or this), with its connection if HOW is 2; if it is 1,
 * closes the connection alone */
static void
end (Lab *lab, SocketioSocket *socket, SocketioArgs *args, SocketioAck *ack)
{
  const char *id = arg_string (args, 0);
  SocketioSocket *other = id[0] != '\0' ? socketio_namespace_lookup (lab->nsp, id) : socket;

  if (other != NULL && arg_int (args, 1) == 1)
    socketio_socket_close_connection (other);
  else if (other != NULL)
    socketio_socket_disconnect (other, arg_int (args, 1) == 2);
  ack_int (ack, other != NULL);
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
      SocketioSocket *other = socketio_namespace_lookup (lab->nsp, arg_string (args, i));

      if (other != NULL && other != socket)
        socketio_socket_disconnect (other, TRUE);
    }
  ack_int (ack, socketio_socket_is_connected (socket));
}

static void
flood_free (gpointer data)
{
  Flood *flood = data;

  g_free (flood->json);
  g_free (flood);
}

static void
flood_advance (SocketioSocket *socket, Flood *flood)
{
  while (flood->left > 0 && socketio_socket_get_queued_bytes (socket) < FLOOD_MARK
         && socketio_socket_emit_json (socket, "chunk", flood->json))
    {
      flood->left--;
      flood->sent++;
      flood->most_queued = MAX (flood->most_queued, socketio_socket_get_queued_bytes (socket));
    }
}

static void
drained_cb (SocketioSocket *socket, gpointer user_data)
{
  Flood *flood = user_data;
  g_autoptr (SocketioArgs) args = NULL;

  flood->n_drained++;
  if (flood->left > 0)
    {
      flood_advance (socket, flood);
      return;
    }
  if (flood->sent == 0)
    return;

  args = socketio_args_new ();
  socketio_args_add_int (args, flood->sent);
  socketio_args_add_int (args, flood->n_drained);
  socketio_args_add_int (args, (gint64) flood->most_queued);
  flood->sent = 0;
  socketio_socket_emit (socket, "flooded", args);
}

/* flood COUNT SIZE: sends that many "chunk" with a text of that size, a few at a time, then
 * "flooded" with how many went out, how often it was drained, and the most that was queued */
static void
flood (Lab *lab, SocketioSocket *socket, SocketioArgs *args, SocketioAck *ack)
{
  Flood *state = g_new0 (Flood, 1);
  g_autofree char *text = g_strnfill ((gsize) arg_int (args, 1), 'x');

  state->left = arg_int (args, 0);
  state->json = g_strdup_printf ("\"%s\"", text);
  g_object_set_data_full (G_OBJECT (socket), "lab-flood", state, flood_free);
  g_signal_connect (socket, "drained", G_CALLBACK (drained_cb), state);
  flood_advance (socket, state);
}

/* pour COUNT SIZE → how many were taken: sends without regard to the queue */
static void
pour (Lab *lab, SocketioSocket *socket, SocketioArgs *args, SocketioAck *ack)
{
  g_autofree char *text = g_strnfill ((gsize) arg_int (args, 1), 'x');
  g_autofree char *json = g_strdup_printf ("\"%s\"", text);
  gint64 n = 0;

  while (n < arg_int (args, 0) && socketio_socket_emit_json (socket, "chunk", json))
    n++;
  ack_int (ack, n);
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
  g_autoptr (GSource) source = g_timeout_source_new ((guint) arg_int (args, 0));

  /* the context that was thread default when the server was made */
  g_source_set_static_name (source, "lab remark");
  g_source_set_callback (source, remark_timeout_cb, remark_new (socket, arg_string (args, 1)),
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
  g_task_set_task_data (work, remark_new (socket, arg_string (args, 0)), remark_free);
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
  socketio_server_close_async (lab->server, (guint) arg_int (args, 0), server_closed_cb, NULL);
}

static const struct
{
  const char *signal;
  CommandFunc func;
} commands[] = {
  { "event::join", join },
  { "event::join-rooms", join_rooms },
  { "event::leave", leave },
  { "event::to-room", to_room },
  { "event::to-all", to_all },
  { "event::select", select_to },
  { "event::keep", keep },
  { "event::ask-all", ask_all },
  { "event::move", move },
  { "event::swap", swap },
  { "event::tell-servers", tell_servers },
  { "event::dismiss", dismiss },
  { "event::filter", filter },
  { "event::count-broadcasts", count_broadcasts },
  { "event::ask", ask },
  { "event::end", end },
  { "event::end-others", end_others },
  { "event::flood", flood },
  { "event::pour", pour },
  { "event::later", later },
  { "event::task", task },
  { "event::binary", binary },
  { "event::handshake", handshake },
  { "event::twice", twice },
  { "event::stats", stats },
  { "event::close", close_server },
};

static void
command_cb (SocketioSocket *socket,
            const char *name,
            SocketioArgs *args,
            SocketioAck *ack,
            gpointer user_data)
{
  Lab *lab = user_data;

  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++)
    if (g_str_equal (commands[i].signal + strlen ("event::"), name))
      commands[i].func (lab, socket, args, ack);
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
  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++)
    g_signal_connect (socket, commands[i].signal, G_CALLBACK (command_cb), user_data);
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
check_token (SocketioSocket *socket, char **data, gpointer user_data, GError **error)
{
  JsonObject *auth = socketio_socket_get_auth (socket);
  const char *token =
      auth != NULL ? json_object_get_string_member_with_default (auth, "token", NULL) : NULL;

  if (g_strcmp0 (token, "right") == 0)
    return TRUE;
  *data = g_strdup (token != NULL ? "{\"code\":\"wrong\"}" : "{\"code\":\"missing\"}");
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED, "Not \"you\"");
  return FALSE;
}

/* Comes after check_token(), so that it hears only of those that had the token. */
static gboolean
check_name (SocketioSocket *socket, char **data, gpointer user_data, GError **error)
{
  JsonObject *auth = socketio_socket_get_auth (socket);

  if (json_object_has_member (auth, "name"))
    return TRUE;
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, "No name");
  return FALSE;
}

static gboolean
decide_cb (gpointer user_data)
{
  SocketioDecision *decision = user_data;

  socketio_decision_refuse (decision, "Too late", "{\"code\":\"late\"}");
  return G_SOURCE_REMOVE;
}

static gboolean
decide_well_cb (gpointer user_data)
{
  socketio_decision_allow (user_data);
  return G_SOURCE_REMOVE;
}

/* Allows those with the token after a while, refuses the others after a while, and forgets those
 * that want to be forgotten. */
static void
check_token_later (SocketioSocket *socket, SocketioDecision *decision, gpointer user_data)
{
  JsonObject *auth = socketio_socket_get_auth (socket);
  const char *token =
      auth != NULL ? json_object_get_string_member_with_default (auth, "token", "") : "";

  if (!g_str_equal (token, "forget"))
    g_timeout_add_full (G_PRIORITY_DEFAULT, 100,
                        g_str_equal (token, "right") ? decide_well_cb : decide_cb,
                        socketio_decision_ref (decision), (GDestroyNotify) socketio_decision_unref);
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
  SocketioNamespace *guarded = socketio_server_of (server, "guarded");

  lab->server = server;
  lab->nsp = socketio_server_of (server, "/");
  g_signal_connect (lab->nsp, "connect", G_CALLBACK (connect_cb), lab);
  g_signal_connect (socketio_server_of (server, "/any"), "connect", G_CALLBACK (connect_any_cb),
                    NULL);
  socketio_namespace_use (guarded, check_token, NULL, NULL);
  socketio_namespace_use (guarded, check_name, NULL, NULL);
  socketio_namespace_use_async (socketio_server_of (server, "patient"), check_token_later, NULL,
                                NULL);
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
  g_autoptr (SoupServer) stock = NULL;
  g_autoptr (GSocketAddress) address = NULL;
  g_autoptr (GError) error = NULL;

  echo_options_parse (&options, argc, argv);
  server = make_server (&options, &lab);
  if (options.stock)
    stock = soup_server_new (NULL, NULL);
  address = echo_start (server, stock, options.port, &error);
  if (address == NULL)
    {
      g_printerr ("socketio-lab: %s\n", error->message);
      return 1;
    }

  echo_run (address);
  echo_options_clear (&options);
  return 0;
}

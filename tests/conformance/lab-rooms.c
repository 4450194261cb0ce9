/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rooms, and what is said to many. */
#include "echo-args.h"
#include "lab-adapter.h"
#include "lab.h"

/* join ROOM → whether it is in */
static void
join (Lab *lab, SocketioSocket *socket, SocketioArgs *args, SocketioAck *ack)
{
  socketio_socket_join (socket, echo_arg_string (args, 0));
  lab_ack_int (ack, socketio_socket_is_in (socket, echo_arg_string (args, 0)));
}

/* join-rooms ROOMS, separated by commas → in how many it is */
static void
join_rooms (Lab *lab, SocketioSocket *socket, SocketioArgs *args, SocketioAck *ack)
{
  g_auto (GStrv) wanted = g_strsplit (echo_arg_string (args, 0), ",", -1);
  g_auto (GStrv) rooms = NULL;

  socketio_socket_join_rooms (socket, (const char *const *) wanted);
  rooms = socketio_socket_dup_rooms (socket);
  lab_ack_int (ack, g_strv_length (rooms));
}

/* leave ROOM → whether it is in */
static void
leave (Lab *lab, SocketioSocket *socket, SocketioArgs *args, SocketioAck *ack)
{
  socketio_socket_leave (socket, echo_arg_string (args, 0));
  lab_ack_int (ack, socketio_socket_is_in (socket, echo_arg_string (args, 0)));
}

/* to-room ROOM TEXT: all in it but the sender hear "room" */
static void
to_room (Lab *lab, SocketioSocket *socket, SocketioArgs *args, SocketioAck *ack)
{
  g_autoptr (SocketioArgs) out = socketio_args_new ();

  socketio_args_add_string (out, echo_arg_string (args, 1));
  socketio_namespace_emit (lab->nsp, echo_arg_string (args, 0), socket, "room", out);
  lab_ack_int (ack, 1);
}

/* to-all BYTES: all of the namespace hear "all" with the bytes */
static void
to_all (Lab *lab, SocketioSocket *socket, SocketioArgs *args, SocketioAck *ack)
{
  socketio_namespace_emit (lab->nsp, NULL, NULL, "all", args);
  lab_ack_int (ack, 1);
}

/* select FLAGS TO EXCEPT TEXT: those in the rooms TO, but not in the rooms EXCEPT, hear "selected";
 * names of rooms are separated by commas, and FLAGS is "volatile", "uncompressed" or nothing */
static void
select_to (Lab *lab, SocketioSocket *socket, SocketioArgs *args, SocketioAck *ack)
{
  g_autoptr (SocketioBroadcast) broadcast = socketio_namespace_broadcast (lab->nsp);
  g_autoptr (SocketioArgs) out = socketio_args_new ();
  g_autoptr (GPtrArray) selected = NULL;
  g_auto (GStrv) to = g_strsplit (echo_arg_string (args, 1), ",", -1);
  g_auto (GStrv) except = g_strsplit (echo_arg_string (args, 2), ",", -1);

  socketio_broadcast_to_rooms (broadcast, (const char *const *) to);
  socketio_broadcast_except_rooms (broadcast, (const char *const *) except);
  if (g_str_equal (echo_arg_string (args, 0), "volatile"))
    socketio_broadcast_set_flags (broadcast, SOCKETIO_EMIT_VOLATILE);
  else if (g_str_equal (echo_arg_string (args, 0), "uncompressed"))
    socketio_broadcast_set_flags (broadcast, SOCKETIO_EMIT_UNCOMPRESSED);
  socketio_args_add_string (out, echo_arg_string (args, 3));
  socketio_broadcast_emit (broadcast, "selected", out);
  selected = socketio_broadcast_fetch_sockets (broadcast);
  lab_ack_int (ack, selected->len);
}

/* count-broadcasts → how many there were, as the adapter counts */
static void
count_broadcasts (Lab *lab, SocketioSocket *socket, SocketioArgs *args, SocketioAck *ack)
{
  lab_ack_int (
      ack, lab_adapter_get_n_broadcasts (LAB_ADAPTER (socketio_namespace_get_adapter (lab->nsp))));
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
  g_autoptr (SocketioBroadcast) broadcast = broadcast_to (lab, echo_arg_string (args, 0));

  socketio_broadcast_emit_with_ack_async (broadcast, "question", args,
                                          (guint) echo_arg_int (args, 1), NULL, all_asked_cb,
                                          g_object_ref (socket));
}

/* swap ROOM ROOMS: all of a room join these, separated by commas, then leave them, each in one
 * call; → how many are left in the room */
static void
swap (Lab *lab, SocketioSocket *socket, SocketioArgs *args, SocketioAck *ack)
{
  g_autoptr (SocketioBroadcast) from = broadcast_to (lab, echo_arg_string (args, 0));
  g_auto (GStrv) rooms = g_strsplit (echo_arg_string (args, 1), ",", -1);
  g_autoptr (GPtrArray) left = NULL;

  socketio_broadcast_sockets_join_rooms (from, (const char *const *) rooms);
  socketio_broadcast_sockets_leave_rooms (from, (const char *const *) rooms);
  left = socketio_broadcast_fetch_sockets (from);
  lab_ack_int (ack, left->len);
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
  g_autoptr (SocketioBroadcast) from = broadcast_to (lab, echo_arg_string (args, 0));

  socketio_broadcast_sockets_join (from, echo_arg_string (args, 1));
  socketio_broadcast_sockets_leave (from, echo_arg_string (args, 0));
  lab_ack_int (ack, 1);
}

/* dismiss ROOM: disconnects all in it */
static void
dismiss (Lab *lab, SocketioSocket *socket, SocketioArgs *args, SocketioAck *ack)
{
  g_autoptr (SocketioBroadcast) broadcast = broadcast_to (lab, echo_arg_string (args, 0));

  socketio_broadcast_disconnect_sockets (broadcast, FALSE);
  lab_ack_int (ack, 1);
}

const LabCommand lab_room_commands[] = {
  { "event::join", join },
  { "event::join-rooms", join_rooms },
  { "event::leave", leave },
  { "event::to-room", to_room },
  { "event::to-all", to_all },
  { "event::select", select_to },
  { "event::count-broadcasts", count_broadcasts },
  { "event::ask-all", ask_all },
  { "event::move", move },
  { "event::swap", swap },
  { "event::tell-servers", tell_servers },
  { "event::dismiss", dismiss },
  { NULL },
};

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A chat with rooms; see README.md. */
#include <stdlib.h>
#include <socketio.h>

#define MAX_NAME 32

/* What came from a peer may be anything, and json-glib complains aloud of what it did not expect.
 */
static const char *
get_text (JsonObject *object, const char *member)
{
  JsonNode *node = object != NULL ? json_object_get_member (object, member) : NULL;
  const char *text =
      node != NULL && JSON_NODE_HOLDS_VALUE (node) ? json_node_get_string (node) : NULL;

  return text != NULL && *text != '\0' ? text : NULL;
}

/* The room of a socket that has joined one, and its name there. */
static const char *
get_room (SocketioSocket *socket)
{
  return get_text (socketio_socket_get_data (socket), "room");
}

static const char *
get_name (SocketioSocket *socket)
{
  return get_text (socketio_socket_get_data (socket), "name");
}

/* Arguments of one object with strings: name, value, …, NULL. */
static SocketioArgs *G_GNUC_NULL_TERMINATED
make_args (const char *name, ...)
{
  JsonObject *object = json_object_new ();
  SocketioArgs *args = socketio_args_new ();
  va_list list;

  va_start (list, name);
  for (; name != NULL; name = va_arg (list, const char *))
    json_object_set_string_member (object, name, va_arg (list, const char *));
  va_end (list);
  socketio_args_take_object (args, object);
  return args;
}

/* @error, @members: (nullable) */
static void
answer (SocketioAck *ack, const char *error, JsonArray *members)
{
  JsonObject *object = json_object_new ();
  g_autoptr (SocketioArgs) args = socketio_args_new ();

  json_object_set_boolean_member (object, "ok", error == NULL);
  if (error != NULL)
    json_object_set_string_member (object, "error", error);
  if (members != NULL)
    json_object_set_array_member (object, "members", json_array_ref (members));
  socketio_args_take_object (args, object);
  if (ack != NULL)
    socketio_ack_send (ack, args);
}

static JsonArray *
list_members (SocketioSocket *socket, const char *room)
{
  g_autoptr (GPtrArray) sockets =
      socketio_namespace_fetch_sockets (socketio_socket_get_namespace (socket), room);
  JsonArray *members = json_array_new ();

  for (guint i = 0; i < sockets->len; i++)
    json_array_add_string_element (members, get_name (g_ptr_array_index (sockets, i)));
  return members;
}

static gboolean
contains (JsonArray *members, const char *name)
{
  for (guint i = 0; i < json_array_get_length (members); i++)
    if (g_str_equal (json_array_get_string_element (members, i), name))
      return TRUE;
  return FALSE;
}

/* To everybody in the room of @socket but itself. */
static void
tell_others (SocketioSocket *socket, const char *event, SocketioArgs *args, SocketioEmitFlags flags)
{
  g_autoptr (SocketioBroadcast) others = socketio_socket_broadcast (socket);

  socketio_broadcast_to (others, get_room (socket));
  socketio_broadcast_set_flags (others, flags);
  socketio_broadcast_emit (others, event, args);
}

static void
join_cb (SocketioSocket *socket,
         const char *event,
         SocketioArgs *args,
         SocketioAck *ack,
         gpointer user_data)
{
  JsonObject *wish = socketio_args_get_object (args, 0);
  const char *name = get_text (wish, "name"), *room = get_text (wish, "room");
  g_autoptr (JsonArray) members = NULL;
  g_autoptr (SocketioArgs) news = NULL;

  if (name == NULL || room == NULL || g_utf8_strlen (name, -1) > MAX_NAME)
    {
      answer (ack, "A name and a room are needed", NULL);
      return;
    }
  if (get_room (socket) != NULL)
    {
      answer (ack, "You are in a room already", NULL);
      return;
    }
  members = list_members (socket, room);
  if (contains (members, name))
    {
      answer (ack, "That name is taken", NULL);
      return;
    }

  json_object_set_string_member (socketio_socket_get_data (socket), "name", name);
  json_object_set_string_member (socketio_socket_get_data (socket), "room", room);
  socketio_socket_join (socket, room);
  json_array_add_string_element (members, name);
  answer (ack, NULL, members);
  news = make_args ("name", name, NULL);
  tell_others (socket, "joined", news, SOCKETIO_EMIT_DEFAULT);
}

static void
say_cb (SocketioSocket *socket,
        const char *event,
        SocketioArgs *args,
        SocketioAck *ack,
        gpointer user_data)
{
  const char *text = socketio_args_get_string (args, 0);
  g_autoptr (SocketioArgs) said = NULL;

  if (get_room (socket) == NULL || text == NULL)
    {
      answer (ack, "Join a room, then say a text", NULL);
      return;
    }
  said = make_args ("from", get_name (socket), "text", text, NULL);
  tell_others (socket, "said", said, SOCKETIO_EMIT_DEFAULT);
  answer (ack, NULL, NULL);
}

static void
typing_cb (SocketioSocket *socket,
           const char *event,
           SocketioArgs *args,
           SocketioAck *ack,
           gpointer user_data)
{
  g_autoptr (SocketioArgs) typing = NULL;

  if (get_room (socket) == NULL)
    return;
  typing = make_args ("from", get_name (socket), NULL);
  tell_others (socket, "typing", typing, SOCKETIO_EMIT_VOLATILE);
}

static void
disconnected_cb (SocketioSocket *socket, const char *reason, gpointer user_data)
{
  g_autoptr (SocketioArgs) news = NULL;

  if (get_room (socket) == NULL)
    return;
  news = make_args ("name", get_name (socket), NULL);
  tell_others (socket, "left", news, SOCKETIO_EMIT_DEFAULT);
}

static void
connect_cb (SocketioNamespace *nsp, SocketioSocket *socket, gpointer user_data)
{
  g_signal_connect (socket, "event::join", G_CALLBACK (join_cb), NULL);
  g_signal_connect (socket, "event::say", G_CALLBACK (say_cb), NULL);
  g_signal_connect (socket, "event::typing", G_CALLBACK (typing_cb), NULL);
  g_signal_connect (socket, "disconnected", G_CALLBACK (disconnected_cb), NULL);
}

int
main (int argc, char **argv)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (SocketioServer) server = socketio_server_new (NULL);
  g_autoptr (GSocketAddress) wanted =
      g_inet_socket_address_new_from_string ("127.0.0.1", argc > 1 ? atoi (argv[1]) : 3000);
  g_autoptr (GSocketAddress) address = NULL;
  g_autoptr (GError) error = NULL;

  g_signal_connect (socketio_server_of (server, "/"), "connect", G_CALLBACK (connect_cb), NULL);
  address = socketio_server_listen (server, wanted, &error);
  if (address == NULL)
    {
      g_printerr ("chat: %s\n", error->message);
      return 1;
    }
  g_print ("Listening on port %u\n",
           g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address)));
  g_main_loop_run (loop);
  return 0;
}

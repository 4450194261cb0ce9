/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * A server for what comes before a conversation: who may connect, by what, and to which namespace.
 * Any of the server's construct properties can be set by --set NAME=VALUE, with VALUE as GVariant
 * text.
 */

#include <stdlib.h>
#include <string.h>

#include "echo-options.h"
#include "echo-set.h"
#include "echo-serve.h"
#include "socketio.h"

#define CLIENT_BUNDLE "/* what a page would load */\n"

typedef struct
{
  SocketioParentNamespace *rooms; /* of names that match a pattern */
  GPtrArray *added;               /* names of namespaces, as they were made */
} Door;

static void
append_names (SocketioArgs *args, GPtrArray *names)
{
  JsonArray *array = json_array_new ();

  for (guint i = 0; i < names->len; i++)
    json_array_add_string_element (array, g_ptr_array_index (names, i));
  socketio_args_take_node (args, json_node_init_array (json_node_alloc (), array));
  json_array_unref (array);
}

static void
list_cb (SocketioSocket *socket,
         const char *name,
         SocketioArgs *args,
         SocketioAck *ack,
         gpointer user_data)
{
  Door *door = user_data;
  g_autoptr (GPtrArray) children = socketio_parent_namespace_dup_children (door->rooms);
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  g_autoptr (SocketioArgs) answer = socketio_args_new ();

  for (guint i = 0; i < children->len; i++)
    g_ptr_array_add (names,
                     (gpointer) socketio_namespace_get_name (g_ptr_array_index (children, i)));
  append_names (answer, names);
  append_names (answer, door->added);
  socketio_ack_send (ack, answer);
}

static void
tell_all_cb (SocketioSocket *socket,
             const char *name,
             SocketioArgs *args,
             SocketioAck *ack,
             gpointer user_data)
{
  Door *door = user_data;

  socketio_parent_namespace_emit (door->rooms, NULL, "told", args);
}

static void
big_cb (SocketioSocket *socket,
        const char *name,
        SocketioArgs *args,
        SocketioAck *ack,
        gpointer user_data)
{
  g_autofree char *text = g_strnfill (5000, 'x');
  g_autoptr (SocketioArgs) answer = socketio_args_new ();

  socketio_args_add_string (answer, text);
  socketio_ack_send (ack, answer);
}

static void
connect_cb (SocketioNamespace *nsp, SocketioSocket *socket, gpointer user_data)
{
  g_signal_connect (socket, "event::list", G_CALLBACK (list_cb), user_data);
  g_signal_connect (socket, "event::tell-all", G_CALLBACK (tell_all_cb), user_data);
  g_signal_connect (socket, "event::big", G_CALLBACK (big_cb), user_data);
}

static void
connect_child_cb (SocketioParentNamespace *parent, SocketioSocket *socket, gpointer user_data)
{
  g_autoptr (SocketioArgs) args = socketio_args_new ();

  socketio_args_add_string (args,
                            socketio_namespace_get_name (socketio_socket_get_namespace (socket)));
  socketio_socket_emit (socket, "welcome", args);
}

static gboolean
check_name (SocketioSocket *socket, char **data, gpointer user_data, GError **error)
{
  JsonObject *auth = socketio_socket_get_auth (socket);

  if (auth == NULL || !json_object_has_member (auth, "banned"))
    return TRUE;

  *data = g_strdup ("{\"why\":\"banned\"}");
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED, "Not you");
  return FALSE;
}

static gboolean
allow_cb (gpointer user_data)
{
  socketio_decision_allow (user_data);
  return G_SOURCE_REMOVE;
}

static gboolean
refuse_cb (gpointer user_data)
{
  socketio_decision_refuse (user_data, "Not today", NULL);
  return G_SOURCE_REMOVE;
}

static void
decide_later (SocketioDecision *decision, gboolean allowed)
{
  g_timeout_add_full (G_PRIORITY_DEFAULT, 50, allowed ? allow_cb : refuse_cb,
                      socketio_decision_ref (decision), (GDestroyNotify) socketio_decision_unref);
}

/* "/user/NAME" is there for the user of that name. */
static void
decide_user (const char *name, JsonNode *auth, SocketioDecision *decision, gpointer user_data)
{
  JsonObject *object =
      auth != NULL && JSON_NODE_HOLDS_OBJECT (auth) ? json_node_get_object (auth) : NULL;
  const char *user =
      object != NULL ? json_object_get_string_member_with_default (object, "user", "") : "";

  if (g_str_has_prefix (name, "/user/"))
    decide_later (decision, g_str_equal (name + strlen ("/user/"), user));
  else
    socketio_decision_refuse (decision, NULL, NULL);
}

/* By the header "X-Door": "now" and "later" open it, "never" and "not-now" do not, and "forget" is
 * forgotten. */
static void
allow_request (SocketioHandshake *handshake, SocketioDecision *decision, gpointer user_data)
{
  const char *door = socketio_handshake_get_header (handshake, "X-Door");

  if (g_strcmp0 (door, "later") == 0 || g_strcmp0 (door, "not-now") == 0)
    decide_later (decision, g_str_equal (door, "later"));
  else if (g_strcmp0 (door, "never") == 0)
    socketio_decision_refuse (decision, NULL, NULL);
  else if (g_strcmp0 (door, "forget") != 0)
    socketio_decision_allow (decision);
}

static void
namespace_added_cb (SocketioServer *server, SocketioNamespace *nsp, gpointer user_data)
{
  Door *door = user_data;

  g_ptr_array_add (door->added, g_strdup (socketio_namespace_get_name (nsp)));
}

static SocketioServer *
make_server (EchoOptions *options, Door *door)
{
  g_autoptr (GRegex) pattern = g_regex_new ("^/room-\\d+$", 0, 0, NULL);
  g_autoptr (GBytes) bundle = g_bytes_new_static (CLIENT_BUNDLE, strlen (CLIENT_BUNDLE));
  SocketioServer *server = echo_make_server (options->set);

  g_signal_connect (server, "namespace-added", G_CALLBACK (namespace_added_cb), door);
  g_signal_connect (socketio_server_of (server, "/"), "connect", G_CALLBACK (connect_cb), door);
  door->rooms = socketio_server_of_pattern (server, pattern);
  socketio_parent_namespace_use (door->rooms, check_name, NULL, NULL);
  g_signal_connect (door->rooms, "connect", G_CALLBACK (connect_child_cb), door);
  g_signal_connect (socketio_server_of_func (server, decide_user, NULL, NULL), "connect",
                    G_CALLBACK (connect_child_cb), door);
  socketio_server_set_allow_request (server, allow_request, NULL, NULL);
  socketio_server_add_file (server, "socket.io.js", "application/javascript; charset=utf-8",
                            bundle);
  return server;
}

int
main (int argc, char **argv)
{
  EchoOptions options = { .path = g_strdup ("/socket.io/"), .takes_set = TRUE };
  g_autoptr (GPtrArray) added = g_ptr_array_new_with_free_func (g_free);
  Door door = { .added = added };
  g_autoptr (SocketioServer) server = NULL;
  int status;

  echo_options_parse (&options, argc, argv);
  server = make_server (&options, &door);
  status = echo_serve (server, &options);
  echo_options_clear (&options);
  return status;
}

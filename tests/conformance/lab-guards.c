/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lab-guards.h"

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

void
lab_guards_add (SocketioServer *server)
{
  SocketioNamespace *guarded = socketio_server_of (server, "guarded");

  socketio_namespace_use (guarded, check_token, NULL, NULL);
  socketio_namespace_use (guarded, check_name, NULL, NULL);
  socketio_namespace_use_async (socketio_server_of (server, "patient"), check_token_later, NULL,
                                NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a client comes into a namespace: Socket.IO protocol, "Connection to a namespace". */
#include "socketio-client-struct-private.h"
#include "socketio-json.h"
#include "socketio-recovery-private.h"
#include "socketio-server-private.h"

/* So many namespaces may be undecided at a time. */
#define MAX_UNDECIDED 64

/* A namespace that a client asks for, until it is known whether there is one. */
typedef struct
{
  SocketioClient *client; /* owned */
  char *name;
  JsonNode *auth; /* nullable */
} Looking;

static void
send_plain (SocketioClient *self, SocketioPacketType type, const char *nsp, const char *json)
{
  EngineioPacket packet =
      engineio_packet_take (socketio_packet_encode_plain (type, nsp, json), FALSE);

  if (type == SOCKETIO_PACKET_CONNECT_ERROR)
    socketio_client_count (self, SOCKETIO_COUNTER_CONNECT_ERRORS);
  socketio_client_send (self, &packet, 1);
  engineio_packet_clear (&packet);
}

static void
send_connected (SocketioClient *self, SocketioSocket *socket, const char *nsp)
{
  g_autofree char *json = NULL;

  /* clients of protocol 3 know no payload here */
  if (self->protocol == 4)
    {
      const char *id = socketio_socket_get_id (socket);

      if (socketio_socket_is_tracked (socket))
        json = g_strdup_printf ("{\"sid\":\"%s\",\"pid\":\"%s%s\"}", id, id,
                                socketio_socket_get_secret (socket));
      else
        json = g_strdup_printf ("{\"sid\":\"%s\"}", id);
    }
  send_plain (self, SOCKETIO_PACKET_CONNECT, nsp, json);
}

/* Clients of protocol 3 are told of a middleware's data, or else its message, alone. */
static void
send_refusal (SocketioClient *self, const char *nsp, const char *message, const char *data)
{
  g_autoptr (GString) json = g_string_new (NULL);

  if (self->protocol == 3)
    {
      if (data != NULL)
        g_string_append (json, data);
      else
        socketio_json_append_string (json, message, -1);
    }
  else
    {
      g_string_append (json, "{\"message\":");
      socketio_json_append_string (json, message, -1);
      if (data != NULL)
        g_string_append_printf (json, ",\"data\":%s", data);
      g_string_append_c (json, '}');
    }
  send_plain (self, SOCKETIO_PACKET_CONNECT_ERROR, nsp, json->str);
}

/* FALSE if it was not among those that join: the client went, or gave it up. */
static gboolean
end_joining (SocketioClient *self, SocketioSocket *socket)
{
  if (self->joining == NULL || !g_ptr_array_remove_fast (self->joining, socket))
    return FALSE;
  if (self->joining->len == 0)
    g_clear_pointer (&self->joining, g_ptr_array_unref);
  return TRUE;
}

/* Takes over what the socket was before. FALSE if the connection ended over that. */
static gboolean
restore (SocketioClient *self, SocketioSocket *socket, GArray **missed)
{
  SocketioNamespace *nsp = socketio_socket_get_namespace (socket);
  SocketioRecovery *recovery = socketio_namespace_get_recovery (nsp);

  *missed = recovery != NULL ? socketio_recovery_take_over (recovery, socket) : NULL;
  if (self->session != NULL)
    return TRUE;

  /* handlers of the old socket's end did that */
  if (*missed != NULL)
    socketio_namespace_remove (nsp, socket, TRUE);
  g_clear_pointer (missed, g_array_unref);
  return FALSE;
}

static void
let_in (SocketioClient *self, SocketioSocket *socket)
{
  SocketioNamespace *nsp = socketio_socket_get_namespace (socket);
  g_autoptr (GArray) missed = NULL;

  if (!restore (self, socket, &missed))
    return;

  socketio_client_add_socket (self, socket);
  socketio_socket_set_connected (socket);
  socketio_namespace_add (nsp, socket);
  send_connected (self, socket, socketio_namespace_get_name (nsp));
  if (missed != NULL && missed->len > 0)
    socketio_client_send_array (self, missed);
  if (socketio_socket_is_connected (socket))
    socketio_namespace_emit_connect (nsp, socket);
  socketio_socket_settle (socket);
}

static void
admitted_cb (SocketioSocket *socket,
             gboolean allowed,
             const char *message,
             const char *data,
             gpointer user_data)
{
  g_autoptr (SocketioClient) self = socketio_client_ref (user_data);
  g_autoptr (SocketioSocket) alive = g_object_ref (socket);

  self->n_undecided--;
  if (!end_joining (self, socket))
    return;
  if (allowed)
    let_in (self, alive);
  else
    send_refusal (self, socketio_namespace_get_name (socketio_socket_get_namespace (socket)),
                  message, data);
}

static void
join_namespace (SocketioClient *self, SocketioNamespace *nsp, JsonNode *auth)
{
  g_autoptr (SocketioSocket) socket = NULL;
  SocketioRecovery *recovery;

  socket = socketio_socket_new (nsp, self, auth);
  recovery = socketio_namespace_get_recovery (nsp);
  if (recovery != NULL && self->protocol == 4)
    socketio_recovery_identify (recovery, socket, auth);
  if (self->joining == NULL)
    self->joining = g_ptr_array_new_with_free_func (g_object_unref);
  g_ptr_array_add (self->joining, g_object_ref (socket));
  /* the socket, which the admission holds, holds the client */
  socketio_namespace_admit (nsp, socket, admitted_cb, self);
}

static Looking *
find_looking (SocketioClient *self, const char *name)
{
  for (guint i = 0; self->looking != NULL && i < self->looking->len; i++)
    {
      Looking *looking = g_ptr_array_index (self->looking, i);

      if (g_str_equal (looking->name, name))
        return looking;
    }
  return NULL;
}

/* FALSE if it was given up. */
static gboolean
end_looking (SocketioClient *self, Looking *looking)
{
  if (self->looking == NULL || !g_ptr_array_remove_fast (self->looking, looking))
    return FALSE;
  if (self->looking->len == 0)
    g_clear_pointer (&self->looking, g_ptr_array_unref);
  return TRUE;
}

static void
found_cb (SocketioNamespace *nsp, gpointer user_data)
{
  Looking *looking = user_data;
  g_autoptr (SocketioClient) self = looking->client;
  gboolean wanted = end_looking (self, looking);

  if (wanted && nsp != NULL)
    join_namespace (self, nsp, looking->auth);
  else
    self->n_undecided--;
  if (wanted && nsp == NULL)
    /* the reference server tells all clients so */
    send_plain (self, SOCKETIO_PACKET_CONNECT_ERROR, looking->name,
                "{\"message\":\"Invalid namespace\"}");
  g_clear_pointer (&looking->auth, json_node_unref);
  g_free (looking->name);
  g_free (looking);
}

void
socketio_client_join (SocketioClient *self, const char *name, JsonNode *auth)
{
  Looking *looking;

  if (self->n_undecided >= MAX_UNDECIDED)
    {
      send_plain (self, SOCKETIO_PACKET_CONNECT_ERROR, name,
                  "{\"message\":\"Too many namespaces at a time\"}");
      return;
    }

  looking = g_new (Looking, 1);
  *looking = (Looking){ socketio_client_ref (self), g_strdup (name),
                        auth != NULL ? json_node_ref (auth) : NULL };
  if (self->looking == NULL)
    self->looking = g_ptr_array_new ();
  g_ptr_array_add (self->looking, looking);
  self->n_undecided++;
  socketio_server_find_namespace (self->server, name, auth, found_cb, looking);
}

gboolean
socketio_client_is_joining (SocketioClient *self, const char *name)
{
  return socketio_client_find_among (self->joining, name) != NULL
         || find_looking (self, name) != NULL;
}

gboolean
socketio_client_give_up (SocketioClient *self, const char *name)
{
  SocketioSocket *joining = socketio_client_find_among (self->joining, name);
  Looking *looking = find_looking (self, name);

  if (joining != NULL)
    return end_joining (self, joining);
  return looking != NULL && end_looking (self, looking);
}

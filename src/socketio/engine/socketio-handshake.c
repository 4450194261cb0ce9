/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "socketio-handshake.h"

#include <string.h>

#include "socketio-handshake-private.h"
#include "socketio-peer.h"

/* Ten thousand of these are kept: so the strings stand in one block, the headers as
 * "name\0value\0" pairs ended by an empty name, and nothing is parsed before somebody asks. */
struct _SocketioHandshake
{
  grefcount ref_count;
  gint64 uid;
  gint64 time;
  gboolean secure;
  const char *url;
  const char *address;
  const char *headers;
  char block[];
};

G_DEFINE_BOXED_TYPE (SocketioHandshake,
                     socketio_handshake,
                     socketio_handshake_ref,
                     socketio_handshake_unref)

static void
append_with_nul (GString *block, const char *text)
{
  g_string_append_len (block, text, strlen (text) + 1);
}

static void
append_header_cb (const char *name, const char *value, gpointer user_data)
{
  append_with_nul (user_data, name);
  append_with_nul (user_data, value);
}

/* libsoup complains aloud when it is asked for the address of a peer that is gone. */
static GSocketAddress *
get_address (SoupServerMessage *message)
{
  GSocket *socket = soup_server_message_get_socket (message);
  GSocketAddress *address;

  if (socket != NULL)
    return g_socket_get_remote_address (socket, NULL);
  address = soup_server_message_get_remote_address (message);
  return address != NULL ? g_object_ref (address) : NULL;
}

static char *
dup_address (SoupServerMessage *message, gboolean is_unix)
{
  g_autoptr (GSocketAddress) address = get_address (message);

  if (is_unix || address == NULL || !G_IS_INET_SOCKET_ADDRESS (address))
    return g_strdup ("");
  return g_inet_address_to_string (
      g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (address)));
}

SocketioHandshake *
socketio_handshake_new (SoupServerMessage *message)
{
  SocketioPeer *peer = socketio_peer_from_message (message);
  GUri *uri = soup_server_message_get_uri (message);
  gboolean is_unix = peer != NULL && peer->is_unix;
  g_autofree char *address = dup_address (message, is_unix);
  g_autoptr (GString) block = g_string_sized_new (1024);
  SocketioHandshake *self;
  gsize address_at, headers_at;

  g_string_append (block, g_uri_get_path (uri));
  if (g_uri_get_query (uri) != NULL)
    g_string_append_printf (block, "?%s", g_uri_get_query (uri));
  g_string_append_c (block, '\0');
  address_at = block->len;
  append_with_nul (block, address);
  headers_at = block->len;
  soup_message_headers_foreach (soup_server_message_get_request_headers (message), append_header_cb,
                                block);
  g_string_append_c (block, '\0');

  self = g_malloc (sizeof *self + block->len);
  g_ref_count_init (&self->ref_count);
  memcpy (self->block, block->str, block->len);
  self->uid = peer != NULL ? peer->uid : -1;
  self->time = g_get_real_time ();
  self->secure = g_strcmp0 (g_uri_get_scheme (uri), "https") == 0;
  self->url = self->block;
  self->address = self->block + address_at;
  self->headers = self->block + headers_at;
  return self;
}

/**
 * socketio_handshake_ref:
 * @self: a handshake
 *
 * Takes a reference.
 *
 * Returns: (transfer full): @self
 */
SocketioHandshake *
socketio_handshake_ref (SocketioHandshake *self)
{
  g_ref_count_inc (&self->ref_count);
  return self;
}

/**
 * socketio_handshake_unref:
 * @self: (transfer full): a handshake
 *
 * Drops a reference.
 */
void
socketio_handshake_unref (SocketioHandshake *self)
{
  if (g_ref_count_dec (&self->ref_count))
    g_free (self);
}

/**
 * socketio_handshake_get_url:
 * @self: a handshake
 *
 * Path and query of the request, as the client sent them.
 *
 * Returns: (transfer none): the request target
 */
const char *
socketio_handshake_get_url (SocketioHandshake *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->url;
}

/**
 * socketio_handshake_dup_query:
 * @self: a handshake
 * @name: name of a query parameter
 *
 * Looks up a query parameter (`query`).
 *
 * Returns: (transfer full) (nullable): the parameter's value, decoded; the last one if it is
 *   repeated; %NULL if there is none
 */
char *
socketio_handshake_dup_query (SocketioHandshake *self, const char *name)
{
  const char *query;
  g_autoptr (GHashTable) table = NULL;

  g_return_val_if_fail (self != NULL && name != NULL, NULL);

  query = strchr (self->url, '?');
  if (query == NULL)
    return NULL;
  table = soup_form_decode (query + 1);
  return g_strdup (g_hash_table_lookup (table, name));
}

/**
 * socketio_handshake_get_header:
 * @self: a handshake
 * @name: name of a header, in any case
 *
 * Looks up a header (`headers`).
 *
 * Returns: (transfer none) (nullable): the value of the first header of that name, or %NULL
 */
const char *
socketio_handshake_get_header (SocketioHandshake *self, const char *name)
{
  g_return_val_if_fail (self != NULL && name != NULL, NULL);

  for (const char *at = self->headers; *at != '\0';)
    {
      const char *value = at + strlen (at) + 1;

      if (g_ascii_strcasecmp (at, name) == 0)
        return value;
      at = value + strlen (value) + 1;
    }
  return NULL;
}

/**
 * socketio_handshake_get_address:
 * @self: a handshake
 *
 * Gets the peer's address (`address`).
 *
 * Returns: (transfer none): the peer's IP address as text; the empty string for a UNIX peer
 */
const char *
socketio_handshake_get_address (SocketioHandshake *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->address;
}

/**
 * socketio_handshake_get_peer_uid:
 * @self: a handshake
 *
 * Gets the user at the other end of a UNIX socket.
 *
 * Returns: the uid of a UNIX peer, as the kernel knows it; -1 for others
 */
gint64
socketio_handshake_get_peer_uid (SocketioHandshake *self)
{
  g_return_val_if_fail (self != NULL, -1);

  return self->uid;
}

/**
 * socketio_handshake_is_secure:
 * @self: a handshake
 *
 * Says whether nobody can listen in (`secure`).
 *
 * Returns: whether the request came over TLS
 */
gboolean
socketio_handshake_is_secure (SocketioHandshake *self)
{
  g_return_val_if_fail (self != NULL, FALSE);

  return self->secure;
}

/**
 * socketio_handshake_get_time:
 * @self: a handshake
 *
 * Gets the time of the request (`issued`).
 *
 * Returns: when the request came, in µs since the epoch
 */
gint64
socketio_handshake_get_time (SocketioHandshake *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->time;
}

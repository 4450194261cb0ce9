/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engineio-upgrade.h"

#include <errno.h>
#include <fcntl.h>

#include "engineio-websocket-transport.h"
#include "socketio-handshake-private.h"
#include "socketio-stream.h"

/* Read past the head of a WebSocket request, at most. A client may talk before it saw the 101. */
#define EARLY_MAX (64 * 1024)

/* What waits for the 101 to be written. */
typedef struct
{
  EngineioServer *server; /* owned */
  SocketioHandshake *handshake;
  char *sid; /* nullable: of the session to upgrade */
  guint protocol;
  gboolean own;
  EngineioPlaceFunc place;
} Upgrade;

static void
upgrade_free (gpointer data)
{
  Upgrade *upgrade = data;

  engineio_server_unref (upgrade->server);
  socketio_handshake_unref (upgrade->handshake);
  g_free (upgrade->sid);
  g_free (upgrade);
}

/* What libsoup's filter read beyond the request's head. */
static GBytes *
read_early (GIOStream *stream)
{
  GPollableInputStream *input = G_POLLABLE_INPUT_STREAM (g_io_stream_get_input_stream (stream));
  g_autoptr (GByteArray) early = NULL;
  guint8 buffer[2048];
  gssize n;

  while (
      (early == NULL || early->len < EARLY_MAX)
      && (n = g_pollable_input_stream_read_nonblocking (input, buffer, sizeof buffer, NULL, NULL))
             > 0)
    {
      if (early == NULL)
        early = g_byte_array_new ();
      g_byte_array_append (early, buffer, n);
    }
  return early != NULL ? g_byte_array_free_to_bytes (g_steal_pointer (&early)) : NULL;
}

/* Moves the connection from libsoup's stream to one of ours. The socket is duplicated, so that all
 * that libsoup made around the first fd can go. */
static GIOStream *
adopt_stream (SocketioReactor *reactor, GIOStream *wrapper, GError **error)
{
  g_autoptr (GIOStream) base = NULL;
  g_autoptr (GBytes) early = NULL;
  GSocket *socket;
  int fd;

  g_object_get (wrapper, "base-iostream", &base, NULL);
  g_return_val_if_fail (G_IS_SOCKET_CONNECTION (base), NULL);

  early = read_early (wrapper);
  socket = g_socket_connection_get_socket (G_SOCKET_CONNECTION (base));
  fd = fcntl (g_socket_get_fd (socket), F_DUPFD_CLOEXEC, 3);
  if (fd < 0)
    {
      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno), "%s", g_strerror (errno));
      return NULL;
    }
  return G_IO_STREAM (socketio_stream_new (reactor, fd, early, error));
}

/* What every WebSocket is told: libsoup only keeps it. */
static GUri *
get_uri (void)
{
  static GUri *uri;

  if (uri == NULL)
    uri = g_uri_parse ("ws://localhost/", SOUP_HTTP_URI_FLAGS, NULL);
  return uri;
}

static void
wrote_101_cb (SoupServerMessage *message, gpointer user_data)
{
  Upgrade *upgrade = user_data;
  SocketioReactor *reactor = engineio_server_get_reactor (upgrade->server);
  g_autoptr (GError) error = NULL;
  g_autoptr (GIOStream) stream = NULL;
  g_autoptr (EngineioTransport) transport = NULL;

  if (soup_server_message_get_status (message) != SOUP_STATUS_SWITCHING_PROTOCOLS)
    return;

  stream = soup_server_message_steal_connection (message);
  if (upgrade->own)
    {
      g_autoptr (GIOStream) wrapper = g_steal_pointer (&stream);

      stream = adopt_stream (reactor, wrapper, &error);
      if (stream == NULL)
        {
          g_warning ("A WebSocket was lost: %s", error->message);
          return;
        }
    }

  transport = engineio_websocket_transport_new (
      reactor, upgrade->protocol, engineio_server_get_options (upgrade->server)->max_payload);
  socketio_reactor_push_context (reactor);
  engineio_websocket_transport_start (ENGINEIO_WEBSOCKET_TRANSPORT (transport), stream, get_uri ());
  if (!upgrade->place (upgrade->server, upgrade->sid, upgrade->handshake, upgrade->protocol,
                       transport))
    engineio_transport_close (transport);
  socketio_reactor_pop_context (reactor);
}

void
engineio_upgrade_begin (EngineioServer *server,
                        SoupServerMessage *message,
                        const char *sid,
                        guint protocol,
                        gboolean own,
                        EngineioPlaceFunc func)
{
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (message);
  Upgrade *upgrade;

  /* libsoup appends its "Upgrade" to what stands there */
  soup_message_headers_remove (headers, "Connection");
  if (!soup_websocket_server_process_handshake (message, NULL, NULL, NULL, NULL))
    {
      soup_message_headers_replace (headers, "Connection", "close");
      return;
    }

  upgrade = g_new0 (Upgrade, 1);
  upgrade->server = engineio_server_ref (server);
  upgrade->handshake = socketio_handshake_new (message);
  upgrade->sid = g_strdup (sid);
  upgrade->protocol = protocol;
  upgrade->own = own;
  upgrade->place = func;
  g_signal_connect_data (message, "wrote-informational", G_CALLBACK (wrote_101_cb), upgrade,
                         (GClosureNotify) (GCallback) upgrade_free, 0);
}

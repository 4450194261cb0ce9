/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz.h"

#include <libsoup/soup.h>
#include <string.h>

#include "engineio-server.h"
#include "socketio-http-head.h"

/*
 * Requests to Engine.IO: a line with the query, then, if there is one, the body of a POST. "SID" in
 * the query stands for the id of a session that polls. Goes through libsoup as it comes from a
 * peer, over streams in memory.
 */

typedef struct
{
  SoupServer *soup_server;
  EngineioServer *engine;
  GPtrArray *sessions; /* of EngineioSession, with a reference: those that were opened */
} Served;

static void
connection_cb (EngineioSession *session, gpointer user_data)
{
  Served *served = user_data;

  g_ptr_array_add (served->sessions, engineio_session_ref (session));
}

/* Lives as long as the process: a SoupServer for each input would cost most of the time. */
static Served *
get_served (void)
{
  static Served served;
  g_autoptr (SocketioReactor) reactor = NULL;
  EngineioOptions options = ENGINEIO_OPTIONS_DEFAULT;

  if (served.soup_server == NULL)
    {
      reactor = socketio_reactor_new ();
      options.allow_eio3 = TRUE;
      served.sessions = g_ptr_array_new_with_free_func ((GDestroyNotify) engineio_session_unref);
      served.soup_server = soup_server_new (NULL, NULL);
      served.engine = engineio_server_new (reactor, &options);
      engineio_server_set_connection_func (served.engine, connection_cb, &served);
      engineio_server_serve (served.engine, served.soup_server, "/engine.io", FALSE);
    }
  return &served;
}

/* Returns: (transfer full): all that is answered */
static GBytes *
exchange (Served *served, GString *request)
{
  g_autoptr (GBytes) bytes = g_bytes_new (request->str, request->len);
  g_autoptr (GInputStream) input = g_memory_input_stream_new_from_bytes (bytes);
  g_autoptr (GOutputStream) output = g_memory_output_stream_new_resizable ();
  g_autoptr (GIOStream) stream = g_simple_io_stream_new (input, output);
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new (loopback, 1);
  g_autoptr (GError) error = NULL;

  soup_server_accept_iostream (served->soup_server, stream, address, address, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < 200 && g_main_context_iteration (NULL, FALSE); i++)
    ;

  /* a copy: a poll that waits, and a WebSocket, still hold the stream */
  return g_bytes_new (g_memory_output_stream_get_data (G_MEMORY_OUTPUT_STREAM (output)),
                      g_memory_output_stream_get_data_size (G_MEMORY_OUTPUT_STREAM (output)));
}

/* Of a body that came without a session nothing is taken; of one that came for a session, the
 * session may end. Whatever is answered is one of Engine.IO's answers. */
static void
check_answer (GBytes *answer)
{
  static const char *const answers[] = {
    "HTTP/1.1 200 OK\r\n",          "HTTP/1.1 101 Switching Protocols\r\n",
    "HTTP/1.1 204 No Content\r\n",  "HTTP/1.1 400 Bad Request\r\n",
    "HTTP/1.1 404 Not Found\r\n",   "HTTP/1.1 413 Request Entity Too Large\r\n",
    "HTTP/1.1 426 Upgrade Required"
  };
  gsize size;
  const char *text = g_bytes_get_data (answer, &size);

  /* a poll that has nothing to fetch is not answered yet */
  if (size == 0)
    return;
  for (gsize i = 0; i < G_N_ELEMENTS (answers); i++)
    {
      gsize length = strlen (answers[i]);

      if (size >= length && memcmp (text, answers[i], length) == 0)
        return;
    }
  g_error ("Answered: %.*s", (int) MIN (size, 80), text);
}

static GString *
make_request (const guint8 *data, gsize size, const char *sid)
{
  const guint8 *body = memchr (data, '\n', size);
  g_autofree char *line =
      g_strndup ((const char *) data, body != NULL ? body - data : (gssize) size);
  g_autoptr (GString) query = g_string_new (line);
  GString *request = g_string_new (NULL);

  if (body != NULL)
    body++;
  g_string_replace (query, "SID", sid, 0);
  g_string_append_printf (request, "%s /engine.io/?%s HTTP/1.1\r\nHost: localhost\r\n",
                          body != NULL ? "POST" : "GET", query->str);
  if (strstr (query->str, "websocket") != NULL)
    g_string_append (request, "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                              "Sec-WebSocket-Version: 13\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
  if (body != NULL)
    g_string_append_printf (request, "Content-Length: %" G_GSIZE_FORMAT "\r\n",
                            size - (body - data));
  g_string_append (request, "\r\n");
  if (body != NULL)
    g_string_append_len (request, (const char *) body, size - (body - data));
  return request;
}

/* Returns: (transfer full): the id of a new session that polls */
static char *
open_session (Served *served)
{
  static const char query[] = "EIO=4&transport=polling";
  g_autoptr (GString) handshake = make_request ((const guint8 *) query, strlen (query), "");
  g_autoptr (GBytes) opened G_GNUC_UNUSED = exchange (served, handshake);

  g_assert_cmpuint (served->sessions->len, ==, 1);

  return g_strdup (engineio_session_get_sid (g_ptr_array_index (served->sessions, 0)));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  Served *served = get_served ();
  g_autoptr (GString) request = NULL;
  g_autoptr (GBytes) answer = NULL;
  g_autofree char *sid = NULL;
  gsize scanned = 0;

  if (size > 4096)
    return -1;

  /* it costs as much as the rest */
  if (memmem (data, size, "SID", 3) != NULL)
    sid = open_session (served);

  /* the doorman lets no others in */
  request = make_request (data, size, sid != NULL ? sid : "");
  if (socketio_http_head_check (request->str, request->len, &scanned) == 200)
    {
      answer = exchange (served, request);
      check_answer (answer);
    }

  for (guint i = 0; i < served->sessions->len; i++)
    engineio_session_abort (g_ptr_array_index (served->sessions, i), "transport close");
  g_ptr_array_set_size (served->sessions, 0);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpuint (engineio_server_get_n_sessions (served->engine), ==, 0);
  return 0;
}

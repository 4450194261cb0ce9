/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engineio-http.h"

#include <string.h>

#include "socketio-json.h"

static const struct
{
  guint status;
  const char *body;
} errors[] = {
  [ENGINEIO_HTTP_ERROR_UNKNOWN_TRANSPORT] = { SOUP_STATUS_BAD_REQUEST,
                                              "{\"code\":0,\"message\":\"Transport unknown\"}" },
  [ENGINEIO_HTTP_ERROR_UNKNOWN_SID] = { SOUP_STATUS_BAD_REQUEST,
                                        "{\"code\":1,\"message\":\"Session ID unknown\"}" },
  [ENGINEIO_HTTP_ERROR_BAD_HANDSHAKE_METHOD] = { SOUP_STATUS_BAD_REQUEST,
                                                 "{\"code\":2,\"message\":\"Bad handshake "
                                                 "method\"}" },
  [ENGINEIO_HTTP_ERROR_BAD_REQUEST] = { SOUP_STATUS_BAD_REQUEST,
                                        "{\"code\":3,\"message\":\"Bad request\"}" },
  [ENGINEIO_HTTP_ERROR_FORBIDDEN] = { SOUP_STATUS_FORBIDDEN,
                                      "{\"code\":4,\"message\":\"Forbidden\"}" },
  [ENGINEIO_HTTP_ERROR_UNSUPPORTED_PROTOCOL_VERSION] = { SOUP_STATUS_BAD_REQUEST,
                                                         "{\"code\":5,\"message\":\"Unsupported "
                                                         "protocol version\"}" },
};

static void
count (SocketioCounters *counters, EngineioHttpError code)
{
  if (counters != NULL)
    socketio_counters_count (counters, SOCKETIO_COUNTER_ERRORS_UNKNOWN_TRANSPORT + code);
}

/* libsoup leaks an fd for every connection that its client closes while it is kept alive; so none
 * is. */
static void
prepare_headers (SoupServerMessage *message)
{
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (message);

  soup_message_headers_replace (headers, "Connection", "close");
  soup_message_headers_replace (headers, "Cache-Control", "no-store");
}

void
engineio_http_respond (SoupServerMessage *message,
                       guint status,
                       const char *content_type,
                       GBytes *body)
{
  prepare_headers (message);
  soup_server_message_set_status (message, status, NULL);
  soup_message_headers_set_content_type (soup_server_message_get_response_headers (message),
                                         content_type, NULL);
  if (g_bytes_get_size (body) > 0)
    soup_message_body_append_bytes (soup_server_message_get_response_body (message), body);
}

void
engineio_http_respond_static (SoupServerMessage *message,
                              guint status,
                              const char *content_type,
                              const char *body)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (body, strlen (body));

  engineio_http_respond (message, status, content_type, bytes);
}

void
engineio_http_error (SoupServerMessage *message, EngineioHttpError code, SocketioCounters *counters)
{
  count (counters, code);
  engineio_http_respond_static (message, errors[code].status, "application/json",
                                errors[code].body);
}

void
engineio_http_refuse (SoupServerMessage *message, const char *text, SocketioCounters *counters)
{
  g_autoptr (GString) json = NULL;
  g_autoptr (GBytes) body = NULL;

  if (text == NULL)
    {
      engineio_http_error (message, ENGINEIO_HTTP_ERROR_FORBIDDEN, counters);
      return;
    }

  count (counters, ENGINEIO_HTTP_ERROR_FORBIDDEN);
  json = g_string_new ("{\"code\":4,\"message\":");
  socketio_json_append_string (json, text, -1);
  g_string_append_c (json, '}');
  body = g_string_free_to_bytes (g_steal_pointer (&json));
  engineio_http_respond (message, SOUP_STATUS_FORBIDDEN, "application/json", body);
}

static GBytes *
compress (GBytes *body)
{
  g_autoptr (GZlibCompressor) zlib = g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP, -1);
  g_autoptr (GOutputStream) memory = g_memory_output_stream_new_resizable ();
  g_autoptr (GOutputStream) stream = g_converter_output_stream_new (memory, G_CONVERTER (zlib));

  if (!g_output_stream_write_all (stream, g_bytes_get_data (body, NULL), g_bytes_get_size (body),
                                  NULL, NULL, NULL)
      || !g_output_stream_close (stream, NULL, NULL))
    return NULL;
  return g_memory_output_stream_steal_as_bytes (G_MEMORY_OUTPUT_STREAM (memory));
}

static gboolean
takes_gzip (SoupServerMessage *message)
{
  const char *accepted = soup_message_headers_get_list (
      soup_server_message_get_request_headers (message), "Accept-Encoding");
  g_autoptr (GSList) unacceptable = NULL;
  GSList *list = accepted != NULL ? soup_header_parse_quality_list (accepted, &unacceptable) : NULL;
  gboolean takes = FALSE;

  for (GSList *l = list; l != NULL; l = l->next)
    takes = takes || g_ascii_strcasecmp (l->data, "gzip") == 0;
  soup_header_free_list (list);
  soup_header_free_list (g_steal_pointer (&unacceptable));
  return takes;
}

void
engineio_http_respond_compressed (SoupServerMessage *message,
                                  const char *content_type,
                                  GBytes *body,
                                  gsize threshold)
{
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (message);
  g_autoptr (GBytes) compressed = NULL;

  if (threshold > 0)
    {
      const char *vary = soup_message_headers_get_one (headers, "Vary");
      g_autofree char *both = vary != NULL ? g_strconcat (vary, ", Accept-Encoding", NULL)
                                           : g_strdup ("Accept-Encoding");

      soup_message_headers_replace (headers, "Vary", both);
    }
  if (threshold > 0 && g_bytes_get_size (body) >= threshold && takes_gzip (message))
    compressed = compress (body);
  if (compressed != NULL)
    soup_message_headers_replace (headers, "Content-Encoding", "gzip");
  engineio_http_respond (message, SOUP_STATUS_OK, content_type,
                         compressed != NULL ? compressed : body);
}

void
engineio_http_error_too_large (SoupServerMessage *message, SocketioCounters *counters)
{
  count (counters, ENGINEIO_HTTP_ERROR_BAD_REQUEST);
  engineio_http_respond_static (message, SOUP_STATUS_REQUEST_ENTITY_TOO_LARGE, "application/json",
                                "{\"code\":3,\"message\":\"Payload too large\"}");
}

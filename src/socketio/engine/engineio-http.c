/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engineio-http.h"

#include <string.h>

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
engineio_http_error (SoupServerMessage *message, EngineioHttpError code)
{
  engineio_http_respond_static (message, errors[code].status, "application/json",
                                errors[code].body);
}

void
engineio_http_error_too_large (SoupServerMessage *message)
{
  engineio_http_respond_static (message, SOUP_STATUS_REQUEST_ENTITY_TOO_LARGE, "application/json",
                                "{\"code\":3,\"message\":\"Payload too large\"}");
}

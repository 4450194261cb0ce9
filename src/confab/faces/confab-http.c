/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-http.h"

#include <string.h>

#include "socketio-json.h"

static void
respond (SoupServerMessage *message, guint status, const char *type, char *body, gsize length)
{
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (message);

  soup_message_headers_replace (headers, "Cache-Control", "no-store");
  soup_server_message_set_status (message, status, NULL);
  soup_server_message_set_response (message, type, SOUP_MEMORY_TAKE, body, length);
}

/**
 * confab_http_is_read:
 * @message: a request
 *
 * Returns: whether it only reads: GET or HEAD
 */
gboolean
confab_http_is_read (SoupServerMessage *message)
{
  const char *method = soup_server_message_get_method (message);

  return g_str_equal (method, "GET") || g_str_equal (method, "HEAD");
}

static gboolean
wants_page (SoupServerMessage *message)
{
  const char *accept =
      soup_message_headers_get_list (soup_server_message_get_request_headers (message), "Accept");

  return confab_http_is_read (message) && accept != NULL && strstr (accept, "text/html") != NULL;
}

/**
 * confab_http_respond_error:
 * @message: a request without an answer yet
 * @status: the HTTP status
 * @code: a code of the contract
 * @sentence: a sentence for people
 */
void
confab_http_respond_error (SoupServerMessage *message,
                           guint status,
                           const char *code,
                           const char *sentence)
{
  g_autoptr (GString) json = NULL;

  if (wants_page (message))
    {
      g_autofree char *text = g_markup_escape_text (sentence, -1);
      char *page =
          g_strdup_printf ("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                           "<title>Confab</title></head>\n<body><h1>%s</h1><p>%s</p></body>"
                           "</html>\n",
                           soup_status_get_phrase (status), text);

      respond (message, status, "text/html; charset=utf-8", page, strlen (page));
      return;
    }

  json = g_string_new ("{\"error\":");
  socketio_json_append_string (json, sentence, -1);
  g_string_append (json, ",\"code\":");
  socketio_json_append_string (json, code, -1);
  g_string_append_c (json, '}');
  confab_http_respond_json (message, status, json);
}

/**
 * confab_http_respond_json:
 * @message: a request without an answer yet
 * @status: the HTTP status
 * @json: the body
 */
void
confab_http_respond_json (SoupServerMessage *message, guint status, GString *json)
{
  respond (message, status, "application/json", g_strndup (json->str, json->len), json->len);
}

/**
 * confab_http_respond_text:
 * @message: a request without an answer yet
 * @status: the HTTP status
 * @text: the body
 */
void
confab_http_respond_text (SoupServerMessage *message, guint status, const char *text)
{
  respond (message, status, "text/plain; charset=utf-8", g_strdup (text), strlen (text));
}

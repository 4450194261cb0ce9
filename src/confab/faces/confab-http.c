/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-http.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "confab-error.h"
#include "confab-request-body.h"
#include "socketio-json.h"

/* Codes that a request can be refused with; all others are a fault of the server. */
static const struct
{
  const char *code;
  guint status;
} status_table[] = {
  { "invalid-request", SOUP_STATUS_BAD_REQUEST },
  { "unauthorized", SOUP_STATUS_UNAUTHORIZED },
  { "unknown-module", SOUP_STATUS_NOT_FOUND },
  { "unknown-session", SOUP_STATUS_NOT_FOUND },
  { "unknown-message", SOUP_STATUS_NOT_FOUND },
  { "unknown-generation", SOUP_STATUS_NOT_FOUND },
  { "busy", SOUP_STATUS_CONFLICT },
  { "too-large", SOUP_STATUS_REQUEST_ENTITY_TOO_LARGE },
  { "rate-limited", CONFAB_HTTP_TOO_MANY_REQUESTS },
  { "no-provider", SOUP_STATUS_SERVICE_UNAVAILABLE },
  { "storage", SOUP_STATUS_SERVICE_UNAVAILABLE },
  { "shutting-down", SOUP_STATUS_SERVICE_UNAVAILABLE },
};

/* libsoup has no words for some of them. */
static const char *
phrase_of (guint status)
{
  return status == CONFAB_HTTP_TOO_MANY_REQUESTS ? "Too Many Requests"
                                                 : soup_status_get_phrase (status);
}

static void
respond (SoupServerMessage *message, guint status, const char *type, char *body, gsize length)
{
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (message);

  soup_message_headers_replace (headers, "Cache-Control", "no-store");
  soup_server_message_set_status (message, status, phrase_of (status));
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

/* @retry_after_ms: 0 for not to be told */
static void
respond_error (SoupServerMessage *message,
               guint status,
               const char *code,
               const char *sentence,
               gint64 retry_after_ms)
{
  g_autoptr (GString) json = NULL;

  if (wants_page (message))
    {
      g_autofree char *text = g_markup_escape_text (sentence, -1);
      char *page =
          g_strdup_printf ("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                           "<title>Confab</title></head>\n<body><h1>%s</h1><p>%s</p></body>"
                           "</html>\n",
                           phrase_of (status), text);

      respond (message, status, "text/html; charset=utf-8", page, strlen (page));
      return;
    }

  json = g_string_new ("{\"ok\":false,\"error\":");
  socketio_json_append_string (json, sentence, -1);
  g_string_append (json, ",\"code\":");
  socketio_json_append_string (json, code, -1);
  if (retry_after_ms > 0)
    g_string_append_printf (json, ",\"retryAfterMs\":%" G_GINT64_FORMAT, retry_after_ms);
  g_string_append_c (json, '}');
  confab_http_respond_json (message, status, json);
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
  respond_error (message, status, code, sentence, 0);
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

void
confab_http_respond_not_found (SoupServerMessage *message)
{
  confab_http_respond_error (message, SOUP_STATUS_NOT_FOUND, "invalid-request",
                             _ ("There is nothing at this address."));
}

static guint
status_of (const char *code)
{
  for (guint i = 0; i < G_N_ELEMENTS (status_table); i++)
    if (g_str_equal (status_table[i].code, code))
      return status_table[i].status;

  return SOUP_STATUS_INTERNAL_SERVER_ERROR;
}

/* The header Retry-After knows only seconds. */
static void
set_retry_after (SoupServerMessage *message, gint64 retry_after_ms)
{
  g_autofree char *seconds = NULL;

  if (retry_after_ms <= 0)
    return;
  seconds = g_strdup_printf ("%" G_GINT64_FORMAT, (retry_after_ms + 999) / 1000);
  soup_message_headers_replace (soup_server_message_get_response_headers (message), "Retry-After",
                                seconds);
}

/**
 * confab_http_respond_refusal:
 * @message: a request without an answer yet
 * @error: why it is refused
 */
void
confab_http_respond_refusal (SoupServerMessage *message, const GError *error)
{
  const char *code = confab_error_to_code (error);
  gint64 retry_after = confab_error_get_retry_after (error);

  set_retry_after (message, retry_after);
  respond_error (message, status_of (code), code, error->message, retry_after);
}

/**
 * confab_http_respond_ack:
 * @message: a request without an answer yet
 * @ack: (transfer full): an ack
 *
 * Answers with @ack; the status says what it does.
 */
void
confab_http_respond_ack (SoupServerMessage *message, JsonObject *ack)
{
  g_autoptr (GString) json = g_string_new (NULL);
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  guint status = SOUP_STATUS_OK;

  if (!json_object_get_boolean_member (ack, "ok"))
    {
      status = status_of (json_object_get_string_member (ack, "code"));
      set_retry_after (message, json_object_get_int_member_with_default (ack, "retryAfterMs", 0));
    }
  json_node_take_object (node, ack);
  socketio_json_append_node (json, node);
  confab_http_respond_json (message, status, json);
}

gboolean
confab_http_check_method (SoupServerMessage *message, const char *allowed, gboolean is_allowed)
{
  if (is_allowed)
    return TRUE;

  soup_message_headers_replace (soup_server_message_get_response_headers (message), "Allow",
                                allowed);
  confab_http_respond_error (message, SOUP_STATUS_METHOD_NOT_ALLOWED, "invalid-request",
                             _ ("This address does not know that method."));

  return FALSE;
}

gboolean
confab_http_check_post (SoupServerMessage *message)
{
  return confab_http_check_method (message, "POST",
                                   g_str_equal (soup_server_message_get_method (message), "POST"));
}

/**
 * confab_http_read_object:
 * @message: a request that was read whole
 * @error: return location for %CONFAB_ERROR_INVALID_REQUEST
 *
 * Returns: (transfer full) (nullable): its body
 */
JsonObject *
confab_http_read_object (SoupServerMessage *message, GError **error)
{
  g_autoptr (GBytes) body = confab_request_body_take (message);
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (GError) cause = NULL;
  gsize length;
  const char *text = g_bytes_get_data (body, &length);

  node = socketio_json_parse (text != NULL ? text : "", length, &cause);
  if (node == NULL)
    {
      g_set_error (error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST,
                   _ ("The request body is not JSON: %s"), cause->message);
      return NULL;
    }
  if (!JSON_NODE_HOLDS_OBJECT (node))
    {
      g_set_error_literal (error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST,
                           _ ("The request body must be a JSON object."));
      return NULL;
    }

  return json_node_dup_object (node);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-request-body.h"

#include <glib/gi18n-lib.h>

#include "confab-http-chat.h"
#include "confab-http.h"

#define BODY_KEY "confab-request-body"

/* libsoup would keep each piece as it came in, at some hundred bytes for a piece of one. */
typedef struct
{
  guint64 limit;
  guint64 received;
  GByteArray *kept; /* NULL of those who are not let in */
} RequestBody;

static void
request_body_free (gpointer data)
{
  RequestBody *body = data;

  g_clear_pointer (&body->kept, g_byte_array_unref);
  g_free (body);
}

static void
refuse_body (SoupServerMessage *message, guint64 limit)
{
  g_autofree char *sentence = g_strdup_printf (_ ("The request body is larger than %u MiB."),
                                               (guint) (limit / (1024 * 1024)));

  confab_http_respond_error (message, SOUP_STATUS_REQUEST_ENTITY_TOO_LARGE, "too-large", sentence);
}

static void
got_chunk_cb (SoupServerMessage *message, GBytes *chunk, gpointer user_data)
{
  RequestBody *body = user_data;
  gsize size;
  const guint8 *data = g_bytes_get_data (chunk, &size);

  body->received += size;
  if (body->received <= body->limit)
    {
      if (body->kept != NULL)
        g_byte_array_append (body->kept, data, size);
      return;
    }

  g_clear_pointer (&body->kept, g_byte_array_unref);
  if (soup_server_message_get_status (message) == 0)
    refuse_body (message, body->limit);
}

/**
 * confab_request_body_limit:
 * @message: a request whose headers have been read
 *
 * Refuses a body that is larger than its path takes, and keeps none until
 * confab_request_body_keep(). libsoup reads on after a refusal; the library sees to it that this
 * comes to an end.
 */
void
confab_request_body_limit (SoupServerMessage *message)
{
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (message);
  const char *path = g_uri_get_path (soup_server_message_get_uri (message));
  RequestBody *body;

  soup_message_body_set_accumulate (soup_server_message_get_request_body (message), FALSE);
  if (soup_message_headers_get_encoding (headers) == SOUP_ENCODING_NONE)
    return;

  body = g_new0 (RequestBody, 1);
  body->limit =
      g_str_equal (path, CONFAB_CHAT_PATH) ? CONFAB_MAX_CHAT_BODY_BYTES : CONFAB_MAX_BODY_BYTES;
  g_object_set_data_full (G_OBJECT (message), BODY_KEY, body, request_body_free);
  g_signal_connect (message, "got-chunk", G_CALLBACK (got_chunk_cb), body);
  if (soup_message_headers_get_content_length (headers) > (goffset) body->limit)
    refuse_body (message, body->limit);
}

/**
 * confab_request_body_keep:
 * @message: a request that is let in, before anything of its body has come
 *
 * Has its body kept.
 */
void
confab_request_body_keep (SoupServerMessage *message)
{
  RequestBody *body = g_object_get_data (G_OBJECT (message), BODY_KEY);

  if (body != NULL)
    body->kept = g_byte_array_new ();
}

/**
 * confab_request_body_take:
 * @message: a request that was read whole and let in
 *
 * Takes its body out of it, so that it is not kept for as long as the answer takes.
 *
 * Returns: (transfer full): its body, of no bytes if it came with none
 */
GBytes *
confab_request_body_take (SoupServerMessage *message)
{
  RequestBody *body = g_object_get_data (G_OBJECT (message), BODY_KEY);

  if (body == NULL || body->kept == NULL)
    return g_bytes_new (NULL, 0);

  return g_byte_array_free_to_bytes (g_steal_pointer (&body->kept));
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-body-limit.h"

#include <glib/gi18n-lib.h>

#include "confab-http-chat.h"
#include "confab-http.h"

static guint64
get_max_body (SoupServerMessage *message)
{
  const char *path = g_uri_get_path (soup_server_message_get_uri (message));

  return g_str_equal (path, CONFAB_CHAT_PATH) ? CONFAB_MAX_CHAT_BODY_BYTES : CONFAB_MAX_BODY_BYTES;
}

static void
refuse_body (SoupServerMessage *message)
{
  g_autofree char *sentence = g_strdup_printf (_ ("The request body is larger than %u MiB."),
                                               (guint) (get_max_body (message) / (1024 * 1024)));

  confab_http_respond_error (message, SOUP_STATUS_REQUEST_ENTITY_TOO_LARGE, "too-large", sentence);
}

static void
got_chunk_cb (SoupServerMessage *message, GBytes *chunk, gpointer user_data)
{
  guint64 *received = user_data;
  SoupMessageBody *body = soup_server_message_get_request_body (message);

  *received += g_bytes_get_size (chunk);
  if (*received <= get_max_body (message))
    return;

  soup_message_body_truncate (body);
  soup_message_body_set_accumulate (body, FALSE);
  if (soup_server_message_get_status (message) == 0)
    refuse_body (message);
}

static void
free_counter (gpointer data, GClosure *closure)
{
  g_free (data);
}

/**
 * confab_body_limit_apply:
 * @message: a request whose headers have been read
 *
 * Refuses a body that is larger than its path takes, and keeps none until
 * confab_body_limit_let_in(). libsoup reads on after a refusal; the library sees to it that this
 * comes to an end.
 */
void
confab_body_limit_apply (SoupServerMessage *message)
{
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (message);

  soup_message_body_set_accumulate (soup_server_message_get_request_body (message), FALSE);
  if (soup_message_headers_get_encoding (headers) == SOUP_ENCODING_NONE)
    return;

  g_signal_connect_data (message, "got-chunk", G_CALLBACK (got_chunk_cb), g_new0 (guint64, 1),
                         free_counter, 0);
  if (soup_message_headers_get_content_length (headers) > (goffset) get_max_body (message))
    refuse_body (message);
}

/**
 * confab_body_limit_let_in:
 * @message: a request that is let in, before anything of its body has come
 *
 * Has its body kept.
 */
void
confab_body_limit_let_in (SoupServerMessage *message)
{
  soup_message_body_set_accumulate (soup_server_message_get_request_body (message), TRUE);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engineio-post.h"

#include "engineio-http.h"
#include "socketio-peer.h"

/* Read of a body over the limit before its connection is cut off, beyond the limit itself: enough
 * for a client that sends first and reads afterwards to find the 413. */
#define EXCESS_MAX (4 * 1024 * 1024)

typedef struct
{
  EngineioPollingTransport *transport; /* owned; NULL: for nobody (any more) */
  GByteArray *body;
  gsize seen;
  gsize limit;
  SocketioCounters *counters; /* a reference */
} Post;

static GQuark
engineio_post_quark (void)
{
  return g_quark_from_static_string ("engineio-post");
}

/* Ends it for the session; @body NULL if nothing will come of it. */
static void
post_settle (Post *post, SoupServerMessage *message, GBytes *body)
{
  g_autoptr (EngineioPollingTransport) transport = g_steal_pointer (&post->transport);

  if (transport != NULL)
    engineio_polling_transport_end_post (transport, message, body);
}

static void
post_free (gpointer data)
{
  Post *post = data;

  post_settle (post, NULL, NULL);
  g_byte_array_unref (post->body);
  g_rc_box_release (post->counters);
  g_free (post);
}

static void
refuse_too_large (Post *post, SoupServerMessage *message)
{
  g_byte_array_set_size (post->body, 0);
  if (soup_server_message_get_status (message) == 0)
    engineio_http_error_too_large (message, post->counters);
  post_settle (post, NULL, NULL);
}

static void
got_chunk_cb (SoupServerMessage *message, GBytes *chunk, gpointer user_data)
{
  Post *post = user_data;
  gsize size;
  const guint8 *data = g_bytes_get_data (chunk, &size);

  post->seen += size;
  if (post->seen <= post->limit)
    {
      g_byte_array_append (post->body, data, size);
      return;
    }

  refuse_too_large (post, message);
  if (post->seen > post->limit + EXCESS_MAX)
    socketio_peer_kill_message (message);
}

void
engineio_post_begin (SoupServerMessage *message,
                     EngineioPollingTransport *transport,
                     gsize limit,
                     SocketioCounters *counters)
{
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (message);
  Post *post = g_new0 (Post, 1);

  post->body = g_byte_array_new ();
  post->limit = limit;
  post->counters = g_rc_box_acquire (counters);
  if (transport != NULL && engineio_polling_transport_begin_post (transport))
    post->transport = g_object_ref (transport);

  soup_message_body_set_accumulate (soup_server_message_get_request_body (message), FALSE);
  g_object_set_qdata_full (G_OBJECT (message), engineio_post_quark (), post, post_free);
  g_signal_connect (message, "got-chunk", G_CALLBACK (got_chunk_cb), post);

  if (soup_message_headers_get_encoding (headers) == SOUP_ENCODING_CONTENT_LENGTH
      && soup_message_headers_get_content_length (headers) > (goffset) limit)
    refuse_too_large (post, message);
}

void
engineio_post_finish (SoupServerMessage *message, SocketioCounters *counters)
{
  Post *post = g_object_get_qdata (G_OBJECT (message), engineio_post_quark ());
  g_autoptr (GBytes) body = NULL;

  if (post == NULL || post->transport == NULL)
    {
      engineio_http_error (message, ENGINEIO_HTTP_ERROR_BAD_REQUEST, counters);
      return;
    }

  body = g_byte_array_free_to_bytes (g_steal_pointer (&post->body));
  post->body = g_byte_array_new ();
  post_settle (post, message, body);
}

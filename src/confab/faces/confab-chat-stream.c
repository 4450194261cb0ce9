/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-chat-stream.h"

#include "confab-ui-message.h"
#include "socketio-peer.h"

struct _ConfabChatStream
{
  SoupServerMessage *message; /* not owned: we end before it */
  ConfabGeneration *generation;

  /* What was told: all up to @seq, and @offset bytes of the stretch after it; bytes by kind. */
  guint64 seq;
  gsize offset;
  gsize told[2];

  guint n_blocks;
  gboolean block_open;
  ConfabDeltaKind block_kind;

  GString *pending;   /* what goes into the next chunk */
  gsize room;         /* bytes of text that still fit into it */
  gboolean in_flight; /* the connection has not taken the last chunk yet */
  gboolean complete;  /* the end was handed over */
  guint n_stalled;    /* ticks since the connection took something */
};

static void
close_block (ConfabChatStream *self)
{
  if (self->block_open)
    confab_ui_message_append_block_end (self->pending, self->block_kind, self->n_blocks);
  self->block_open = FALSE;
}

static void
tell_text (ConfabChatStream *self, ConfabDeltaKind kind, const char *text, gsize length)
{
  if (self->block_open && self->block_kind != kind)
    close_block (self);
  if (!self->block_open)
    {
      self->block_open = TRUE;
      self->block_kind = kind;
      confab_ui_message_append_block_start (self->pending, kind, ++self->n_blocks);
    }

  confab_ui_message_append_delta (self->pending, kind, self->n_blocks, text, length);
  self->told[kind] += length;
}

/* Tells as much of @text as there is room for, in whole characters; returns how much. */
static gsize
tell_what_fits (ConfabChatStream *self, ConfabDeltaKind kind, const char *text, gsize length)
{
  gsize n = MIN (length, self->room);

  while (n < length && n > 0 && ((guchar) text[n] & 0xC0) == 0x80)
    n--;
  if (n > 0)
    tell_text (self, kind, text, n);
  self->room = n < length ? 0 : self->room - n;

  return n;
}

static void
stretch_cb (ConfabDeltaKind kind,
            guint64 from_seq,
            guint64 seq,
            const char *text,
            gsize length,
            gpointer user_data)
{
  ConfabChatStream *self = user_data;
  gsize n;

  if (self->room == 0)
    return;

  n = tell_what_fits (self, kind, text + self->offset, length - self->offset);
  self->offset += n;
  if (self->offset < length)
    return;
  self->seq = seq;
  self->offset = 0;
}

/* Where single deltas are not known any more: thinking comes before what was thought out. */
static void
tell_whole_texts (ConfabChatStream *self)
{
  static const ConfabDeltaKind order[] = { CONFAB_DELTA_REASONING, CONFAB_DELTA_TEXT };

  for (guint i = 0; i < G_N_ELEMENTS (order) && self->room > 0; i++)
    {
      const char *text = order[i] == CONFAB_DELTA_TEXT
                             ? confab_generation_get_text (self->generation)
                             : confab_generation_get_reasoning (self->generation);
      const char *rest = text + self->told[order[i]];

      tell_what_fits (self, order[i], rest, strlen (rest));
    }

  if (self->room == 0)
    return;
  self->seq = confab_generation_get_seq (self->generation);
  self->offset = 0;
}

/* Hands what is pending to the connection. */
static void
hand_over (ConfabChatStream *self)
{
  SoupMessageBody *body = soup_server_message_get_response_body (self->message);
  g_autoptr (GBytes) bytes = NULL;
  gsize length = self->pending->len;

  if (length == 0)
    return;

  bytes = g_string_free_to_bytes (g_steal_pointer (&self->pending));
  self->pending = g_string_new (NULL);
  soup_message_body_append_bytes (body, bytes);
  if (self->complete)
    soup_message_body_complete (body);
  self->in_flight = TRUE;
  soup_server_message_unpause (self->message);
}

/* Tells what there is, as far as the connection takes it. */
static void
pump (ConfabChatStream *self)
{
  if (self->in_flight || self->complete)
    return;

  self->room = CONFAB_CHAT_STREAM_CHUNK_BYTES;
  if (confab_generation_can_replay (self->generation, self->seq))
    confab_generation_replay (self->generation, self->seq, stretch_cb, self);
  else
    tell_whole_texts (self);

  if (self->room > 0 && confab_generation_is_ended (self->generation))
    {
      close_block (self);
      confab_ui_message_append_end (self->pending, self->generation);
      self->complete = TRUE;
    }
  hand_over (self);
}

/* This runs for every token. When nothing is in flight all that came before was told. */
static void
delta_cb (ConfabGeneration *generation, const ConfabDelta *delta, gpointer user_data)
{
  ConfabChatStream *self = user_data;

  if (self->in_flight)
    return;
  if (delta->length > CONFAB_CHAT_STREAM_CHUNK_BYTES)
    {
      pump (self);
      return;
    }

  tell_text (self, delta->kind, delta->text, delta->length);
  self->seq = delta->seq;
  hand_over (self);
}

static void
ended_cb (ConfabGeneration *generation, gpointer user_data)
{
  confab_generation_mark_told (generation);
  pump (user_data);
}

static void
wrote_chunk_cb (SoupServerMessage *message, gpointer user_data)
{
  ConfabChatStream *self = user_data;

  self->in_flight = FALSE;
  self->n_stalled = 0;
  pump (self);
}

static void
set_head (SoupServerMessage *message)
{
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (message);

  soup_server_message_set_status (message, SOUP_STATUS_OK, NULL);
  soup_message_headers_set_content_type (headers, "text/event-stream", NULL);
  soup_message_headers_replace (headers, "Cache-Control", "no-store");
  /* a proxy that gathers the answer would hide that it streams */
  soup_message_headers_replace (headers, "X-Accel-Buffering", "no");
  soup_message_headers_replace (headers, CONFAB_UI_MESSAGE_HEADER, CONFAB_UI_MESSAGE_VERSION);
  /* chunks tell a whole answer from one that broke off; HTTP/1.0 has none */
  soup_message_headers_set_encoding (headers,
                                     soup_server_message_get_http_version (message) == SOUP_HTTP_1_0
                                         ? SOUP_ENCODING_EOF
                                         : SOUP_ENCODING_CHUNKED);
  /* what was written goes */
  soup_message_body_set_accumulate (soup_server_message_get_response_body (message), FALSE);
}

/**
 * confab_chat_stream_new:
 * @message: a request without an answer yet
 * @generation: what to tell, be it running or ended
 *
 * Returns: (transfer full): a stream that tells by itself from here on
 */
ConfabChatStream *
confab_chat_stream_new (SoupServerMessage *message, ConfabGeneration *generation)
{
  ConfabChatStream *self = g_new0 (ConfabChatStream, 1);

  self->message = message;
  self->generation = g_object_ref (generation);
  self->pending = g_string_new (NULL);
  g_signal_connect (generation, "delta", G_CALLBACK (delta_cb), self);
  g_signal_connect (generation, "ended", G_CALLBACK (ended_cb), self);
  g_signal_connect (message, "wrote-chunk", G_CALLBACK (wrote_chunk_cb), self);

  set_head (message);
  confab_ui_message_append_start (self->pending, generation);
  pump (self);

  return self;
}

void
confab_chat_stream_free (ConfabChatStream *self)
{
  g_signal_handlers_disconnect_by_data (self->generation, self);
  g_object_unref (self->generation);
  g_string_free (self->pending, TRUE);
  g_free (self);
}

gboolean
confab_chat_stream_tick (ConfabChatStream *self)
{
  if (self->in_flight)
    {
      if (++self->n_stalled != CONFAB_CHAT_STREAM_MAX_TICKS)
        return TRUE;
      socketio_peer_kill_message (self->message);
      return FALSE;
    }

  if (!self->complete)
    {
      confab_ui_message_append_heartbeat (self->pending);
      hand_over (self);
    }

  return TRUE;
}

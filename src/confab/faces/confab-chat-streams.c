/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-chat-streams.h"

struct _ConfabChatStreams
{
  gatomicrefcount refs;
  GQueue entries; /* of Entry, linked through themselves */
  GSource *heartbeat;
  ConfabMetrics *metrics;
};

/* A message owns its stream, so that nothing is left when libsoup lets go of it. */
typedef struct
{
  ConfabChatStreams *streams;
  ConfabChatStream *stream;
  GList link;
} Entry;

static GQuark
entry_quark (void)
{
  return g_quark_from_static_string ("confab-chat-stream");
}

ConfabChatStreams *
confab_chat_streams_new (ConfabMetrics *metrics)
{
  ConfabChatStreams *self = g_new0 (ConfabChatStreams, 1);

  g_atomic_ref_count_init (&self->refs);
  g_queue_init (&self->entries);
  self->metrics = confab_metrics_ref (metrics);

  return self;
}

ConfabChatStreams *
confab_chat_streams_ref (ConfabChatStreams *self)
{
  g_atomic_ref_count_inc (&self->refs);

  return self;
}

static void
stop_heartbeat (ConfabChatStreams *self)
{
  if (self->heartbeat == NULL)
    return;

  g_source_destroy (self->heartbeat);
  g_clear_pointer (&self->heartbeat, g_source_unref);
}

void
confab_chat_streams_unref (ConfabChatStreams *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;

  stop_heartbeat (self);
  confab_metrics_unref (self->metrics);
  g_free (self);
}

static gboolean
heartbeat_cb (gpointer user_data)
{
  ConfabChatStreams *self = user_data;

  for (GList *l = self->entries.head; l != NULL; l = l->next)
    if (!confab_chat_stream_tick (((Entry *) l->data)->stream))
      confab_metrics_add (self->metrics, CONFAB_METRIC_DROPS, 1, "sse", NULL, NULL);

  return G_SOURCE_CONTINUE;
}

static void
start_heartbeat (ConfabChatStreams *self)
{
  if (self->heartbeat != NULL)
    return;

  self->heartbeat = g_timeout_source_new_seconds (CONFAB_CHAT_STREAM_TICK_SECONDS);
  g_source_set_static_name (self->heartbeat, "[confab] chat heartbeat");
  g_source_set_callback (self->heartbeat, heartbeat_cb, self, NULL);
  g_source_attach (self->heartbeat, g_main_context_get_thread_default ());
}

static void
entry_free (gpointer data)
{
  Entry *entry = data;

  g_queue_unlink (&entry->streams->entries, &entry->link);
  if (g_queue_is_empty (&entry->streams->entries))
    stop_heartbeat (entry->streams);
  confab_chat_stream_free (entry->stream);
  confab_chat_streams_unref (entry->streams);
  g_free (entry);
}

static void
finished_cb (SoupServerMessage *message, gpointer user_data)
{
  Entry *entry = g_object_get_qdata (G_OBJECT (message), entry_quark ());

  if (entry != NULL)
    g_signal_handlers_disconnect_by_data (message, entry->stream);
  g_object_set_qdata (G_OBJECT (message), entry_quark (), NULL);
}

void
confab_chat_streams_add (ConfabChatStreams *self,
                         SoupServerMessage *message,
                         ConfabGeneration *generation)
{
  Entry *entry = g_new0 (Entry, 1);

  entry->streams = confab_chat_streams_ref (self);
  entry->link.data = entry;
  g_queue_push_tail_link (&self->entries, &entry->link);
  start_heartbeat (self);
  entry->stream = confab_chat_stream_new (message, generation);
  g_object_set_qdata_full (G_OBJECT (message), entry_quark (), entry, entry_free);
  g_signal_connect (message, "finished", G_CALLBACK (finished_cb), NULL);
}

guint
confab_chat_streams_get_n_streams (ConfabChatStreams *self)
{
  return self->entries.length;
}

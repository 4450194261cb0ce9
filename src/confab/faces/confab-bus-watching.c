/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-bus-watching.h"

#define INTERFACE "org.confab.Confab1.Module"
/* When a watcher is asked whether it has read what was sent. */
#define PING_BYTES (64 * 1024)
/* One that does not answer that long has to watch anew. */
#define PING_TIMEOUT_MS 60000
/* What a message takes besides its text, roughly. */
#define MESSAGE_BYTES 256

static void catch_up (ConfabBusWatch *watch);

void
confab_bus_watching_stop (ConfabBusWatching *watching)
{
  confab_pace_clear (&watching->pace);
  if (watching->generation != NULL)
    g_signal_handlers_disconnect_by_data (watching->generation, watching);
  g_clear_object (&watching->generation);
}

static gboolean
is_full (const ConfabBusWatcher *watcher)
{
  return watcher->sent - watcher->confirmed > CONFAB_BUS_BEHIND_BYTES;
}

/* Calls @func for each watch of @watcher; it must not end one. */
static void
for_each_watch (const ConfabBusWatcher *watcher, void (*func) (ConfabBusWatch *watch))
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, watcher->watchers->modules);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      const ConfabBusWatching *watching = value;

      for (guint i = 0; i < watching->watches->len; i++)
        {
          ConfabBusWatch *watch = g_ptr_array_index (watching->watches, i);

          if (watch->watcher == watcher)
            func (watch);
        }
    }
}

/* @body: not floating, so that all share it */
static void
send_body (ConfabBusWatch *watch, const char *signal, GVariant *body)
{
  ConfabBusWatcher *watcher = watch->watcher;
  g_autoptr (GDBusMessage) message =
      g_dbus_message_new_signal (watch->watching->path, INTERFACE, signal);

  g_dbus_message_set_destination (message, watcher->name);
  g_dbus_message_set_body (message, body);
  g_dbus_connection_send_message (watcher->watchers->connection, message,
                                  G_DBUS_SEND_MESSAGE_FLAGS_NONE, NULL, NULL);
  watcher->sent += g_variant_get_size (body) + MESSAGE_BYTES;
  if (watcher->sent - watcher->confirmed > PING_BYTES)
    confab_bus_watcher_ping (watcher);
}

static void
tell_to_watch_anew (ConfabBusWatch *watch)
{
  g_autoptr (GVariant) body = NULL;

  if (watch->resync)
    return;

  watch->resync = TRUE;
  body = g_variant_ref_sink (g_variant_new (
      "(st)",
      watch->watching->generation != NULL ? confab_generation_get_id (watch->watching->generation)
                                          : "",
      watch->seq));
  send_body (watch, "Resync", body);
}

static void
pong_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree char *name = user_data;
  g_autoptr (GVariant) reply G_GNUC_UNUSED = NULL;
  g_autoptr (GError) error = NULL;
  ConfabBusWatchers *self;
  ConfabBusWatcher *watcher;

  reply = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;

  self = g_object_get_data (source, "confab-bus-watchers");
  watcher = self != NULL ? g_hash_table_lookup (self->watchers, name) : NULL;
  if (watcher == NULL)
    return;

  watcher->pinging = FALSE;
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT)
      || g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_NO_REPLY))
    {
      for_each_watch (watcher, tell_to_watch_anew);
      return;
    }

  /* an error is an answer too */
  watcher->confirmed = watcher->asked;
  if (watcher->sent - watcher->confirmed > PING_BYTES)
    confab_bus_watcher_ping (watcher);
  if (!is_full (watcher))
    for_each_watch (watcher, catch_up);
}

void
confab_bus_watcher_ping (ConfabBusWatcher *watcher)
{
  ConfabBusWatchers *self = watcher->watchers;

  if (watcher->pinging)
    return;

  watcher->pinging = TRUE;
  watcher->asked = watcher->sent;
  g_dbus_connection_call (self->connection, watcher->name, "/", "org.freedesktop.DBus.Peer", "Ping",
                          NULL, NULL, G_DBUS_CALL_FLAGS_NO_AUTO_START, PING_TIMEOUT_MS,
                          self->cancellable, pong_cb, g_strdup (watcher->name));
}

typedef struct
{
  ConfabBusWatching *watching;
  ConfabBusWatch *only; /* NULL: all that are not behind */
} Telling;

static void
stretch_cb (ConfabDeltaKind kind,
            guint64 from_seq,
            guint64 seq,
            const char *text,
            gsize length,
            gpointer user_data)
{
  const Telling *telling = user_data;
  const ConfabBusWatching *watching = telling->watching;
  const char *signal = kind == CONFAB_DELTA_TEXT ? "Chunk" : "Reasoning";
  g_autofree char *copy = g_strndup (text, length);
  /* built once, whatever the number of watchers */
  g_autoptr (GVariant) body = g_variant_ref_sink (g_variant_new (
      "(stts)", confab_generation_get_id (watching->generation), from_seq, seq, copy));

  if (telling->only != NULL)
    {
      send_body (telling->only, signal, body);
      return;
    }

  for (guint i = 0; i < watching->watches->len; i++)
    {
      ConfabBusWatch *watch = g_ptr_array_index (watching->watches, i);

      if (!watch->behind && !watch->resync)
        send_body (watch, signal, body);
    }
}

/* All that @watch lacks, which is behind no more then. */
static void
send_missed (ConfabBusWatch *watch)
{
  ConfabGeneration *generation = watch->watching->generation;
  Telling telling = { watch->watching, watch };

  if (!confab_generation_can_replay (generation, watch->seq))
    {
      tell_to_watch_anew (watch);
      return;
    }

  confab_generation_replay (generation, watch->seq, stretch_cb, &telling);
  watch->seq = watch->watching->told_seq;
  watch->n_missed = 0;
  watch->behind = FALSE;
}

void
confab_bus_watching_tell (ConfabBusWatching *watching)
{
  guint64 told = watching->told_seq;
  Telling telling = { watching, NULL };
  gboolean any = FALSE;

  confab_pace_clear (&watching->pace);
  if (told == confab_generation_get_seq (watching->generation))
    return;

  watching->told_seq = confab_generation_get_seq (watching->generation);
  confab_pace_note (&watching->pace);
  for (guint i = 0; i < watching->watches->len; i++)
    {
      ConfabBusWatch *watch = g_ptr_array_index (watching->watches, i);

      if (watch->behind || watch->resync)
        continue;
      watch->behind = is_full (watch->watcher);
      watch->seq = watch->behind ? told : watching->told_seq;
      any = any || !watch->behind;
    }
  if (any)
    confab_generation_replay (watching->generation, told, stretch_cb, &telling);
}

static void
catch_up (ConfabBusWatch *watch)
{
  if (!watch->behind || watch->resync || watch->watching->generation == NULL)
    return;

  confab_bus_watching_tell (watch->watching);
  if (!is_full (watch->watcher))
    send_missed (watch);
}

static gboolean
interval_cb (gpointer user_data)
{
  confab_bus_watching_tell (user_data);

  return G_SOURCE_REMOVE;
}

/* This runs for every token. */
static void
delta_cb (ConfabGeneration *generation, const ConfabDelta *delta, gpointer user_data)
{
  ConfabBusWatching *watching = user_data;

  for (guint i = 0; i < watching->watches->len; i++)
    {
      ConfabBusWatch *watch = g_ptr_array_index (watching->watches, i);

      if (!watch->behind)
        continue;
      watch->n_missed += delta->length;
      if (watch->n_missed > CONFAB_BUS_RESYNC_BYTES)
        tell_to_watch_anew (watch);
    }

  if (confab_pace_ask (&watching->pace, watching->watchers->interval_ms, interval_cb, watching))
    confab_bus_watching_tell (watching);
}

void
confab_bus_watching_follow (ConfabBusWatching *watching, ConfabGeneration *generation)
{
  if (watching->generation == generation)
    return;

  confab_bus_watching_stop (watching);
  watching->generation = g_object_ref (generation);
  watching->told_seq = confab_generation_get_seq (generation);
  g_signal_connect (generation, "delta", G_CALLBACK (delta_cb), watching);
  for (guint i = 0; i < watching->watches->len; i++)
    {
      ConfabBusWatch *watch = g_ptr_array_index (watching->watches, i);

      watch->seq = watching->told_seq;
      watch->n_missed = 0;
      watch->behind = FALSE;
    }
}

void
confab_bus_watching_end (ConfabBusWatching *watching)
{
  ConfabGeneration *generation = watching->generation;

  if (watching->watches->len > 0)
    confab_generation_mark_told (generation);
  confab_bus_watching_tell (watching);
  for (guint i = 0; i < watching->watches->len; i++)
    {
      ConfabBusWatch *watch = g_ptr_array_index (watching->watches, i);
      guint64 under_way = watch->watcher->sent - watch->watcher->confirmed;

      if (!watch->behind || watch->resync)
        continue;
      if (under_way + watch->n_missed > CONFAB_BUS_BEHIND_BYTES + CONFAB_BUS_RESYNC_BYTES)
        tell_to_watch_anew (watch);
      else
        send_missed (watch);
    }
  confab_bus_watching_stop (watching);
}

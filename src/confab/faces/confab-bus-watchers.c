/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-bus-watchers.h"

#include "confab-pace.h"

#define INTERFACE "org.confab.Confab1.Module"
/* When a watcher is asked whether it has read what was sent. */
#define PING_BYTES (64 * 1024)
/* One that does not answer that long has to watch anew. */
#define PING_TIMEOUT_MS 60000
/* What a message takes besides its text, roughly. */
#define MESSAGE_BYTES 256

struct _ConfabBusWatchers
{
  ConfabService *service;
  GDBusConnection *connection; /* NULL: nobody watches */
  GCancellable *cancellable;   /* of the pings on it */
  GHashTable *modules;         /* id → Watching; key belongs to it */
  GHashTable *watchers;        /* unique name → Watcher; key belongs to it */
  guint interval_ms;
};

/* A client; as long as it watches something. */
typedef struct
{
  ConfabBusWatchers *watchers;
  char *name;
  guint name_id;
  guint n_watches;
  guint64 sent;      /* bytes, in all */
  guint64 confirmed; /* how many of them it has read for sure */
  guint64 asked;     /* where the ping under way stands */
  gboolean pinging;
} Watcher;

/* A module that is watched. */
typedef struct
{
  ConfabBusWatchers *watchers;
  char *module_id;
  char *path;
  GPtrArray *watches;           /* of Watch */
  ConfabGeneration *generation; /* NULL: none runs */
  guint64 told_seq;             /* of it; behind it only while an interval passes */
  ConfabPace pace;
} Watching;

typedef struct
{
  Watching *watching;
  Watcher *watcher;
  guint64 seq;     /* what it was sent last */
  gsize n_missed;  /* bytes since then, of one that is behind */
  gboolean behind; /* it is sent nothing until it has read more */
  gboolean resync; /* it is sent nothing until it watches anew */
} Watch;

static void catch_up (Watch *watch);

/* Watchers */

static void
watcher_free (gpointer data)
{
  Watcher *watcher = data;

  g_clear_handle_id (&watcher->name_id, g_bus_unwatch_name);
  g_free (watcher->name);
  g_free (watcher);
}

static void
watch_free (gpointer data)
{
  Watch *watch = data;

  if (--watch->watcher->n_watches == 0)
    g_hash_table_remove (watch->watcher->watchers->watchers, watch->watcher->name);
  g_free (watch);
}

static gboolean
is_full (const Watcher *watcher)
{
  return watcher->sent - watcher->confirmed > CONFAB_BUS_BEHIND_BYTES;
}

static void
follow_no_more (Watching *watching)
{
  confab_pace_clear (&watching->pace);
  if (watching->generation != NULL)
    g_signal_handlers_disconnect_by_data (watching->generation, watching);
  g_clear_object (&watching->generation);
}

static void
watching_free (gpointer data)
{
  Watching *watching = data;

  follow_no_more (watching);
  g_ptr_array_unref (watching->watches);
  g_free (watching->path);
  g_free (watching->module_id);
  g_free (watching);
}

static void
remove_watcher (ConfabBusWatchers *self, const char *name)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, self->modules);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      Watching *watching = value;

      for (guint i = watching->watches->len; i > 0; i--)
        {
          const Watch *watch = g_ptr_array_index (watching->watches, i - 1);

          if (g_str_equal (watch->watcher->name, name))
            g_ptr_array_remove_index_fast (watching->watches, i - 1);
        }
      if (watching->watches->len == 0)
        g_hash_table_iter_remove (&iter);
    }
}

static void
vanished_cb (GDBusConnection *connection, const char *name, gpointer user_data)
{
  ConfabBusWatchers *self = user_data;
  g_autofree char *gone = g_strdup (name);

  remove_watcher (self, gone);
}

static Watcher *
ensure_watcher (ConfabBusWatchers *self, const char *name)
{
  Watcher *watcher = g_hash_table_lookup (self->watchers, name);

  if (watcher != NULL)
    return watcher;

  watcher = g_new0 (Watcher, 1);
  watcher->watchers = self;
  watcher->name = g_strdup (name);
  watcher->name_id = g_bus_watch_name_on_connection (
      self->connection, name, G_BUS_NAME_WATCHER_FLAGS_NONE, NULL, vanished_cb, self, NULL);
  g_hash_table_insert (self->watchers, watcher->name, watcher);

  return watcher;
}

/* Calls @func for each watch of @watcher; it must not end one. */
static void
for_each_watch (const Watcher *watcher, void (*func) (Watch *watch))
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, watcher->watchers->modules);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      const Watching *watching = value;

      for (guint i = 0; i < watching->watches->len; i++)
        {
          Watch *watch = g_ptr_array_index (watching->watches, i);

          if (watch->watcher == watcher)
            func (watch);
        }
    }
}

/* Sending */

static void ping (Watcher *watcher);

/* @body: not floating, so that all share it */
static void
send_body (Watch *watch, const char *signal, GVariant *body)
{
  Watcher *watcher = watch->watcher;
  g_autoptr (GDBusMessage) message =
      g_dbus_message_new_signal (watch->watching->path, INTERFACE, signal);

  g_dbus_message_set_destination (message, watcher->name);
  g_dbus_message_set_body (message, body);
  g_dbus_connection_send_message (watcher->watchers->connection, message,
                                  G_DBUS_SEND_MESSAGE_FLAGS_NONE, NULL, NULL);
  watcher->sent += g_variant_get_size (body) + MESSAGE_BYTES;
  if (watcher->sent - watcher->confirmed > PING_BYTES)
    ping (watcher);
}

static void
tell_to_watch_anew (Watch *watch)
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
  Watcher *watcher;

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
    ping (watcher);
  if (!is_full (watcher))
    for_each_watch (watcher, catch_up);
}

static void
ping (Watcher *watcher)
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
  Watching *watching;
  Watch *only; /* NULL: all that are not behind */
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
  const Watching *watching = telling->watching;
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
      Watch *watch = g_ptr_array_index (watching->watches, i);

      if (!watch->behind && !watch->resync)
        send_body (watch, signal, body);
    }
}

/* All that @watch lacks, which is behind no more then. */
static void
send_missed (Watch *watch)
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

static void
tell_up_to_now (Watching *watching)
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
      Watch *watch = g_ptr_array_index (watching->watches, i);

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
catch_up (Watch *watch)
{
  if (!watch->behind || watch->resync || watch->watching->generation == NULL)
    return;

  tell_up_to_now (watch->watching);
  if (!is_full (watch->watcher))
    send_missed (watch);
}

static gboolean
interval_cb (gpointer user_data)
{
  tell_up_to_now (user_data);

  return G_SOURCE_REMOVE;
}

/* This runs for every token. */
static void
delta_cb (ConfabGeneration *generation, const ConfabDelta *delta, gpointer user_data)
{
  Watching *watching = user_data;

  for (guint i = 0; i < watching->watches->len; i++)
    {
      Watch *watch = g_ptr_array_index (watching->watches, i);

      if (!watch->behind)
        continue;
      watch->n_missed += delta->length;
      if (watch->n_missed > CONFAB_BUS_RESYNC_BYTES)
        tell_to_watch_anew (watch);
    }

  if (confab_pace_ask (&watching->pace, watching->watchers->interval_ms, interval_cb, watching))
    tell_up_to_now (watching);
}

static void
follow (Watching *watching, ConfabGeneration *generation)
{
  if (watching->generation == generation)
    return;

  follow_no_more (watching);
  watching->generation = g_object_ref (generation);
  watching->told_seq = confab_generation_get_seq (generation);
  g_signal_connect (generation, "delta", G_CALLBACK (delta_cb), watching);
  for (guint i = 0; i < watching->watches->len; i++)
    {
      Watch *watch = g_ptr_array_index (watching->watches, i);

      watch->seq = watching->told_seq;
      watch->n_missed = 0;
      watch->behind = FALSE;
    }
}

/* What the bus face calls */

ConfabBusWatchers *
confab_bus_watchers_new (ConfabService *service)
{
  ConfabBusWatchers *self = g_new0 (ConfabBusWatchers, 1);

  self->service = g_object_ref (service);
  self->watchers = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, watcher_free);
  self->modules = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, watching_free);

  return self;
}

void
confab_bus_watchers_free (ConfabBusWatchers *self)
{
  confab_bus_watchers_set_connection (self, NULL);
  g_hash_table_unref (self->modules);
  g_hash_table_unref (self->watchers);
  g_object_unref (self->service);
  g_free (self);
}

void
confab_bus_watchers_set_chunk_interval (ConfabBusWatchers *self, guint interval_ms)
{
  self->interval_ms = interval_ms;
}

void
confab_bus_watchers_set_connection (ConfabBusWatchers *self, GDBusConnection *connection)
{
  g_hash_table_remove_all (self->modules);
  if (self->connection != NULL)
    {
      g_cancellable_cancel (self->cancellable);
      g_object_set_data (G_OBJECT (self->connection), "confab-bus-watchers", NULL);
    }
  g_clear_object (&self->cancellable);
  if (!g_set_object (&self->connection, connection) || connection == NULL)
    return;

  self->cancellable = g_cancellable_new ();
  g_object_set_data (G_OBJECT (connection), "confab-bus-watchers", self);
}

static Watch *
ensure_watch (Watching *watching, const char *sender)
{
  Watch *watch;

  for (guint i = 0; i < watching->watches->len; i++)
    {
      watch = g_ptr_array_index (watching->watches, i);
      if (g_str_equal (watch->watcher->name, sender))
        return watch;
    }

  watch = g_new0 (Watch, 1);
  watch->watching = watching;
  watch->watcher = ensure_watcher (watching->watchers, sender);
  watch->watcher->n_watches++;
  g_ptr_array_add (watching->watches, watch);

  return watch;
}

/**
 * confab_bus_watchers_watch:
 * @self: the watchers
 * @module: what is watched
 * @path: its object
 * @invocation: (transfer full): a call of Watch()
 *
 * The answer and what is sent from here on fit together.
 */
void
confab_bus_watchers_watch (ConfabBusWatchers *self,
                           ConfabModule *module,
                           const char *path,
                           GDBusMethodInvocation *invocation)
{
  const char *id = confab_module_get_id (module);
  ConfabGeneration *running = confab_service_get_running (self->service, module);
  Watching *watching = g_hash_table_lookup (self->modules, id);
  Watch *watch;

  if (watching == NULL)
    {
      watching = g_new0 (Watching, 1);
      watching->watchers = self;
      watching->module_id = g_strdup (id);
      watching->path = g_strdup (path);
      watching->watches = g_ptr_array_new_with_free_func (watch_free);
      g_hash_table_insert (self->modules, watching->module_id, watching);
    }
  if (running != NULL)
    {
      follow (watching, running);
      /* a merged chunk must not begin before what a newcomer has */
      tell_up_to_now (watching);
    }

  watch = ensure_watch (watching, g_dbus_method_invocation_get_sender (invocation));
  watch->seq = watching->generation != NULL ? watching->told_seq : 0;
  watch->n_missed = 0;
  watch->resync = FALSE;
  watch->behind = FALSE;
  if (watch->watcher->sent > watch->watcher->confirmed)
    ping (watch->watcher);

  g_dbus_method_invocation_return_value (
      invocation,
      g_variant_new ("(sts)", running != NULL ? confab_generation_get_id (running) : "",
                     running != NULL ? confab_generation_get_seq (running) : (guint64) 0,
                     running != NULL ? confab_generation_get_text (running) : ""));
}

void
confab_bus_watchers_unwatch (ConfabBusWatchers *self, const char *module_id, const char *sender)
{
  Watching *watching = g_hash_table_lookup (self->modules, module_id);

  for (guint i = 0; watching != NULL && i < watching->watches->len; i++)
    {
      const Watch *watch = g_ptr_array_index (watching->watches, i);

      if (!g_str_equal (watch->watcher->name, sender))
        continue;
      g_ptr_array_remove_index_fast (watching->watches, i);
      break;
    }
  if (watching != NULL && watching->watches->len == 0)
    g_hash_table_remove (self->modules, module_id);
}

void
confab_bus_watchers_forget_module (ConfabBusWatchers *self, const char *module_id)
{
  g_hash_table_remove (self->modules, module_id);
}

void
confab_bus_watchers_start (ConfabBusWatchers *self, ConfabGeneration *generation)
{
  Watching *watching =
      g_hash_table_lookup (self->modules, confab_generation_get_module_id (generation));

  if (watching != NULL)
    follow (watching, generation);
}

/**
 * confab_bus_watchers_end:
 * @self: the watchers
 * @generation: one that has ended
 *
 * Sends what is left of it to those who watch, also to those who are behind, unless it is too much.
 */
void
confab_bus_watchers_end (ConfabBusWatchers *self, ConfabGeneration *generation)
{
  Watching *watching =
      g_hash_table_lookup (self->modules, confab_generation_get_module_id (generation));

  if (watching == NULL || watching->generation != generation)
    return;

  if (watching->watches->len > 0)
    confab_generation_mark_told (generation);
  tell_up_to_now (watching);
  for (guint i = 0; i < watching->watches->len; i++)
    {
      Watch *watch = g_ptr_array_index (watching->watches, i);
      guint64 under_way = watch->watcher->sent - watch->watcher->confirmed;

      if (!watch->behind || watch->resync)
        continue;
      if (under_way + watch->n_missed > CONFAB_BUS_BEHIND_BYTES + CONFAB_BUS_RESYNC_BYTES)
        tell_to_watch_anew (watch);
      else
        send_missed (watch);
    }
  follow_no_more (watching);
}

/**
 * confab_bus_watchers_has_any:
 * @self: the watchers
 *
 * Returns: whether somebody watches a module
 */
gboolean
confab_bus_watchers_has_any (ConfabBusWatchers *self)
{
  return g_hash_table_size (self->modules) > 0;
}

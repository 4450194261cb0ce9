/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-bus-watching.h"

static void
watcher_free (gpointer data)
{
  ConfabBusWatcher *watcher = data;

  g_clear_handle_id (&watcher->name_id, g_bus_unwatch_name);
  g_free (watcher->name);
  g_free (watcher);
}

static void
watch_free (gpointer data)
{
  ConfabBusWatch *watch = data;

  if (--watch->watcher->n_watches == 0)
    g_hash_table_remove (watch->watcher->watchers->watchers, watch->watcher->name);
  g_free (watch);
}

static void
watching_free (gpointer data)
{
  ConfabBusWatching *watching = data;

  confab_bus_watching_stop (watching);
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
      ConfabBusWatching *watching = value;

      for (guint i = watching->watches->len; i > 0; i--)
        {
          const ConfabBusWatch *watch = g_ptr_array_index (watching->watches, i - 1);

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

static ConfabBusWatcher *
ensure_watcher (ConfabBusWatchers *self, const char *name)
{
  ConfabBusWatcher *watcher = g_hash_table_lookup (self->watchers, name);

  if (watcher != NULL)
    return watcher;

  watcher = g_new0 (ConfabBusWatcher, 1);
  watcher->watchers = self;
  watcher->name = g_strdup (name);
  watcher->name_id = g_bus_watch_name_on_connection (
      self->connection, name, G_BUS_NAME_WATCHER_FLAGS_NONE, NULL, vanished_cb, self, NULL);
  g_hash_table_insert (self->watchers, watcher->name, watcher);

  return watcher;
}

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

static ConfabBusWatch *
ensure_watch (ConfabBusWatching *watching, const char *sender)
{
  ConfabBusWatch *watch;

  for (guint i = 0; i < watching->watches->len; i++)
    {
      watch = g_ptr_array_index (watching->watches, i);
      if (g_str_equal (watch->watcher->name, sender))
        return watch;
    }

  watch = g_new0 (ConfabBusWatch, 1);
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
  ConfabBusWatching *watching = g_hash_table_lookup (self->modules, id);
  ConfabBusWatch *watch;

  if (watching == NULL)
    {
      watching = g_new0 (ConfabBusWatching, 1);
      watching->watchers = self;
      watching->module_id = g_strdup (id);
      watching->path = g_strdup (path);
      watching->watches = g_ptr_array_new_with_free_func (watch_free);
      g_hash_table_insert (self->modules, watching->module_id, watching);
    }
  if (running != NULL)
    {
      confab_bus_watching_follow (watching, running);
      /* a merged chunk must not begin before what a newcomer has */
      confab_bus_watching_tell (watching);
    }

  watch = ensure_watch (watching, g_dbus_method_invocation_get_sender (invocation));
  watch->seq = watching->generation != NULL ? watching->told_seq : 0;
  watch->n_missed = 0;
  watch->resync = FALSE;
  watch->behind = FALSE;
  if (watch->watcher->sent > watch->watcher->confirmed)
    confab_bus_watcher_ping (watch->watcher);

  g_dbus_method_invocation_return_value (
      invocation,
      g_variant_new ("(sts)", running != NULL ? confab_generation_get_id (running) : "",
                     running != NULL ? confab_generation_get_seq (running) : (guint64) 0,
                     running != NULL ? confab_generation_get_text (running) : ""));
}

void
confab_bus_watchers_unwatch (ConfabBusWatchers *self, const char *module_id, const char *sender)
{
  ConfabBusWatching *watching = g_hash_table_lookup (self->modules, module_id);

  for (guint i = 0; watching != NULL && i < watching->watches->len; i++)
    {
      const ConfabBusWatch *watch = g_ptr_array_index (watching->watches, i);

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
  ConfabBusWatching *watching =
      g_hash_table_lookup (self->modules, confab_generation_get_module_id (generation));

  if (watching != NULL)
    confab_bus_watching_follow (watching, generation);
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
  ConfabBusWatching *watching =
      g_hash_table_lookup (self->modules, confab_generation_get_module_id (generation));

  if (watching == NULL || watching->generation != generation)
    return;

  confab_bus_watching_end (watching);
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

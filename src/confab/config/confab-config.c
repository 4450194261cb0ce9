/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-config.h"

#include "confab-schema.h"

/* Editors write a file in several steps. */
#define SETTLE_MS 100

struct _ConfabConfig
{
  GObject parent_instance;

  GSettingsSchemaSource *source;
  char *path; /* NULL: dconf */
  GFileMonitor *monitor;
  /* (element-type GSettings): what is watched; the first is the main one */
  GPtrArray *watched;
  guint settle_source;
};

G_DEFINE_FINAL_TYPE (ConfabConfig, confab_config, G_TYPE_OBJECT)

enum
{
  CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void
confab_config_finalize (GObject *object)
{
  ConfabConfig *self = CONFAB_CONFIG (object);

  g_clear_handle_id (&self->settle_source, g_source_remove);
  if (self->monitor != NULL)
    g_file_monitor_cancel (self->monitor);
  g_clear_object (&self->monitor);
  for (guint i = 0; i < self->watched->len; i++)
    g_signal_handlers_disconnect_by_data (g_ptr_array_index (self->watched, i), self);
  g_ptr_array_unref (self->watched);
  g_clear_pointer (&self->source, g_settings_schema_source_unref);
  g_free (self->path);

  G_OBJECT_CLASS (confab_config_parent_class)->finalize (object);
}

static void
confab_config_class_init (ConfabConfigClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = confab_config_finalize;

  signals[CHANGED] = g_signal_new ("changed", CONFAB_TYPE_CONFIG, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                   NULL, G_TYPE_NONE, 0);
}

static void
confab_config_init (ConfabConfig *self)
{
  self->watched = g_ptr_array_new_with_free_func (g_object_unref);
}

static gboolean
settled_cb (gpointer user_data)
{
  ConfabConfig *self = user_data;

  self->settle_source = 0;
  g_signal_emit (self, signals[CHANGED], 0);

  return G_SOURCE_REMOVE;
}

static void
changed_cb (ConfabConfig *self)
{
  if (self->settle_source != 0)
    return;
  self->settle_source = g_timeout_add (SETTLE_MS, settled_cb, self);
  g_source_set_name_by_id (self->settle_source, "[confab] settings changed");
}

static void
watch_settings (ConfabConfig *self, GSettings *gsettings)
{
  g_ptr_array_add (self->watched, gsettings);
  g_signal_connect_swapped (gsettings, "changed", G_CALLBACK (changed_cb), self);
}

static void
watch_file (ConfabConfig *self)
{
  g_autoptr (GFile) file = g_file_new_for_path (self->path);
  g_autoptr (GError) error = NULL;

  self->monitor = g_file_monitor_file (file, G_FILE_MONITOR_WATCH_HARD_LINKS, NULL, &error);
  if (self->monitor != NULL)
    g_signal_connect_swapped (self->monitor, "changed", G_CALLBACK (changed_cb), self);
  else
    g_info ("%s is not watched: %s", self->path, error->message);
}

static void
watch_providers (ConfabConfig *self, const ConfabSettings *settings)
{
  for (guint i = 1; i < self->watched->len; i++)
    g_signal_handlers_disconnect_by_data (g_ptr_array_index (self->watched, i), self);
  g_ptr_array_set_size (self->watched, 1);
  for (guint i = 0; i < settings->providers->len; i++)
    {
      const ConfabProviderSettings *provider = g_ptr_array_index (settings->providers, i);

      watch_settings (self, confab_schema_new_provider_settings (self->source, provider->name));
    }
}

/**
 * confab_config_new:
 * @path: (nullable): a file of settings; NULL for GSettings' default backend, on a desktop dconf
 *
 * Returns: (transfer full) (nullable): NULL with a sentence for people if there is no schema
 */
ConfabConfig *
confab_config_new (const char *path, GError **error)
{
  g_autoptr (ConfabConfig) self = g_object_new (CONFAB_TYPE_CONFIG, NULL);
  g_autoptr (GSettingsSchema) schema = NULL;

  self->source = confab_schema_source_new (error);
  if (self->source == NULL)
    return NULL;

  self->path = g_strdup (path);
  if (path != NULL)
    {
      watch_file (self);
      return g_steal_pointer (&self);
    }

  schema = g_settings_schema_source_lookup (self->source, CONFAB_SCHEMA_MAIN, TRUE);
  watch_settings (self, g_settings_new_full (schema, NULL, NULL));

  return g_steal_pointer (&self);
}

/**
 * confab_config_read:
 *
 * Returns: (transfer full) (nullable): the settings as they are now; NULL with a sentence for
 *   people that names the place if they are wrong
 */
ConfabSettings *
confab_config_read (ConfabConfig *self, GError **error)
{
  ConfabSettings *settings;

  g_return_val_if_fail (CONFAB_IS_CONFIG (self), NULL);

  if (self->path != NULL)
    return confab_settings_load (self->source, self->path, error);

  settings = confab_settings_read (self->source, error);
  if (settings != NULL)
    watch_providers (self, settings);

  return settings;
}

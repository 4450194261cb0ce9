/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-daemon-private.h"

#include "confab-auto-provider.h"
#include "confab-origin.h"
#include "confab-providers.h"

/* Returns: (transfer full): those of the command line, and those of the settings */
static char **
join_allowed (char **asked, char **set, char *(*normalize) (const char *, GError **) )
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  g_strv_builder_addv (builder, (const char **) asked);
  for (; set != NULL && *set != NULL; set++)
    {
      g_autofree char *normal = normalize (*set, NULL);

      g_strv_builder_add (builder, normal);
    }

  return g_strv_builder_end (builder);
}

void
confab_daemon_start_provider (ConfabDaemon *self)
{
  ConfabProvider *provider = confab_provider_registry_get_default (self->providers);

  /* looking for a model must not delay those who connect already */
  if (CONFAB_IS_AUTO_PROVIDER (provider))
    confab_auto_provider_start (CONFAB_AUTO_PROVIDER (provider));
}

static void
apply_limits (ConfabDaemon *self)
{
  const ConfabSettings *settings = self->settings;
  ConfabLimitValues values = {
    .client_rate = settings->client_rate,
    .address_rate = settings->address_rate,
    .address_connections = settings->address_connections,
    .connections = settings->max_connections,
    .limit_local = settings->limit_local,
  };

  confab_limits_set (self->limits, &values);
}

void
confab_daemon_apply_settings (ConfabDaemon *self)
{
  const ConfabSettings *settings = self->settings;
  g_auto (GStrv) origins =
      join_allowed (self->options->allow_origins, settings->allow_origins, confab_origin_normalize);
  g_auto (GStrv) hosts =
      join_allowed (self->options->allow_hosts, settings->allow_hosts, confab_host_normalize);

  confab_access_set_allowed (self->access, (const char *const *) origins,
                             (const char *const *) hosts);
  apply_limits (self);
  confab_service_set_providers (self->service, self->providers);
  confab_service_set_queue (self->service, settings->queue);
  confab_service_set_max_running (self->service, settings->max_running);
  confab_service_set_auto_create_modules (self->service, settings->auto_create_modules);
  if (self->gateway != NULL)
    confab_gateway_set_chunk_interval (self->gateway, settings->chunk_interval_ms);
  if (self->idle != NULL)
    confab_idle_set_timeout (self->idle, settings->idle_timeout);
  if (self->bus != NULL)
    {
      confab_bus_set_chunk_interval (self->bus, settings->chunk_interval_ms);
      confab_bus_refresh (self->bus);
    }
  if (self->desktop != NULL)
    confab_desktop_apply (self->desktop, settings);
}

gboolean
confab_daemon_read_settings (ConfabDaemon *self, GError **error)
{
  g_autoptr (ConfabSettings) settings = confab_config_read (self->config, error);

  if (settings == NULL)
    return FALSE;
  if (self->settings == NULL || !confab_settings_have_same_providers (self->settings, settings))
    {
      ConfabProviderRegistry *providers = confab_providers_set_up (
          self->options, settings, CONFAB_KEY_SOURCE (self->secrets), error);

      if (providers == NULL)
        return FALSE;
      g_clear_object (&self->providers);
      self->providers = providers;
    }
  g_clear_pointer (&self->settings, confab_settings_free);
  self->settings = g_steal_pointer (&settings);

  return TRUE;
}

void
confab_daemon_reload (ConfabDaemon *self)
{
  ConfabProviderRegistry *before = self->providers;
  g_autoptr (GError) error = NULL;

  if (!confab_daemon_read_settings (self, &error))
    {
      g_warning ("Settings stay as they were: %s", error->message);
      return;
    }

  confab_daemon_apply_settings (self);
  if (self->providers != before)
    confab_daemon_start_provider (self);
  g_message ("Settings were read again");
}

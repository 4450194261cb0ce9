/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-http-key.h"

#include <string.h>

#include "confab-http-provider-private.h"
#include "confab-http-settings.h"

/**
 * confab_http_key_is_wanted:
 *
 * Returns: whether a key must be fetched before the next request
 */
gboolean
confab_http_key_is_wanted (ConfabHttpProvider *provider)
{
  ConfabHttpProviderPrivate *priv = confab_http_provider_get_private (provider);

  return priv->key_source != NULL && !priv->key_fetched;
}

static void
looked_up_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  ConfabHttpProvider *provider = g_task_get_source_object (task);
  ConfabHttpProviderPrivate *priv = confab_http_provider_get_private (provider);
  GError *error = NULL;
  char *key = confab_key_source_lookup_finish (CONFAB_KEY_SOURCE (source), result, &error);

  if (key != NULL && confab_http_settings_check_api_key (key, &error))
    {
      confab_http_provider_wipe_key (&priv->api_key);
      priv->api_key = g_steal_pointer (&key);
      priv->key_fetched = TRUE;
    }
  confab_http_provider_wipe_key (&key);

  /* A key that cannot be had now is no harm where the environment has one. */
  if (error != NULL && priv->api_key != NULL)
    g_clear_error (&error);
  if (error != NULL)
    g_task_return_error (task, error);
  else
    g_task_return_boolean (task, TRUE);
}

/**
 * confab_http_key_fetch_async:
 *
 * Asks the source for the key. If it has none, the one that was configured is used, if any, and the
 * source is asked again for the next request.
 */
void
confab_http_key_fetch_async (ConfabHttpProvider *provider,
                             GCancellable *cancellable,
                             GAsyncReadyCallback callback,
                             gpointer user_data)
{
  ConfabHttpProviderPrivate *priv = confab_http_provider_get_private (provider);
  GTask *task = g_task_new (provider, cancellable, callback, user_data);

  g_task_set_source_tag (task, confab_http_key_fetch_async);
  confab_key_source_lookup_async (priv->key_source, priv->key_name, cancellable, looked_up_cb,
                                  task);
}

gboolean
confab_http_key_fetch_finish (ConfabHttpProvider *provider, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, provider), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * confab_http_key_refused:
 *
 * The server does not take the key: the next request asks the source again.
 */
void
confab_http_key_refused (ConfabHttpProvider *provider)
{
  confab_http_provider_get_private (provider)->key_fetched = FALSE;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>
#include <glib/gi18n-lib.h>

#include "confab-http-provider-private.h"
#include "confab-backoff.h"
#include "confab-error.h"
#include "confab-http-error.h"
#include "confab-history.h"
#include "confab-http-fetch.h"
#include "confab-http-generation.h"
#include "confab-http-key.h"
#include "confab-http-settings.h"
#include "confab-http-stream.h"

/* A list of models is small, so a server that is silent for longer will not give it at all. */
#define LIST_TIMEOUT_MS (30 * 1000)

static void confab_http_provider_iface_init (ConfabProviderInterface *iface);

G_DEFINE_ABSTRACT_TYPE_WITH_CODE (ConfabHttpProvider,
                                  confab_http_provider,
                                  G_TYPE_OBJECT,
                                  G_ADD_PRIVATE (ConfabHttpProvider)
                                      G_IMPLEMENT_INTERFACE (CONFAB_TYPE_PROVIDER,
                                                             confab_http_provider_iface_init))

ConfabHttpProviderPrivate *
confab_http_provider_get_private (ConfabHttpProvider *self)
{
  return confab_http_provider_get_instance_private (self);
}

/* Leaves nothing of it in memory. */
void
confab_http_provider_wipe_key (char **key)
{
  if (*key != NULL)
    explicit_bzero (*key, strlen (*key));
  g_clear_pointer (key, g_free);
}

/* Takes @error, and gives it back. Servers like to repeat a key that they refuse; it must not come
 * into logs and pages. */
GError *
confab_http_provider_hide_key (ConfabHttpProvider *self, GError *error)
{
  ConfabHttpProviderPrivate *priv = confab_http_provider_get_private (self);

  if (priv->api_key != NULL)
    confab_http_error_hide (error, priv->api_key);

  return error;
}

/* Returns: (transfer full): a request to what @path is below the base URL */
SoupMessage *
confab_http_provider_new_message (ConfabHttpProvider *self, const char *method, const char *path)
{
  ConfabHttpProviderPrivate *priv = confab_http_provider_get_private (self);
  g_autofree char *url = g_strconcat (priv->base_url, path, NULL);
  SoupMessage *message = soup_message_new (method, url);
  SoupMessageHeaders *headers = soup_message_get_request_headers (message);

  CONFAB_HTTP_PROVIDER_GET_CLASS (self)->add_headers (headers, priv->api_key);
  for (guint i = 0; i < priv->headers->len; i += 2)
    soup_message_headers_replace (headers, g_ptr_array_index (priv->headers, i),
                                  g_ptr_array_index (priv->headers, i + 1));
  soup_message_headers_replace (headers, "Accept-Encoding", "identity");

  return message;
}

static void
confab_http_provider_generate_async (ConfabProvider *provider,
                                     ConfabPrompt *prompt,
                                     ConfabDeltaFunc on_delta,
                                     gpointer delta_data,
                                     GCancellable *cancellable,
                                     GAsyncReadyCallback callback,
                                     gpointer user_data)
{
  confab_http_generation_run_async (CONFAB_HTTP_PROVIDER (provider), prompt, on_delta, delta_data,
                                    cancellable, callback, user_data);
}

static void
listed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  ConfabHttpProvider *self = g_task_get_source_object (task);
  g_autoptr (JsonNode) node = NULL;
  GPtrArray *models;
  GError *error = NULL;

  node = confab_http_fetch_json_finish (SOUP_SESSION (source), result, &error);
  confab_http_pool_give_back (confab_http_provider_get_private (self)->pool, SOUP_SESSION (source));
  if (node == NULL)
    {
      g_task_return_error (task, confab_http_provider_hide_key (self, error));
      return;
    }

  models = CONFAB_HTTP_PROVIDER_GET_CLASS (self)->parse_models (node);
  if (models == NULL)
    g_task_return_new_error (task, CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_ERROR,
                             _ ("What the server at %s answers is not a list of models."),
                             confab_http_provider_get_private (self)->base_url);
  else
    g_task_return_pointer (task, models, (GDestroyNotify) g_ptr_array_unref);
}

/* Takes @task. */
static void
list_models (GTask *task)
{
  ConfabHttpProvider *self = g_task_get_source_object (task);
  ConfabHttpProviderPrivate *priv = confab_http_provider_get_private (self);
  g_autoptr (SoupMessage) message = confab_http_provider_new_message (
      self, "GET", CONFAB_HTTP_PROVIDER_GET_CLASS (self)->models_path);

  confab_http_fetch_json_async (confab_http_pool_take (priv->pool), message,
                                MIN (priv->stall_timeout_ms, LIST_TIMEOUT_MS),
                                g_task_get_cancellable (task), listed_cb, task);
}

static void
key_for_list_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;

  if (confab_http_key_fetch_finish (CONFAB_HTTP_PROVIDER (source), result, &error))
    list_models (g_steal_pointer (&task));
  else
    g_task_return_error (task, error);
}

static void
confab_http_provider_list_models_async (ConfabProvider *provider,
                                        GCancellable *cancellable,
                                        GAsyncReadyCallback callback,
                                        gpointer user_data)
{
  ConfabHttpProvider *self = CONFAB_HTTP_PROVIDER (provider);
  GTask *task = g_task_new (self, cancellable, callback, user_data);

  g_task_set_source_tag (task, confab_http_provider_list_models_async);
  if (confab_http_key_is_wanted (self))
    confab_http_key_fetch_async (self, cancellable, key_for_list_cb, task);
  else
    list_models (task);
}

static const char *
confab_http_provider_get_name (ConfabProvider *provider)
{
  return CONFAB_HTTP_PROVIDER_GET_CLASS (provider)->name;
}

static const char *
confab_http_provider_get_model (ConfabProvider *provider)
{
  ConfabHttpProviderPrivate *priv =
      confab_http_provider_get_private (CONFAB_HTTP_PROVIDER (provider));

  return priv->default_model != NULL ? priv->default_model : priv->found_model;
}

static void
confab_http_provider_iface_init (ConfabProviderInterface *iface)
{
  iface->get_name = confab_http_provider_get_name;
  iface->get_model = confab_http_provider_get_model;
  iface->generate_async = confab_http_provider_generate_async;
  iface->list_models_async = confab_http_provider_list_models_async;
}

static void
confab_http_provider_finalize (GObject *object)
{
  ConfabHttpProviderPrivate *priv =
      confab_http_provider_get_private (CONFAB_HTTP_PROVIDER (object));

  g_clear_pointer (&priv->pool, confab_http_pool_free);
  g_clear_pointer (&priv->base_url, g_free);
  confab_http_provider_wipe_key (&priv->api_key);
  g_clear_object (&priv->key_source);
  g_clear_pointer (&priv->key_name, g_free);
  g_clear_pointer (&priv->default_model, g_free);
  g_clear_pointer (&priv->found_model, g_free);
  g_clear_pointer (&priv->headers, g_ptr_array_unref);

  G_OBJECT_CLASS (confab_http_provider_parent_class)->finalize (object);
}

static void
confab_http_provider_class_init (ConfabHttpProviderClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = confab_http_provider_finalize;
}

static void
confab_http_provider_init (ConfabHttpProvider *self)
{
  ConfabHttpProviderPrivate *priv = confab_http_provider_get_private (self);

  priv->stall_timeout_ms = CONFAB_HTTP_STALL_TIMEOUT_MS;
  priv->retries = CONFAB_BACKOFF_RETRIES;
  priv->headers = g_ptr_array_new_with_free_func (g_free);
}

static char *
dup_stripped (const char *text)
{
  g_autofree char *copy = text != NULL ? g_strstrip (g_strdup (text)) : NULL;

  return copy != NULL && *copy != '\0' ? g_steal_pointer (&copy) : NULL;
}

/**
 * confab_http_provider_configure:
 * @base_url: (nullable): with or without a slash at the end; NULL for the API's own
 * @api_key: (nullable): NULL for servers that want none
 * @default_model: (nullable): for prompts that name none; NULL for the first that the server lists
 *
 * To be called once, by the subclass's constructor. Settings that are empty count as not set.
 *
 * Requests are not redirected: their body is somebody's chat and goes only where it was told to.
 *
 * Returns: FALSE with %CONFAB_ERROR_INVALID_REQUEST if a setting is wrong
 */
gboolean
confab_http_provider_configure (ConfabHttpProvider *self,
                                const char *base_url,
                                const char *api_key,
                                const char *default_model,
                                GError **error)
{
  ConfabHttpProviderPrivate *priv = confab_http_provider_get_private (self);
  g_autofree char *stripped_url = dup_stripped (base_url);

  g_return_val_if_fail (CONFAB_IS_HTTP_PROVIDER (self), FALSE);
  g_return_val_if_fail (priv->pool == NULL, FALSE);

  if (stripped_url == NULL)
    stripped_url = g_strdup (CONFAB_HTTP_PROVIDER_GET_CLASS (self)->default_base_url);
  priv->base_url = confab_http_settings_check_base_url (stripped_url, error);
  if (priv->base_url == NULL)
    return FALSE;

  priv->api_key = dup_stripped (api_key);
  if (priv->api_key != NULL && !confab_http_settings_check_api_key (priv->api_key, error))
    return FALSE;

  priv->default_model = dup_stripped (default_model);
  priv->pool = confab_http_pool_new (confab_http_settings_is_local (priv->base_url));

  return TRUE;
}

/**
 * confab_http_provider_set_key_source:
 * @source: asked for the key before a request; what it has comes before the key that was configured
 * @name: what to ask it for
 */
void
confab_http_provider_set_key_source (ConfabHttpProvider *self,
                                     ConfabKeySource *source,
                                     const char *name)
{
  ConfabHttpProviderPrivate *priv = confab_http_provider_get_private (self);

  g_return_if_fail (CONFAB_IS_HTTP_PROVIDER (self) && CONFAB_IS_KEY_SOURCE (source));
  g_return_if_fail (name != NULL);

  g_set_object (&priv->key_source, source);
  g_free (priv->key_name);
  priv->key_name = g_strdup (name);
}

/**
 * confab_http_provider_set_stall_timeout:
 * @timeout_ms: how long the server may be silent, before its first byte and between bytes; at
 *   least 1; %CONFAB_HTTP_STALL_TIMEOUT_MS by default
 */
void
confab_http_provider_set_stall_timeout (ConfabHttpProvider *self, guint timeout_ms)
{
  g_return_if_fail (CONFAB_IS_HTTP_PROVIDER (self));
  g_return_if_fail (timeout_ms > 0);

  confab_http_provider_get_private (self)->stall_timeout_ms = timeout_ms;
}

/**
 * confab_http_provider_set_retries:
 * @retries: how often a question is asked again that fails for now before anything of an answer was
 *   seen, at most %CONFAB_BACKOFF_MAX_RETRIES; %CONFAB_BACKOFF_RETRIES by default, 0 for never
 */
void
confab_http_provider_set_retries (ConfabHttpProvider *self, guint retries)
{
  g_return_if_fail (CONFAB_IS_HTTP_PROVIDER (self));
  g_return_if_fail (retries <= CONFAB_BACKOFF_MAX_RETRIES);

  confab_http_provider_get_private (self)->retries = retries;
}

/**
 * confab_http_provider_set_headers:
 * @lines: (array zero-terminated=1): "Name: value" each, at most %CONFAB_HTTP_SETTINGS_MAX_HEADERS
 *
 * What every request carries besides what the API asks for. A header that the API asks for, such as
 * its version, is replaced.
 *
 * Returns: FALSE with %CONFAB_ERROR_INVALID_REQUEST if a line is wrong; nothing is changed then
 */
gboolean
confab_http_provider_set_headers (ConfabHttpProvider *self,
                                  const char *const *lines,
                                  GError **error)
{
  ConfabHttpProviderPrivate *priv = confab_http_provider_get_private (self);
  GPtrArray *headers;

  g_return_val_if_fail (CONFAB_IS_HTTP_PROVIDER (self), FALSE);
  g_return_val_if_fail (lines != NULL, FALSE);

  headers = confab_http_settings_parse_headers (lines, error);
  if (headers == NULL)
    return FALSE;

  g_ptr_array_unref (priv->headers);
  priv->headers = headers;

  return TRUE;
}

/**
 * confab_http_provider_set_context_tokens:
 * @context_tokens: what the model's context holds, question and answer together; longer
 *   conversations are trimmed as confab_history_fit() says. 0, the default, for as it is: services
 *   refuse what is too long, and Ollama trims by itself
 *
 * Where the API lets the client choose, as Ollama's, the server is asked for a context of that
 * size. A prompt's own parameter comes first.
 */
void
confab_http_provider_set_context_tokens (ConfabHttpProvider *self, guint context_tokens)
{
  g_return_if_fail (CONFAB_IS_HTTP_PROVIDER (self));
  g_return_if_fail (context_tokens <= CONFAB_HISTORY_MAX_CONTEXT);

  confab_http_provider_get_private (self)->context_tokens = context_tokens;
}

/**
 * confab_http_provider_get_base_url:
 *
 * Returns: where requests go, without a slash at the end
 */
const char *
confab_http_provider_get_base_url (ConfabHttpProvider *self)
{
  g_return_val_if_fail (CONFAB_IS_HTTP_PROVIDER (self), NULL);

  return confab_http_provider_get_private (self)->base_url;
}

/**
 * confab_http_provider_add_bearer:
 * @api_key: (nullable)
 */
void
confab_http_provider_add_bearer (SoupMessageHeaders *headers, const char *api_key)
{
  g_autofree char *value = g_strconcat ("Bearer ", api_key, NULL);

  if (api_key != NULL)
    soup_message_headers_replace (headers, "Authorization", value);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>
#include <glib/gi18n-lib.h>

#include "confab-http-provider.h"
#include "confab-error.h"
#include "confab-http-fetch.h"
#include "confab-http-settings.h"
#include "confab-http-stream.h"

/* A list of models is small, so a server that is silent for longer will not give it at all. */
#define LIST_TIMEOUT_MS (30 * 1000)

typedef struct
{
  SoupSession *session;
  /* without a slash at the end */
  char *base_url;
  char *api_key;
  char *default_model;
  guint stall_timeout_ms;

  /* The first model that the server listed; asked for when none is configured. */
  char *found_model;
} ConfabHttpProviderPrivate;

/* What a generation needs besides its task, which owns it. */
typedef struct
{
  /* The task's source, which it keeps alive. */
  ConfabHttpProvider *provider;
  ConfabPrompt *prompt;
  ConfabDeltaFunc on_delta;
  gpointer delta_data;
  GCancellable *cancellable;
  ConfabAnswerReader *reader;
} Generation;

static void confab_http_provider_iface_init (ConfabProviderInterface *iface);

G_DEFINE_ABSTRACT_TYPE_WITH_CODE (ConfabHttpProvider,
                                  confab_http_provider,
                                  G_TYPE_OBJECT,
                                  G_ADD_PRIVATE (ConfabHttpProvider)
                                      G_IMPLEMENT_INTERFACE (CONFAB_TYPE_PROVIDER,
                                                             confab_http_provider_iface_init))

static ConfabHttpProviderPrivate *
get_private (ConfabHttpProvider *self)
{
  return confab_http_provider_get_instance_private (self);
}

static void
generation_free (gpointer data)
{
  Generation *generation = data;

  g_clear_pointer (&generation->prompt, confab_prompt_unref);
  g_clear_pointer (&generation->reader, confab_answer_reader_free);
  g_clear_object (&generation->cancellable);
  g_free (generation);
}

/* Servers like to repeat a key that they refuse; it must not come into logs and pages. */
static GError *
hide_key (ConfabHttpProvider *self, GError *error)
{
  ConfabHttpProviderPrivate *priv = get_private (self);
  g_autofree char *before = NULL;
  g_auto (GStrv) parts = NULL;

  if (priv->api_key == NULL || strstr (error->message, priv->api_key) == NULL)
    return error;

  before = g_steal_pointer (&error->message);
  parts = g_strsplit (before, priv->api_key, -1);
  error->message = g_strjoinv ("…", parts);

  return error;
}

static SoupMessage *
new_message (ConfabHttpProvider *self, const char *method, const char *path)
{
  ConfabHttpProviderPrivate *priv = get_private (self);
  g_autofree char *url = g_strconcat (priv->base_url, path, NULL);
  SoupMessage *message = soup_message_new (method, url);
  SoupMessageHeaders *headers = soup_message_get_request_headers (message);

  CONFAB_HTTP_PROVIDER_GET_CLASS (self)->add_headers (headers, priv->api_key);
  soup_message_headers_replace (headers, "Accept-Encoding", "identity");

  return message;
}

static void
reader_text_cb (ConfabDeltaKind kind, const char *text, gsize length, gpointer user_data)
{
  Generation *generation = user_data;

  if (!g_cancellable_is_cancelled (generation->cancellable))
    generation->on_delta (kind, text, length, generation->delta_data);
}

/* A wrong base URL often leads to a page for people. */
static gboolean
handle_head (SoupMessage *message, gpointer user_data, GError **error)
{
  Generation *generation = user_data;
  const char *usual_path = CONFAB_HTTP_PROVIDER_GET_CLASS (generation->provider)->usual_path;
  const char *type =
      soup_message_headers_get_content_type (soup_message_get_response_headers (message), NULL);

  if (type == NULL || g_ascii_strcasecmp (type, "text/html") != 0)
    return TRUE;

  if (usual_path != NULL)
    g_set_error (error, CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_ERROR,
                 _ ("The base URL leads to a web page, not to a model server; most end in %s."),
                 usual_path);
  else
    g_set_error_literal (error, CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_ERROR,
                         _ ("The base URL leads to a web page, not to a model server."));
  return FALSE;
}

static gboolean
handle_data (const char *bytes, gsize length, gpointer user_data, GError **error)
{
  Generation *generation = user_data;

  return confab_answer_reader_feed (generation->reader, bytes, length, error);
}

static void
handle_turn_done (gpointer user_data)
{
  Generation *generation = user_data;

  confab_answer_reader_flush (generation->reader);
}

static const ConfabHttpHandler generate_handler = { .head = handle_head,
                                                    .data = handle_data,
                                                    .turn_done = handle_turn_done };

static void
generated_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  ConfabHttpProvider *self = g_task_get_source_object (task);
  Generation *generation = g_task_get_task_data (task);
  ConfabOutcome *outcome = NULL;
  GError *error = NULL;

  if (confab_http_stream_run_finish (SOUP_SESSION (source), result, &error))
    outcome = confab_answer_reader_finish (generation->reader, &error);

  if (outcome != NULL)
    {
      g_task_return_pointer (task, outcome, (GDestroyNotify) confab_outcome_free);
      return;
    }

  /* A model that was found may have been unloaded since: look again next time. */
  if (!confab_error_is_retryable (error))
    g_clear_pointer (&get_private (self)->found_model, g_free);
  g_task_return_error (task, hide_key (self, error));
}

/* Takes @task. */
static void
generate_with_model (GTask *task, const char *model)
{
  ConfabHttpProvider *self = g_task_get_source_object (task);
  ConfabHttpProviderClass *klass = CONFAB_HTTP_PROVIDER_GET_CLASS (self);
  ConfabHttpProviderPrivate *priv = get_private (self);
  Generation *generation = g_task_get_task_data (task);
  g_autoptr (SoupMessage) message = new_message (self, "POST", klass->generate_path);
  g_autoptr (GBytes) body = klass->build_request (generation->prompt, model);

  soup_message_headers_replace (soup_message_get_request_headers (message), "Accept",
                                klass->accept);

  confab_http_stream_run_async (priv->session, message, body, priv->stall_timeout_ms,
                                &generate_handler, generation, generation->cancellable,
                                generated_cb, task);
}

static void
first_model_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  ConfabHttpProvider *self = CONFAB_HTTP_PROVIDER (source);
  ConfabHttpProviderPrivate *priv = get_private (self);
  g_autoptr (GPtrArray) models = NULL;
  GError *error = NULL;

  models = confab_provider_list_models_finish (CONFAB_PROVIDER (self), result, &error);
  if (models == NULL)
    {
      g_prefix_error (&error, "%s ", _ ("No model is configured, and asking for one failed:"));
      g_task_return_error (task, error);
      return;
    }

  if (models->len == 0)
    {
      g_task_return_new_error (task, CONFAB_ERROR, CONFAB_ERROR_NO_PROVIDER,
                               _ ("The model server at %s offers no model; load one there, or name "
                                  "one with --model."),
                               priv->base_url);
      return;
    }

  if (priv->found_model == NULL)
    {
      priv->found_model = g_strdup (g_ptr_array_index (models, 0));
      g_message ("Using model %s of %s", priv->found_model, priv->base_url);
    }
  generate_with_model (g_steal_pointer (&task), g_ptr_array_index (models, 0));
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
  ConfabHttpProvider *self = CONFAB_HTTP_PROVIDER (provider);
  ConfabHttpProviderPrivate *priv = get_private (self);
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);
  Generation *generation = g_new0 (Generation, 1);
  const char *model = confab_prompt_get_model (prompt);

  g_task_set_source_tag (task, confab_http_provider_generate_async);
  generation->provider = self;
  generation->prompt = confab_prompt_ref (prompt);
  generation->on_delta = on_delta;
  generation->delta_data = delta_data;
  generation->cancellable = cancellable != NULL ? g_object_ref (cancellable) : NULL;
  generation->reader =
      CONFAB_HTTP_PROVIDER_GET_CLASS (self)->new_reader (reader_text_cb, generation);
  g_task_set_task_data (task, generation, generation_free);

  if (model == NULL)
    model = priv->default_model;
  if (model == NULL)
    model = priv->found_model;

  if (model != NULL)
    generate_with_model (g_steal_pointer (&task), model);
  else
    confab_provider_list_models_async (provider, cancellable, first_model_cb,
                                       g_steal_pointer (&task));
}

static ConfabOutcome *
confab_http_provider_generate_finish (ConfabProvider *provider,
                                      GAsyncResult *result,
                                      GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, provider), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
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
  if (node == NULL)
    {
      g_task_return_error (task, hide_key (self, error));
      return;
    }

  models = CONFAB_HTTP_PROVIDER_GET_CLASS (self)->parse_models (node);
  if (models == NULL)
    g_task_return_new_error (task, CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_ERROR,
                             _ ("What the server at %s answers is not a list of models."),
                             get_private (self)->base_url);
  else
    g_task_return_pointer (task, models, (GDestroyNotify) g_ptr_array_unref);
}

static void
confab_http_provider_list_models_async (ConfabProvider *provider,
                                        GCancellable *cancellable,
                                        GAsyncReadyCallback callback,
                                        gpointer user_data)
{
  ConfabHttpProvider *self = CONFAB_HTTP_PROVIDER (provider);
  ConfabHttpProviderPrivate *priv = get_private (self);
  GTask *task = g_task_new (self, cancellable, callback, user_data);
  g_autoptr (SoupMessage) message =
      new_message (self, "GET", CONFAB_HTTP_PROVIDER_GET_CLASS (self)->models_path);

  g_task_set_source_tag (task, confab_http_provider_list_models_async);

  confab_http_fetch_json_async (priv->session, message,
                                MIN (priv->stall_timeout_ms, LIST_TIMEOUT_MS), cancellable,
                                listed_cb, task);
}

static GPtrArray *
confab_http_provider_list_models_finish (ConfabProvider *provider,
                                         GAsyncResult *result,
                                         GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, provider), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

static const char *
confab_http_provider_get_name (ConfabProvider *provider)
{
  return CONFAB_HTTP_PROVIDER_GET_CLASS (provider)->name;
}

static void
confab_http_provider_iface_init (ConfabProviderInterface *iface)
{
  iface->get_name = confab_http_provider_get_name;
  iface->generate_async = confab_http_provider_generate_async;
  iface->generate_finish = confab_http_provider_generate_finish;
  iface->list_models_async = confab_http_provider_list_models_async;
  iface->list_models_finish = confab_http_provider_list_models_finish;
}

static void
confab_http_provider_finalize (GObject *object)
{
  ConfabHttpProviderPrivate *priv = get_private (CONFAB_HTTP_PROVIDER (object));

  g_clear_object (&priv->session);
  g_clear_pointer (&priv->base_url, g_free);
  g_clear_pointer (&priv->api_key, g_free);
  g_clear_pointer (&priv->default_model, g_free);
  g_clear_pointer (&priv->found_model, g_free);

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
  get_private (self)->stall_timeout_ms = CONFAB_HTTP_STALL_TIMEOUT_MS;
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
  ConfabHttpProviderPrivate *priv = get_private (self);
  g_autofree char *stripped_url = dup_stripped (base_url);

  g_return_val_if_fail (CONFAB_IS_HTTP_PROVIDER (self), FALSE);
  g_return_val_if_fail (priv->session == NULL, FALSE);

  if (stripped_url == NULL)
    stripped_url = g_strdup (CONFAB_HTTP_PROVIDER_GET_CLASS (self)->default_base_url);
  priv->base_url = confab_http_settings_check_base_url (stripped_url, error);
  if (priv->base_url == NULL)
    return FALSE;

  priv->api_key = dup_stripped (api_key);
  if (priv->api_key != NULL && !confab_http_settings_check_api_key (priv->api_key, error))
    return FALSE;

  priv->default_model = dup_stripped (default_model);
  priv->session = confab_http_session_new (confab_http_settings_is_local (priv->base_url));

  return TRUE;
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

  get_private (self)->stall_timeout_ms = timeout_ms;
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

  return get_private (self)->base_url;
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

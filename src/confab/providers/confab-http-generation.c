/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>
#include <glib/gi18n-lib.h>

#include "confab-http-generation.h"
#include "confab-backoff.h"
#include "confab-error.h"
#include "confab-history.h"
#include "confab-http-key.h"
#include "confab-json-peek.h"
#include "confab-http-provider-private.h"
#include "confab-http-stream.h"

/* What names of models are made of, such as "hf.co/author/Model-7B-GGUF:Q4_K_M". */
#define MODEL_CHARACTERS "./:@+-_" G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS
#define MAX_LOGGED_MODEL 128

/* What a generation needs besides its task, which owns it. */
typedef struct
{
  /* The task's source, which it keeps alive. */
  ConfabHttpProvider *provider;
  ConfabPrompt *prompt;
  ConfabDeltaFunc on_delta;
  gpointer delta_data;
  GCancellable *cancellable;

  guint n_failed;
  /* The caller has had a delta: from then on nothing is asked again. */
  gboolean told;

  /* Of the present attempt. */
  ConfabAnswerReader *reader;
  gboolean head_came;
} Generation;

static void attempt (GTask *task);

static void
generation_free (gpointer data)
{
  Generation *self = data;

  g_clear_pointer (&self->prompt, confab_prompt_unref);
  g_clear_pointer (&self->reader, confab_answer_reader_free);
  g_clear_object (&self->cancellable);
  g_free (self);
}

static void
reader_text_cb (ConfabDeltaKind kind, const char *text, gsize length, gpointer user_data)
{
  Generation *self = user_data;

  if (g_cancellable_is_cancelled (self->cancellable))
    return;

  self->told = TRUE;
  self->on_delta (kind, text, length, self->delta_data);
}

/* A wrong base URL often leads to a page for people. */
static gboolean
handle_head (SoupMessage *message, gpointer user_data, GError **error)
{
  Generation *self = user_data;
  const char *usual_path = CONFAB_HTTP_PROVIDER_GET_CLASS (self->provider)->usual_path;
  const char *type =
      soup_message_headers_get_content_type (soup_message_get_response_headers (message), NULL);

  self->head_came = TRUE;
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
  Generation *self = user_data;

  return confab_answer_reader_feed (self->reader, bytes, length, error);
}

static void
handle_turn_done (gpointer user_data)
{
  Generation *self = user_data;

  confab_answer_reader_flush (self->reader);
}

static const ConfabHttpHandler handler = { .head = handle_head,
                                           .data = handle_data,
                                           .turn_done = handle_turn_done };

static gboolean
wait_over_cb (gpointer user_data)
{
  GTask *task = user_data;

  if (!g_task_return_error_if_cancelled (task))
    attempt (g_object_ref (task));

  return G_SOURCE_REMOVE;
}

/* Takes @task. */
static void
attempt_later (GTask *task, guint wait_ms)
{
  g_autoptr (GSource) source = g_timeout_source_new (wait_ms);
  g_autoptr (GSource) stop = NULL;

  if (g_task_get_cancellable (task) != NULL)
    {
      stop = g_cancellable_source_new (g_task_get_cancellable (task));
      g_source_set_static_name (stop, "[confab] upstream wait cancelled");
      g_source_set_dummy_callback (stop);
      g_source_add_child_source (source, stop);
    }
  g_source_set_static_name (source, "[confab] upstream asked again");
  g_task_attach_source (task, source, wait_over_cb);
  g_object_unref (task);
}

/*
 * A server that took the request and then thinks for too long would think as long once more; one
 * that never answered at all may have lost the request.
 */
static gboolean
may_ask_again (Generation *self, const GError *error)
{
  ConfabHttpProviderPrivate *priv = confab_http_provider_get_private (self->provider);

  if (self->told || self->n_failed > priv->retries || !confab_backoff_is_for (error))
    return FALSE;

  return !self->head_came || !g_error_matches (error, CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_TIMEOUT);
}

/* Takes @task and @error. */
static void
attempt_failed (GTask *task, GError *error)
{
  Generation *self = g_task_get_task_data (task);
  guint wait_ms;

  self->n_failed++;
  if (!may_ask_again (self, error))
    {
      g_task_return_error (task, error);
      g_object_unref (task);
      return;
    }

  wait_ms = confab_backoff_get_wait (error, self->n_failed, g_random_double ());
  /* the sentence may be the server's, which may repeat what it was asked */
  g_info ("Asking %s again in %u ms: %s", confab_http_provider_get_base_url (self->provider),
          wait_ms, confab_error_to_code (error));
  g_error_free (error);
  attempt_later (task, wait_ms);
}

static void
answered_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Generation *self = g_task_get_task_data (task);
  ConfabOutcome *outcome = NULL;
  GError *error = NULL;

  if (confab_http_stream_run_finish (SOUP_SESSION (source), result, &error))
    outcome = confab_answer_reader_finish (self->reader, &error);
  confab_http_pool_give_back (confab_http_provider_get_private (self->provider)->pool,
                              SOUP_SESSION (source));

  if (outcome != NULL)
    {
      g_task_return_pointer (task, outcome, (GDestroyNotify) confab_outcome_free);
      return;
    }

  /* A model that was found may have been unloaded since: look again next time. */
  if (g_error_matches (error, CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_AUTH))
    confab_http_key_refused (self->provider);
  if (!confab_error_is_retryable (error))
    g_clear_pointer (&confab_http_provider_get_private (self->provider)->found_model, g_free);
  attempt_failed (g_steal_pointer (&task), confab_http_provider_hide_key (self->provider, error));
}

/* Takes @task. */
static void
ask_model (GTask *task, const char *model)
{
  Generation *self = g_task_get_task_data (task);
  ConfabHttpProviderClass *klass = CONFAB_HTTP_PROVIDER_GET_CLASS (self->provider);
  ConfabHttpProviderPrivate *priv = confab_http_provider_get_private (self->provider);
  g_autoptr (SoupMessage) message =
      confab_http_provider_new_message (self->provider, "POST", klass->generate_path);
  g_autoptr (GBytes) body = klass->build_request (self->prompt, model);

  soup_message_headers_replace (soup_message_get_request_headers (message), "Accept",
                                klass->accept);
  g_clear_pointer (&self->reader, confab_answer_reader_free);
  self->reader = klass->new_reader (reader_text_cb, self);

  confab_http_stream_run_async (confab_http_pool_take (priv->pool), message, body,
                                priv->stall_timeout_ms, &handler, self, self->cancellable,
                                answered_cb, task);
}

/* The name is the server's, too, which may have put anything in its place, the key or what was said
 * before. */
static void
log_found_model (ConfabHttpProviderPrivate *priv)
{
  const char *name = priv->found_model;
  gboolean plain = strspn (name, MODEL_CHARACTERS) == strlen (name)
                   && strlen (name) <= MAX_LOGGED_MODEL
                   && (priv->api_key == NULL || strstr (name, priv->api_key) == NULL);

  if (plain)
    g_message ("Using model %s of %s", name, priv->base_url);
  else
    g_message ("Using the first model of %s", priv->base_url);
}

static void
first_model_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  ConfabHttpProvider *provider = CONFAB_HTTP_PROVIDER (source);
  ConfabHttpProviderPrivate *priv = confab_http_provider_get_private (provider);
  g_autoptr (GPtrArray) models = NULL;
  GError *error = NULL;

  models = confab_provider_list_models_finish (CONFAB_PROVIDER (provider), result, &error);
  if (models == NULL)
    {
      g_prefix_error (&error, "%s ", _ ("No model is configured, and asking for one failed:"));
      attempt_failed (g_steal_pointer (&task), error);
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
      log_found_model (priv);
    }
  ask_model (g_steal_pointer (&task), g_ptr_array_index (models, 0));
}

/* Takes @task. */
static void
attempt (GTask *task)
{
  Generation *self = g_task_get_task_data (task);
  ConfabHttpProviderPrivate *priv = confab_http_provider_get_private (self->provider);
  const char *model = confab_prompt_get_model (self->prompt);

  self->head_came = FALSE;
  if (model == NULL)
    model = priv->default_model;
  if (model == NULL)
    model = priv->found_model;

  if (model != NULL)
    ask_model (task, model);
  else
    confab_provider_list_models_async (CONFAB_PROVIDER (self->provider), self->cancellable,
                                       first_model_cb, task);
}

static void
key_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;

  if (confab_http_key_fetch_finish (CONFAB_HTTP_PROVIDER (source), result, &error))
    attempt (g_steal_pointer (&task));
  else
    g_task_return_error (task, error);
}

/* Asks for a context of the size that is set, where the API lets the client choose. */
static void
add_context_parameter (ConfabPrompt *prompt, const char *name, gint64 context_tokens)
{
  JsonObject *parameters = confab_prompt_get_parameters (prompt);
  g_autoptr (JsonObject) all = json_object_new ();
  g_autoptr (GList) members = parameters != NULL ? json_object_get_members (parameters) : NULL;

  for (GList *l = members; l != NULL; l = l->next)
    json_object_set_member (all, l->data, json_object_dup_member (parameters, l->data));
  json_object_set_int_member (all, name, context_tokens);
  confab_prompt_set_parameters (prompt, all);
}

/* Returns: (transfer full): what of @prompt is said to the server */
static ConfabPrompt *
prepare_prompt (ConfabHttpProvider *provider, ConfabPrompt *prompt)
{
  const char *name = CONFAB_HTTP_PROVIDER_GET_CLASS (provider)->context_parameter;
  JsonObject *parameters = confab_prompt_get_parameters (prompt);
  gint64 context_tokens = confab_http_provider_get_private (provider)->context_tokens;
  gint64 own = name != NULL ? confab_json_peek_count (parameters, name) : -1;
  ConfabPrompt *prepared;

  prepared = confab_history_fit (
      prompt, confab_history_get_budget (own > 0 ? own : context_tokens, parameters));
  if (name != NULL && own <= 0 && context_tokens > 0)
    add_context_parameter (prepared, name, context_tokens);

  return prepared;
}

/**
 * confab_http_generation_run_async:
 *
 * As confab_provider_generate_async(). The conversation is trimmed as
 * confab_http_provider_set_context_tokens() says. An attempt that fails for now, before the caller
 * had a delta, is made again, as confab_http_provider_set_retries() says.
 */
void
confab_http_generation_run_async (ConfabHttpProvider *provider,
                                  ConfabPrompt *prompt,
                                  ConfabDeltaFunc on_delta,
                                  gpointer delta_data,
                                  GCancellable *cancellable,
                                  GAsyncReadyCallback callback,
                                  gpointer user_data)
{
  GTask *task = g_task_new (provider, cancellable, callback, user_data);
  Generation *self = g_new0 (Generation, 1);

  g_task_set_source_tag (task, confab_http_generation_run_async);
  self->provider = provider;
  self->prompt = prepare_prompt (provider, prompt);
  self->on_delta = on_delta;
  self->delta_data = delta_data;
  self->cancellable = cancellable != NULL ? g_object_ref (cancellable) : NULL;
  g_task_set_task_data (task, self, generation_free);

  if (confab_http_key_is_wanted (provider))
    confab_http_key_fetch_async (provider, cancellable, key_cb, task);
  else
    attempt (task);
}

/**
 * confab_http_generation_run_finish:
 *
 * Returns: (transfer full) (nullable): as confab_provider_generate_finish()
 */
ConfabOutcome *
confab_http_generation_run_finish (ConfabHttpProvider *provider,
                                   GAsyncResult *result,
                                   GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, provider), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

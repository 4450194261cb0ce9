/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-auto-provider-private.h"

#include <glib/gi18n-lib.h>

#include "confab-error.h"
#include "confab-listener.h"

#define ASK_TIMEOUT_MS 300
/* A call that waits for the decision; task data of its task, which @waiting holds meanwhile. */
typedef struct
{
  /* NULL for a call that lists models */
  ConfabPrompt *prompt;
  ConfabDeltaFunc on_delta;
  gpointer delta_data;
  GSource *cancel_source;
} Call;

static void confab_auto_provider_iface_init (ConfabProviderInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (ConfabAutoProvider,
                               confab_auto_provider,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (CONFAB_TYPE_PROVIDER,
                                                      confab_auto_provider_iface_init))

static void
clear_source (GSource **source)
{
  if (*source == NULL)
    return;

  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

static void
call_free (gpointer data)
{
  Call *call = data;

  g_clear_pointer (&call->prompt, confab_prompt_unref);
  g_free (call);
}

static void
candidate_clear (gpointer data)
{
  Candidate *candidate = data;

  g_clear_pointer (&candidate->server.origin, g_free);
}

static void
generated_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;
  ConfabOutcome *outcome =
      confab_provider_generate_finish (CONFAB_PROVIDER (source), result, &error);

  if (outcome != NULL)
    g_task_return_pointer (task, outcome, (GDestroyNotify) confab_outcome_free);
  else
    g_task_return_error (task, error);
}

static void
listed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;
  GPtrArray *models = confab_provider_list_models_finish (CONFAB_PROVIDER (source), result, &error);

  if (models != NULL)
    g_task_return_pointer (task, models, (GDestroyNotify) g_ptr_array_unref);
  else
    g_task_return_error (task, error);
}

/* A server that was found may end, and its port get somebody else's; so it is looked at each time.
 * What is left is the moment until the call is connected. */
static GError *
find_refusal (ConfabAutoProvider *self)
{
  if (self->refusal != NULL)
    return g_error_copy (self->refusal);
  if (self->guessed_port == 0
      || confab_listener_look (self->guessed_port) != CONFAB_LISTENER_STRANGER)
    return NULL;

  return g_error_new (CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_UNAVAILABLE,
                      _ ("The model server has gone, and another user of this machine listens at "
                         "its port %u; nothing was sent there."),
                      (guint) self->guessed_port);
}

/* Hands a call to the chosen one. Takes @task. */
static void
forward (ConfabAutoProvider *self, GTask *task)
{
  Call *call = g_task_get_task_data (task);
  GCancellable *cancellable = g_task_get_cancellable (task);
  GError *refusal;

  clear_source (&call->cancel_source);

  if (g_task_return_error_if_cancelled (task))
    {
      g_object_unref (task);
    }
  else if ((refusal = find_refusal (self)) != NULL)
    {
      g_task_return_error (task, refusal);
      g_object_unref (task);
    }
  else if (call->prompt != NULL)
    {
      confab_provider_generate_async (self->chosen, call->prompt, call->on_delta, call->delta_data,
                                      cancellable, generated_cb, task);
    }
  else
    {
      confab_provider_list_models_async (self->chosen, cancellable, listed_cb, task);
    }
}

/* Takes @chosen, or @refusal. */
void
confab_auto_provider_decide (ConfabAutoProvider *self, ConfabProvider *chosen, GError *refusal)
{
  g_autoptr (ConfabAutoProvider) keep G_GNUC_UNUSED = g_object_ref (self);
  GTask *task;

  g_assert (self->state != STATE_DECIDED);

  self->state = STATE_DECIDED;
  self->chosen = chosen;
  self->refusal = refusal;

  clear_source (&self->timeout_source);
  if (self->asking != NULL)
    g_cancellable_cancel (self->asking);

  while ((task = g_queue_pop_head (&self->waiting)) != NULL)
    forward (self, task);
}

/**
 * confab_auto_provider_start:
 *
 * Begins to find out which provider to use, if that has not begun: at once if OpenAI's variables
 * or Anthropic's key are set, OpenAI's first, else within 300 ms, in which the local servers are
 * asked who they are. Which one it is and why is logged. A call that comes earlier begins it too.
 */
void
confab_auto_provider_start (ConfabAutoProvider *self)
{
  g_return_if_fail (CONFAB_IS_AUTO_PROVIDER (self));

  if (self->state == STATE_NEW)
    confab_auto_provider_choose (self);
}

static gboolean
call_cancelled_cb (GCancellable *cancellable, gpointer user_data)
{
  g_autoptr (GTask) task = g_object_ref (G_TASK (user_data));
  ConfabAutoProvider *self = g_task_get_source_object (task);
  Call *call = g_task_get_task_data (task);

  if (g_queue_remove (&self->waiting, task))
    g_object_unref (task);
  clear_source (&call->cancel_source);
  g_task_return_error_if_cancelled (task);

  return G_SOURCE_REMOVE;
}

/* Lets a call wait if need be. Takes @task. */
static void
enqueue (ConfabAutoProvider *self, GTask *task, Call *call)
{
  GCancellable *cancellable = g_task_get_cancellable (task);

  g_task_set_task_data (task, call, call_free);
  confab_auto_provider_start (self);

  if (self->state == STATE_DECIDED)
    {
      forward (self, task);
      return;
    }

  if (cancellable != NULL)
    {
      call->cancel_source = g_cancellable_source_new (cancellable);
      g_source_set_static_name (call->cancel_source, "[confab] waiting call cancelled");
      g_source_set_callback (call->cancel_source, G_SOURCE_FUNC (call_cancelled_cb),
                             g_object_ref (task), g_object_unref);
      g_source_attach (call->cancel_source, g_task_get_context (task));
    }
  g_queue_push_tail (&self->waiting, task);
}

static void
confab_auto_provider_generate_async (ConfabProvider *provider,
                                     ConfabPrompt *prompt,
                                     ConfabDeltaFunc on_delta,
                                     gpointer delta_data,
                                     GCancellable *cancellable,
                                     GAsyncReadyCallback callback,
                                     gpointer user_data)
{
  GTask *task = g_task_new (provider, cancellable, callback, user_data);
  Call *call = g_new0 (Call, 1);

  g_task_set_source_tag (task, confab_auto_provider_generate_async);
  call->prompt = confab_prompt_ref (prompt);
  call->on_delta = on_delta;
  call->delta_data = delta_data;

  enqueue (CONFAB_AUTO_PROVIDER (provider), task, call);
}

static void
confab_auto_provider_list_models_async (ConfabProvider *provider,
                                        GCancellable *cancellable,
                                        GAsyncReadyCallback callback,
                                        gpointer user_data)
{
  GTask *task = g_task_new (provider, cancellable, callback, user_data);

  g_task_set_source_tag (task, confab_auto_provider_list_models_async);

  enqueue (CONFAB_AUTO_PROVIDER (provider), task, g_new0 (Call, 1));
}

static const char *
confab_auto_provider_get_name (ConfabProvider *provider)
{
  ConfabAutoProvider *self = CONFAB_AUTO_PROVIDER (provider);

  return self->chosen != NULL ? confab_provider_get_name (self->chosen) : "auto";
}

static const char *
confab_auto_provider_get_model (ConfabProvider *provider)
{
  ConfabAutoProvider *self = CONFAB_AUTO_PROVIDER (provider);

  return self->chosen != NULL ? confab_provider_get_model (self->chosen) : NULL;
}

static void
confab_auto_provider_iface_init (ConfabProviderInterface *iface)
{
  iface->get_name = confab_auto_provider_get_name;
  iface->get_model = confab_auto_provider_get_model;
  iface->generate_async = confab_auto_provider_generate_async;
  iface->list_models_async = confab_auto_provider_list_models_async;
}

static void
confab_auto_provider_finalize (GObject *object)
{
  ConfabAutoProvider *self = CONFAB_AUTO_PROVIDER (object);

  /* Waiting calls and inquiries hold references, so there are none. */
  g_assert (g_queue_is_empty (&self->waiting));

  clear_source (&self->timeout_source);
  g_clear_object (&self->asking);
  g_clear_object (&self->session);
  g_clear_object (&self->chosen);
  g_clear_error (&self->refusal);
  g_clear_pointer (&self->candidates, g_array_unref);
  g_clear_pointer (&self->model, g_free);
  g_clear_pointer (&self->api_key, g_free);
  g_clear_pointer (&self->base_url, g_free);
  g_clear_pointer (&self->anthropic_api_key, g_free);
  g_clear_pointer (&self->anthropic_base_url, g_free);

  G_OBJECT_CLASS (confab_auto_provider_parent_class)->finalize (object);
}

static void
confab_auto_provider_class_init (ConfabAutoProviderClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = confab_auto_provider_finalize;
}

static void
confab_auto_provider_init (ConfabAutoProvider *self)
{
  self->ask_timeout_ms = ASK_TIMEOUT_MS;
  g_queue_init (&self->waiting);
  self->candidates = g_array_new (FALSE, FALSE, sizeof (Candidate));
  g_array_set_clear_func (self->candidates, candidate_clear);
}

/* A variable that is set to nothing counts as not set. */
static char *
dup_unless_empty (const char *value)
{
  return value != NULL && *value != '\0' ? g_strdup (value) : NULL;
}

/**
 * confab_auto_provider_new_full:
 * @model: (nullable): for prompts that name none, whatever is chosen
 * @api_key: (nullable): as OPENAI_API_KEY
 * @base_url: (nullable): as OPENAI_BASE_URL
 * @servers: (array length=n_servers): whom to ask if both are NULL, the preferred first
 *
 * Returns: (transfer full)
 */
ConfabAutoProvider *
confab_auto_provider_new_full (const char *model,
                               const char *api_key,
                               const char *base_url,
                               const ConfabLocalServer *servers,
                               gsize n_servers)
{
  ConfabAutoProvider *self = g_object_new (CONFAB_TYPE_AUTO_PROVIDER, NULL);

  self->model = dup_unless_empty (model);
  self->api_key = dup_unless_empty (api_key);
  self->base_url = dup_unless_empty (base_url);
  for (gsize i = 0; i < n_servers; i++)
    {
      Candidate candidate = { .server = servers[i], .answer = ANSWER_NONE };

      candidate.server.origin = g_strdup (servers[i].origin);
      g_array_append_val (self->candidates, candidate);
    }

  return self;
}

/**
 * confab_auto_provider_new:
 * @model: (nullable): for prompts that name none, whatever is chosen
 *
 * Reads OPENAI_API_KEY, OPENAI_BASE_URL, ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL and OLLAMA_HOST, and
 * knows the usual ports of local servers, at which it asks nobody whose socket is another user's.
 *
 * Returns: (transfer full)
 */
ConfabAutoProvider *
confab_auto_provider_new (const char *model)
{
  g_autofree char *ollama_host = dup_unless_empty (g_getenv ("OLLAMA_HOST"));
  g_autofree char *ollama = confab_local_server_parse_ollama_host (ollama_host);
  const ConfabLocalServer servers[] = {
    { CONFAB_LOCAL_SERVER_OLLAMA, ollama, ollama_host == NULL ? 11434 : 0 },
    { CONFAB_LOCAL_SERVER_LLAMA_CPP, (char *) "http://127.0.0.1:8080", 8080 },
    { CONFAB_LOCAL_SERVER_LM_STUDIO, (char *) "http://127.0.0.1:1234", 1234 },
    { CONFAB_LOCAL_SERVER_INFERENCE_SNAP, (char *) "http://127.0.0.1:8400", 8400 },
  };

  ConfabAutoProvider *self =
      confab_auto_provider_new_full (model, g_getenv ("OPENAI_API_KEY"),
                                     g_getenv ("OPENAI_BASE_URL"), servers, G_N_ELEMENTS (servers));

  confab_auto_provider_set_anthropic (self, g_getenv ("ANTHROPIC_API_KEY"),
                                      g_getenv ("ANTHROPIC_BASE_URL"));
  return self;
}

/**
 * confab_auto_provider_set_anthropic:
 * @api_key: (nullable): as ANTHROPIC_API_KEY; used if nothing of OpenAI's is set
 * @base_url: (nullable): as ANTHROPIC_BASE_URL; it chooses nothing by itself
 *
 * To be called before confab_auto_provider_start().
 */
void
confab_auto_provider_set_anthropic (ConfabAutoProvider *self,
                                    const char *api_key,
                                    const char *base_url)
{
  g_return_if_fail (CONFAB_IS_AUTO_PROVIDER (self));

  g_free (self->anthropic_api_key);
  self->anthropic_api_key = dup_unless_empty (api_key);
  g_free (self->anthropic_base_url);
  self->anthropic_base_url = dup_unless_empty (base_url);
}

/**
 * confab_auto_provider_set_ask_timeout:
 * @timeout_ms: how long local servers have to tell who they are; 300 by default
 */
void
confab_auto_provider_set_ask_timeout (ConfabAutoProvider *self, guint timeout_ms)
{
  g_return_if_fail (CONFAB_IS_AUTO_PROVIDER (self));

  self->ask_timeout_ms = timeout_ms;
}

/**
 * confab_auto_provider_get_chosen:
 *
 * Returns: (transfer none) (nullable): NULL before the decision, and where a setting was wrong
 */
ConfabProvider *
confab_auto_provider_get_chosen (ConfabAutoProvider *self)
{
  g_return_val_if_fail (CONFAB_IS_AUTO_PROVIDER (self), NULL);

  return self->chosen;
}

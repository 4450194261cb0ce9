/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-auto-provider-private.h"

#include "confab-anthropic-provider.h"
#include "confab-builtin-provider.h"
#include "confab-http-session.h"
#include "confab-listener.h"
#include "confab-ollama-provider.h"
#include "confab-openai-provider.h"

#define OPENAI_DEFAULT_MODEL "gpt-4o-mini"

/* One inquiry on its way; it keeps the provider alive. */
typedef struct
{
  ConfabAutoProvider *self;
  guint index;
} Inquiry;

static void
use_openai (ConfabAutoProvider *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GUri) uri = NULL;
  ConfabOpenaiProvider *provider;
  const char *base_url = self->base_url != NULL ? self->base_url : CONFAB_OPENAI_BASE_URL;
  const char *model = self->model;

  uri = g_uri_parse (base_url, SOUP_HTTP_URI_FLAGS, NULL);
  if (model == NULL && uri != NULL && g_strcmp0 (g_uri_get_host (uri), "api.openai.com") == 0)
    model = OPENAI_DEFAULT_MODEL;

  provider = confab_openai_provider_new (base_url, self->api_key, model, &error);
  if (provider == NULL)
    {
      g_warning ("%s", error->message);
      confab_auto_provider_decide (self, NULL, g_steal_pointer (&error));
      return;
    }

  g_message ("Using the model server at %s, because %s is set",
             confab_openai_provider_get_base_url (provider),
             self->base_url != NULL ? "OPENAI_BASE_URL" : "OPENAI_API_KEY");
  confab_auto_provider_decide (self, CONFAB_PROVIDER (provider), NULL);
}

static void
use_anthropic (ConfabAutoProvider *self)
{
  g_autoptr (GError) error = NULL;
  ConfabAnthropicProvider *provider = confab_anthropic_provider_new (
      self->anthropic_base_url, self->anthropic_api_key, self->model, &error);

  if (provider == NULL)
    {
      g_warning ("%s", error->message);
      confab_auto_provider_decide (self, NULL, g_steal_pointer (&error));
      return;
    }

  g_message ("Using the model server at %s, because ANTHROPIC_API_KEY is set",
             confab_http_provider_get_base_url (CONFAB_HTTP_PROVIDER (provider)));
  confab_auto_provider_decide (self, CONFAB_PROVIDER (provider), NULL);
}

/* Ollama by its own API, which tells more than its copy of OpenAI's. */
static ConfabProvider *
make_local (ConfabAutoProvider *self, const ConfabLocalServer *server, GError **error)
{
  g_autofree char *base_url = g_strconcat (server->origin, "/v1", NULL);

  if (server->kind == CONFAB_LOCAL_SERVER_OLLAMA)
    return (ConfabProvider *) confab_ollama_provider_new (server->origin, NULL, self->model, error);

  return (ConfabProvider *) confab_openai_provider_new (base_url, NULL, self->model, error);
}

static void
use_local (ConfabAutoProvider *self, const ConfabLocalServer *server)
{
  g_autoptr (GError) error = NULL;
  ConfabProvider *provider = make_local (self, server, &error);

  if (provider == NULL)
    {
      confab_auto_provider_decide (self, NULL, g_steal_pointer (&error));
      return;
    }

  g_message ("Using %s at %s, because it answered there and nothing is configured",
             confab_local_server_kind_to_string (server->kind),
             confab_http_provider_get_base_url (CONFAB_HTTP_PROVIDER (provider)));
  self->guessed_port = server->guessed_port;
  confab_auto_provider_decide (self, provider, NULL);
}

static void
use_builtin (ConfabAutoProvider *self)
{
  g_message ("Using the built-in answers, because nothing is configured and no local model server "
             "told who it is");
  confab_auto_provider_decide (self, CONFAB_PROVIDER (confab_builtin_provider_new ()), NULL);
}

/* The first that said yes is taken, once all that are preferred to it have said no, or when there
 * is @no_more_time. */
static void
weigh (ConfabAutoProvider *self, gboolean no_more_time)
{
  for (guint i = 0; i < self->candidates->len; i++)
    {
      const Candidate *candidate = &g_array_index (self->candidates, Candidate, i);

      if (candidate->answer == ANSWER_YES)
        {
          use_local (self, &candidate->server);
          return;
        }
      if (candidate->answer == ANSWER_NONE && !no_more_time)
        return;
    }

  use_builtin (self);
}

/* Whatever he says that he is. */
static gboolean
is_strangers (const ConfabLocalServer *server)
{
  if (server->guessed_port == 0
      || confab_listener_look (server->guessed_port) != CONFAB_LISTENER_STRANGER)
    return FALSE;

  g_message ("Not using %s at %s, because it is another user's of this machine; set its address "
             "if he is to be asked",
             confab_local_server_kind_to_string (server->kind), server->origin);

  return TRUE;
}

static void
identified_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree Inquiry *inquiry = user_data;
  g_autoptr (ConfabAutoProvider) self = g_steal_pointer (&inquiry->self);
  Candidate *candidate = &g_array_index (self->candidates, Candidate, inquiry->index);
  gboolean yes = confab_local_server_identify_finish (SOUP_SESSION (source), result, NULL);

  if (self->state == STATE_DECIDED)
    return;

  candidate->answer = yes && !is_strangers (&candidate->server) ? ANSWER_YES : ANSWER_NO;
  weigh (self, FALSE);
}

static gboolean
timeout_cb (gpointer user_data)
{
  g_autoptr (ConfabAutoProvider) self = g_object_ref (CONFAB_AUTO_PROVIDER (user_data));

  weigh (self, TRUE);

  return G_SOURCE_REMOVE;
}

static void
ask_local_servers (ConfabAutoProvider *self)
{
  self->state = STATE_ASKING;
  self->session = confab_http_session_new (TRUE);
  self->asking = g_cancellable_new ();

  self->timeout_source = g_timeout_source_new (self->ask_timeout_ms);
  g_source_set_static_name (self->timeout_source, "[confab] local servers asked");
  g_source_set_callback (self->timeout_source, timeout_cb, g_object_ref (self), g_object_unref);
  g_source_attach (self->timeout_source, g_main_context_get_thread_default ());

  for (guint i = 0; i < self->candidates->len; i++)
    {
      Inquiry *inquiry = g_new0 (Inquiry, 1);

      inquiry->self = g_object_ref (self);
      inquiry->index = i;
      confab_local_server_identify_async (&g_array_index (self->candidates, Candidate, i).server,
                                          self->session, self->ask_timeout_ms, self->asking,
                                          identified_cb, inquiry);
    }
}

void
confab_auto_provider_choose (ConfabAutoProvider *self)
{
  if (self->api_key != NULL || self->base_url != NULL)
    use_openai (self);
  else if (self->anthropic_api_key != NULL)
    use_anthropic (self);
  else if (self->candidates->len == 0)
    use_builtin (self);
  else
    ask_local_servers (self);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-ollama-provider.h"
#include "confab-ollama-reader.h"
#include "confab-ollama-request.h"

struct _ConfabOllamaProvider
{
  ConfabHttpProvider parent_instance;
};

G_DEFINE_FINAL_TYPE (ConfabOllamaProvider, confab_ollama_provider, CONFAB_TYPE_HTTP_PROVIDER)

static void
confab_ollama_provider_class_init (ConfabOllamaProviderClass *klass)
{
  ConfabHttpProviderClass *http_class = CONFAB_HTTP_PROVIDER_CLASS (klass);

  http_class->name = "ollama";
  http_class->default_base_url = CONFAB_OLLAMA_BASE_URL;
  http_class->generate_path = "/api/chat";
  http_class->models_path = "/api/tags";
  http_class->context_parameter = "num_ctx";
  http_class->accept = "application/x-ndjson, application/json";
  /* For those who keep a gate with a key before it. */
  http_class->add_headers = confab_http_provider_add_bearer;
  http_class->build_request = confab_ollama_build_request;
  http_class->new_reader = confab_ollama_reader_new;
  http_class->parse_models = confab_ollama_parse_models;
}

static void
confab_ollama_provider_init (ConfabOllamaProvider *self)
{
}

/**
 * confab_ollama_provider_new:
 * @base_url: (nullable): as confab_local_server_parse_ollama_host() gives it; NULL for the usual
 *   port of this machine
 * @api_key: (nullable): Ollama itself wants none
 * @default_model: (nullable): for prompts that name none; NULL for the first that the server lists
 *
 * Returns: (transfer full) (nullable): NULL with %CONFAB_ERROR_INVALID_REQUEST if a setting is
 *   wrong
 */
ConfabOllamaProvider *
confab_ollama_provider_new (const char *base_url,
                            const char *api_key,
                            const char *default_model,
                            GError **error)
{
  g_autoptr (ConfabOllamaProvider) self = g_object_new (CONFAB_TYPE_OLLAMA_PROVIDER, NULL);

  if (!confab_http_provider_configure (CONFAB_HTTP_PROVIDER (self), base_url, api_key,
                                       default_model, error))
    return NULL;

  return g_steal_pointer (&self);
}

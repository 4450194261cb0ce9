/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-openai-responses-provider.h"
#include "confab-openai-provider.h"
#include "confab-openai-request.h"
#include "confab-openai-responses-reader.h"
#include "confab-openai-responses-request.h"

struct _ConfabOpenaiResponsesProvider
{
  ConfabHttpProvider parent_instance;
};

G_DEFINE_FINAL_TYPE (ConfabOpenaiResponsesProvider,
                     confab_openai_responses_provider,
                     CONFAB_TYPE_HTTP_PROVIDER)

static void
confab_openai_responses_provider_class_init (ConfabOpenaiResponsesProviderClass *klass)
{
  ConfabHttpProviderClass *http_class = CONFAB_HTTP_PROVIDER_CLASS (klass);

  http_class->name = "openai-responses";
  http_class->default_base_url = CONFAB_OPENAI_BASE_URL;
  http_class->usual_path = "/v1";
  http_class->generate_path = "/responses";
  http_class->models_path = "/models";
  http_class->accept = "text/event-stream";
  http_class->add_headers = confab_http_provider_add_bearer;
  http_class->build_request = confab_openai_responses_build_request;
  http_class->new_reader = confab_openai_responses_reader_new;
  http_class->parse_models = confab_openai_parse_models;
}

static void
confab_openai_responses_provider_init (ConfabOpenaiResponsesProvider *self)
{
}

/**
 * confab_openai_responses_provider_new:
 * @base_url: (nullable): as in OPENAI_BASE_URL; NULL for OpenAI's
 * @api_key: (nullable): as in OPENAI_API_KEY; NULL for servers that want none
 * @default_model: (nullable): for prompts that name none; NULL for the first that the server lists
 *
 * Returns: (transfer full) (nullable): NULL with %CONFAB_ERROR_INVALID_REQUEST if a setting is
 *   wrong
 */
ConfabOpenaiResponsesProvider *
confab_openai_responses_provider_new (const char *base_url,
                                      const char *api_key,
                                      const char *default_model,
                                      GError **error)
{
  g_autoptr (ConfabOpenaiResponsesProvider) self =
      g_object_new (CONFAB_TYPE_OPENAI_RESPONSES_PROVIDER, NULL);

  if (!confab_http_provider_configure (CONFAB_HTTP_PROVIDER (self), base_url, api_key,
                                       default_model, error))
    return NULL;

  return g_steal_pointer (&self);
}

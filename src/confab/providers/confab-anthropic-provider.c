/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-anthropic-provider.h"
#include "confab-anthropic-reader.h"
#include "confab-anthropic-request.h"
#include "confab-openai-request.h"

#define API_VERSION "2023-06-01"

struct _ConfabAnthropicProvider
{
  ConfabHttpProvider parent_instance;
};

G_DEFINE_FINAL_TYPE (ConfabAnthropicProvider, confab_anthropic_provider, CONFAB_TYPE_HTTP_PROVIDER)

static void
add_headers (SoupMessageHeaders *headers, const char *api_key)
{
  if (api_key != NULL)
    soup_message_headers_replace (headers, "x-api-key", api_key);
  soup_message_headers_replace (headers, "anthropic-version", API_VERSION);
}

static void
confab_anthropic_provider_class_init (ConfabAnthropicProviderClass *klass)
{
  ConfabHttpProviderClass *http_class = CONFAB_HTTP_PROVIDER_CLASS (klass);

  http_class->name = "anthropic";
  http_class->default_base_url = CONFAB_ANTHROPIC_BASE_URL;
  http_class->generate_path = "/v1/messages";
  http_class->models_path = "/v1/models";
  http_class->accept = "text/event-stream";
  http_class->add_headers = add_headers;
  http_class->build_request = confab_anthropic_build_request;
  http_class->new_reader = confab_anthropic_reader_new;
  /* The list has the form of OpenAI's. */
  http_class->parse_models = confab_openai_parse_models;
}

static void
confab_anthropic_provider_init (ConfabAnthropicProvider *self)
{
}

/**
 * confab_anthropic_provider_new:
 * @base_url: (nullable): as in ANTHROPIC_BASE_URL: without the "/v1" of the API's paths; NULL for
 *   Anthropic's
 * @api_key: (nullable): as in ANTHROPIC_API_KEY; NULL for servers that want none
 * @default_model: (nullable): for prompts that name none; NULL for the first that the server lists
 *
 * Returns: (transfer full) (nullable): NULL with %CONFAB_ERROR_INVALID_REQUEST if a setting is
 *   wrong
 */
ConfabAnthropicProvider *
confab_anthropic_provider_new (const char *base_url,
                               const char *api_key,
                               const char *default_model,
                               GError **error)
{
  g_autoptr (ConfabAnthropicProvider) self = g_object_new (CONFAB_TYPE_ANTHROPIC_PROVIDER, NULL);

  if (!confab_http_provider_configure (CONFAB_HTTP_PROVIDER (self), base_url, api_key,
                                       default_model, error))
    return NULL;

  return g_steal_pointer (&self);
}

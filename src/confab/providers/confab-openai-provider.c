/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-openai-provider.h"
#include "confab-openai-reader.h"
#include "confab-openai-request.h"

struct _ConfabOpenaiProvider
{
  ConfabHttpProvider parent_instance;
};

G_DEFINE_FINAL_TYPE (ConfabOpenaiProvider, confab_openai_provider, CONFAB_TYPE_HTTP_PROVIDER)

static void
confab_openai_provider_class_init (ConfabOpenaiProviderClass *klass)
{
  ConfabHttpProviderClass *http_class = CONFAB_HTTP_PROVIDER_CLASS (klass);

  http_class->name = "openai";
  http_class->default_base_url = CONFAB_OPENAI_BASE_URL;
  http_class->usual_path = "/v1";
  http_class->generate_path = "/chat/completions";
  http_class->models_path = "/models";
  http_class->accept = "text/event-stream, application/json";
  http_class->add_headers = confab_http_provider_add_bearer;
  http_class->build_request = confab_openai_build_request;
  http_class->new_reader = confab_openai_reader_new;
  http_class->parse_models = confab_openai_parse_models;
}

static void
confab_openai_provider_init (ConfabOpenaiProvider *self)
{
}

/**
 * confab_openai_provider_new:
 * @base_url: (nullable): as in OPENAI_BASE_URL, with or without a slash at the end; NULL for
 * OpenAI's
 * @api_key: (nullable): NULL for servers that want none
 * @default_model: (nullable): for prompts that name none; NULL for the first that the server lists
 *
 * Returns: (transfer full) (nullable): NULL with %CONFAB_ERROR_INVALID_REQUEST if a setting is
 * wrong
 */
ConfabOpenaiProvider *
confab_openai_provider_new (const char *base_url,
                            const char *api_key,
                            const char *default_model,
                            GError **error)
{
  g_autoptr (ConfabOpenaiProvider) self = g_object_new (CONFAB_TYPE_OPENAI_PROVIDER, NULL);

  if (!confab_http_provider_configure (CONFAB_HTTP_PROVIDER (self), base_url, api_key,
                                       default_model, error))
    return NULL;

  return g_steal_pointer (&self);
}

/**
 * confab_openai_provider_set_stall_timeout:
 * @timeout_ms: as of confab_http_provider_set_stall_timeout()
 */
void
confab_openai_provider_set_stall_timeout (ConfabOpenaiProvider *self, guint timeout_ms)
{
  g_return_if_fail (CONFAB_IS_OPENAI_PROVIDER (self));

  confab_http_provider_set_stall_timeout (CONFAB_HTTP_PROVIDER (self), timeout_ms);
}

/**
 * confab_openai_provider_get_base_url:
 *
 * Returns: where requests go, without a slash at the end
 */
const char *
confab_openai_provider_get_base_url (ConfabOpenaiProvider *self)
{
  g_return_val_if_fail (CONFAB_IS_OPENAI_PROVIDER (self), NULL);

  return confab_http_provider_get_base_url (CONFAB_HTTP_PROVIDER (self));
}

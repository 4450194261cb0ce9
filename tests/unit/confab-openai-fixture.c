/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-openai-fixture.h"

ConfabHttpProvider *
openai_make (RawServer *server, const char *model)
{
  g_autofree char *origin = server != NULL ? raw_server_dup_origin (server) : NULL;
  g_autofree char *base_url = origin != NULL ? g_strconcat (origin, "/v1", NULL) : NULL;
  g_autoptr (GError) error = NULL;
  ConfabOpenaiProvider *provider =
      confab_openai_provider_new (base_url, "sk-secret", model, &error);

  g_assert_no_error (error);
  confab_http_provider_set_retries (CONFAB_HTTP_PROVIDER (provider), 0);
  return CONFAB_HTTP_PROVIDER (provider);
}

void
openai_run (ProviderRun *run, ConfabHttpProvider *provider)
{
  provider_run_init (run);
  provider_run_start (run, provider, NULL, NULL);
  provider_run_wait (run);
}

void
openai_run_against (ProviderRun *run, RawHandler handler, gpointer user_data, guint stall_ms)
{
  g_autoptr (RawServer) server = raw_server_new (handler, user_data);
  g_autoptr (ConfabHttpProvider) provider = openai_make (server, "m");

  if (stall_ms > 0)
    confab_openai_provider_set_stall_timeout (CONFAB_OPENAI_PROVIDER (provider), stall_ms);
  openai_run (run, provider);
}

RawEnd
openai_text_handler (RawServer *server, int fd, const char *request, gpointer user_data)
{
  provider_send_stream (fd, &(ProviderStream){ OPENAI_TYPE, user_data, 0, FALSE });
  return RAW_NEXT;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "confab-anthropic-provider.h"
#include "confab-error.h"
#include "confab-http-settings.h"
#include "confab-ollama-provider.h"
#include "confab-provider-run.h"

static void
test_headers (void)
{
  static const char *const lines[] = { "X-One: 1", "x-two:2:3", "X-Three:   a b \t c  ", NULL };
  static const char *const none[] = { NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) headers = confab_http_settings_parse_headers (lines, &error);
  g_autoptr (GPtrArray) empty = confab_http_settings_parse_headers (none, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (headers->len, ==, 6);
  g_assert_cmpstr (g_ptr_array_index (headers, 0), ==, "X-One");
  g_assert_cmpstr (g_ptr_array_index (headers, 1), ==, "1");
  g_assert_cmpstr (g_ptr_array_index (headers, 3), ==, "2:3");
  g_assert_cmpstr (g_ptr_array_index (headers, 5), ==, "a b \t c");
  g_assert_cmpuint (empty->len, ==, 0);
}

static const char *const bad_headers[] = {
  "",
  "X-One",
  ": 1",
  "X-One:",
  "X-One:   ",
  "X One: 1",
  "X-One : 1",
  " X-One: 1",
  "X-One\r\nX-Evil: 1",
  "X-One: 1\r\nX-Evil: 2",
  "X-One: 1\n",
  "X-One: 1\r",
  "X-One: \x01",
  "X-One: \x7f",
  "X-One: gr\xc3\xbc\xc3\x9f",
  "X(One): 1",
  "X-\xc3\xbc: 1",
  "Authorization: Bearer a",
  "authorization: a",
  "X-API-Key: a",
  "Proxy-Authorization: a",
  "Cookie: a",
  "Host: a",
  "content-length: 0",
  "Transfer-Encoding: chunked",
  "Connection: close",
  "Accept-Encoding: gzip",
  "User-Agent: a",
};

static void
test_bad_headers (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (bad_headers); i++)
    {
      const char *const lines[] = { bad_headers[i], NULL };
      g_autoptr (GError) error = NULL;

      if (confab_http_settings_parse_headers (lines, &error) != NULL)
        g_error ("%s is accepted", bad_headers[i]);
      g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST);
      g_assert_null (strstr (error->message, "Bearer a"));
    }
}

static void
test_header_limits (void)
{
  g_autofree char *longest = g_strnfill (CONFAB_HTTP_SETTINGS_MAX_HEADER_BYTES, 'a');
  g_autofree char *fits = g_strconcat ("X-One: ", longest, NULL);
  g_autofree char *too_long = g_strconcat (fits, "a", NULL);
  const char *const one[] = { fits, NULL };
  const char *const one_too_long[] = { too_long, NULL };
  g_auto (GStrv) many = g_new0 (char *, CONFAB_HTTP_SETTINGS_MAX_HEADERS + 2);
  g_autoptr (GPtrArray) headers = confab_http_settings_parse_headers (one, NULL);
  g_autoptr (GPtrArray) all = NULL;

  g_assert_nonnull (headers);
  g_assert_null (confab_http_settings_parse_headers (one_too_long, NULL));

  for (guint i = 0; i < CONFAB_HTTP_SETTINGS_MAX_HEADERS; i++)
    many[i] = g_strdup_printf ("X-%u: 1", i);
  all = confab_http_settings_parse_headers ((const char *const *) many, NULL);
  g_assert_nonnull (all);
  many[CONFAB_HTTP_SETTINGS_MAX_HEADERS] = g_strdup ("X-Last: 1");
  g_assert_null (confab_http_settings_parse_headers ((const char *const *) many, NULL));
}

/* What the server gets. */
static char *
request_of (ConfabHttpProvider *provider, RawServer *server, ConfabPrompt *prompt)
{
  g_auto (ProviderRun) run;

  provider_run_init (&run);
  provider_run_start (&run, provider, prompt, NULL);
  provider_run_wait (&run);
  g_assert_no_error (run.error);

  return raw_server_dup_last_request (server);
}

static void
test_headers_are_sent (void)
{
  ProviderStream stream = { "text/event-stream", "data: {\"type\":\"message_stop\"}\n\n", 0,
                            FALSE };
  static const char *const lines[] = { "X-One: 1", "anthropic-version: 2099-01-01", NULL };
  static const char *const bad[] = { "X-Two: 2", "Host: evil", NULL };
  g_autoptr (RawServer) server = raw_server_new (provider_stream_handler, &stream);
  g_autofree char *origin = raw_server_dup_origin (server);
  g_autoptr (GError) error = NULL;
  g_autoptr (ConfabAnthropicProvider) anthropic =
      confab_anthropic_provider_new (origin, "sk-secret", "m", &error);
  ConfabHttpProvider *provider = CONFAB_HTTP_PROVIDER (anthropic);
  g_autofree char *request = NULL;

  g_assert_true (confab_http_provider_set_headers (provider, lines, &error));
  g_assert_no_error (error);
  /* one that is wrong leaves all as they were */
  g_assert_false (confab_http_provider_set_headers (provider, bad, &error));
  g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST);

  request = request_of (provider, server, NULL);
  g_assert_nonnull (strstr (request, "\r\nX-One: 1\r\n"));
  g_assert_nonnull (strstr (request, "\r\nanthropic-version: 2099-01-01\r\n"));
  g_assert_null (strstr (request, "2023-06-01"));
  g_assert_nonnull (strstr (request, "\r\nx-api-key: sk-secret\r\n"));
  g_assert_null (strstr (request, "X-Two"));
}

#define LONG_TEXT                                                                                  \
  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static ConfabPrompt *
long_prompt (void)
{
  ConfabPrompt *prompt = confab_prompt_new ();

  confab_prompt_set_instructions (prompt, "Be brief.");
  for (guint i = 0; i < 20; i++)
    {
      g_autofree char *question = g_strdup_printf ("question %u " LONG_TEXT, i);

      confab_prompt_add_turn (prompt, CONFAB_ROLE_USER, question);
      /* the last two are questions in a row */
      if (i < 18)
        confab_prompt_add_turn (prompt, CONFAB_ROLE_ASSISTANT, "answer");
    }

  return prompt;
}

static ConfabHttpProvider *
make_ollama (RawServer *server)
{
  g_autofree char *origin = raw_server_dup_origin (server);
  g_autoptr (GError) error = NULL;
  ConfabOllamaProvider *provider = confab_ollama_provider_new (origin, NULL, "m", &error);

  g_assert_no_error (error);
  return CONFAB_HTTP_PROVIDER (provider);
}

/* What is sent of a long conversation, by what the provider and the prompt say of the context. */
static void
test_context (void)
{
  ProviderStream stream = { "application/x-ndjson", "{\"done\":true}\n", 0, FALSE };
  g_autoptr (RawServer) server = raw_server_new (provider_stream_handler, &stream);
  g_autoptr (ConfabHttpProvider) provider = make_ollama (server);
  g_autoptr (ConfabPrompt) prompt = long_prompt ();
  g_autoptr (JsonObject) parameters = json_object_new ();
  g_autofree char *whole = request_of (provider, server, prompt);
  g_autofree char *trimmed = NULL;
  g_autofree char *by_prompt = NULL;

  g_assert_nonnull (strstr (whole, "question 0 "));
  g_assert_nonnull (strstr (whole, "\\n\\nquestion 19 "));
  g_assert_nonnull (strstr (whole, "\"options\":{}"));

  confab_http_provider_set_context_tokens (provider, 400);
  trimmed = request_of (provider, server, prompt);
  g_assert_null (strstr (trimmed, "question 0 "));
  g_assert_nonnull (strstr (trimmed, "Be brief."));
  g_assert_nonnull (strstr (trimmed, "question 18 "));
  g_assert_nonnull (strstr (trimmed, "\"options\":{\"num_ctx\":400}"));

  json_object_set_int_member (parameters, "num_ctx", 4000);
  json_object_set_int_member (parameters, "num_predict", 1);
  confab_prompt_set_parameters (prompt, parameters);
  by_prompt = request_of (provider, server, prompt);
  g_assert_nonnull (strstr (by_prompt, "question 0 "));
  g_assert_nonnull (strstr (by_prompt, "\"num_ctx\":4000"));
  g_assert_nonnull (strstr (by_prompt, "\"num_predict\":1"));
}

int
main (int argc, char **argv)
{
  provider_test_init (&argc, &argv);

  g_test_add_func ("/confab/http-settings/headers/good", test_headers);
  g_test_add_func ("/confab/http-settings/headers/bad", test_bad_headers);
  g_test_add_func ("/confab/http-settings/headers/limits", test_header_limits);
  g_test_add_func ("/confab/http-settings/headers/are-sent", test_headers_are_sent);
  g_test_add_func ("/confab/http-settings/context", test_context);

  return g_test_run ();
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "confab-error.h"
#include "confab-local-server.h"
#include "confab-ollama-provider.h"
#include "confab-provider-run.h"

#define TYPE "application/x-ndjson"
#define LINE(member, text)                                                                         \
  "{\"model\":\"m:1\",\"created_at\":\"2025-01-01T00:00:00Z\",\"message\":{\"role\":"              \
  "\"assistant\",\"" member "\":\"" text "\"},\"done\":false}\n"
#define TEXT(text) LINE ("content", text)
#define THINKING(text) LINE ("thinking", text)
#define DONE(reason)                                                                               \
  "{\"model\":\"m:1\",\"message\":{\"role\":\"assistant\",\"content\":\"\"},\"done\":true,"        \
  "\"done_reason\":\"" reason "\",\"prompt_eval_count\":7,\"eval_count\":3}\n"
#define REFUSAL(status, headers, body)                                                             \
  "HTTP/1.1 " status "\r\nContent-Type: application/json\r\n" headers                              \
  "Connection: close\r\n\r\n" body

static const ProviderCase cases[] = {
  { "text", TEXT ("gr\xc3\xbc\xc3\x9f ") TEXT ("\xf0\x9f\x8c\x8d") DONE ("stop"),
    "gr\xc3\xbc\xc3\x9f \xf0\x9f\x8c\x8d", "", CONFAB_FINISH_STOP },
  { "thinking", THINKING ("h") THINKING ("m") TEXT ("a") DONE ("stop"), "a", "hm",
    CONFAB_FINISH_STOP },
  { "thinking-by-another-name", LINE ("reasoning_content", "hm") TEXT ("a") DONE ("stop"), "a",
    "hm", CONFAB_FINISH_STOP },
  { "thinking-and-text-in-one",
    "{\"message\":{\"thinking\":\"hm\",\"content\":\"a\"},\"done\":false}\n" DONE ("stop"), "a",
    "hm", CONFAB_FINISH_STOP },
  { "crlf",
    "{\"message\":{\"content\":\"a\"},\"done\":false}\r\n\r\n"
    "{\"message\":{\"content\":\"b\"},\"done\":true,\"done_reason\":\"stop\"}\r\n",
    "ab", "", CONFAB_FINISH_STOP },
  { "no-last-line-end", TEXT ("a") "{\"done\":true}", "a", "", CONFAB_FINISH_STOP },
  { "whole", "{\"message\":{\"content\":\"all\"},\"done\":true,\"done_reason\":\"stop\"}", "all",
    "", CONFAB_FINISH_STOP },
  { "after-the-end", TEXT ("a") DONE ("stop") TEXT ("b"), "a", "", CONFAB_FINISH_STOP },
  { "odd-types",
    "{\"message\":7,\"done\":\"x\"}\n{\"message\":{\"content\":[]},\"done\":1}\n"
    "{\"error\":null,\"done\":null}\n" TEXT ("a") DONE ("stop"),
    "a", "", CONFAB_FINISH_STOP },
  { "invalid-utf8",
    TEXT ("a\xff"
          "b") DONE ("stop"),
    "a\xef\xbf\xbd"
    "b",
    "", CONFAB_FINISH_STOP },

  { "reason/length", TEXT ("a") DONE ("length"), "a", "", CONFAB_FINISH_LENGTH },
  { "reason/load", DONE ("load"), "", "", CONFAB_FINISH_OTHER },
  { "reason/unload", DONE ("unload"), "", "", CONFAB_FINISH_OTHER },
  { "reason/none", TEXT ("a") "{\"done\":true}\n", "a", "", CONFAB_FINISH_STOP },

  { "truncated/after-text", TEXT ("a"), "a", "", -1, "upstream-truncated", TRUE },
  { "truncated/in-line", TEXT ("a") "{\"done\":tr", "a", "", -1, "upstream-truncated", TRUE },
  { "truncated/empty", "", "", "", -1, "upstream-truncated", TRUE },
  { "truncated/in-chunk",
    "HTTP/1.1 200 OK\r\nContent-Type: " TYPE "\r\nTransfer-Encoding: chunked\r\n\r\n"
    "fff\r\n" TEXT ("a"),
    "a", "", -1, "upstream-truncated", TRUE },

  { "error/line", TEXT ("a") "{\"error\":\"an error was encountered while running the model\"}\n",
    "a", "", -1, "upstream-error", FALSE, 0, "while running the model" },
  { "error/line-without-end", TEXT ("a") "{\"error\":\"unexpected EOF\"}", "a", "", -1,
    "upstream-error", FALSE, 0, "unexpected EOF" },
  { "error/object", "{\"error\":{\"message\":\"slow\",\"type\":\"rate_limit_error\"}}\n", "", "",
    -1, "upstream-rate-limit", TRUE, 0, "slow" },
  { "error/too-long", "{\"error\":\"the input length exceeds the context length\"}\n", "", "", -1,
    "context-length", FALSE, 0, "the input length" },
  { "error/not-json", TEXT ("a") "<b>502</b>\n", "a", "", -1, "upstream-error", FALSE, 0, "502" },
  { "error/no-object", "7\n", "", "", -1, "upstream-error", FALSE, 0, "7" },

  { "http/400", REFUSAL ("400 Bad Request", "", "{\"error\":\"invalid options: top_p\"}"), "", "",
    -1, "upstream-error", FALSE, 0, "invalid options" },
  { "http/401", REFUSAL ("401 Unauthorized", "", "{\"error\":\"unauthorized: sk-secret\"}"), "", "",
    -1, "upstream-auth", FALSE, 0, "unauthorized" },
  { "http/404",
    REFUSAL ("404 Not Found",
             "",
             "{\"error\":\"model \\\"m\\\" not found, try pulling it first\"}"),
    "", "", -1, "upstream-error", FALSE, 0, "model \"m\" not found, try pulling it first" },
  { "http/404-text",
    "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 18\r\n\r\n"
    "404 page not found",
    "", "", -1, "upstream-error", FALSE, 0, "404 page not found" },
  { "http/429", REFUSAL ("429 Too Many Requests", "Retry-After: 2\r\n", "{\"error\":\"slow\"}"), "",
    "", -1, "upstream-rate-limit", TRUE, 2000, "slow" },
  { "http/500",
    REFUSAL ("500 Internal Server Error", "", "{\"error\":\"model requires more system memory\"}"),
    "", "", -1, "upstream-error", TRUE, 0, "more system memory" },
  { "http/503",
    REFUSAL ("503 Service Unavailable", "", "{\"error\":\"server busy, please try again\"}"), "",
    "", -1, "upstream-unavailable", TRUE, 0, "server busy" },
  { "http/web-page",
    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>", "", "", -1,
    "upstream-error", FALSE, 0, "web page" },
};

static ConfabHttpProvider *
make (RawServer *server, const char *model)
{
  g_autofree char *base_url = server != NULL ? raw_server_dup_origin (server) : NULL;
  g_autoptr (GError) error = NULL;
  ConfabOllamaProvider *provider =
      confab_ollama_provider_new (base_url, "sk-secret", model, &error);

  g_assert_no_error (error);
  return CONFAB_HTTP_PROVIDER (provider);
}

static void
test_case (gconstpointer data)
{
  provider_check_case (make, TYPE, data);
}

static void
run_stream (ProviderRun *run, const char *body, gboolean slow)
{
  ProviderStream stream = { TYPE, body, slow ? 1 : 0, slow };
  g_autoptr (RawServer) server = raw_server_new (provider_stream_handler, &stream);
  g_autoptr (ConfabHttpProvider) provider = make (server, "m");

  provider_run_init (run);
  provider_run_start (run, provider, NULL, NULL);
  provider_run_wait (run);
  g_assert_no_error (run->error);
}

/* Runs @prompt, and returns the request that it makes. */
static char *
request_of (ConfabPrompt *prompt)
{
  ProviderStream stream = { TYPE, TEXT ("a") DONE ("stop"), 0, FALSE };
  g_autoptr (RawServer) server = raw_server_new (provider_stream_handler, &stream);
  g_autoptr (ConfabHttpProvider) provider = make (server, "m");
  g_auto (ProviderRun) run;

  provider_run_init (&run);
  provider_run_start (&run, provider, prompt, NULL);
  provider_run_wait (&run);
  g_assert_no_error (run.error);
  return raw_server_dup_last_request (server);
}

static void
test_request (void)
{
  g_autoptr (ConfabPrompt) prompt = confab_prompt_new ();
  g_autoptr (JsonNode) parameters = NULL;
  g_autofree char *request = NULL;

  parameters = json_from_string (
      "{\"temperature\":0.5,\"top_p\":0.9,\"seed\":3,\"max_tokens\":64,\"num_ctx\":4096,"
      "\"think\":false,\"stream\":false,\"model\":\"x\",\"options\":{\"a\":1}}",
      NULL);
  confab_prompt_set_parameters (prompt, json_node_get_object (parameters));
  confab_prompt_set_instructions (prompt, "Be \"brief\".");
  confab_prompt_add_turn (prompt, CONFAB_ROLE_USER, "one\ntwo");
  confab_prompt_add_turn (prompt, CONFAB_ROLE_ASSISTANT, "three");
  confab_prompt_add_turn (prompt, CONFAB_ROLE_USER, "four");
  request = request_of (prompt);

  g_assert_true (g_str_has_prefix (request, "POST /api/chat HTTP/1.1\r\n"));
  g_assert_nonnull (strstr (request, "\r\nAuthorization: Bearer sk-secret\r\n"));
  g_assert_cmpstr (strstr (request, "\r\n\r\n") + 4, ==,
                   "{\"model\":\"m\",\"messages\":["
                   "{\"role\":\"system\",\"content\":\"Be \\\"brief\\\".\"},"
                   "{\"role\":\"user\",\"content\":\"one\\ntwo\"},"
                   "{\"role\":\"assistant\",\"content\":\"three\"},"
                   "{\"role\":\"user\",\"content\":\"four\"}],"
                   "\"stream\":true,\"think\":false,\"options\":{\"temperature\":0.5,"
                   "\"top_p\":0.9,\"seed\":3,\"num_predict\":64,\"num_ctx\":4096}}");
}

static void
test_request_without_parameters (void)
{
  g_autofree char *request = request_of (NULL);

  g_assert_cmpstr (strstr (request, "\r\n\r\n") + 4, ==,
                   "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}],"
                   "\"stream\":true,\"options\":{}}");
}

static void
test_usage (void)
{
  g_auto (ProviderRun) told;
  g_auto (ProviderRun) cached;
  g_auto (ProviderRun) untold;

  run_stream (&told, TEXT ("a") DONE ("stop"), FALSE);
  g_assert_cmpstr (told.outcome->model, ==, "m:1");
  g_assert_true (told.outcome->has_usage);
  g_assert_cmpint (told.outcome->usage.input_tokens, ==, 7);
  g_assert_cmpint (told.outcome->usage.output_tokens, ==, 3);
  g_assert_cmpint (told.outcome->usage.reasoning_tokens, ==, -1);
  g_assert_cmpint (told.outcome->usage.cached_input_tokens, ==, -1);

  run_stream (&cached, "{\"done\":true,\"eval_count\":2,\"prompt_eval_count\":\"x\"}\n", FALSE);
  g_assert_true (cached.outcome->has_usage);
  g_assert_cmpint (cached.outcome->usage.input_tokens, ==, -1);
  g_assert_cmpint (cached.outcome->usage.output_tokens, ==, 2);

  run_stream (&untold, "{\"done\":true}\n", FALSE);
  g_assert_false (untold.outcome->has_usage);
}

static RawEnd
endless_line_handler (RawServer *server, int fd, const char *request, gpointer user_data)
{
  g_autofree char *block = g_strnfill (64 * 1024, ' ');

  raw_write (fd, "HTTP/1.1 200 OK\r\nContent-Type: " TYPE "\r\n\r\n" TEXT ("a") "{", -1);
  while (raw_write (fd, block, 64 * 1024))
    ;
  return RAW_CLOSE;
}

static void
test_endless_line (void)
{
  g_autoptr (RawServer) server = raw_server_new (endless_line_handler, NULL);
  g_autoptr (ConfabHttpProvider) provider = make (server, "m");
  g_auto (ProviderRun) run;

  provider_run_init (&run);
  provider_run_start (&run, provider, NULL, NULL);
  provider_run_wait (&run);
  g_assert_error (run.error, CONFAB_ERROR, CONFAB_ERROR_TOO_LARGE);
  g_assert_cmpstr (run.text->str, ==, "a");
}

static RawEnd
models_handler (RawServer *server, int fd, const char *request, gpointer user_data)
{
  if (g_str_has_prefix (request, "GET /api/tags "))
    raw_reply (fd, "200 OK", "Content-Type: application/json\r\n", user_data);
  else if (strstr (request, "{\"model\":\"first:8b\",") != NULL)
    provider_send_stream (fd, &(ProviderStream){ TYPE, TEXT ("a") DONE ("stop"), 0, FALSE });
  else
    raw_reply (fd, "404 Not Found", NULL, "{\"error\":\"wrong model\"}");
  return RAW_NEXT;
}

static void
test_first_model (void)
{
  g_autoptr (RawServer) server =
      raw_server_new (models_handler, (gpointer) "{\"models\":[{\"size\":1},{\"name\":\"first:8b\","
                                                 "\"model\":\"first:8b\"},{\"name\":\"2nd\"}]}");
  g_autoptr (ConfabHttpProvider) provider = make (server, NULL);

  for (guint i = 0; i < 2; i++)
    {
      g_auto (ProviderRun) run;

      provider_run_init (&run);
      provider_run_start (&run, provider, NULL, NULL);
      provider_run_wait (&run);
      g_assert_no_error (run.error);
      g_assert_cmpstr (run.text->str, ==, "a");
    }
  /* asked once, then known */
  g_assert_cmpuint (raw_server_get_n_requests (server), ==, 3);
}

static void
expect_model_error (const char *list, ConfabError code)
{
  g_autoptr (RawServer) server = raw_server_new (models_handler, (gpointer) list);
  g_autoptr (ConfabHttpProvider) provider = make (server, NULL);
  g_auto (ProviderRun) run;

  provider_run_init (&run);
  provider_run_start (&run, provider, NULL, NULL);
  provider_run_wait (&run);
  g_assert_error (run.error, CONFAB_ERROR, (gint) code);
}

static void
test_no_models (void)
{
  expect_model_error ("{\"models\":[]}", CONFAB_ERROR_NO_PROVIDER);
  expect_model_error ("{\"models\":null}", CONFAB_ERROR_NO_PROVIDER);
  expect_model_error ("{\"data\":[]}", CONFAB_ERROR_UPSTREAM_ERROR);
  expect_model_error ("hello", CONFAB_ERROR_UPSTREAM_ERROR);
}

static void
test_settings (void)
{
  g_autofree char *origin = confab_local_server_parse_ollama_host ("0.0.0.0:1234");
  g_autoptr (GError) error = NULL;
  g_autoptr (ConfabOllamaProvider) usual = confab_ollama_provider_new (NULL, NULL, NULL, &error);
  g_autoptr (ConfabOllamaProvider) other = confab_ollama_provider_new (origin, NULL, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (confab_http_provider_get_base_url (CONFAB_HTTP_PROVIDER (usual)), ==,
                   "http://127.0.0.1:11434");
  g_assert_cmpstr (confab_http_provider_get_base_url (CONFAB_HTTP_PROVIDER (other)), ==,
                   "http://127.0.0.1:1234");
  g_assert_cmpstr (confab_provider_get_name (CONFAB_PROVIDER (usual)), ==, "ollama");
  g_assert_null (confab_ollama_provider_new ("nonsense", NULL, NULL, &error));
  g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST);
}

static void
test_every_byte_alone (void)
{
  g_auto (ProviderRun) run;

  run_stream (&run, THINKING ("hm") TEXT ("\xf0\x9f\x8c\x8d!") DONE ("stop"), TRUE);
  g_assert_cmpstr (run.text->str, ==, "\xf0\x9f\x8c\x8d!");
  g_assert_cmpstr (run.reasoning->str, ==, "hm");
}

static void
test_stop_before_head (void)
{
  provider_check_stop_before_head (make);
}

static void
test_stop_in_body (void)
{
  provider_check_stop_in_body (make, TYPE, THINKING ("h") TEXT ("a") THINKING ("m") TEXT ("b"));
}

static void
test_end_does_not_wait (void)
{
  provider_check_end_does_not_wait (
      make, TYPE, THINKING ("h") THINKING ("m") TEXT ("a") TEXT ("b") DONE ("stop"));
}

static void
test_stall (void)
{
  provider_check_stall (make, TYPE, TEXT ("a"));
}

int
main (int argc, char **argv)
{
  provider_test_init (&argc, &argv);

  provider_add_cases ("/confab/ollama", cases, G_N_ELEMENTS (cases), test_case);
  g_test_add_func ("/confab/ollama/request", test_request);
  g_test_add_func ("/confab/ollama/request-without-parameters", test_request_without_parameters);
  g_test_add_func ("/confab/ollama/usage", test_usage);
  g_test_add_func ("/confab/ollama/endless-line", test_endless_line);
  g_test_add_func ("/confab/ollama/models/first", test_first_model);
  g_test_add_func ("/confab/ollama/models/none", test_no_models);
  g_test_add_func ("/confab/ollama/settings", test_settings);
  g_test_add_func ("/confab/ollama/every-byte-alone", test_every_byte_alone);
  g_test_add_func ("/confab/ollama/stop/before-head", test_stop_before_head);
  g_test_add_func ("/confab/ollama/stop/in-body", test_stop_in_body);
  g_test_add_func ("/confab/ollama/end-does-not-wait", test_end_does_not_wait);
  g_test_add_func ("/confab/ollama/stall", test_stall);

  return g_test_run ();
}

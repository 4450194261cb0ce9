/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "confab-error.h"
#include "confab-openai-fixture.h"

static void
test_request (void)
{
  static const char *const answer =
      "data: {\"model\":\"m-1\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\","
      "\"content\":null}}]}\n\n" TEXT_EVENT ("Hi") STOP_EVENT
      "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3,"
      "\"completion_tokens_details\":{\"reasoning_tokens\":2},"
      "\"prompt_tokens_details\":{\"cached_tokens\":4}}}\n\n" DONE_EVENT;
  g_autoptr (RawServer) server = raw_server_new (openai_text_handler, (gpointer) answer);
  g_autoptr (ConfabHttpProvider) provider = openai_make (server, "other");
  g_autoptr (ConfabPrompt) prompt = confab_prompt_new ();
  g_autoptr (JsonObject) parameters = json_object_new ();
  g_autofree char *request = NULL;
  g_auto (ProviderRun) run;

  json_object_set_double_member (parameters, "temperature", 0.5);
  json_object_set_boolean_member (parameters, "stream", FALSE);
  confab_prompt_set_model (prompt, "chosen");
  confab_prompt_set_instructions (prompt, "Be \"brief\".");
  confab_prompt_set_parameters (prompt, parameters);
  confab_prompt_add_turn (prompt, CONFAB_ROLE_USER, "one\ntwo");
  confab_prompt_add_turn (prompt, CONFAB_ROLE_ASSISTANT, "three");
  confab_prompt_add_turn (prompt, CONFAB_ROLE_USER, "four");

  provider_run_init (&run);
  provider_run_start (&run, provider, prompt, NULL);
  provider_run_wait (&run);

  provider_assert_text (&run, "Hi", CONFAB_FINISH_STOP);
  g_assert_cmpstr (run.outcome->model, ==, "m-1");
  g_assert_true (run.outcome->has_usage);
  g_assert_cmpint (run.outcome->usage.input_tokens, ==, 7);
  g_assert_cmpint (run.outcome->usage.output_tokens, ==, 3);
  g_assert_cmpint (run.outcome->usage.reasoning_tokens, ==, 2);
  g_assert_cmpint (run.outcome->usage.cached_input_tokens, ==, 4);

  request = raw_server_dup_last_request (server);
  g_assert_true (g_str_has_prefix (request, "POST /v1/chat/completions HTTP/1.1\r\n"));
  g_assert_nonnull (strstr (request, "\r\nAuthorization: Bearer sk-secret\r\n"));
  g_assert_nonnull (strstr (request, "\r\nAccept-Encoding: identity\r\n"));
  g_assert_nonnull (strstr (request, "\r\nUser-Agent: confab/"));
  g_assert_cmpstr (strstr (request, "\r\n\r\n") + 4, ==,
                   "{\"model\":\"chosen\",\"messages\":["
                   "{\"role\":\"system\",\"content\":\"Be \\\"brief\\\".\"},"
                   "{\"role\":\"user\",\"content\":\"one\\ntwo\"},"
                   "{\"role\":\"assistant\",\"content\":\"three\"},"
                   "{\"role\":\"user\",\"content\":\"four\"}],"
                   "\"stream\":true,\"stream_options\":{\"include_usage\":true},"
                   "\"temperature\":0.5}");
}

/* Every byte a chunk of its own, and every byte of the chunks sent alone. */
static void
test_cut_every_byte (void)
{
  ProviderStream stream = { OPENAI_TYPE,
                            TEXT_EVENT ("gr\xc3\xbc\xc3\x9f") TEXT_EVENT (" \xf0\x9f\x8c\x8d!")
                                STOP_EVENT DONE_EVENT,
                            1, TRUE };
  g_auto (ProviderRun) run;

  openai_run_against (&run, provider_stream_handler, &stream, 0);
  provider_assert_text (&run, "gr\xc3\xbc\xc3\x9f \xf0\x9f\x8c\x8d!", CONFAB_FINISH_STOP);
}

static void
test_one_delta_a_turn (void)
{
  g_autoptr (GString) body = g_string_new (NULL);
  g_auto (ProviderRun) run;

  for (guint i = 0; i < 100; i++)
    g_string_append (body, TEXT_EVENT ("word "));
  g_string_append (body, STOP_EVENT DONE_EVENT);

  openai_run_against (&run, openai_text_handler, body->str, 0);
  g_assert_no_error (run.error);
  g_assert_cmpuint (run.text->len, ==, 500);
  /* Head and body may arrive apart, but not word by word. */
  g_assert_cmpuint (run.n_deltas, <=, 3);
}

/* More than one turn of the loop reads, in chunks of all sizes. */
static RawEnd
long_handler (RawServer *server, int fd, const char *request, gpointer user_data)
{
  g_autoptr (GString) out = g_string_new (STREAM_HEAD);

  for (guint i = 1; i <= 2000; i++)
    {
      g_autoptr (GString) body = g_string_new (NULL);

      for (guint j = 0; j < i % 20; j++)
        g_string_append (body, TEXT_EVENT ("0123456789"));
      if (body->len > 0)
        raw_append_chunk (out, body->str, (gssize) body->len);
    }
  raw_append_chunk (out, STOP_EVENT DONE_EVENT, -1);
  g_string_append (out, END_CHUNK);
  raw_write (fd, out->str, (gssize) out->len);
  return RAW_CLOSE;
}

static void
test_long_answer (void)
{
  g_auto (ProviderRun) run;

  openai_run_against (&run, long_handler, NULL, 0);
  g_assert_no_error (run.error);
  g_assert_cmpuint (run.text->len, ==, 19000 * 10);
}

/* Whole responses that are refusals or broken, and the error that each must become. */
#define REFUSAL(status, headers, body)                                                             \
  "HTTP/1.1 " status "\r\nContent-Type: application/json\r\n" headers                              \
  "Connection: close\r\n\r\n" body

static const ProviderCase response_cases[] = {
  { "401",
    REFUSAL ("401 Unauthorized", "", "{\"error\":{\"message\":\"Incorrect key sk-secret.\"}}"), "",
    "", -1, "upstream-auth", FALSE, 0, "Incorrect key …." },
  { "403", REFUSAL ("403 Forbidden", "", "{\"message\":\"not for you\"}"), "", "", -1,
    "upstream-auth", FALSE, 0, "not for you" },
  { "429", REFUSAL ("429 Too Many Requests", "Retry-After: 7\r\n", "{\"error\":\"slow\\n down\"}"),
    "", "", -1, "upstream-rate-limit", TRUE, 7000, "slow down" },
  { "429-ms", REFUSAL ("429 Too Many Requests", "Retry-After: 7\r\nretry-after-ms: 250.5\r\n", ""),
    "", "", -1, "upstream-rate-limit", TRUE, 251, "HTTP 429" },
  { "429-nonsense", REFUSAL ("429 Too Many Requests", "Retry-After: soon\r\n", "{}"), "", "", -1,
    "upstream-rate-limit", TRUE, 0, "HTTP 429" },
  { "429-quota",
    REFUSAL ("429 Too Many Requests", "", "{\"error\":{\"code\":\"insufficient_quota\"}}"), "", "",
    -1, "upstream-rate-limit", FALSE, 0, "HTTP 429" },
  { "400", REFUSAL ("400 Bad Request", "", "{\"error\":{\"message\":\"no such model\"}}"), "", "",
    -1, "upstream-error", FALSE, 0, "no such model" },
  { "400-context",
    REFUSAL ("400 Bad Request", "", "{\"error\":{\"code\":\"context_length_exceeded\"}}"), "", "",
    -1, "context-length", FALSE, 0, "too long" },
  { "400-filter", REFUSAL ("400 Bad Request", "", "{\"error\":{\"code\":\"content_filter\"}}"), "",
    "", -1, "content-filter", FALSE, 0, "filter" },
  { "413", REFUSAL ("413 Payload Too Large", "", ""), "", "", -1, "context-length", FALSE, 0,
    "too long" },
  { "500",
    REFUSAL ("500 Internal Server Error",
             "",
             "{\"error\":{\"message\":\"a\xff"
             "b\"}}"),
    "", "", -1, "upstream-error", TRUE, 0, "HTTP 500" },
  { "503", REFUSAL ("503 Service Unavailable", "Retry-After: 1\r\n", "<html>"), "", "", -1,
    "upstream-unavailable", TRUE, 1000, "HTTP 503" },
  { "504", REFUSAL ("504 Gateway Timeout", "", ""), "", "", -1, "upstream-timeout", TRUE, 0,
    "HTTP 504" },
  { "529", REFUSAL ("529 Overloaded", "", "{\"error\":{\"type\":\"overloaded_error\"}}"), "", "",
    -1, "upstream-unavailable", TRUE, 0, "HTTP 529" },
  { "plain-text-refusal",
    "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 18\r\n\r\n404 page not "
    "found",
    "", "", -1, "upstream-error", FALSE, 0, "404 page not found" },
  { "refusal-cut-short", "HTTP/1.1 401 Unauthorized\r\nContent-Length: 1000\r\n\r\n{\"error\":", "",
    "", -1, "upstream-auth", FALSE, 0, "HTTP 401" },
  { "redirect",
    "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:1/else\r\nContent-Length: "
    "0\r\n\r\n",
    "", "", -1, "upstream-error", FALSE, 0, "http://127.0.0.1:1/else" },
  { "web-page",
    "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 6\r\n\r\n<html>",
    "", "", -1, "upstream-error", FALSE, 0, "/v1" },
  { "not-http", "SSH-2.0-OpenSSH_9.2\r\n", "", "", -1, "upstream-error", FALSE, 0, NULL },
  { "no-answer", "", "", "", -1, "upstream-unavailable", TRUE, 0, NULL },
  { "half-a-head", "HTTP/1.1 200 OK\r\nContent-Ty", "", "", -1, "upstream-error", FALSE, 0, NULL },
  { "cut-in-chunk", STREAM_HEAD "ff\r\ndata: {\"choi", "", "", -1, "upstream-truncated", TRUE, 0,
    NULL },
  { "cut-between-chunks", STREAM_HEAD "2\r\n: \r\n", "", "", -1, "upstream-truncated", TRUE, 0,
    NULL },
  { "cut-in-length",
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 999\r\n\r\n: a", "", "",
    -1, "upstream-truncated", TRUE, 0, NULL },
  { "cut-close-delimited",
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" TEXT_EVENT ("a"), "a", "", -1,
    "upstream-truncated", TRUE, 0, NULL },
};

static void
test_response_case (gconstpointer data)
{
  provider_check_verbatim (openai_make, data);
}

/* Text that came before an error in the stream is kept, even if both come in one piece. */
static void
test_error_in_data (void)
{
  g_auto (ProviderRun) run;

  openai_run_against (&run, openai_text_handler,
                      (gpointer) (TEXT_EVENT ("a") "data: {\"error\":{\"message\":\"slow down\","
                                                   "\"type\":\"rate_limit_error\"}}\n\n"),
                      0);
  g_assert_error (run.error, CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_RATE_LIMIT);
  g_assert_nonnull (strstr (run.error->message, "slow down"));
  g_assert_cmpstr (run.text->str, ==, "a");
}

static void
test_end_without_reason (void)
{
  g_auto (ProviderRun) run;

  openai_run_against (&run, openai_text_handler, (gpointer) TEXT_EVENT ("a"), 0);
  g_assert_error (run.error, CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_TRUNCATED);
  g_assert_cmpstr (run.text->str, ==, "a");
}

static void
test_whole_json (void)
{
  g_auto (ProviderRun) run;

  openai_run_against (&run, provider_verbatim_handler,
                      (gpointer) "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                                 "Content-Length: 49\r\n\r\n"
                                 "{\"choices\":[{\"message\":{\"content\":\"all of it\"}}]}",
                      0);
  provider_assert_text (&run, "all of it", CONFAB_FINISH_STOP);
  g_assert_cmpuint (run.n_deltas, ==, 1);
}

static void
test_close_delimited (void)
{
  g_auto (ProviderRun) run;

  openai_run_against (
      &run, provider_verbatim_handler,
      (gpointer) ("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" TEXT_EVENT ("a")
                      STOP_EVENT),
      0);
  provider_assert_text (&run, "a", CONFAB_FINISH_STOP);
}

static RawEnd
retry_date_handler (RawServer *server, int fd, const char *request, gpointer user_data)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autoptr (GDateTime) then = g_date_time_add_seconds (now, 30);
  g_autofree char *date = g_date_time_format (then, "Retry-After: %a, %d %b %Y %H:%M:%S GMT\r\n");

  raw_reply (fd, "429 Too Many Requests", date, "{}");
  return RAW_CLOSE;
}

static void
test_retry_after_date (void)
{
  g_auto (ProviderRun) run;

  openai_run_against (&run, retry_date_handler, NULL, 0);
  g_assert_error (run.error, CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_RATE_LIMIT);
  g_assert_cmpint (confab_error_get_retry_after (run.error), >, 25000);
  g_assert_cmpint (confab_error_get_retry_after (run.error), <=, 30000);
}

static RawEnd
endless_refusal_handler (RawServer *server, int fd, const char *request, gpointer user_data)
{
  g_autofree char *block = g_strnfill (16384, ' ');

  raw_write (fd, "HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\n\r\n", -1);
  while (raw_write (fd, block, 16384))
    ;
  return RAW_CLOSE;
}

static void
test_endless_refusal (void)
{
  g_auto (ProviderRun) run;

  openai_run_against (&run, endless_refusal_handler, NULL, 0);
  g_assert_error (run.error, CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_AUTH);
}

static RawEnd
models_handler (RawServer *server, int fd, const char *request, gpointer user_data)
{
  if (g_str_has_prefix (request, "GET /v1/models "))
    {
      raw_reply (fd, "200 OK", "Content-Type: application/json\r\n", user_data);
      return RAW_NEXT;
    }
  if (strstr (request, "{\"model\":\"first\",") != NULL)
    openai_text_handler (server, fd, request, (gpointer) A_STREAM);
  else
    raw_reply (fd, "404 Not Found", NULL, "{\"error\":\"wrong model\"}");
  return RAW_NEXT;
}

static void
test_first_model (void)
{
  g_autoptr (RawServer) server = raw_server_new (
      models_handler,
      (gpointer) "{\"object\":\"list\",\"data\":[{\"x\":1},{\"id\":\"first\"},{\"id\":\"2nd\"}]}");
  g_autoptr (ConfabHttpProvider) provider = openai_make (server, NULL);

  for (guint i = 0; i < 2; i++)
    {
      g_auto (ProviderRun) run;

      openai_run (&run, provider);
      provider_assert_text (&run, "a", CONFAB_FINISH_STOP);
    }
  /* asked once, then known */
  g_assert_cmpuint (raw_server_get_n_requests (server), ==, 3);
}

static void
expect_model_error (const char *list, ConfabError code)
{
  g_autoptr (RawServer) server = raw_server_new (models_handler, (gpointer) list);
  g_autoptr (ConfabHttpProvider) provider = openai_make (server, NULL);
  g_auto (ProviderRun) run;

  openai_run (&run, provider);
  g_assert_error (run.error, CONFAB_ERROR, (gint) code);
}

static void
test_no_models (void)
{
  expect_model_error ("{\"data\":[]}", CONFAB_ERROR_NO_PROVIDER);
  expect_model_error ("{\"data\":null}", CONFAB_ERROR_NO_PROVIDER);
  expect_model_error ("{\"models\":[]}", CONFAB_ERROR_UPSTREAM_ERROR);
  expect_model_error ("[]", CONFAB_ERROR_UPSTREAM_ERROR);
  expect_model_error ("hello", CONFAB_ERROR_UPSTREAM_ERROR);
}

static void
test_settings (void)
{
  static const char *const bad_urls[] = { "127.0.0.1:8080",   "ftp://host/v1",
                                          "http://",          "http://host/v1?key=1",
                                          "http://host/v1#a", "http://user:hunter2@host/v1",
                                          "nonsense" };
  g_autoptr (GError) error = NULL;
  g_autoptr (ConfabOpenaiProvider) plain = NULL;
  g_autoptr (ConfabOpenaiProvider) usual = NULL;
  g_autoptr (ConfabOpenaiProvider) trimmed = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (bad_urls); i++)
    {
      g_autoptr (GError) refusal = NULL;

      g_assert_null (confab_openai_provider_new (bad_urls[i], NULL, NULL, &refusal));
      g_assert_error (refusal, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST);
      g_assert_null (strstr (refusal->message, "hunter2"));
    }

  g_assert_null (confab_openai_provider_new (NULL, "key\r\nX-Evil: 1", NULL, &error));
  g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST);
  g_assert_null (strstr (error->message, "Evil"));
  g_clear_error (&error);

  plain = confab_openai_provider_new ("http://host:8080/v1//", "", "", &error);
  g_assert_no_error (error);
  g_assert_cmpstr (confab_openai_provider_get_base_url (plain), ==, "http://host:8080/v1");
  usual = confab_openai_provider_new (NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (confab_openai_provider_get_base_url (usual), ==, CONFAB_OPENAI_BASE_URL);
  trimmed = confab_openai_provider_new (" http://host/v1\n", "key\n", NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (confab_openai_provider_get_base_url (trimmed), ==, "http://host/v1");
  g_assert_cmpstr (confab_provider_get_name (CONFAB_PROVIDER (plain)), ==, "openai");
}

int
main (int argc, char **argv)
{
  provider_test_init (&argc, &argv);

  provider_add_cases ("/confab/openai/response", response_cases, G_N_ELEMENTS (response_cases),
                      test_response_case);
  g_test_add_func ("/confab/openai/request", test_request);
  g_test_add_func ("/confab/openai/cut-every-byte", test_cut_every_byte);
  g_test_add_func ("/confab/openai/one-delta-a-turn", test_one_delta_a_turn);
  g_test_add_func ("/confab/openai/long-answer", test_long_answer);
  g_test_add_func ("/confab/openai/error-in-data", test_error_in_data);
  g_test_add_func ("/confab/openai/end-without-reason", test_end_without_reason);
  g_test_add_func ("/confab/openai/whole-json", test_whole_json);
  g_test_add_func ("/confab/openai/close-delimited", test_close_delimited);
  g_test_add_func ("/confab/openai/retry-after-date", test_retry_after_date);
  g_test_add_func ("/confab/openai/endless-refusal", test_endless_refusal);
  g_test_add_func ("/confab/openai/models/first", test_first_model);
  g_test_add_func ("/confab/openai/models/none", test_no_models);
  g_test_add_func ("/confab/openai/settings", test_settings);

  return g_test_run ();
}

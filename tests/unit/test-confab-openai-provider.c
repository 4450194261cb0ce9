/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "confab-error.h"
#include "confab-openai-provider.h"
#include "confab-provider-run.h"

#define TYPE "text/event-stream"
#define STREAM_HEAD                                                                                \
  "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
#define END_CHUNK "0\r\n\r\n"
#define TEXT_EVENT(text)                                                                           \
  "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" text "\"}}]}\n\n"
#define STOP_EVENT "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
#define DONE_EVENT "data: [DONE]\n\n"
#define A_STREAM TEXT_EVENT ("a") STOP_EVENT DONE_EVENT

static ConfabHttpProvider *
make (RawServer *server, const char *model)
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

static void
run_provider (ProviderRun *run, ConfabHttpProvider *provider)
{
  provider_run_init (run);
  provider_run_start (run, provider, NULL, NULL);
  provider_run_wait (run);
}

static void
run_against (ProviderRun *run, RawHandler handler, gpointer user_data, guint stall_ms)
{
  g_autoptr (RawServer) server = raw_server_new (handler, user_data);
  g_autoptr (ConfabHttpProvider) provider = make (server, "m");

  if (stall_ms > 0)
    confab_openai_provider_set_stall_timeout (CONFAB_OPENAI_PROVIDER (provider), stall_ms);
  run_provider (run, provider);
}

/* @user_data: a text, which is streamed in one chunk. */
static RawEnd
text_handler (RawServer *server, int fd, const char *request, gpointer user_data)
{
  provider_send_stream (fd, &(ProviderStream){ TYPE, user_data, 0, FALSE });
  return RAW_NEXT;
}

static void
assert_text (const ProviderRun *run, const char *text, ConfabFinishReason reason)
{
  g_assert_no_error (run->error);
  g_assert_cmpstr (run->text->str, ==, text);
  g_assert_cmpint (run->outcome->finish_reason, ==, reason);
}

static void
test_request (void)
{
  static const char *const answer =
      "data: {\"model\":\"m-1\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\","
      "\"content\":null}}]}\n\n" TEXT_EVENT ("Hi") STOP_EVENT
      "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3,"
      "\"completion_tokens_details\":{\"reasoning_tokens\":2},"
      "\"prompt_tokens_details\":{\"cached_tokens\":4}}}\n\n" DONE_EVENT;
  g_autoptr (RawServer) server = raw_server_new (text_handler, (gpointer) answer);
  g_autoptr (ConfabHttpProvider) provider = make (server, "other");
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

  assert_text (&run, "Hi", CONFAB_FINISH_STOP);
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
  ProviderStream stream = { TYPE,
                            TEXT_EVENT ("gr\xc3\xbc\xc3\x9f") TEXT_EVENT (" \xf0\x9f\x8c\x8d!")
                                STOP_EVENT DONE_EVENT,
                            1, TRUE };
  g_auto (ProviderRun) run;

  run_against (&run, provider_stream_handler, &stream, 0);
  assert_text (&run, "gr\xc3\xbc\xc3\x9f \xf0\x9f\x8c\x8d!", CONFAB_FINISH_STOP);
}

static void
test_one_delta_a_turn (void)
{
  g_autoptr (GString) body = g_string_new (NULL);
  g_auto (ProviderRun) run;

  for (guint i = 0; i < 100; i++)
    g_string_append (body, TEXT_EVENT ("word "));
  g_string_append (body, STOP_EVENT DONE_EVENT);

  run_against (&run, text_handler, body->str, 0);
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

  run_against (&run, long_handler, NULL, 0);
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
  provider_check_verbatim (make, data);
}

/* Text that came before an error in the stream is kept, even if both come in one piece. */
static void
test_error_in_data (void)
{
  g_auto (ProviderRun) run;

  run_against (&run, text_handler,
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

  run_against (&run, text_handler, (gpointer) TEXT_EVENT ("a"), 0);
  g_assert_error (run.error, CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_TRUNCATED);
  g_assert_cmpstr (run.text->str, ==, "a");
}

static void
test_whole_json (void)
{
  g_auto (ProviderRun) run;

  run_against (&run, provider_verbatim_handler,
               (gpointer) "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                          "Content-Length: 49\r\n\r\n"
                          "{\"choices\":[{\"message\":{\"content\":\"all of it\"}}]}",
               0);
  assert_text (&run, "all of it", CONFAB_FINISH_STOP);
  g_assert_cmpuint (run.n_deltas, ==, 1);
}

static void
test_close_delimited (void)
{
  g_auto (ProviderRun) run;

  run_against (&run, provider_verbatim_handler,
               (gpointer) ("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" TEXT_EVENT (
                   "a") STOP_EVENT),
               0);
  assert_text (&run, "a", CONFAB_FINISH_STOP);
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

  run_against (&run, retry_date_handler, NULL, 0);
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

  run_against (&run, endless_refusal_handler, NULL, 0);
  g_assert_error (run.error, CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_AUTH);
}

static RawEnd
hold_after_handler (RawServer *server, int fd, const char *request, gpointer user_data)
{
  raw_write (fd, user_data, -1);
  return RAW_HOLD;
}

static void
test_stalled_refusal (void)
{
  g_auto (ProviderRun) run;

  run_against (
      &run, hold_after_handler,
      (gpointer) "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3\r\n\r\n{\"error\":", 100);
  g_assert_error (run.error, CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_RATE_LIMIT);
  g_assert_cmpint (confab_error_get_retry_after (run.error), ==, 3000);
}

static void
test_stall_before_head (void)
{
  gint64 start = g_get_monotonic_time ();
  g_auto (ProviderRun) run;

  run_against (&run, hold_after_handler, (gpointer) "", 150);
  g_assert_error (run.error, CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_TIMEOUT);
  g_assert_cmpint (g_get_monotonic_time () - start, >=, 150 * 1000);
}

static void
test_stall_in_body (void)
{
  g_auto (ProviderRun) run;

  run_against (&run, hold_after_handler, (gpointer) (STREAM_HEAD "3\r\n: a\r\n"), 150);
  g_assert_error (run.error, CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_TIMEOUT);
}

static RawEnd
slow_handler (RawServer *server, int fd, const char *request, gpointer user_data)
{
  raw_write (fd, STREAM_HEAD, -1);
  for (guint i = 0; i < 10; i++)
    {
      g_usleep (60 * 1000);
      raw_write (fd, "2\r\n:\n\r\n", -1);
    }
  raw_write (fd, "e\r\n" DONE_EVENT "\r\n" END_CHUNK, -1);
  return RAW_CLOSE;
}

/* Longer in all than the limit, but never silent for as long. */
static void
test_slow_is_no_stall (void)
{
  g_auto (ProviderRun) run;

  run_against (&run, slow_handler, NULL, 300);
  g_assert_no_error (run.error);
}

static RawEnd
reset_handler (RawServer *server, int fd, const char *request, gpointer user_data)
{
  g_autoptr (GString) out = g_string_new (STREAM_HEAD);

  raw_append_chunk (out, TEXT_EVENT ("a"), -1);
  raw_write (fd, out->str, -1);
  g_usleep (50 * 1000);
  return RAW_RESET;
}

static void
test_reset (void)
{
  g_auto (ProviderRun) run;

  run_against (&run, reset_handler, NULL, 0);
  g_assert_error (run.error, CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_TRUNCATED);
  g_assert_cmpstr (run.text->str, ==, "a");
}

static void
test_refused_connection (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ConfabOpenaiProvider) provider =
      confab_openai_provider_new ("http://127.0.0.1:1/v1", NULL, "m", &error);
  g_auto (ProviderRun) run;

  confab_http_provider_set_retries (CONFAB_HTTP_PROVIDER (provider), 0);
  run_provider (&run, CONFAB_HTTP_PROVIDER (provider));
  g_assert_error (run.error, CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_UNAVAILABLE);
  g_assert_nonnull (strstr (run.error->message, "127.0.0.1:1"));
}

static void
test_unknown_host (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ConfabOpenaiProvider) provider =
      confab_openai_provider_new ("http://nowhere.invalid/v1", NULL, "m", &error);
  g_auto (ProviderRun) run;

  confab_http_provider_set_retries (CONFAB_HTTP_PROVIDER (provider), 0);
  run_provider (&run, CONFAB_HTTP_PROVIDER (provider));
  g_assert_error (run.error, CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_UNAVAILABLE);
  g_assert_nonnull (strstr (run.error->message, "nowhere.invalid"));
}

/* main() has taken TLS away. */
static void
test_tls_failure (void)
{
  g_autoptr (RawServer) server = raw_server_new (hold_after_handler, (gpointer) "");
  g_autofree char *url = g_strdup_printf ("https://127.0.0.1:%u/v1", raw_server_get_port (server));
  g_autoptr (GError) error = NULL;
  g_autoptr (ConfabOpenaiProvider) provider = confab_openai_provider_new (url, NULL, "m", &error);
  g_auto (ProviderRun) run;

  run_provider (&run, CONFAB_HTTP_PROVIDER (provider));
  g_assert_error (run.error, CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_UNAVAILABLE);
  g_assert_nonnull (strstr (run.error->message, "secure connection"));
  g_assert_false (confab_error_is_retryable (run.error));
}

static void
test_stop_before_head (void)
{
  provider_check_stop_before_head (make);
}

static void
test_stop_in_half_a_head (void)
{
  g_autoptr (RawServer) server =
      raw_server_new (hold_after_handler, (gpointer) "HTTP/1.1 200 OK\r\nContent-");
  g_autoptr (ConfabHttpProvider) provider = make (server, "m");
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  gint64 since;
  g_auto (ProviderRun) run;

  provider_run_init (&run);
  provider_run_start (&run, provider, NULL, cancellable);
  g_assert_true (raw_server_wait_for_requests (server, 1, 2000));
  for (guint i = 0; i < 20; i++)
    {
      g_main_context_iteration (NULL, FALSE);
      g_usleep (1000);
    }
  since = g_get_monotonic_time ();
  g_cancellable_cancel (cancellable);
  provider_assert_closed_soon (server, since);
  provider_run_wait (&run);
  g_assert_error (run.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static void
test_stop_in_body (void)
{
  provider_check_stop_in_body (make, TYPE, TEXT_EVENT ("a"));
}

static RawEnd
flood_handler (RawServer *server, int fd, const char *request, gpointer user_data)
{
  g_autoptr (GString) out = g_string_new (STREAM_HEAD);

  raw_write (fd, out->str, -1);
  g_string_truncate (out, 0);
  raw_append_chunk (
      out, "data: {\"choices\":[{\"delta\":{\"reasoning\":\"hm\",\"content\":\"a\"}}]}\n\n", -1);
  while (raw_write (fd, out->str, -1))
    ;
  return RAW_HOLD;
}

/* A server that never stops sending: the rest must not be read first. The stop falls between two
 * kinds of one turn, and the second must not come any more. */
static void
test_stop_in_flood (void)
{
  g_autoptr (RawServer) server = raw_server_new (flood_handler, NULL);

  provider_check_stop_at_delta (make, server);
}

static void
test_stop_before_start (void)
{
  g_autoptr (RawServer) server = raw_server_new (hold_after_handler, (gpointer) "");
  g_autoptr (ConfabHttpProvider) provider = make (server, "m");
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_auto (ProviderRun) run;

  g_cancellable_cancel (cancellable);
  provider_run_init (&run);
  provider_run_start (&run, provider, NULL, cancellable);
  g_assert_cmpuint (run.n_callbacks, ==, 0);
  provider_run_wait (&run);
  g_assert_error (run.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpuint (raw_server_get_n_requests (server), ==, 0);
}

static void
test_done_does_not_wait (void)
{
  provider_check_end_does_not_wait (make, TYPE, A_STREAM);
}

static void
test_connection_is_used_again (void)
{
  g_autoptr (RawServer) server = raw_server_new (text_handler, (gpointer) A_STREAM);
  g_autoptr (ConfabHttpProvider) provider = make (server, "m");

  for (guint i = 0; i < 3; i++)
    {
      g_auto (ProviderRun) run;

      run_provider (&run, provider);
      assert_text (&run, "a", CONFAB_FINISH_STOP);
    }
  g_assert_cmpuint (raw_server_get_n_requests (server), ==, 3);
  g_assert_cmpuint (raw_server_get_n_connections (server), ==, 1);
}

/* Promises to keep the connection, and closes it when the next request is there. */
static RawEnd
fickle_handler (RawServer *server, int fd, const char *request, gpointer user_data)
{
  if (raw_server_get_n_requests (server) == 2)
    return RAW_CLOSE;
  text_handler (server, fd, request, (gpointer) A_STREAM);
  return RAW_NEXT;
}

static void
test_dead_connection_is_replaced (void)
{
  g_autoptr (RawServer) server = raw_server_new (fickle_handler, NULL);
  g_autoptr (ConfabHttpProvider) provider = make (server, "m");
  g_autofree char *request = NULL;

  for (guint i = 0; i < 2; i++)
    {
      g_auto (ProviderRun) run;

      run_provider (&run, provider);
      assert_text (&run, "a", CONFAB_FINISH_STOP);
    }
  g_assert_cmpuint (raw_server_get_n_connections (server), ==, 2);
  request = raw_server_dup_last_request (server);
  g_assert_true (g_str_has_suffix (request, "\"include_usage\":true}}"));
}

static RawEnd
meet_handler (RawServer *server, int fd, const char *request, gpointer user_data)
{
  /* No one is answered before all are here. */
  for (guint i = 0; i < 5000 && raw_server_get_n_requests (server) < 30; i++)
    g_usleep (1000);
  if (raw_server_get_n_requests (server) < 30)
    return RAW_CLOSE;
  text_handler (server, fd, request, (gpointer) A_STREAM);
  return RAW_CLOSE;
}

static void
test_many_at_once (void)
{
  g_autoptr (RawServer) server = raw_server_new (meet_handler, NULL);
  g_autoptr (ConfabHttpProvider) provider = make (server, "m");
  ProviderRun runs[30];

  for (guint i = 0; i < G_N_ELEMENTS (runs); i++)
    {
      provider_run_init (&runs[i]);
      provider_run_start (&runs[i], provider, NULL, NULL);
    }
  for (guint i = 0; i < G_N_ELEMENTS (runs); i++)
    {
      provider_run_wait (&runs[i]);
      assert_text (&runs[i], "a", CONFAB_FINISH_STOP);
      provider_run_clear (&runs[i]);
    }
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
    text_handler (server, fd, request, (gpointer) A_STREAM);
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
  g_autoptr (ConfabHttpProvider) provider = make (server, NULL);

  for (guint i = 0; i < 2; i++)
    {
      g_auto (ProviderRun) run;

      run_provider (&run, provider);
      assert_text (&run, "a", CONFAB_FINISH_STOP);
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

  run_provider (&run, provider);
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
test_stop_while_asking_for_models (void)
{
  g_autoptr (RawServer) server = raw_server_new (hold_after_handler, (gpointer) "");

  provider_check_stop_at_request (make, server, NULL);
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

static void
add_case_tests (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (response_cases); i++)
    {
      g_autofree char *path =
          g_strconcat ("/confab/openai/response/", response_cases[i].name, NULL);

      g_test_add_data_func (path, &response_cases[i], test_response_case);
    }
}

int
main (int argc, char **argv)
{
  /* Before GIO looks for it: LeakSanitizer does not get along with the real one's libraries. */
  g_setenv ("GIO_USE_TLS", "dummy", TRUE);
  g_test_init (&argc, &argv, NULL);

  add_case_tests ();
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
  g_test_add_func ("/confab/openai/stalled-refusal", test_stalled_refusal);
  g_test_add_func ("/confab/openai/stall/before-head", test_stall_before_head);
  g_test_add_func ("/confab/openai/stall/in-body", test_stall_in_body);
  g_test_add_func ("/confab/openai/stall/slow-is-none", test_slow_is_no_stall);
  g_test_add_func ("/confab/openai/reset", test_reset);
  g_test_add_func ("/confab/openai/refused-connection", test_refused_connection);
  g_test_add_func ("/confab/openai/unknown-host", test_unknown_host);
  g_test_add_func ("/confab/openai/tls-failure", test_tls_failure);
  g_test_add_func ("/confab/openai/stop/before-start", test_stop_before_start);
  g_test_add_func ("/confab/openai/stop/before-head", test_stop_before_head);
  g_test_add_func ("/confab/openai/stop/in-half-a-head", test_stop_in_half_a_head);
  g_test_add_func ("/confab/openai/stop/in-body", test_stop_in_body);
  g_test_add_func ("/confab/openai/stop/in-flood", test_stop_in_flood);
  g_test_add_func ("/confab/openai/stop/asking-for-models", test_stop_while_asking_for_models);
  g_test_add_func ("/confab/openai/done-does-not-wait", test_done_does_not_wait);
  g_test_add_func ("/confab/openai/connection/used-again", test_connection_is_used_again);
  g_test_add_func ("/confab/openai/connection/dead-is-replaced", test_dead_connection_is_replaced);
  g_test_add_func ("/confab/openai/many-at-once", test_many_at_once);
  g_test_add_func ("/confab/openai/models/first", test_first_model);
  g_test_add_func ("/confab/openai/models/none", test_no_models);
  g_test_add_func ("/confab/openai/settings", test_settings);

  return g_test_run ();
}

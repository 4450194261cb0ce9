/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "confab-error.h"
#include "confab-openai-provider.h"
#include "confab-raw-server.h"

#define STREAM_HEAD                                                                                \
  "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
#define END_CHUNK "0\r\n\r\n"
#define TEXT_EVENT(text)                                                                           \
  "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" text "\"}}]}\n\n"
#define STOP_EVENT "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
#define DONE_EVENT "data: [DONE]\n\n"

/* What a run brought. */
typedef struct
{
  GString *text;
  GString *reasoning;
  guint n_deltas;
  guint n_callbacks;
  ConfabOutcome *outcome;
  GError *error;
  /* To be cancelled at the first delta, if set. */
  GCancellable *cancel_at_delta;
  gint64 cancelled_at;
  gboolean started;
} Run;

static void
run_clear (Run *run)
{
  g_string_free (run->text, TRUE);
  g_string_free (run->reasoning, TRUE);
  g_clear_pointer (&run->outcome, confab_outcome_free);
  g_clear_error (&run->error);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Run, run_clear)

static void
delta_cb (ConfabDeltaKind kind, const char *text, gsize length, gpointer user_data)
{
  Run *run = user_data;

  g_assert_true (run->started);
  g_assert_cmpuint (run->n_callbacks, ==, 0);
  g_assert_cmpuint (length, >, 0);
  g_assert_cmpuint (strlen (text), ==, length);
  g_assert_true (g_utf8_validate (text, -1, NULL));

  run->n_deltas++;
  g_string_append (kind == CONFAB_DELTA_TEXT ? run->text : run->reasoning, text);
  if (run->cancel_at_delta != NULL)
    {
      run->cancelled_at = g_get_monotonic_time ();
      g_cancellable_cancel (run->cancel_at_delta);
      g_assert_cmpuint (run->n_deltas, ==, 1);
    }
}

static void
done_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Run *run = user_data;

  run->n_callbacks++;
  run->outcome = confab_provider_generate_finish (CONFAB_PROVIDER (source), result, &run->error);
  g_assert_true ((run->outcome != NULL) != (run->error != NULL));
}

static void
run_init (Run *run)
{
  *run = (Run){ .text = g_string_new (NULL), .reasoning = g_string_new (NULL) };
}

static void
run_start (Run *run,
           ConfabOpenaiProvider *provider,
           ConfabPrompt *prompt,
           GCancellable *cancellable)
{
  g_autoptr (ConfabPrompt) simple = NULL;

  if (prompt == NULL)
    {
      prompt = simple = confab_prompt_new ();
      confab_prompt_add_turn (simple, CONFAB_ROLE_USER, "hello");
    }
  confab_provider_generate_async (CONFAB_PROVIDER (provider), prompt, delta_cb, run, cancellable,
                                  done_cb, run);
  run->started = TRUE;
}

/* Waits for the one callback, and then whether anything follows it. */
static void
run_wait (Run *run)
{
  gint64 end = g_get_monotonic_time () + 10 * G_USEC_PER_SEC;

  while (run->n_callbacks == 0 && g_get_monotonic_time () < end)
    g_main_context_iteration (NULL, TRUE);
  for (guint i = 0; i < 5; i++)
    {
      g_main_context_iteration (NULL, FALSE);
      g_usleep (500);
    }
  g_assert_cmpuint (run->n_callbacks, ==, 1);
}

static ConfabOpenaiProvider *
provider_for (RawServer *server, const char *model)
{
  g_autofree char *base_url =
      g_strdup_printf ("http://127.0.0.1:%u/v1", raw_server_get_port (server));
  g_autoptr (GError) error = NULL;
  ConfabOpenaiProvider *provider =
      confab_openai_provider_new (base_url, "sk-secret", model, &error);

  g_assert_no_error (error);
  return provider;
}

static void
run_against (Run *run, RawHandler handler, gpointer user_data, guint stall_ms)
{
  g_autoptr (RawServer) server = raw_server_new (handler, user_data);
  g_autoptr (ConfabOpenaiProvider) provider = provider_for (server, "m");

  run_init (run);
  if (stall_ms > 0)
    confab_openai_provider_set_stall_timeout (provider, stall_ms);
  run_start (run, provider, NULL, NULL);
  run_wait (run);
}

/* One text as one chunk. */
static gboolean
send_stream (int fd, const char *body)
{
  g_autoptr (GString) out = g_string_new (STREAM_HEAD);

  raw_append_chunk (out, body, -1);
  g_string_append (out, END_CHUNK);

  return raw_write (fd, out->str, (gssize) out->len);
}

static RawEnd
stream_handler (RawServer *server, int fd, const char *request, gpointer user_data)
{
  send_stream (fd, user_data);
  return RAW_NEXT;
}

/* Sends all as it is and closes. */
static RawEnd
verbatim_handler (RawServer *server, int fd, const char *request, gpointer user_data)
{
  raw_write (fd, user_data, -1);
  return RAW_CLOSE;
}

static void
assert_text (const Run *run, const char *text, ConfabFinishReason reason)
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
  g_autoptr (RawServer) server = raw_server_new (stream_handler, (gpointer) answer);
  g_autoptr (ConfabOpenaiProvider) provider = provider_for (server, "other");
  g_autoptr (ConfabPrompt) prompt = confab_prompt_new ();
  g_autoptr (JsonObject) parameters = json_object_new ();
  g_autofree char *request = NULL;
  g_auto (Run) run;

  json_object_set_double_member (parameters, "temperature", 0.5);
  json_object_set_boolean_member (parameters, "stream", FALSE);
  confab_prompt_set_model (prompt, "chosen");
  confab_prompt_set_instructions (prompt, "Be \"brief\".");
  confab_prompt_set_parameters (prompt, parameters);
  confab_prompt_add_turn (prompt, CONFAB_ROLE_USER, "one\ntwo");
  confab_prompt_add_turn (prompt, CONFAB_ROLE_ASSISTANT, "three");
  confab_prompt_add_turn (prompt, CONFAB_ROLE_USER, "four");

  run_init (&run);
  run_start (&run, provider, prompt, NULL);
  run_wait (&run);

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

static RawEnd
cut_handler (RawServer *server, int fd, const char *request, gpointer user_data)
{
  g_autoptr (GString) out = g_string_new (STREAM_HEAD);
  const char *body = user_data;

  /* Every byte a chunk of its own, and every byte of the chunks sent alone. */
  for (const char *p = body; *p != '\0'; p++)
    raw_append_chunk (out, p, 1);
  g_string_append (out, END_CHUNK);
  raw_write_by (fd, out->str, 1);

  return RAW_CLOSE;
}

static void
test_cut_every_byte (void)
{
  g_auto (Run) run;

  run_against (&run, cut_handler,
               (gpointer) (TEXT_EVENT ("gr\xc3\xbc\xc3\x9f") TEXT_EVENT (" \xf0\x9f\x8c\x8d!")
                               STOP_EVENT DONE_EVENT),
               0);
  assert_text (&run, "gr\xc3\xbc\xc3\x9f \xf0\x9f\x8c\x8d!", CONFAB_FINISH_STOP);
}

static void
test_one_delta_a_turn (void)
{
  g_autoptr (GString) body = g_string_new (NULL);
  g_auto (Run) run;

  for (guint i = 0; i < 100; i++)
    g_string_append (body, TEXT_EVENT ("word "));
  g_string_append (body, STOP_EVENT DONE_EVENT);

  run_against (&run, stream_handler, body->str, 0);
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
  g_auto (Run) run;

  run_against (&run, long_handler, NULL, 0);
  g_assert_no_error (run.error);
  g_assert_cmpuint (run.text->len, ==, 19000 * 10);
}

/* Whole responses that are refusals or broken, and the error that each must become. */
typedef struct
{
  const char *name;
  const char *response;
  const char *code;
  gboolean retryable;
  gint64 retry_after_ms;
  const char *words;
} ResponseCase;

#define REFUSAL(status, headers, body)                                                             \
  "HTTP/1.1 " status "\r\nContent-Type: application/json\r\n" headers                              \
  "Connection: close\r\n\r\n" body

static const ResponseCase response_cases[] = {
  { "401",
    REFUSAL ("401 Unauthorized", "", "{\"error\":{\"message\":\"Incorrect key sk-secret.\"}}"),
    "upstream-auth", FALSE, 0, "Incorrect key …." },
  { "403", REFUSAL ("403 Forbidden", "", "{\"message\":\"not for you\"}"), "upstream-auth", FALSE,
    0, "not for you" },
  { "429", REFUSAL ("429 Too Many Requests", "Retry-After: 7\r\n", "{\"error\":\"slow\\n down\"}"),
    "upstream-rate-limit", TRUE, 7000, "slow down" },
  { "429-ms", REFUSAL ("429 Too Many Requests", "Retry-After: 7\r\nretry-after-ms: 250.5\r\n", ""),
    "upstream-rate-limit", TRUE, 251, "HTTP 429" },
  { "429-nonsense", REFUSAL ("429 Too Many Requests", "Retry-After: soon\r\n", "{}"),
    "upstream-rate-limit", TRUE, 0, "HTTP 429" },
  { "429-quota",
    REFUSAL ("429 Too Many Requests", "", "{\"error\":{\"code\":\"insufficient_quota\"}}"),
    "upstream-rate-limit", FALSE, 0, "HTTP 429" },
  { "400", REFUSAL ("400 Bad Request", "", "{\"error\":{\"message\":\"no such model\"}}"),
    "upstream-error", FALSE, 0, "no such model" },
  { "400-context",
    REFUSAL ("400 Bad Request", "", "{\"error\":{\"code\":\"context_length_exceeded\"}}"),
    "context-length", FALSE, 0, "too long" },
  { "400-filter", REFUSAL ("400 Bad Request", "", "{\"error\":{\"code\":\"content_filter\"}}"),
    "content-filter", FALSE, 0, "filter" },
  { "413", REFUSAL ("413 Payload Too Large", "", ""), "context-length", FALSE, 0, "too long" },
  { "500",
    REFUSAL ("500 Internal Server Error",
             "",
             "{\"error\":{\"message\":\"a\xff"
             "b\"}}"),
    "upstream-error", TRUE, 0, "HTTP 500" },
  { "503", REFUSAL ("503 Service Unavailable", "Retry-After: 1\r\n", "<html>"),
    "upstream-unavailable", TRUE, 1000, "HTTP 503" },
  { "504", REFUSAL ("504 Gateway Timeout", "", ""), "upstream-timeout", TRUE, 0, "HTTP 504" },
  { "529", REFUSAL ("529 Overloaded", "", "{\"error\":{\"type\":\"overloaded_error\"}}"),
    "upstream-unavailable", TRUE, 0, "HTTP 529" },
  { "plain-text-refusal",
    "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 18\r\n\r\n404 page not "
    "found",
    "upstream-error", FALSE, 0, "404 page not found" },
  { "refusal-cut-short", "HTTP/1.1 401 Unauthorized\r\nContent-Length: 1000\r\n\r\n{\"error\":",
    "upstream-auth", FALSE, 0, "HTTP 401" },
  { "redirect",
    "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:1/else\r\nContent-Length: "
    "0\r\n\r\n",
    "upstream-error", FALSE, 0, "http://127.0.0.1:1/else" },
  { "web-page",
    "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 6\r\n\r\n<html>",
    "upstream-error", FALSE, 0, "/v1" },
  { "not-http", "SSH-2.0-OpenSSH_9.2\r\n", "upstream-error", FALSE, 0, NULL },
  { "no-answer", "", "upstream-unavailable", TRUE, 0, NULL },
  { "half-a-head", "HTTP/1.1 200 OK\r\nContent-Ty", "upstream-error", FALSE, 0, NULL },
  { "cut-in-chunk", STREAM_HEAD "ff\r\ndata: {\"choi", "upstream-truncated", TRUE, 0, NULL },
  { "cut-between-chunks", STREAM_HEAD "2\r\n: \r\n", "upstream-truncated", TRUE, 0, NULL },
  { "cut-in-length",
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 999\r\n\r\n: a",
    "upstream-truncated", TRUE, 0, NULL },
  { "cut-close-delimited",
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" TEXT_EVENT ("a"),
    "upstream-truncated", TRUE, 0, NULL },
};

static void
test_response_case (gconstpointer data)
{
  const ResponseCase *c = data;
  g_auto (Run) run;

  run_against (&run, verbatim_handler, (gpointer) c->response, 0);

  g_assert_nonnull (run.error);
  g_assert_cmpstr (confab_error_to_code (run.error), ==, c->code);
  g_assert_cmpint (confab_error_is_retryable (run.error), ==, c->retryable);
  g_assert_cmpint (confab_error_get_retry_after (run.error), ==, c->retry_after_ms);
  g_assert_true (g_utf8_validate (run.error->message, -1, NULL));
  g_assert_null (strchr (run.error->message, '\n'));
  g_assert_null (strstr (run.error->message, "sk-secret"));
  if (c->words != NULL && strstr (run.error->message, c->words) == NULL)
    g_error ("%s lacks %s", run.error->message, c->words);
}

/* Text that came before an error in the stream is kept, even if both come in one piece. */
static void
test_error_in_data (void)
{
  g_auto (Run) run;

  run_against (&run, stream_handler,
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
  g_auto (Run) run;

  run_against (&run, stream_handler, (gpointer) TEXT_EVENT ("a"), 0);
  g_assert_error (run.error, CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_TRUNCATED);
  g_assert_cmpstr (run.text->str, ==, "a");
}

static void
test_whole_json (void)
{
  g_auto (Run) run;

  run_against (&run, verbatim_handler,
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
  g_auto (Run) run;

  run_against (&run, verbatim_handler,
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
  g_auto (Run) run;

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
  g_auto (Run) run;

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
  g_auto (Run) run;

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
  g_auto (Run) run;

  run_against (&run, hold_after_handler, (gpointer) "", 150);
  g_assert_error (run.error, CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_TIMEOUT);
  g_assert_cmpint (g_get_monotonic_time () - start, >=, 150 * 1000);
}

static void
test_stall_in_body (void)
{
  g_auto (Run) run;

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
  g_auto (Run) run;

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
  g_auto (Run) run;

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
  g_auto (Run) run;

  run_init (&run);
  run_start (&run, provider, NULL, NULL);
  run_wait (&run);
  g_assert_error (run.error, CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_UNAVAILABLE);
  g_assert_nonnull (strstr (run.error->message, "127.0.0.1:1"));
}

static void
test_unknown_host (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ConfabOpenaiProvider) provider =
      confab_openai_provider_new ("http://nowhere.invalid/v1", NULL, "m", &error);
  g_auto (Run) run;

  run_init (&run);
  run_start (&run, provider, NULL, NULL);
  run_wait (&run);
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
  g_auto (Run) run;

  run_init (&run);
  run_start (&run, provider, NULL, NULL);
  run_wait (&run);
  g_assert_error (run.error, CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_UNAVAILABLE);
  g_assert_nonnull (strstr (run.error->message, "secure connection"));
}

/* Stop: the upstream must see the end of its connection within 200 ms. */
static void
assert_closed_soon (RawServer *server, gint64 since)
{
  gint64 closed_at = raw_server_wait_for_close (server, 2000);

  g_assert_cmpint (closed_at, !=, 0);
  g_test_message ("closed after %" G_GINT64_FORMAT " us", closed_at - since);
  g_assert_cmpint (closed_at - since, <, 200 * 1000);
}

static void
test_stop_before_head (void)
{
  g_autoptr (RawServer) server = raw_server_new (hold_after_handler, (gpointer) "");
  g_autoptr (ConfabOpenaiProvider) provider = provider_for (server, "m");
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  gint64 since;
  g_auto (Run) run;

  run_init (&run);
  run_start (&run, provider, NULL, cancellable);
  g_assert_true (raw_server_wait_for_requests (server, 1, 2000));
  since = g_get_monotonic_time ();
  g_cancellable_cancel (cancellable);
  assert_closed_soon (server, since);
  run_wait (&run);
  g_assert_error (run.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static void
test_stop_in_half_a_head (void)
{
  g_autoptr (RawServer) server =
      raw_server_new (hold_after_handler, (gpointer) "HTTP/1.1 200 OK\r\nContent-");
  g_autoptr (ConfabOpenaiProvider) provider = provider_for (server, "m");
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  gint64 since;
  g_auto (Run) run;

  run_init (&run);
  run_start (&run, provider, NULL, cancellable);
  g_assert_true (raw_server_wait_for_requests (server, 1, 2000));
  for (guint i = 0; i < 20; i++)
    {
      g_main_context_iteration (NULL, FALSE);
      g_usleep (1000);
    }
  since = g_get_monotonic_time ();
  g_cancellable_cancel (cancellable);
  assert_closed_soon (server, since);
  run_wait (&run);
  g_assert_error (run.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static void
stop_at_first_delta (RawServer *server)
{
  g_autoptr (ConfabOpenaiProvider) provider = provider_for (server, "m");
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_auto (Run) run;

  run_init (&run);
  run.cancel_at_delta = cancellable;
  run_start (&run, provider, NULL, cancellable);
  while (run.n_deltas == 0)
    g_main_context_iteration (NULL, TRUE);
  assert_closed_soon (server, run.cancelled_at);
  run_wait (&run);
  g_assert_error (run.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpuint (run.n_deltas, ==, 1);
}

static RawEnd
hold_in_body_handler (RawServer *server, int fd, const char *request, gpointer user_data)
{
  g_autoptr (GString) out = g_string_new (STREAM_HEAD);

  raw_append_chunk (out, TEXT_EVENT ("a"), -1);
  raw_write (fd, out->str, -1);
  return RAW_HOLD;
}

static void
test_stop_in_body (void)
{
  g_autoptr (RawServer) server = raw_server_new (hold_in_body_handler, NULL);

  stop_at_first_delta (server);
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

  stop_at_first_delta (server);
}

static void
test_stop_before_start (void)
{
  g_autoptr (RawServer) server = raw_server_new (hold_after_handler, (gpointer) "");
  g_autoptr (ConfabOpenaiProvider) provider = provider_for (server, "m");
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_auto (Run) run;

  g_cancellable_cancel (cancellable);
  run_init (&run);
  run_start (&run, provider, NULL, cancellable);
  g_assert_cmpuint (run.n_callbacks, ==, 0);
  run_wait (&run);
  g_assert_error (run.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpuint (raw_server_get_n_requests (server), ==, 0);
}

static void
test_done_does_not_wait (void)
{
  g_autoptr (GString) out = g_string_new (STREAM_HEAD);
  g_autoptr (RawServer) server = NULL;
  g_autoptr (ConfabOpenaiProvider) provider = NULL;
  gint64 since = g_get_monotonic_time ();
  g_auto (Run) run;

  raw_append_chunk (out, TEXT_EVENT ("a") STOP_EVENT DONE_EVENT, -1);
  server = raw_server_new (hold_after_handler, out->str);
  provider = provider_for (server, "m");
  run_init (&run);
  run_start (&run, provider, NULL, NULL);
  run_wait (&run);
  assert_text (&run, "a", CONFAB_FINISH_STOP);
  assert_closed_soon (server, since);
}

static void
test_connection_is_used_again (void)
{
  g_autoptr (RawServer) server =
      raw_server_new (stream_handler, (gpointer) (TEXT_EVENT ("a") STOP_EVENT DONE_EVENT));
  g_autoptr (ConfabOpenaiProvider) provider = provider_for (server, "m");

  for (guint i = 0; i < 3; i++)
    {
      g_auto (Run) run;

      run_init (&run);
      run_start (&run, provider, NULL, NULL);
      run_wait (&run);
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
  send_stream (fd, TEXT_EVENT ("a") STOP_EVENT DONE_EVENT);
  return RAW_NEXT;
}

static void
test_dead_connection_is_replaced (void)
{
  g_autoptr (RawServer) server = raw_server_new (fickle_handler, NULL);
  g_autoptr (ConfabOpenaiProvider) provider = provider_for (server, "m");
  g_autofree char *request = NULL;

  for (guint i = 0; i < 2; i++)
    {
      g_auto (Run) run;

      run_init (&run);
      run_start (&run, provider, NULL, NULL);
      run_wait (&run);
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
  send_stream (fd, TEXT_EVENT ("a") STOP_EVENT DONE_EVENT);
  return RAW_CLOSE;
}

static void
test_many_at_once (void)
{
  g_autoptr (RawServer) server = raw_server_new (meet_handler, NULL);
  g_autoptr (ConfabOpenaiProvider) provider = provider_for (server, "m");
  Run runs[30];

  for (guint i = 0; i < G_N_ELEMENTS (runs); i++)
    {
      run_init (&runs[i]);
      run_start (&runs[i], provider, NULL, NULL);
    }
  for (guint i = 0; i < G_N_ELEMENTS (runs); i++)
    {
      run_wait (&runs[i]);
      assert_text (&runs[i], "a", CONFAB_FINISH_STOP);
      run_clear (&runs[i]);
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
    send_stream (fd, TEXT_EVENT ("a") STOP_EVENT DONE_EVENT);
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
  g_autoptr (ConfabOpenaiProvider) provider = provider_for (server, NULL);

  for (guint i = 0; i < 2; i++)
    {
      g_auto (Run) run;

      run_init (&run);
      run_start (&run, provider, NULL, NULL);
      run_wait (&run);
      assert_text (&run, "a", CONFAB_FINISH_STOP);
    }
  /* asked once, then known */
  g_assert_cmpuint (raw_server_get_n_requests (server), ==, 3);
}

static void
expect_model_error (const char *list, ConfabError code)
{
  g_autoptr (RawServer) server = raw_server_new (models_handler, (gpointer) list);
  g_autoptr (ConfabOpenaiProvider) provider = provider_for (server, NULL);
  g_auto (Run) run;

  run_init (&run);
  run_start (&run, provider, NULL, NULL);
  run_wait (&run);
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
  g_autoptr (ConfabOpenaiProvider) provider = provider_for (server, NULL);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  gint64 since;
  g_auto (Run) run;

  run_init (&run);
  run_start (&run, provider, NULL, cancellable);
  g_assert_true (raw_server_wait_for_requests (server, 1, 2000));
  since = g_get_monotonic_time ();
  g_cancellable_cancel (cancellable);
  assert_closed_soon (server, since);
  run_wait (&run);
  g_assert_error (run.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
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

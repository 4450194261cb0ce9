/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "confab-anthropic-provider.h"
#include "confab-error.h"
#include "confab-openai-provider.h"
#include "confab-provider-run.h"

#define EVENTS "Content-Type: text/event-stream\r\n"
#define STREAM(body) "HTTP/1.1 200 OK\r\n" EVENTS "Connection: close\r\n\r\n" body
#define TEXT_EVENT(text) "data: {\"choices\":[{\"delta\":{\"content\":\"" text "\"}}]}\n\n"
#define THOUGHT_EVENT(text)                                                                        \
  "data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"" text "\"}}]}\n\n"
#define GOOD STREAM (TEXT_EVENT ("well") "data: [DONE]\n\n")
#define REFUSAL(status, headers, words)                                                            \
  "HTTP/1.1 " status "\r\nContent-Type: application/json\r\n" headers                              \
  "Connection: close\r\n\r\n{\"error\":{\"message\":\"" words "\"}}"

/* The finer form of Retry-After, so that tests need not wait. */
#define SOON "retry-after-ms: 20\r\n"

/* The first wait without a word of the server is 500 ms, give or take a quarter. */
#define FIRST_WAIT_US (375 * 1000)

/* Answers to the first request, the second and so on; the last one stands for all that follow.
 * HOLD: none at all. */
#define HOLD ""

static RawEnd
script_handler (RawServer *server, int fd, const char *request, gpointer user_data)
{
  const char *const *answers = user_data;
  guint n = raw_server_get_n_requests (server);
  guint i = 0;

  while (i + 1 < n && answers[i + 1] != NULL)
    i++;
  raw_write (fd, answers[i], -1);

  return strcmp (answers[i], HOLD) == 0 ? RAW_HOLD : RAW_CLOSE;
}

static ConfabHttpProvider *
make (RawServer *server, const char *model)
{
  g_autofree char *base_url = raw_server_dup_origin (server);
  g_autoptr (GError) error = NULL;
  ConfabOpenaiProvider *provider =
      confab_openai_provider_new (base_url, "sk-secret", model, &error);

  g_assert_no_error (error);
  return CONFAB_HTTP_PROVIDER (provider);
}

/* What a conversation with a server of such answers comes to. */
typedef struct
{
  const char *name;
  const char *answers[5];
  guint n_requests;
  /* nullable: what failed */
  const char *code;
  const char *text;
  const char *words;
  gint64 retry_after_ms;
} Case;

static const Case cases[] = {
  { "well-at-once", { GOOD }, 1, NULL, "well" },
  { "429", { REFUSAL ("429 Too Many Requests", SOON, "slow down"), GOOD }, 2, NULL, "well" },
  { "500", { REFUSAL ("500 Internal Server Error", SOON, "oops"), GOOD }, 2, NULL, "well" },
  { "502", { REFUSAL ("502 Bad Gateway", SOON, "oops"), GOOD }, 2, NULL, "well" },
  { "503", { REFUSAL ("503 Service Unavailable", SOON, "oops"), GOOD }, 2, NULL, "well" },
  { "504", { REFUSAL ("504 Gateway Timeout", SOON, "oops"), GOOD }, 2, NULL, "well" },
  { "529", { REFUSAL ("529 Overloaded", SOON, "oops"), GOOD }, 2, NULL, "well" },
  { "twice",
    { REFUSAL ("503 Service Unavailable", SOON, "one"),
      REFUSAL ("429 Too Many Requests", SOON, "two"), GOOD },
    3,
    NULL,
    "well" },
  /* The last one's sentence is what is told. */
  { "always",
    { REFUSAL ("500 Internal Server Error", SOON, "one"),
      REFUSAL ("503 Service Unavailable", SOON, "two"),
      REFUSAL ("500 Internal Server Error", SOON, "The engine fell over"), GOOD },
    3,
    "upstream-error",
    "",
    "The engine fell over",
    20 },
  { "another-error-in-between",
    { REFUSAL ("503 Service Unavailable", SOON, "one"), REFUSAL ("400 Bad Request", "", "no"),
      GOOD },
    2,
    "upstream-error",
    "",
    "no" },
  { "cut-before-text", { STREAM (": hm\n\n"), GOOD }, 2, NULL, "well" },
  { "cut-in-length",
    { "HTTP/1.1 200 OK\r\n" EVENTS "Content-Length: 99\r\n\r\n", GOOD },
    2,
    NULL,
    "well" },
  { "error-in-stream-before-text",
    { STREAM ("data: {\"error\":{\"type\":\"overloaded_error\",\"message\":\"full\"}}\n\n"), GOOD },
    2,
    NULL,
    "well" },

  { "retry-after-too-long",
    { REFUSAL ("429 Too Many Requests", "Retry-After: 21\r\n", "slow down"), GOOD },
    1,
    "upstream-rate-limit",
    "",
    "slow down",
    21000 },
  { "quota",
    { "HTTP/1.1 429 Too Many Requests\r\n" SOON "Connection: close\r\n\r\n"
      "{\"error\":{\"code\":\"insufficient_quota\",\"message\":\"no money\"}}",
      GOOD },
    1,
    "upstream-rate-limit",
    "",
    "no money",
    20 },
  { "400", { REFUSAL ("400 Bad Request", SOON, "no"), GOOD }, 1, "upstream-error", "", "no", 20 },
  { "401", { REFUSAL ("401 Unauthorized", SOON, "no"), GOOD }, 1, "upstream-auth", "", "no", 20 },
  { "web-page",
    { "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 1\r\n\r\n ", GOOD },
    1,
    "upstream-error",
    "" },

  /* Once something was seen, what follows would not fit it. */
  { "cut-after-text", { STREAM (TEXT_EVENT ("a")), GOOD }, 1, "upstream-truncated", "a" },
  { "cut-after-thought", { STREAM (THOUGHT_EVENT ("hm")), GOOD }, 1, "upstream-truncated", "" },
  { "error-with-text",
    { STREAM (TEXT_EVENT ("a") "data: {\"error\":{\"type\":\"overloaded_error\"}}\n\n"), GOOD },
    1,
    "upstream-unavailable",
    "a" },
};

static void
test_case (gconstpointer data)
{
  const Case *c = data;
  g_autoptr (RawServer) server = raw_server_new (script_handler, (gpointer) c->answers);
  g_autoptr (ConfabHttpProvider) provider = make (server, "m");
  g_auto (ProviderRun) run;

  provider_run_init (&run);
  provider_run_start (&run, provider, NULL, NULL);
  provider_run_wait (&run);

  g_assert_cmpuint (raw_server_get_n_requests (server), ==, c->n_requests);
  g_assert_cmpstr (run.text->str, ==, c->text);
  g_assert_cmpstr (run.error != NULL ? confab_error_to_code (run.error) : NULL, ==, c->code);
  g_assert_cmpint (confab_error_get_retry_after (run.error), ==, c->retry_after_ms);
  if (c->words != NULL)
    g_assert_nonnull (strstr (run.error->message, c->words));
}

static gboolean
open_cb (gpointer user_data)
{
  raw_server_open (user_data);
  return G_SOURCE_REMOVE;
}

static void
test_refused_then_well (void)
{
  static const char *const answers[] = { GOOD, NULL };
  g_autoptr (RawServer) server = raw_server_new_closed (script_handler, (gpointer) answers);
  g_autoptr (ConfabHttpProvider) provider = make (server, "m");
  gint64 start = g_get_monotonic_time ();
  g_auto (ProviderRun) run;

  g_timeout_add (150, open_cb, server);
  provider_run_init (&run);
  provider_run_start (&run, provider, NULL, NULL);
  provider_run_wait (&run);
  g_assert_no_error (run.error);
  g_assert_cmpstr (run.text->str, ==, "well");
  g_assert_cmpint (g_get_monotonic_time () - start, >=, FIRST_WAIT_US);
}

static RawEnd
reset_handler (RawServer *server, int fd, const char *request, gpointer user_data)
{
  if (raw_server_get_n_requests (server) == 1)
    return RAW_RESET;
  raw_write (fd, GOOD, -1);
  return RAW_CLOSE;
}

static void
test_reset_then_well (void)
{
  g_autoptr (RawServer) server = raw_server_new (reset_handler, NULL);
  g_autoptr (ConfabHttpProvider) provider = make (server, "m");
  g_auto (ProviderRun) run;

  provider_run_init (&run);
  provider_run_start (&run, provider, NULL, NULL);
  provider_run_wait (&run);
  g_assert_no_error (run.error);
  g_assert_cmpstr (run.text->str, ==, "well");
  g_assert_cmpuint (raw_server_get_n_requests (server), ==, 2);
}

static void
test_always_refused (void)
{
  static const char *const answers[] = { GOOD, NULL };
  g_autoptr (RawServer) server = raw_server_new_closed (script_handler, (gpointer) answers);
  g_autoptr (ConfabHttpProvider) provider = make (server, "m");
  gint64 start = g_get_monotonic_time ();
  g_auto (ProviderRun) run;

  provider_run_init (&run);
  provider_run_start (&run, provider, NULL, NULL);
  provider_run_wait (&run);
  g_assert_error (run.error, CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_UNAVAILABLE);
  /* both waits, the second twice as long */
  g_assert_cmpint (g_get_monotonic_time () - start, >=, 3 * FIRST_WAIT_US);
}

static void
test_retry_after_is_kept (void)
{
  static const char *const answers[] = {
    REFUSAL ("429 Too Many Requests", "Retry-After: 1\r\n", "slow down"), GOOD, NULL
  };
  g_autoptr (RawServer) server = raw_server_new (script_handler, (gpointer) answers);
  g_autoptr (ConfabHttpProvider) provider = make (server, "m");
  gint64 start = g_get_monotonic_time ();
  g_auto (ProviderRun) run;

  provider_run_init (&run);
  provider_run_start (&run, provider, NULL, NULL);
  provider_run_wait (&run);
  g_assert_no_error (run.error);
  g_assert_cmpint (g_get_monotonic_time () - start, >=, G_USEC_PER_SEC);
}

static RawEnd
date_handler (RawServer *server, int fd, const char *request, gpointer user_data)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autoptr (GDateTime) then = g_date_time_add_seconds (now, GPOINTER_TO_INT (user_data));
  g_autofree char *date = g_date_time_format (then, "Retry-After: %a, %d %b %Y %H:%M:%S GMT\r\n");

  if (raw_server_get_n_requests (server) > 1)
    raw_write (fd, GOOD, -1);
  else
    raw_reply (fd, "503 Service Unavailable", date, "{}");
  return RAW_CLOSE;
}

static void
test_retry_after_date (void)
{
  g_autoptr (RawServer) near = raw_server_new (date_handler, GINT_TO_POINTER (2));
  g_autoptr (RawServer) far = raw_server_new (date_handler, GINT_TO_POINTER (60));
  g_autoptr (ConfabHttpProvider) near_provider = make (near, "m");
  g_autoptr (ConfabHttpProvider) far_provider = make (far, "m");
  gint64 start = g_get_monotonic_time ();
  g_auto (ProviderRun) near_run;
  g_auto (ProviderRun) far_run;

  provider_run_init (&near_run);
  provider_run_start (&near_run, near_provider, NULL, NULL);
  provider_run_wait (&near_run);
  g_assert_no_error (near_run.error);
  /* dates are whole seconds */
  g_assert_cmpint (g_get_monotonic_time () - start, >=, G_USEC_PER_SEC - FIRST_WAIT_US / 10);

  provider_run_init (&far_run);
  provider_run_start (&far_run, far_provider, NULL, NULL);
  provider_run_wait (&far_run);
  g_assert_error (far_run.error, CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_UNAVAILABLE);
  g_assert_cmpint (confab_error_get_retry_after (far_run.error), >, 50 * 1000);
  g_assert_cmpuint (raw_server_get_n_requests (far), ==, 1);
}

static void
test_same_question (void)
{
  static const char *const answers[] = { REFUSAL ("503 Service Unavailable", SOON, "x"), GOOD,
                                         NULL };
  g_autoptr (RawServer) server = raw_server_new (script_handler, (gpointer) answers);
  g_autoptr (ConfabHttpProvider) provider = make (server, "m");
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;
  g_auto (ProviderRun) run;

  provider_run_init (&run);
  provider_run_start (&run, provider, NULL, NULL);
  g_assert_true (raw_server_wait_for_requests (server, 1, 2000));
  first = raw_server_dup_last_request (server);
  provider_run_wait (&run);
  second = raw_server_dup_last_request (server);
  g_assert_nonnull (strstr (first, "hello"));
  g_assert_cmpstr (first, ==, second);
}

static void
check_n_requests (const char *const *answers, guint retries, guint n_requests)
{
  g_autoptr (RawServer) server = raw_server_new (script_handler, (gpointer) answers);
  g_autoptr (ConfabHttpProvider) provider = make (server, "m");
  g_auto (ProviderRun) run;

  confab_http_provider_set_retries (provider, retries);
  provider_run_init (&run);
  provider_run_start (&run, provider, NULL, NULL);
  provider_run_wait (&run);
  g_assert_error (run.error, CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_UNAVAILABLE);
  g_assert_cmpuint (raw_server_get_n_requests (server), ==, n_requests);
}

static void
test_setting (void)
{
  static const char *const answers[] = { REFUSAL ("503 Service Unavailable", SOON, "x"), NULL };

  check_n_requests (answers, 0, 1);
  check_n_requests (answers, 1, 2);
  check_n_requests (answers, 4, 5);
}

static void
test_stop_in_wait (void)
{
  static const char *const answers[] = {
    REFUSAL ("429 Too Many Requests", "Retry-After: 15\r\n", "slow down"), GOOD, NULL
  };
  g_autoptr (RawServer) server = raw_server_new (script_handler, (gpointer) answers);
  g_autoptr (ConfabHttpProvider) provider = make (server, "m");
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  gint64 since, end;
  g_auto (ProviderRun) run;

  provider_run_init (&run);
  provider_run_start (&run, provider, NULL, cancellable);
  g_assert_true (raw_server_wait_for_requests (server, 1, 2000));
  end = g_get_monotonic_time () + 200 * 1000;
  while (g_get_monotonic_time () < end)
    g_main_context_iteration (NULL, FALSE);
  g_assert_cmpuint (run.n_callbacks, ==, 0);

  since = g_get_monotonic_time ();
  g_cancellable_cancel (cancellable);
  provider_run_wait (&run);
  g_assert_error (run.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpint (g_get_monotonic_time () - since, <, 200 * 1000);
  g_assert_cmpuint (raw_server_get_n_requests (server), ==, 1);
}

/* A server that never answers may have lost the request. */
static void
test_stall_before_head (void)
{
  static const char *const answers[] = { HOLD, GOOD, NULL };
  g_autoptr (RawServer) server = raw_server_new (script_handler, (gpointer) answers);
  g_autoptr (ConfabHttpProvider) provider = make (server, "m");
  g_auto (ProviderRun) run;

  confab_http_provider_set_stall_timeout (provider, 150);
  provider_run_init (&run);
  provider_run_start (&run, provider, NULL, NULL);
  provider_run_wait (&run);
  g_assert_no_error (run.error);
  g_assert_cmpuint (raw_server_get_n_requests (server), ==, 2);
}

static RawEnd
silent_body_handler (RawServer *server, int fd, const char *request, gpointer user_data)
{
  raw_write (fd, STREAM (": thinking\n\n"), -1);
  return RAW_HOLD;
}

/* One that took it and fell silent is not asked to begin anew. */
static void
test_stall_in_body (void)
{
  g_autoptr (RawServer) server = raw_server_new (silent_body_handler, NULL);
  g_autoptr (ConfabHttpProvider) provider = make (server, "m");
  g_auto (ProviderRun) run;

  confab_http_provider_set_stall_timeout (provider, 150);
  provider_run_init (&run);
  provider_run_start (&run, provider, NULL, NULL);
  provider_run_wait (&run);
  g_assert_error (run.error, CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_TIMEOUT);
  g_assert_cmpuint (raw_server_get_n_requests (server), ==, 1);
}

static void
test_models (void)
{
  static const char *const answers[] = {
    REFUSAL ("503 Service Unavailable", SOON, "loading"),
    "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"data\":[{\"id\":\"first\"}]}",
    REFUSAL ("503 Service Unavailable", SOON, "still loading"), GOOD, NULL
  };
  g_autoptr (RawServer) server = raw_server_new (script_handler, (gpointer) answers);
  g_autoptr (ConfabHttpProvider) provider = make (server, NULL);
  g_auto (ProviderRun) run;

  provider_run_init (&run);
  provider_run_start (&run, provider, NULL, NULL);
  provider_run_wait (&run);
  g_assert_no_error (run.error);
  g_assert_cmpstr (run.text->str, ==, "well");
  /* the list is not asked for anew */
  g_assert_cmpuint (raw_server_get_n_requests (server), ==, 4);
}

static void
test_anthropic_overloaded (void)
{
  static const char *const answers[] = {
    STREAM ("event: message_start\ndata: {\"type\":\"message_start\",\"message\":{}}\n\n"
            "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\","
            "\"message\":\"Overloaded\"}}\n\n"),
    STREAM ("data: {\"type\":\"content_block_delta\",\"delta\":{\"text\":\"well\"}}\n\n"
            "data: {\"type\":\"message_stop\"}\n\n"),
    NULL
  };
  g_autoptr (RawServer) server = raw_server_new (script_handler, (gpointer) answers);
  g_autofree char *base_url = raw_server_dup_origin (server);
  g_autoptr (GError) error = NULL;
  g_autoptr (ConfabAnthropicProvider) provider =
      confab_anthropic_provider_new (base_url, NULL, "m", &error);
  g_auto (ProviderRun) run;

  g_assert_no_error (error);
  provider_run_init (&run);
  provider_run_start (&run, CONFAB_HTTP_PROVIDER (provider), NULL, NULL);
  provider_run_wait (&run);
  g_assert_no_error (run.error);
  g_assert_cmpstr (run.text->str, ==, "well");
  g_assert_cmpuint (raw_server_get_n_requests (server), ==, 2);
}

int
main (int argc, char **argv)
{
  provider_test_init (&argc, &argv);

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strconcat ("/confab/retries/", cases[i].name, NULL);

      g_test_add_data_func (path, &cases[i], test_case);
    }
  g_test_add_func ("/confab/retries/refused-then-well", test_refused_then_well);
  g_test_add_func ("/confab/retries/reset-then-well", test_reset_then_well);
  g_test_add_func ("/confab/retries/always-refused", test_always_refused);
  g_test_add_func ("/confab/retries/retry-after/is-kept", test_retry_after_is_kept);
  g_test_add_func ("/confab/retries/retry-after/date", test_retry_after_date);
  g_test_add_func ("/confab/retries/same-question", test_same_question);
  g_test_add_func ("/confab/retries/setting", test_setting);
  g_test_add_func ("/confab/retries/stop-in-wait", test_stop_in_wait);
  g_test_add_func ("/confab/retries/stall/before-head", test_stall_before_head);
  g_test_add_func ("/confab/retries/stall/in-body", test_stall_in_body);
  g_test_add_func ("/confab/retries/models", test_models);
  g_test_add_func ("/confab/retries/anthropic-overloaded", test_anthropic_overloaded);

  return g_test_run ();
}

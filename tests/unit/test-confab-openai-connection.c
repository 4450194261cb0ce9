/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "confab-error.h"
#include "confab-openai-fixture.h"

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

  openai_run_against (
      &run, hold_after_handler,
      (gpointer) "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3\r\n\r\n{\"error\":", 1000);
  g_assert_error (run.error, CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_RATE_LIMIT);
  g_assert_cmpint (confab_error_get_retry_after (run.error), ==, 3000);
}

static void
test_stall_before_head (void)
{
  gint64 start = g_get_monotonic_time ();
  g_auto (ProviderRun) run;

  openai_run_against (&run, hold_after_handler, (gpointer) "", 150);
  g_assert_error (run.error, CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_TIMEOUT);
  g_assert_cmpint (g_get_monotonic_time () - start, >=, 150 * 1000);
}

static void
test_stall_in_body (void)
{
  g_auto (ProviderRun) run;

  openai_run_against (&run, hold_after_handler, (gpointer) (STREAM_HEAD "3\r\n: a\r\n"), 150);
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

  openai_run_against (&run, slow_handler, NULL, 300);
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

  openai_run_against (&run, reset_handler, NULL, 0);
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
  openai_run (&run, CONFAB_HTTP_PROVIDER (provider));
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
  openai_run (&run, CONFAB_HTTP_PROVIDER (provider));
  g_assert_error (run.error, CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_UNAVAILABLE);
  g_assert_nonnull (strstr (run.error->message, "nowhere.invalid"));
}

/* provider_test_init() has taken TLS away. */
static void
test_tls_failure (void)
{
  g_autoptr (RawServer) server = raw_server_new (hold_after_handler, (gpointer) "");
  g_autofree char *url = g_strdup_printf ("https://127.0.0.1:%u/v1", raw_server_get_port (server));
  g_autoptr (GError) error = NULL;
  g_autoptr (ConfabOpenaiProvider) provider = confab_openai_provider_new (url, NULL, "m", &error);
  g_auto (ProviderRun) run;

  openai_run (&run, CONFAB_HTTP_PROVIDER (provider));
  g_assert_error (run.error, CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_UNAVAILABLE);
  g_assert_nonnull (strstr (run.error->message, "secure connection"));
  g_assert_false (confab_error_is_retryable (run.error));
}

static void
test_stop_before_head (void)
{
  provider_check_stop_before_head (openai_make);
}

static void
test_stop_in_half_a_head (void)
{
  g_autoptr (RawServer) server =
      raw_server_new (hold_after_handler, (gpointer) "HTTP/1.1 200 OK\r\nContent-");
  g_autoptr (ConfabHttpProvider) provider = openai_make (server, "m");
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
  provider_check_stop_in_body (openai_make, OPENAI_TYPE, TEXT_EVENT ("a"));
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

  provider_check_stop_at_delta (openai_make, server);
}

static void
test_stop_before_start (void)
{
  g_autoptr (RawServer) server = raw_server_new (hold_after_handler, (gpointer) "");
  g_autoptr (ConfabHttpProvider) provider = openai_make (server, "m");
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
  provider_check_end_does_not_wait (openai_make, OPENAI_TYPE, A_STREAM);
}

static void
test_connection_is_used_again (void)
{
  g_autoptr (RawServer) server = raw_server_new (openai_text_handler, (gpointer) A_STREAM);
  g_autoptr (ConfabHttpProvider) provider = openai_make (server, "m");

  for (guint i = 0; i < 3; i++)
    {
      g_auto (ProviderRun) run;

      openai_run (&run, provider);
      provider_assert_text (&run, "a", CONFAB_FINISH_STOP);
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
  openai_text_handler (server, fd, request, (gpointer) A_STREAM);
  return RAW_NEXT;
}

static void
test_dead_connection_is_replaced (void)
{
  g_autoptr (RawServer) server = raw_server_new (fickle_handler, NULL);
  g_autoptr (ConfabHttpProvider) provider = openai_make (server, "m");
  g_autofree char *request = NULL;

  for (guint i = 0; i < 2; i++)
    {
      g_auto (ProviderRun) run;

      openai_run (&run, provider);
      provider_assert_text (&run, "a", CONFAB_FINISH_STOP);
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
  openai_text_handler (server, fd, request, (gpointer) A_STREAM);
  return RAW_CLOSE;
}

static void
test_many_at_once (void)
{
  g_autoptr (RawServer) server = raw_server_new (meet_handler, NULL);
  g_autoptr (ConfabHttpProvider) provider = openai_make (server, "m");
  ProviderRun runs[30];

  for (guint i = 0; i < G_N_ELEMENTS (runs); i++)
    {
      provider_run_init (&runs[i]);
      provider_run_start (&runs[i], provider, NULL, NULL);
    }
  for (guint i = 0; i < G_N_ELEMENTS (runs); i++)
    {
      provider_run_wait (&runs[i]);
      provider_assert_text (&runs[i], "a", CONFAB_FINISH_STOP);
      provider_run_clear (&runs[i]);
    }
}

static void
test_stop_while_asking_for_models (void)
{
  g_autoptr (RawServer) server = raw_server_new (hold_after_handler, (gpointer) "");

  provider_check_stop_at_request (openai_make, server, NULL);
}

int
main (int argc, char **argv)
{
  provider_test_init (&argc, &argv);

  g_test_add_func ("/confab/openai-connection/stall/before-head", test_stall_before_head);
  g_test_add_func ("/confab/openai-connection/stall/in-body", test_stall_in_body);
  g_test_add_func ("/confab/openai-connection/stall/slow-is-none", test_slow_is_no_stall);
  g_test_add_func ("/confab/openai-connection/reset", test_reset);
  g_test_add_func ("/confab/openai-connection/refused-connection", test_refused_connection);
  g_test_add_func ("/confab/openai-connection/unknown-host", test_unknown_host);
  g_test_add_func ("/confab/openai-connection/tls-failure", test_tls_failure);
  g_test_add_func ("/confab/openai-connection/stop/before-start", test_stop_before_start);
  g_test_add_func ("/confab/openai-connection/stop/before-head", test_stop_before_head);
  g_test_add_func ("/confab/openai-connection/stop/in-half-a-head", test_stop_in_half_a_head);
  g_test_add_func ("/confab/openai-connection/stop/in-body", test_stop_in_body);
  g_test_add_func ("/confab/openai-connection/stop/in-flood", test_stop_in_flood);
  g_test_add_func ("/confab/openai-connection/stop/asking-for-models",
                   test_stop_while_asking_for_models);
  g_test_add_func ("/confab/openai-connection/done-does-not-wait", test_done_does_not_wait);
  g_test_add_func ("/confab/openai-connection/used-again", test_connection_is_used_again);
  g_test_add_func ("/confab/openai-connection/dead-is-replaced", test_dead_connection_is_replaced);
  g_test_add_func ("/confab/openai-connection/many-at-once", test_many_at_once);
  /* what it is given to be told must be enough for valgrind, too, which learns by what is before */
  g_test_add_func ("/confab/openai-connection/stalled-refusal", test_stalled_refusal);

  return g_test_run ();
}

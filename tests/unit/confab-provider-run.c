/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "confab-error.h"
#include "confab-provider-run.h"

#define KEY "sk-secret"
#define STOP_LIMIT_US (200 * 1000)

void
provider_run_init (ProviderRun *run)
{
  *run = (ProviderRun){ .text = g_string_new (NULL), .reasoning = g_string_new (NULL) };
}

void
provider_run_clear (ProviderRun *run)
{
  g_string_free (run->text, TRUE);
  g_string_free (run->reasoning, TRUE);
  g_clear_pointer (&run->outcome, confab_outcome_free);
  g_clear_error (&run->error);
}

static void
delta_cb (ConfabDeltaKind kind, const char *text, gsize length, gpointer user_data)
{
  ProviderRun *run = user_data;

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
  ProviderRun *run = user_data;

  run->n_callbacks++;
  run->outcome = confab_provider_generate_finish (CONFAB_PROVIDER (source), result, &run->error);
  g_assert_true ((run->outcome != NULL) != (run->error != NULL));
}

/* @prompt: NULL for a simple one */
void
provider_run_start (ProviderRun *run,
                    ConfabHttpProvider *provider,
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
void
provider_run_wait (ProviderRun *run)
{
  gint64 end = g_get_monotonic_time () + 60 * G_USEC_PER_SEC;

  while (run->n_callbacks == 0 && g_get_monotonic_time () < end)
    g_main_context_iteration (NULL, TRUE);
  for (guint i = 0; i < 5; i++)
    {
      g_main_context_iteration (NULL, FALSE);
      g_usleep (200);
    }
  g_assert_cmpuint (run->n_callbacks, ==, 1);
}

gboolean
provider_send_stream (int fd, const ProviderStream *stream)
{
  g_autoptr (GString) out = g_string_new ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n");
  gsize length = strlen (stream->body);
  gsize step = stream->step > 0 ? stream->step : MAX (length, 1);

  g_string_append_printf (out, "Content-Type: %s\r\n\r\n", stream->type);
  for (gsize i = 0; i < length; i += step)
    raw_append_chunk (out, stream->body + i, (gssize) MIN (step, length - i));
  g_string_append (out, "0\r\n\r\n");

  return stream->slow ? raw_write_by (fd, out->str, 1)
                      : raw_write (fd, out->str, (gssize) out->len);
}

RawEnd
provider_stream_handler (RawServer *server, int fd, const char *request, gpointer user_data)
{
  provider_send_stream (fd, user_data);
  return RAW_NEXT;
}

RawEnd
provider_verbatim_handler (RawServer *server, int fd, const char *request, gpointer user_data)
{
  raw_write (fd, user_data, -1);
  return RAW_CLOSE;
}

static void
check_result (const ProviderRun *run, const ProviderCase *c)
{
  g_assert_cmpstr (run->text->str, ==, c->text != NULL ? c->text : "");
  g_assert_cmpstr (run->reasoning->str, ==, c->reasoning != NULL ? c->reasoning : "");
  if (c->code == NULL)
    {
      g_assert_no_error (run->error);
      g_assert_cmpint (run->outcome->finish_reason, ==, c->reason);
      return;
    }

  g_assert_nonnull (run->error);
  g_assert_cmpuint (run->error->domain, ==, CONFAB_ERROR);
  g_assert_cmpstr (confab_error_to_code (run->error), ==, c->code);
  g_assert_cmpint (confab_error_is_retryable (run->error), ==, c->retryable);
  g_assert_cmpint (confab_error_get_retry_after (run->error), ==, c->retry_after_ms);
  g_assert_true (g_utf8_validate (run->error->message, -1, NULL));
  g_assert_null (strchr (run->error->message, '\n'));
  if (c->words != NULL && strstr (run->error->message, c->words) == NULL)
    g_error ("%s lacks %s", run->error->message, c->words);
}

static void
check_against (ProviderMaker maker, const ProviderCase *c, RawHandler handler, gpointer data)
{
  g_autoptr (RawServer) server = raw_server_new (handler, data);
  g_autoptr (ConfabHttpProvider) provider = maker (server, "m");
  g_auto (ProviderRun) run;

  confab_http_provider_set_retries (provider, 0);
  provider_run_init (&run);
  provider_run_start (&run, provider, NULL, NULL);
  provider_run_wait (&run);
  check_result (&run, c);
  if (run.error != NULL)
    g_assert_null (strstr (run.error->message, KEY));
}

/* Without a provider around it nothing hides the key. */
static void
check_reader (ProviderMaker maker, const ProviderCase *c, gsize step)
{
  g_autoptr (ConfabHttpProvider) provider = maker (NULL, "m");
  g_autoptr (ConfabAnswerReader) reader = NULL;
  gsize length = strlen (c->answer);
  g_auto (ProviderRun) run;

  provider_run_init (&run);
  run.started = TRUE;
  reader = CONFAB_HTTP_PROVIDER_GET_CLASS (provider)->new_reader (delta_cb, &run);
  for (gsize i = 0; i < length; i += step)
    {
      gsize n = MIN (step, length - i);
      g_autofree char *piece = g_memdup2 (c->answer + i, n);
      gboolean more = confab_answer_reader_feed (reader, piece, n, &run.error);

      confab_answer_reader_flush (reader);
      if (!more)
        break;
    }
  if (run.error == NULL)
    run.outcome = confab_answer_reader_finish (reader, &run.error);
  check_result (&run, c);
}

void
provider_check_verbatim (ProviderMaker maker, const ProviderCase *c)
{
  check_against (maker, c, provider_verbatim_handler, (gpointer) c->answer);
}

void
provider_check_case (ProviderMaker maker, const char *type, const ProviderCase *c)
{
  if (g_str_has_prefix (c->answer, "HTTP/"))
    {
      provider_check_verbatim (maker, c);
      return;
    }

  for (gsize step = 0; step <= 1; step++)
    {
      ProviderStream stream = { type, c->answer, step, FALSE };

      check_against (maker, c, provider_stream_handler, &stream);
    }
  for (gsize step = 1; step <= strlen (c->answer) + 1; step++)
    check_reader (maker, c, step);
}

/* Sends a head and a body without the body's end, or nothing, and waits for the peer to go. */
static RawEnd
hold_handler (RawServer *server, int fd, const char *request, gpointer user_data)
{
  const ProviderStream *stream = user_data;
  g_autoptr (GString) out = g_string_new (NULL);

  if (stream == NULL)
    return RAW_HOLD;

  g_string_append_printf (
      out, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: %s\r\n\r\n",
      stream->type);
  raw_append_chunk (out, stream->body, -1);
  raw_write (fd, out->str, (gssize) out->len);
  return RAW_HOLD;
}

void
provider_assert_closed_soon (RawServer *server, gint64 since)
{
  gint64 closed_at = raw_server_wait_for_close (server, 2000);

  g_assert_cmpint (closed_at, !=, 0);
  g_test_message ("closed after %" G_GINT64_FORMAT " us", closed_at - since);
  g_assert_cmpint (closed_at - since, <, STOP_LIMIT_US);
}

void
provider_check_stop_at_request (ProviderMaker maker, RawServer *server, const char *model)
{
  g_autoptr (ConfabHttpProvider) provider = maker (server, model);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  gint64 since;
  g_auto (ProviderRun) run;

  provider_run_init (&run);
  provider_run_start (&run, provider, NULL, cancellable);
  g_assert_true (raw_server_wait_for_requests (server, 1, 2000));
  since = g_get_monotonic_time ();
  g_cancellable_cancel (cancellable);
  provider_assert_closed_soon (server, since);
  provider_run_wait (&run);
  g_assert_error (run.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

void
provider_check_stop_before_head (ProviderMaker maker)
{
  g_autoptr (RawServer) server = raw_server_new (hold_handler, NULL);

  provider_check_stop_at_request (maker, server, "m");
}

void
provider_check_stop_at_delta (ProviderMaker maker, RawServer *server)
{
  g_autoptr (ConfabHttpProvider) provider = maker (server, "m");
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_auto (ProviderRun) run;

  provider_run_init (&run);
  run.cancel_at_delta = cancellable;
  provider_run_start (&run, provider, NULL, cancellable);
  while (run.n_deltas == 0 && run.n_callbacks == 0)
    g_main_context_iteration (NULL, TRUE);
  provider_assert_closed_soon (server, run.cancelled_at);
  provider_run_wait (&run);
  g_assert_error (run.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpuint (run.n_deltas, ==, 1);
}

void
provider_check_stop_in_body (ProviderMaker maker, const char *type, const char *body)
{
  ProviderStream stream = { type, body, 0, FALSE };
  g_autoptr (RawServer) server = raw_server_new (hold_handler, &stream);

  provider_check_stop_at_delta (maker, server);
}

void
provider_check_end_does_not_wait (ProviderMaker maker, const char *type, const char *body)
{
  ProviderStream stream = { type, body, 0, FALSE };
  g_autoptr (RawServer) server = raw_server_new (hold_handler, &stream);
  g_autoptr (ConfabHttpProvider) provider = maker (server, "m");
  gint64 since = g_get_monotonic_time ();
  g_auto (ProviderRun) run;

  provider_run_init (&run);
  provider_run_start (&run, provider, NULL, NULL);
  provider_run_wait (&run);
  g_assert_no_error (run.error);
  g_assert_cmpint (run.outcome->finish_reason, ==, CONFAB_FINISH_STOP);
  g_assert_cmpuint (run.text->len, >, 0);
  g_assert_cmpuint (run.n_deltas, ==, (run.reasoning->len > 0) + (run.text->len > 0));
  provider_assert_closed_soon (server, since);
}

/* A server that falls silent in its body. */
void
provider_check_stall (ProviderMaker maker, const char *type, const char *body)
{
  ProviderStream stream = { type, body, 0, FALSE };
  g_autoptr (RawServer) server = raw_server_new (hold_handler, &stream);
  g_autoptr (ConfabHttpProvider) provider = maker (server, "m");
  g_auto (ProviderRun) run;

  confab_http_provider_set_stall_timeout (provider, 150);
  provider_run_init (&run);
  provider_run_start (&run, provider, NULL, NULL);
  provider_run_wait (&run);
  g_assert_error (run.error, CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_TIMEOUT);
  g_assert_cmpuint (run.text->len, >, 0);
  g_assert_cmpint (raw_server_wait_for_close (server, 2000), !=, 0);
}

void
provider_assert_text (const ProviderRun *run, const char *text, ConfabFinishReason reason)
{
  g_assert_no_error (run->error);
  g_assert_cmpstr (run->text->str, ==, text);
  g_assert_cmpint (run->outcome->finish_reason, ==, reason);
}

void
provider_test_init (int *argc, char ***argv)
{
  /* Before GIO looks for it: LeakSanitizer does not get along with the real one's libraries. */
  g_setenv ("GIO_USE_TLS", "dummy", TRUE);
  g_test_init (argc, argv, NULL);
}

void
provider_add_cases (const char *path, const ProviderCase *cases, gsize n_cases, GTestDataFunc func)
{
  for (gsize i = 0; i < n_cases; i++)
    {
      g_autofree char *test_path = g_strconcat (path, "/", cases[i].name, NULL);

      g_test_add_data_func (test_path, &cases[i], func);
    }
}

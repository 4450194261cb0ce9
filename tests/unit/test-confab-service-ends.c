/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Answers that end before their time: stopped, failed, too long, or with the service. */
#include <string.h>

#include "confab-service-fixture.h"

#define GENERATE "ai:chat:generate"

/* How many were logged. */
static guint n_messages;

static GLogWriterOutput
count_messages_cb (GLogLevelFlags level,
                   const GLogField *fields,
                   gsize n_fields,
                   gpointer user_data)
{
  if ((level & G_LOG_LEVEL_MESSAGE) != 0)
    n_messages++;

  return g_log_writer_default (level, fields, n_fields, user_data);
}

static void
test_stop (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ConfabGeneration) generation = ask (self, "m", "x");
  const char *id = confab_generation_get_id (generation);
  ScriptedRun *run = await_run (self, 0);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (JsonObject) payload = fields ("moduleId", "m", NULL);

  scripted_run_say (run, "Hal");
  confab_service_stop_async (self->service, payload, store_ready_cb, &result);
  /* at once, whatever the store does */
  g_assert_true (g_cancellable_is_cancelled (run->cancellable));
  /* what the provider had in hand changes nothing */
  scripted_run_say (run, "f");
  wait_for (&result);
  g_assert_cmpint (confab_service_stop_finish (self->service, result, NULL), ==, 1);
  g_assert_cmpint (confab_generation_get_state (generation), ==, CONFAB_STATE_STOPPED);
  g_assert_cmpuint (confab_service_get_n_running (self->service), ==, 0);
  g_assert_cmpint (stop (self, "m", NULL, NULL), ==, 0);
  g_assert_cmpint (stop (self, "m", id, NULL), ==, 0);

  scripted_run_say (run, "f");
  scripted_run_finish (run);
  settle (self);
  g_assert_cmpstr (confab_generation_get_text (generation), ==, "Hal");
  g_assert_cmpint (confab_generation_get_state (generation), ==, CONFAB_STATE_STOPPED);
  assert_branch (self, "m", "user:x;assistant:Hal;");
}

static void
test_late_run_spares_the_next (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ConfabGeneration) first = ask (self, "m", "one");
  ScriptedRun *late = await_run (self, 0);
  g_autoptr (ConfabGeneration) second = NULL;

  g_assert_cmpint (stop (self, "m", NULL, NULL), ==, 1);
  second = ask (self, "m", "two");
  await_run (self, 1);
  scripted_run_say (late, "late");
  scripted_run_fail (late, CONFAB_ERROR_INTERNAL);
  settle (self);
  g_assert_cmpint (confab_generation_get_state (second), ==, CONFAB_STATE_CONNECTING);
  g_assert_cmpstr (confab_generation_get_text (second), ==, "");
  g_assert_cmpuint (confab_service_get_n_running (self->service), ==, 1);
}

static void
test_stop_named (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ConfabGeneration) first = converse (self, "m", "one", "1");
  g_autoptr (ConfabGeneration) second = ask (self, "m", "two");
  g_autoptr (GError) error = NULL;

  /* stopping an old one spares the one that runs */
  g_assert_cmpint (stop (self, "m", confab_generation_get_id (first), NULL), ==, 0);
  g_assert_cmpuint (confab_service_get_n_running (self->service), ==, 1);
  g_assert_cmpint (stop (self, "m", "nobody", &error), ==, -1);
  g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_UNKNOWN_GENERATION);
  g_assert_cmpint (stop (self, "m", confab_generation_get_id (second), NULL), ==, 1);
}

static void
test_stop_unknown_module (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (stop (self, "m", NULL, &error), ==, -1);
  g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_UNKNOWN_MODULE);
  g_clear_error (&error);
  g_assert_cmpint (stop (self, NULL, NULL, &error), ==, -1);
  g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST);
}

/* A client need not wait for its ack before it changes its mind. */
static void
test_stop_before_acceptance (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (JsonObject) payload = fields ("moduleId", "m", "message", "x", NULL);
  g_autoptr (ConfabGeneration) generation = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  gboolean repeated;

  confab_service_generate_async (self->service, payload, store_ready_cb, &result);
  g_assert_cmpint (stop (self, "m", NULL, NULL), ==, 1);
  g_assert_nonnull (result);
  generation = confab_service_generate_finish (self->service, result, &repeated, NULL);
  g_assert_cmpint (confab_generation_get_state (generation), ==, CONFAB_STATE_STOPPED);
  settle (self);
  g_assert_cmpuint (scripted_provider_get_n_runs (self->provider), ==, 0);
  g_assert_cmpuint (confab_service_get_n_running (self->service), ==, 0);
  assert_branch (self, "m", "user:x;assistant:;");
}

static void
test_failure (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ConfabGeneration) generation = ask (self, "m", "x");
  ScriptedRun *run = await_run (self, 0);
  g_autoptr (ConfabGeneration) next = NULL;

  scripted_run_say (run, "Hal");
  scripted_run_fail (run, CONFAB_ERROR_UPSTREAM_TRUNCATED);
  await_end (generation);
  g_assert_cmpint (confab_generation_get_state (generation), ==, CONFAB_STATE_FAILED);
  g_assert_error ((GError *) confab_generation_get_error (generation), CONFAB_ERROR,
                  CONFAB_ERROR_UPSTREAM_TRUNCATED);
  g_assert_cmpstr (confab_generation_get_text (generation), ==, "Hal");
  next = ask (self, "m", "y");
}

static void
note_count_cb (const char *const *labels, guint64 value, gpointer user_data)
{
  g_string_append_printf (user_data, "%s %s %" G_GUINT64_FORMAT ";", labels[0], labels[1], value);
}

static void
assert_counted (ServiceFixture *self, ConfabMetric metric, const char *expected)
{
  g_autoptr (GString) counts = g_string_new (NULL);

  confab_metrics_foreach (confab_service_get_metrics (self->service), metric, note_count_cb,
                          counts);
  g_assert_cmpstr (counts->str, ==, expected);
}

/* The module gets another provider while its question waits: what that does is not counted as the
 * first one's. */
static void
test_failure_is_counted_as_whose_it_is (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ScriptedProvider) other = g_object_new (SCRIPTED_TYPE_PROVIDER, NULL);
  g_autoptr (ConfabGeneration) first = NULL;
  g_autoptr (ConfabGeneration) second = NULL;
  g_autoptr (ConfabModule) module = NULL;

  confab_provider_registry_add (self->providers, "other", CONFAB_PROVIDER (other));
  confab_service_set_queue (self->service, TRUE);
  first = ask (self, "m", "one");
  second = ask (self, "m", "two");
  module = change_module (self, "module:update",
                          fields ("moduleId", "m", "provider", "other", NULL), NULL);
  scripted_run_finish (await_run (self, 0));
  await_end (first);
  while (scripted_provider_get_n_runs (other) == 0)
    g_main_context_iteration (NULL, TRUE);
  scripted_run_say (scripted_provider_get_run (other, 0), "Hal");
  scripted_run_fail (scripted_provider_get_run (other, 0), CONFAB_ERROR_UPSTREAM_TRUNCATED);
  await_end (second);

  assert_counted (self, CONFAB_METRIC_UPSTREAM_ERRORS, "other upstream-truncated 1;");
  assert_counted (self, CONFAB_METRIC_OUTPUT_BYTES, "other text 3;");
}

static void
stop_from_delta_cb (ConfabGeneration *generation, const ConfabDelta *delta, gpointer user_data)
{
  ServiceFixture *self = user_data;
  g_autoptr (JsonObject) payload = fields ("moduleId", "m", NULL);

  confab_service_stop_async (self->service, payload, NULL, NULL);
}

static void
test_stop_from_delta (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ConfabGeneration) generation = ask (self, "m", "x");
  ScriptedRun *run = await_run (self, 0);

  g_signal_connect (generation, "delta", G_CALLBACK (stop_from_delta_cb), self);
  scripted_run_say (run, "Hi");
  scripted_run_say (run, " more");
  await_end (generation);
  g_assert_cmpint (confab_generation_get_state (generation), ==, CONFAB_STATE_STOPPED);
  g_assert_cmpstr (confab_generation_get_text (generation), ==, "Hi");
}

static void
stop_from_state_cb (ConfabGeneration *generation, gpointer user_data)
{
  stop_from_delta_cb (generation, NULL, user_data);
}

/* From then on there is no provider either. */
static void
follow_state_cb (ConfabService *service, ConfabGeneration *generation, gpointer user_data)
{
  g_autoptr (ConfabProviderRegistry) none = confab_provider_registry_new ();

  confab_service_set_providers (service, none);
  g_signal_connect (generation, "state-changed", G_CALLBACK (stop_from_state_cb), user_data);
}

/* What was stopped is not said to fail, as it would have for want of a provider. */
static void
test_stop_from_state (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ConfabGeneration) generation = NULL;

  g_signal_connect (self->service, "generation-started", G_CALLBACK (follow_state_cb), self);
  n_messages = 0;
  generation = ask (self, "m", "x");
  await_end (generation);
  g_assert_cmpint (confab_generation_get_state (generation), ==, CONFAB_STATE_STOPPED);
  g_assert_cmpuint (n_messages, ==, 0);
}

static void
test_answer_limit (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ConfabGeneration) generation = ask (self, "m", "x");
  g_autofree char *piece = g_strnfill (CONFAB_MAX_ANSWER_BYTES / 4, 'x');
  ScriptedRun *run = await_run (self, 0);

  scripted_run_think (run, piece);
  for (guint i = 0; i < 3; i++)
    scripted_run_say (run, piece);
  settle (self);
  g_assert_false (confab_generation_is_ended (generation));
  scripted_run_say (run, "y");
  g_assert_true (g_cancellable_is_cancelled (run->cancellable));
  await_end (generation);
  g_assert_cmpint (confab_generation_get_state (generation), ==, CONFAB_STATE_COMPLETED);
  g_assert_cmpint (confab_generation_get_outcome (generation)->finish_reason, ==,
                   CONFAB_FINISH_LENGTH);
}

static void
test_shutdown (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ConfabGeneration) generation = ask (self, "m", "x");
  g_autoptr (GError) error = NULL;

  scripted_run_say (await_run (self, 0), "Hal");
  g_assert_true (shut_down (self, &error));
  g_assert_no_error (error);
  g_assert_cmpint (confab_generation_get_state (generation), ==, CONFAB_STATE_INTERRUPTED);
  g_assert_error ((GError *) confab_generation_get_error (generation), CONFAB_ERROR,
                  CONFAB_ERROR_SHUTTING_DOWN);
  g_assert_cmpstr (confab_generation_get_text (generation), ==, "Hal");
  g_assert_true (confab_service_is_shut_down (self->service));
}

static void
test_refused_after_shutdown (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ConfabGeneration) generation = converse (self, "m", "x", "y");
  g_autoptr (GError) error = NULL;

  g_assert_true (shut_down (self, NULL));
  assert_not_generated (self, GENERATE, fields ("moduleId", "new", "message", "x", NULL),
                        CONFAB_ERROR_SHUTTING_DOWN);
  assert_not_generated (self, GENERATE, fields ("moduleId", "m", "message", "x", NULL),
                        CONFAB_ERROR_SHUTTING_DOWN);
  g_assert_null (change_session (self, "session:create", fields (NULL, NULL), &error));
  g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_SHUTTING_DOWN);
}

/* Where the store would have to be asked first, which is closed by now. */
static void
test_reads_after_shutdown (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (ConfabGeneration) generation = converse (self, "m", "x", "y");
  g_autoptr (GError) error = NULL;
  gboolean more;

  g_assert_true (shut_down (self, NULL));
  assert_not_generated (self, GENERATE,
                        fields ("moduleId", "m", "message", "x", "requestId", "r", NULL),
                        CONFAB_ERROR_SHUTTING_DOWN);
  assert_not_generated (self, GENERATE,
                        fields ("moduleId", "m", "message", "x", "userMessageId", "u", NULL),
                        CONFAB_ERROR_SHUTTING_DOWN);
  assert_not_generated (self, "ai:chat:regenerate", fields ("moduleId", "m", NULL),
                        CONFAB_ERROR_SHUTTING_DOWN);
  g_assert_null (get_history (self, fields ("moduleId", "m", NULL), &more, &error));
  g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_SHUTTING_DOWN);
  g_clear_error (&error);
  g_assert_null (recall (self, fields ("moduleId", "m", NULL), &error));
  g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_SHUTTING_DOWN);
}

/* A question that is on its way to the disk is accepted, and ends like all others. */
static void
test_shutdown_before_acceptance (ServiceFixture *self, gconstpointer data)
{
  g_autoptr (JsonObject) payload = fields ("moduleId", "m", "message", "x", NULL);
  g_autoptr (ConfabGeneration) generation = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  gboolean repeated;

  confab_service_generate_async (self->service, payload, store_ready_cb, &result);
  g_assert_true (shut_down (self, &error));
  g_assert_no_error (error);
  g_assert_nonnull (result);
  generation = confab_service_generate_finish (self->service, result, &repeated, &error);
  g_assert_no_error (error);
  g_assert_cmpint (confab_generation_get_state (generation), ==, CONFAB_STATE_INTERRUPTED);
  g_assert_cmpuint (scripted_provider_get_n_runs (self->provider), ==, 0);
}

#define ADD(name, func)                                                                            \
  g_test_add ("/confab/service-ends/" name, ServiceFixture, NULL, service_set_up, func,            \
              service_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_log_set_writer_func (count_messages_cb, NULL, NULL);

  ADD ("stop", test_stop);
  ADD ("stop-named", test_stop_named);
  ADD ("stop-unknown-module", test_stop_unknown_module);
  ADD ("stop-before-acceptance", test_stop_before_acceptance);
  ADD ("stop-from-delta", test_stop_from_delta);
  ADD ("stop-from-state", test_stop_from_state);
  ADD ("late-run-spares-the-next", test_late_run_spares_the_next);
  ADD ("failure", test_failure);
  ADD ("failure-is-counted-as-whose-it-is", test_failure_is_counted_as_whose_it_is);
  ADD ("answer-limit", test_answer_limit);
  ADD ("shutdown", test_shutdown);
  ADD ("refused-after-shutdown", test_refused_after_shutdown);
  ADD ("reads-after-shutdown", test_reads_after_shutdown);
  ADD ("shutdown-before-acceptance", test_shutdown_before_acceptance);

  return g_test_run ();
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-error.h"
#include "confab-service.h"

/*
 * ScriptedProvider: a provider that does what the test says, when it says so. The newest run is the
 * one that is driven.
 */
#define SCRIPTED_TYPE_PROVIDER (scripted_provider_get_type ())
G_DECLARE_FINAL_TYPE (ScriptedProvider, scripted_provider, SCRIPTED, PROVIDER, GObject)

struct _ScriptedProvider
{
  GObject parent_instance;

  GTask *task;
  ConfabDeltaFunc on_delta;
  gpointer delta_data;
  ConfabPrompt *prompt;
  guint n_runs;
};

static void scripted_provider_iface_init (ConfabProviderInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (ScriptedProvider,
                               scripted_provider,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (CONFAB_TYPE_PROVIDER,
                                                      scripted_provider_iface_init))

static void
scripted_provider_finalize (GObject *object)
{
  ScriptedProvider *self = SCRIPTED_PROVIDER (object);

  g_assert_null (self->task);
  g_clear_pointer (&self->prompt, confab_prompt_unref);

  G_OBJECT_CLASS (scripted_provider_parent_class)->finalize (object);
}

static void
scripted_provider_class_init (ScriptedProviderClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = scripted_provider_finalize;
}

static void
scripted_provider_init (ScriptedProvider *self)
{
}

static const char *
scripted_get_name (ConfabProvider *provider)
{
  return "scripted";
}

static void
scripted_generate_async (ConfabProvider *provider,
                         ConfabPrompt *prompt,
                         ConfabDeltaFunc on_delta,
                         gpointer delta_data,
                         GCancellable *cancellable,
                         GAsyncReadyCallback callback,
                         gpointer user_data)
{
  ScriptedProvider *self = SCRIPTED_PROVIDER (provider);

  g_assert_null (self->task);
  self->task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (self->task, scripted_generate_async);
  self->on_delta = on_delta;
  self->delta_data = delta_data;
  g_clear_pointer (&self->prompt, confab_prompt_unref);
  self->prompt = confab_prompt_ref (prompt);
  self->n_runs++;
}

static ConfabOutcome *
scripted_generate_finish (ConfabProvider *provider, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
scripted_provider_iface_init (ConfabProviderInterface *iface)
{
  iface->get_name = scripted_get_name;
  iface->generate_async = scripted_generate_async;
  iface->generate_finish = scripted_generate_finish;
}

static void
say (ScriptedProvider *self, const char *text)
{
  self->on_delta (CONFAB_DELTA_TEXT, text, strlen (text), self->delta_data);
}

static void
drain (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static void
finish (ScriptedProvider *self)
{
  g_autoptr (GTask) task = g_steal_pointer (&self->task);

  g_task_return_pointer (task, confab_outcome_new (CONFAB_FINISH_STOP),
                         (GDestroyNotify) confab_outcome_free);
  drain ();
}

static void
fail (ScriptedProvider *self, ConfabError code)
{
  g_autoptr (GTask) task = g_steal_pointer (&self->task);

  g_task_return_new_error (task, CONFAB_ERROR, code, "It broke.");
  drain ();
}

typedef struct
{
  ConfabService *service;
  ScriptedProvider *provider;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->service = confab_service_new ();
  fixture->provider = g_object_new (SCRIPTED_TYPE_PROVIDER, NULL);
  confab_service_set_provider (fixture->service, CONFAB_PROVIDER (fixture->provider));
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  if (fixture->provider->task != NULL)
    finish (fixture->provider);
  g_assert_finalize_object (fixture->service);
  g_assert_finalize_object (fixture->provider);
}

static ConfabGeneration *
ask (Fixture *fixture, const ConfabQuestion *question)
{
  g_autoptr (GError) error = NULL;
  gboolean repeated = TRUE;
  ConfabGeneration *generation =
      confab_service_generate (fixture->service, question, &repeated, &error);

  g_assert_no_error (error);
  g_assert_nonnull (generation);
  g_assert_false (repeated);

  return generation;
}

static void
assert_refused (Fixture *fixture, const ConfabQuestion *question, ConfabError code)
{
  g_autoptr (GError) error = NULL;
  gboolean repeated = TRUE;

  g_assert_null (confab_service_generate (fixture->service, question, &repeated, &error));
  g_assert_error (error, CONFAB_ERROR, (gint) code);
  g_assert_false (repeated);
}

static const ConfabQuestion plain = { .module_id = "m", .message = "Hello" };

static void
test_generate (Fixture *fixture, gconstpointer data)
{
  g_autoptr (ConfabGeneration) generation = g_object_ref (ask (fixture, &plain));

  g_assert_cmpint (confab_generation_get_state (generation), ==, CONFAB_STATE_CONNECTING);
  g_assert_cmpuint (confab_service_get_n_running (fixture->service), ==, 1);
  say (fixture->provider, "Hi");
  say (fixture->provider, " there");
  finish (fixture->provider);
  g_assert_cmpint (confab_generation_get_state (generation), ==, CONFAB_STATE_COMPLETED);
  g_assert_cmpstr (confab_generation_get_text (generation), ==, "Hi there");
  g_assert_cmpuint (confab_service_get_n_running (fixture->service), ==, 0);
}

static void
test_sessions (Fixture *fixture, gconstpointer data)
{
  const ConfabQuestion there = { .module_id = "n", .message = "x", .session_id = "s" };
  ConfabSession *session;

  ask (fixture, &plain);
  finish (fixture->provider);
  session = confab_service_lookup_session (fixture->service, CONFAB_DEFAULT_SESSION);
  g_assert_cmpuint (confab_session_get_n_modules (session), ==, 1);
  ask (fixture, &there);
  session = confab_service_lookup_session (fixture->service, "s");
  g_assert_true (confab_session_get_module (session, 0)
                 == confab_service_lookup_module (fixture->service, "n"));
}

static void
test_context (Fixture *fixture, gconstpointer data)
{
  ask (fixture, &plain);
  say (fixture->provider, "Hi");
  finish (fixture->provider);
  ask (fixture, &plain);
  g_assert_cmpuint (confab_prompt_get_n_turns (fixture->provider->prompt), ==, 3);
  g_assert_cmpstr (confab_prompt_get_turn_content (fixture->provider->prompt, 1), ==, "Hi");
}

static void
test_invalid (Fixture *fixture, gconstpointer data)
{
  const ConfabQuestion questions[] = {
    { .message = "x" },
    { .module_id = "", .message = "x" },
    { .module_id = "a b", .message = "x" },
    { .module_id = "m" },
    { .module_id = "m", .message = "" },
    { .module_id = "m", .message = " \n\t\xc2\xa0" },
    { .module_id = "m", .message = "x", .session_id = "" },
    { .module_id = "m", .message = "x", .request_id = "a/b" },
    { .module_id = "m", .message = "x", .user_message_id = "a b" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (questions); i++)
    assert_refused (fixture, &questions[i], CONFAB_ERROR_INVALID_REQUEST);
  g_assert_null (confab_service_lookup_module (fixture->service, "m"));
  g_assert_cmpuint (fixture->provider->n_runs, ==, 0);
}

static void
test_message_size (Fixture *fixture, gconstpointer data)
{
  g_autofree char *largest = g_strnfill (CONFAB_MAX_MESSAGE_BYTES, 'x');
  g_autofree char *too_large = g_strnfill (CONFAB_MAX_MESSAGE_BYTES + 1, 'x');
  const ConfabQuestion good = { .module_id = "m", .message = largest };
  const ConfabQuestion bad = { .module_id = "m", .message = too_large };

  assert_refused (fixture, &bad, CONFAB_ERROR_TOO_LARGE);
  ask (fixture, &good);
}

static void
test_busy (Fixture *fixture, gconstpointer data)
{
  const ConfabQuestion named = { .module_id = "m", .message = "y", .request_id = "r" };

  ask (fixture, &plain);
  assert_refused (fixture, &named, CONFAB_ERROR_BUSY);
  finish (fixture->provider);
  /* the refused request was not used up */
  ask (fixture, &named);
}

static void
test_repeat (Fixture *fixture, gconstpointer data)
{
  const ConfabQuestion named = {
    .module_id = "m", .message = "y", .request_id = "r", .user_message_id = "u"
  };
  const ConfabQuestion shorter = { .module_id = "m", .message = "y", .request_id = "r" };
  const ConfabQuestion other = { .module_id = "m", .message = "z", .request_id = "r" };
  const ConfabQuestion other_id = {
    .module_id = "m", .message = "y", .request_id = "r", .user_message_id = "v"
  };
  ConfabGeneration *generation = ask (fixture, &named);

  /* while it runs, after it ended, and after shutdown */
  for (guint i = 0; i < 3; i++)
    {
      gboolean repeated = FALSE;

      g_assert_true (confab_service_generate (fixture->service, &named, &repeated, NULL)
                     == generation);
      g_assert_true (repeated);
      g_assert_true (confab_service_generate (fixture->service, &shorter, &repeated, NULL)
                     == generation);
      assert_refused (fixture, &other, CONFAB_ERROR_INVALID_REQUEST);
      assert_refused (fixture, &other_id, CONFAB_ERROR_INVALID_REQUEST);
      g_assert_cmpuint (fixture->provider->n_runs, ==, 1);
      if (i == 0)
        finish (fixture->provider);
      else
        confab_service_shutdown (fixture->service);
    }
}

static void
test_request_of_other_module (Fixture *fixture, gconstpointer data)
{
  const ConfabQuestion here = { .module_id = "m", .message = "x", .request_id = "r" };
  const ConfabQuestion there = { .module_id = "n", .message = "x", .request_id = "r" };

  ask (fixture, &here);
  finish (fixture->provider);
  ask (fixture, &there);
}

static void
test_stop (Fixture *fixture, gconstpointer data)
{
  g_autoptr (ConfabGeneration) generation = g_object_ref (ask (fixture, &plain));
  const char *id = confab_generation_get_id (generation);

  say (fixture->provider, "Hal");
  g_assert_cmpint (confab_service_stop (fixture->service, "m", NULL, NULL), ==, 1);
  g_assert_true (g_cancellable_is_cancelled (g_task_get_cancellable (fixture->provider->task)));
  g_assert_cmpint (confab_generation_get_state (generation), ==, CONFAB_STATE_STOPPED);
  g_assert_cmpuint (confab_service_get_n_running (fixture->service), ==, 0);
  g_assert_cmpint (confab_service_stop (fixture->service, "m", NULL, NULL), ==, 0);
  g_assert_cmpint (confab_service_stop (fixture->service, "m", id, NULL), ==, 0);

  /* what the provider had in hand changes nothing */
  say (fixture->provider, "f");
  finish (fixture->provider);
  g_assert_cmpstr (confab_generation_get_text (generation), ==, "Hal");
  g_assert_cmpint (confab_generation_get_state (generation), ==, CONFAB_STATE_STOPPED);
}

static void
test_late_run_spares_the_next (Fixture *fixture, gconstpointer data)
{
  ConfabGeneration *second;
  g_autoptr (GTask) first_task = NULL;
  ConfabDeltaFunc first_delta;
  gpointer first_data;

  ask (fixture, &plain);
  first_task = g_steal_pointer (&fixture->provider->task);
  first_delta = fixture->provider->on_delta;
  first_data = fixture->provider->delta_data;
  confab_service_stop (fixture->service, "m", NULL, NULL);

  second = ask (fixture, &plain);
  first_delta (CONFAB_DELTA_TEXT, "late", 4, first_data);
  g_task_return_new_error (first_task, CONFAB_ERROR, CONFAB_ERROR_INTERNAL, "late");
  drain ();
  g_assert_cmpint (confab_generation_get_state (second), ==, CONFAB_STATE_CONNECTING);
  g_assert_cmpstr (confab_generation_get_text (second), ==, "");
  g_assert_cmpuint (confab_service_get_n_running (fixture->service), ==, 1);
}

static void
test_stop_named (Fixture *fixture, gconstpointer data)
{
  g_autofree char *old = g_strdup (confab_generation_get_id (ask (fixture, &plain)));
  g_autoptr (GError) error = NULL;

  finish (fixture->provider);
  ask (fixture, &plain);
  /* stopping an old one spares the one that runs */
  g_assert_cmpint (confab_service_stop (fixture->service, "m", old, NULL), ==, 0);
  g_assert_cmpuint (confab_service_get_n_running (fixture->service), ==, 1);
  g_assert_cmpint (confab_service_stop (fixture->service, "m", "nobody", &error), ==, -1);
  g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_UNKNOWN_GENERATION);
}

static void
test_stop_unknown_module (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (confab_service_stop (fixture->service, "m", NULL, &error), ==, -1);
  g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_UNKNOWN_MODULE);
  g_clear_error (&error);
  g_assert_cmpint (confab_service_stop (fixture->service, NULL, NULL, &error), ==, -1);
  g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST);
}

static void
test_failure (Fixture *fixture, gconstpointer data)
{
  g_autoptr (ConfabGeneration) generation = g_object_ref (ask (fixture, &plain));

  say (fixture->provider, "Hal");
  g_test_expect_message ("Confab", G_LOG_LEVEL_MESSAGE, "*It broke.*");
  fail (fixture->provider, CONFAB_ERROR_UPSTREAM_TRUNCATED);
  g_test_assert_expected_messages ();
  g_assert_cmpint (confab_generation_get_state (generation), ==, CONFAB_STATE_FAILED);
  g_assert_error ((GError *) confab_generation_get_error (generation), CONFAB_ERROR,
                  CONFAB_ERROR_UPSTREAM_TRUNCATED);
  ask (fixture, &plain);
}

static void
stop_from_delta_cb (ConfabGeneration *generation, const ConfabDelta *delta, gpointer user_data)
{
  g_assert_cmpint (confab_service_stop (user_data, "m", NULL, NULL), ==, 1);
}

static void
test_stop_from_delta (Fixture *fixture, gconstpointer data)
{
  g_autoptr (ConfabGeneration) generation = g_object_ref (ask (fixture, &plain));

  g_signal_connect (generation, "delta", G_CALLBACK (stop_from_delta_cb), fixture->service);
  say (fixture->provider, "Hi");
  g_assert_cmpint (confab_generation_get_state (generation), ==, CONFAB_STATE_STOPPED);
}

static void
test_answer_limit (Fixture *fixture, gconstpointer data)
{
  g_autoptr (ConfabGeneration) generation = g_object_ref (ask (fixture, &plain));
  g_autofree char *piece = g_strnfill (CONFAB_MAX_ANSWER_BYTES / 4, 'x');

  for (guint i = 0; i < 4; i++)
    say (fixture->provider, piece);
  g_assert_false (confab_generation_is_ended (generation));
  say (fixture->provider, "y");
  g_assert_cmpint (confab_generation_get_state (generation), ==, CONFAB_STATE_COMPLETED);
  g_assert_cmpint (confab_generation_get_outcome (generation)->finish_reason, ==,
                   CONFAB_FINISH_LENGTH);
  g_assert_true (g_cancellable_is_cancelled (g_task_get_cancellable (fixture->provider->task)));
}

static void
test_shutdown (Fixture *fixture, gconstpointer data)
{
  g_autoptr (ConfabGeneration) generation = g_object_ref (ask (fixture, &plain));
  const ConfabQuestion elsewhere = { .module_id = "n", .message = "x" };

  say (fixture->provider, "Hal");
  confab_service_shutdown (fixture->service);
  g_assert_cmpint (confab_generation_get_state (generation), ==, CONFAB_STATE_INTERRUPTED);
  g_assert_error ((GError *) confab_generation_get_error (generation), CONFAB_ERROR,
                  CONFAB_ERROR_SHUTTING_DOWN);
  g_assert_cmpstr (confab_generation_get_text (generation), ==, "Hal");
  g_assert_true (confab_service_is_shut_down (fixture->service));
  assert_refused (fixture, &elsewhere, CONFAB_ERROR_SHUTTING_DOWN);
}

static void
test_no_provider (void)
{
  g_autoptr (ConfabService) service = confab_service_new ();
  g_autoptr (GError) error = NULL;
  gboolean repeated;

  g_assert_null (confab_service_generate (service, &plain, &repeated, &error));
  g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_NO_PROVIDER);
}

#define ADD(name, func) g_test_add ("/confab/service/" name, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  ADD ("generate", test_generate);
  ADD ("sessions", test_sessions);
  ADD ("context", test_context);
  ADD ("invalid", test_invalid);
  ADD ("message-size", test_message_size);
  ADD ("busy", test_busy);
  ADD ("repeat", test_repeat);
  ADD ("request-of-other-module", test_request_of_other_module);
  ADD ("stop", test_stop);
  ADD ("stop-named", test_stop_named);
  ADD ("stop-unknown-module", test_stop_unknown_module);
  ADD ("stop-from-delta", test_stop_from_delta);
  ADD ("late-run-spares-the-next", test_late_run_spares_the_next);
  ADD ("failure", test_failure);
  ADD ("answer-limit", test_answer_limit);
  ADD ("shutdown", test_shutdown);
  g_test_add_func ("/confab/service/no-provider", test_no_provider);

  return g_test_run ();
}

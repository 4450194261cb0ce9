/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-service-fixture.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

static void
ended_cb (ConfabGeneration *generation, gpointer user_data)
{
  ConfabMessage *question = confab_generation_get_question (generation);

  g_string_append_printf (user_data, "ended:%s:%s;", confab_message_get_content (question),
                          confab_state_to_string (confab_generation_get_state (generation)));
}

static void
started_cb (ConfabService *service, ConfabGeneration *generation, gpointer user_data)
{
  ConfabMessage *question = confab_generation_get_question (generation);

  g_string_append_printf (user_data, "started:%s;", confab_message_get_content (question));
  g_signal_connect (generation, "ended", G_CALLBACK (ended_cb), user_data);
}

static void
session_changed_cb (ConfabService *service,
                    const char *id,
                    ConfabSession *session,
                    gpointer user_data)
{
  g_string_append_printf (user_data, "%ssession:%s;", session == NULL ? "-" : "", id);
}

static void
module_changed_cb (ConfabService *service, const char *id, ConfabModule *module, gpointer user_data)
{
  g_string_append_printf (user_data, "%smodule:%s;", module == NULL ? "-" : "", id);
}

static void
branch_changed_cb (ConfabService *service, const ConfabBranchChange *change, gpointer user_data)
{
  g_string_append_printf (user_data, "branch:%s:%" G_GUINT64_FORMAT ";",
                          confab_module_get_id (change->module), change->n_messages);
}

static void
open_service (ServiceFixture *self)
{
  g_autoptr (GError) error = NULL;

  self->store = open_store (self->path);
  self->service = confab_service_new (self->store);
  g_assert_true (confab_service_load (self->service, &error));
  g_assert_no_error (error);
  self->provider = g_object_new (SCRIPTED_TYPE_PROVIDER, NULL);
  self->providers = confab_provider_registry_new ();
  confab_provider_registry_add (self->providers, "scripted", CONFAB_PROVIDER (self->provider));
  confab_service_set_providers (self->service, self->providers);
  self->heard = g_string_new (NULL);
  g_signal_connect (self->service, "generation-started", G_CALLBACK (started_cb), self->heard);
  g_signal_connect (self->service, "session-changed", G_CALLBACK (session_changed_cb), self->heard);
  g_signal_connect (self->service, "module-changed", G_CALLBACK (module_changed_cb), self->heard);
  g_signal_connect (self->service, "branch-changed", G_CALLBACK (branch_changed_cb), self->heard);
}

static void
close_service (ServiceFixture *self)
{
  g_autoptr (GError) error = NULL;

  if (!confab_service_is_shut_down (self->service))
    {
      gboolean ok = shut_down (self, &error);

      g_assert_no_error (error);
      g_assert_true (ok);
    }
  for (guint i = 0; i < scripted_provider_get_n_runs (self->provider); i++)
    {
      ScriptedRun *run = scripted_provider_get_run (self->provider, i);

      if (run->task != NULL)
        scripted_run_finish (run);
    }
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_finalize_object (self->service);
  g_assert_finalize_object (self->store);
  g_assert_finalize_object (self->providers);
  g_assert_finalize_object (self->provider);
  g_string_free (self->heard, TRUE);
}

void
service_set_up (ServiceFixture *self, gconstpointer data)
{
  fixture_set_up (&self->files, data);
  open_service (self);
}

void
service_set_up_on_disk (ServiceFixture *self, gconstpointer data)
{
  fixture_set_up (&self->files, data);
  self->path = self->files.path;
  open_service (self);
}

void
service_tear_down (ServiceFixture *self, gconstpointer data)
{
  close_service (self);
  fixture_tear_down (&self->files, data);
}

void
service_add_tests_on_disk (const char *prefix, const ServiceTest *tests, gsize n_tests)
{
  for (gsize i = 0; i < n_tests; i++)
    {
      g_autofree char *path = g_strdup_printf ("/confab/service/%s/%s", prefix, tests[i].name);

      g_test_add (path, ServiceFixture, tests[i].data, service_set_up_on_disk, tests[i].func,
                  service_tear_down);
    }
}

void
service_reopen (ServiceFixture *self)
{
  close_service (self);
  open_service (self);
}

char *
service_copy_files (ServiceFixture *self)
{
  g_autofree char *copy = g_strconcat (self->files.folder, ".copy", NULL);
  /* by another program: to close a file here would take the store's lock on it away */
  const char *const argv[] = { "cp", "-r", self->files.folder, copy, NULL };
  g_autoptr (GError) error = NULL;
  int status;

  g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, &status,
                &error);
  g_assert_no_error (error);
  g_assert_cmpint (status, ==, 0);

  return g_steal_pointer (&copy);
}

void
service_open_copy (ServiceFixture *self, const char *folder)
{
  close_service (self);
  remove_tree (self->files.folder);
  g_assert_cmpint (g_rename (folder, self->files.folder), ==, 0);
  open_service (self);
}

static void
limit_files (rlim_t size)
{
  struct rlimit limit;

  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &limit), ==, 0);
  limit.rlim_cur = size == RLIM_INFINITY ? limit.rlim_max : size;
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);
}

void
service_fill_disk (void)
{
  signal (SIGXFSZ, SIG_IGN);
  limit_files (1);
}

void
service_free_disk (void)
{
  limit_files (RLIM_INFINITY);
}

void
service_expect_refusal (void)
{
  g_test_expect_message ("Confab", G_LOG_LEVEL_WARNING, "The store refused: *");
}

JsonObject *
fields (const char *name, ...)
{
  JsonObject *object = json_object_new ();
  va_list args;

  va_start (args, name);
  for (; name != NULL; name = va_arg (args, const char *))
    {
      const char *value = va_arg (args, const char *);

      if (value != NULL)
        json_object_set_string_member (object, name, value);
    }
  va_end (args);

  return object;
}

void
begin_asking (ServiceFixture *self, const char *call, JsonObject *payload, GAsyncResult **result)
{
  if (g_str_equal (call, "ai:chat:regenerate"))
    confab_service_regenerate_async (self->service, payload, store_ready_cb, result);
  else
    confab_service_generate_async (self->service, payload, store_ready_cb, result);
  json_object_unref (payload);
}

ConfabGeneration *
end_asking (ServiceFixture *self, GAsyncResult **result, gboolean *repeated, GError **error)
{
  g_autoptr (GAsyncResult) owned = NULL;
  gboolean unused;

  wait_for (result);
  owned = g_steal_pointer (result);

  return confab_service_generate_finish (self->service, owned,
                                         repeated != NULL ? repeated : &unused, error);
}

ConfabGeneration *
assert_asking_ends (ServiceFixture *self, GAsyncResult **result)
{
  g_autoptr (GError) error = NULL;
  gboolean repeated = TRUE;
  ConfabGeneration *generation = end_asking (self, result, &repeated, &error);

  g_assert_no_error (error);
  g_assert_nonnull (generation);
  g_assert_false (repeated);

  return generation;
}

void
assert_asking_fails (ServiceFixture *self, GAsyncResult **result, ConfabError code)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (end_asking (self, result, NULL, &error));
  g_assert_error (error, CONFAB_ERROR, (gint) code);
}

ConfabGeneration *
try_generate (ServiceFixture *self,
              const char *call,
              JsonObject *payload,
              gboolean *repeated,
              GError **error)
{
  GAsyncResult *result = NULL;

  begin_asking (self, call, payload, &result);

  return end_asking (self, &result, repeated, error);
}

static ConfabGeneration *
generate_new (ServiceFixture *self, const char *call, JsonObject *payload)
{
  GAsyncResult *result = NULL;

  begin_asking (self, call, payload, &result);

  return assert_asking_ends (self, &result);
}

ConfabGeneration *
generate (ServiceFixture *self, JsonObject *payload)
{
  return generate_new (self, "ai:chat:generate", payload);
}

ConfabGeneration *
regenerate (ServiceFixture *self, JsonObject *payload)
{
  return generate_new (self, "ai:chat:regenerate", payload);
}

ConfabGeneration *
ask (ServiceFixture *self, const char *module_id, const char *message)
{
  return generate (self, fields ("moduleId", module_id, "message", message, NULL));
}

void
assert_not_generated (ServiceFixture *self, const char *call, JsonObject *payload, ConfabError code)
{
  GAsyncResult *result = NULL;

  begin_asking (self, call, payload, &result);
  assert_asking_fails (self, &result, code);
}

gint
stop (ServiceFixture *self, const char *module_id, const char *generation_id, GError **error)
{
  g_autoptr (JsonObject) payload =
      fields ("moduleId", module_id, "generationId", generation_id, NULL);
  g_autoptr (GAsyncResult) result = NULL;

  confab_service_stop_async (self->service, payload, store_ready_cb, &result);
  wait_for (&result);

  return confab_service_stop_finish (self->service, result, error);
}

ConfabGeneration *
recall (ServiceFixture *self, JsonObject *payload, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  confab_service_recall_async (self->service, payload, store_ready_cb, &result);
  json_object_unref (payload);
  wait_for (&result);

  return confab_service_recall_finish (self->service, result, error);
}

GPtrArray *
get_history (ServiceFixture *self, JsonObject *payload, gboolean *more, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  confab_service_history_async (self->service, payload, store_ready_cb, &result);
  json_object_unref (payload);
  wait_for (&result);

  return confab_service_history_finish (self->service, result, more, error);
}

ConfabSession *
change_session (ServiceFixture *self, const char *call, JsonObject *payload, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  confab_service_change_session_async (self->service, call, payload, store_ready_cb, &result);
  json_object_unref (payload);
  wait_for (&result);

  return confab_service_change_session_finish (self->service, result, error);
}

ConfabModule *
change_module (ServiceFixture *self, const char *call, JsonObject *payload, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  confab_service_change_module_async (self->service, call, payload, store_ready_cb, &result);
  json_object_unref (payload);
  wait_for (&result);

  return confab_service_change_module_finish (self->service, result, error);
}

gboolean
shut_down (ServiceFixture *self, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  confab_service_shutdown_async (self->service, store_ready_cb, &result);
  wait_for (&result);

  return confab_service_shutdown_finish (self->service, result, error);
}

ScriptedRun *
await_run (ServiceFixture *self, guint index)
{
  while (scripted_provider_get_n_runs (self->provider) <= index)
    g_main_context_iteration (NULL, TRUE);

  return scripted_provider_get_run (self->provider, index);
}

void
await_end (ConfabGeneration *generation)
{
  while (!confab_generation_is_ended (generation))
    g_main_context_iteration (NULL, TRUE);
}

void
answer (ServiceFixture *self, ConfabGeneration *generation, guint run, const char *text)
{
  ScriptedRun *scripted = await_run (self, run);

  scripted_run_say (scripted, text);
  scripted_run_finish (scripted);
  await_end (generation);
}

ConfabGeneration *
converse (ServiceFixture *self, const char *module_id, const char *message, const char *text)
{
  guint run = scripted_provider_get_n_runs (self->provider);
  ConfabGeneration *generation = ask (self, module_id, message);

  answer (self, generation, run, text);

  return generation;
}

void
settle (ServiceFixture *self)
{
  /* a read comes after all that the store was asked for before; what that caused, after another */
  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (GPtrArray) found = search (self->store, "x", 1);

      while (g_main_context_iteration (NULL, FALSE))
        ;
    }
}

void
assert_branch (ServiceFixture *self, const char *module_id, const char *expected)
{
  g_autoptr (GString) told = g_string_new (NULL);
  g_autoptr (GPtrArray) messages = NULL;
  g_autoptr (GError) error = NULL;
  gboolean more = TRUE;

  messages = get_history (self, fields ("moduleId", module_id, NULL), &more, &error);
  g_assert_no_error (error);
  g_assert_false (more);
  for (guint i = 0; i < messages->len; i++)
    {
      ConfabMessage *message = g_ptr_array_index (messages, i);

      g_string_append_printf (told, "%s:%s;",
                              confab_role_to_string (confab_message_get_role (message)),
                              confab_message_get_content (message));
    }
  g_assert_cmpstr (told->str, ==, expected);
}

ConfabModule *
lookup_module (ServiceFixture *self, const char *id)
{
  ConfabModule *module = confab_service_lookup_module (self->service, id);

  g_assert_nonnull (module);

  return module;
}

const char *
question_id (ConfabGeneration *generation)
{
  return confab_message_get_id (confab_generation_get_question (generation));
}

const char *
answer_id (ConfabGeneration *generation)
{
  return confab_message_get_id (confab_generation_get_answer (generation));
}

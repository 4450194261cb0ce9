/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-scripted-provider.h"

#include <string.h>

struct _ScriptedProvider
{
  GObject parent_instance;

  GPtrArray *runs; /* of ScriptedRun */
  GFunc asked;
  gpointer asked_data;
};

static void scripted_provider_iface_init (ConfabProviderInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (ScriptedProvider,
                               scripted_provider,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (CONFAB_TYPE_PROVIDER,
                                                      scripted_provider_iface_init))

static void
scripted_run_free (gpointer data)
{
  ScriptedRun *run = data;

  g_assert_null (run->task);
  confab_prompt_unref (run->prompt);
  g_object_unref (run->cancellable);
  g_free (run);
}

static void
scripted_provider_finalize (GObject *object)
{
  g_ptr_array_unref (SCRIPTED_PROVIDER (object)->runs);

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
  self->runs = g_ptr_array_new_with_free_func (scripted_run_free);
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
  ScriptedRun *run = g_new0 (ScriptedRun, 1);

  run->task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (run->task, scripted_generate_async);
  run->on_delta = on_delta;
  run->delta_data = delta_data;
  run->prompt = confab_prompt_ref (prompt);
  run->cancellable = g_object_ref (cancellable);
  g_ptr_array_add (self->runs, run);
  if (self->asked != NULL)
    self->asked (self, self->asked_data);
}

static void
scripted_provider_iface_init (ConfabProviderInterface *iface)
{
  iface->get_name = scripted_get_name;
  iface->generate_async = scripted_generate_async;
}

guint
scripted_provider_get_n_runs (ScriptedProvider *self)
{
  return self->runs->len;
}

ScriptedRun *
scripted_provider_get_run (ScriptedProvider *self, guint index)
{
  g_assert_cmpuint (index, <, self->runs->len);

  return g_ptr_array_index (self->runs, index);
}

void
scripted_provider_set_asked (ScriptedProvider *self, GFunc asked, gpointer user_data)
{
  self->asked = asked;
  self->asked_data = user_data;
}

void
scripted_run_say (ScriptedRun *run, const char *text)
{
  g_assert_nonnull (run->task);
  run->on_delta (CONFAB_DELTA_TEXT, text, strlen (text), run->delta_data);
}

void
scripted_run_think (ScriptedRun *run, const char *text)
{
  g_assert_nonnull (run->task);
  run->on_delta (CONFAB_DELTA_REASONING, text, strlen (text), run->delta_data);
}

void
scripted_run_finish (ScriptedRun *run)
{
  g_autoptr (GTask) task = g_steal_pointer (&run->task);

  g_assert_nonnull (task);
  g_task_return_pointer (task, confab_outcome_new (CONFAB_FINISH_STOP),
                         (GDestroyNotify) confab_outcome_free);
}

void
scripted_run_fail (ScriptedRun *run, ConfabError code)
{
  g_autoptr (GTask) task = g_steal_pointer (&run->task);

  g_assert_nonnull (task);
  g_task_return_new_error (task, CONFAB_ERROR, (gint) code, "It broke.");
}

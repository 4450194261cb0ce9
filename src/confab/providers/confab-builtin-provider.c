/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "confab-builtin-provider.h"
#include "confab-eliza.h"

#define MODEL_NAME "builtin"
#define WORD_INTERVAL_MS 25
#define MAX_WORD_INTERVAL_MS 1000

struct _ConfabBuiltinProvider
{
  GObject parent_instance;

  guint word_interval_ms;
};

enum
{
  PROP_0,
  PROP_WORD_INTERVAL_MS,
  N_PROPS,
};

static GParamSpec *properties[N_PROPS];

/* What a generation needs besides its task, which owns it. The sources hold references on the task
 * until speech_end() destroys them. */
typedef struct
{
  ConfabDeltaFunc on_delta;
  gpointer delta_data;

  char *text;
  /* what of @text was not said yet */
  const char *rest;

  GSource *word_source;
  GSource *cancel_source;
} Speech;

static void confab_builtin_provider_iface_init (ConfabProviderInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (ConfabBuiltinProvider,
                               confab_builtin_provider,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (CONFAB_TYPE_PROVIDER,
                                                      confab_builtin_provider_iface_init))

static void
speech_free (gpointer data)
{
  Speech *speech = data;

  g_clear_pointer (&speech->text, g_free);
  g_free (speech);
}

static void
clear_source (GSource **source)
{
  if (*source == NULL)
    return;

  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

/* The one way to end; a cancelled task turns any result into G_IO_ERROR_CANCELLED by itself. The
 * caller holds a reference on @task. */
static void
speech_end (GTask *task)
{
  Speech *speech = g_task_get_task_data (task);
  ConfabOutcome *outcome = confab_outcome_new (CONFAB_FINISH_STOP);

  clear_source (&speech->word_source);
  clear_source (&speech->cancel_source);

  outcome->model = g_strdup (MODEL_NAME);
  g_task_return_pointer (task, outcome, (GDestroyNotify) confab_outcome_free);
}

static gboolean
cancelled_cb (GCancellable *cancellable, gpointer user_data)
{
  g_autoptr (GTask) task = g_object_ref (G_TASK (user_data));

  speech_end (task);

  return G_SOURCE_REMOVE;
}

/* Length of the next word with the space before it. */
static gsize
next_word (const char *text)
{
  gsize space = strspn (text, " \n");

  return space + strcspn (text + space, " \n");
}

static gboolean
word_cb (gpointer user_data)
{
  g_autoptr (GTask) task = g_object_ref (G_TASK (user_data));
  Speech *speech = g_task_get_task_data (task);
  g_autofree char *word = NULL;
  gsize length = next_word (speech->rest);

  /* The source of the cancellable may come after this one in the same turn of the loop. */
  if (g_cancellable_is_cancelled (g_task_get_cancellable (task)))
    return G_SOURCE_CONTINUE;

  if (length == 0)
    {
      speech_end (task);
      return G_SOURCE_REMOVE;
    }

  word = g_strndup (speech->rest, length);
  speech->rest += length;
  speech->on_delta (CONFAB_DELTA_TEXT, word, length, speech->delta_data);

  return G_SOURCE_CONTINUE;
}

static GSource *
attach (GTask *task, GSource *source, const char *name, GSourceFunc func)
{
  g_source_set_static_name (source, name);
  g_source_set_callback (source, func, g_object_ref (task), g_object_unref);
  g_source_attach (source, g_task_get_context (task));

  return source;
}

static void
confab_builtin_provider_generate_async (ConfabProvider *provider,
                                        ConfabPrompt *prompt,
                                        ConfabDeltaFunc on_delta,
                                        gpointer delta_data,
                                        GCancellable *cancellable,
                                        GAsyncReadyCallback callback,
                                        gpointer user_data)
{
  ConfabBuiltinProvider *self = CONFAB_BUILTIN_PROVIDER (provider);
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();
  Speech *speech = g_new0 (Speech, 1);

  g_task_set_source_tag (task, confab_builtin_provider_generate_async);
  g_task_set_task_data (task, speech, speech_free);

  speech->on_delta = on_delta;
  speech->delta_data = delta_data;
  speech->text = confab_eliza_answer (prompt, now);
  speech->rest = speech->text;

  if (cancellable != NULL)
    speech->cancel_source = attach (task, g_cancellable_source_new (cancellable),
                                    "[confab] builtin cancelled", G_SOURCE_FUNC (cancelled_cb));
  speech->word_source = attach (task, g_timeout_source_new (self->word_interval_ms),
                                "[confab] builtin word", word_cb);
}

static void
confab_builtin_provider_list_models_async (ConfabProvider *provider,
                                           GCancellable *cancellable,
                                           GAsyncReadyCallback callback,
                                           gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (provider, cancellable, callback, user_data);
  g_autoptr (GPtrArray) models = g_ptr_array_new_with_free_func (g_free);

  g_task_set_source_tag (task, confab_builtin_provider_list_models_async);

  g_ptr_array_add (models, g_strdup (MODEL_NAME));
  g_task_return_pointer (task, g_steal_pointer (&models), (GDestroyNotify) g_ptr_array_unref);
}

static const char *
confab_builtin_provider_get_name (ConfabProvider *provider)
{
  return "builtin";
}

static void
confab_builtin_provider_iface_init (ConfabProviderInterface *iface)
{
  iface->get_name = confab_builtin_provider_get_name;
  iface->generate_async = confab_builtin_provider_generate_async;
  iface->list_models_async = confab_builtin_provider_list_models_async;
}

static void
confab_builtin_provider_get_property (GObject *object,
                                      guint prop_id,
                                      GValue *value,
                                      GParamSpec *pspec)
{
  ConfabBuiltinProvider *self = CONFAB_BUILTIN_PROVIDER (object);

  switch (prop_id)
    {
    case PROP_WORD_INTERVAL_MS:
      g_value_set_uint (value, self->word_interval_ms);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
confab_builtin_provider_set_property (GObject *object,
                                      guint prop_id,
                                      const GValue *value,
                                      GParamSpec *pspec)
{
  ConfabBuiltinProvider *self = CONFAB_BUILTIN_PROVIDER (object);

  switch (prop_id)
    {
    case PROP_WORD_INTERVAL_MS:
      self->word_interval_ms = g_value_get_uint (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
confab_builtin_provider_class_init (ConfabBuiltinProviderClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = confab_builtin_provider_get_property;
  object_class->set_property = confab_builtin_provider_set_property;

  /**
   * ConfabBuiltinProvider:word-interval-ms:
   *
   * The time from word to word, for answers that begin later too.
   */
  properties[PROP_WORD_INTERVAL_MS] =
      g_param_spec_uint ("word-interval-ms", NULL, NULL, 0, MAX_WORD_INTERVAL_MS, WORD_INTERVAL_MS,
                         G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);

  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
confab_builtin_provider_init (ConfabBuiltinProvider *self)
{
  self->word_interval_ms = WORD_INTERVAL_MS;
}

/**
 * confab_builtin_provider_new:
 *
 * Returns: (transfer full)
 */
ConfabBuiltinProvider *
confab_builtin_provider_new (void)
{
  return g_object_new (CONFAB_TYPE_BUILTIN_PROVIDER, NULL);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-provider.h"

G_DEFINE_INTERFACE (ConfabProvider, confab_provider, G_TYPE_OBJECT)

static ConfabOutcome *
finish_generate_task (ConfabProvider *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

static GPtrArray *
finish_list_task (ConfabProvider *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
confab_provider_default_init (ConfabProviderInterface *iface)
{
  iface->generate_finish = finish_generate_task;
  iface->list_models_finish = finish_list_task;
}

/**
 * confab_provider_get_name:
 *
 * Returns: the name by which settings and faces know this provider, such as "openai"
 */
const char *
confab_provider_get_name (ConfabProvider *self)
{
  g_return_val_if_fail (CONFAB_IS_PROVIDER (self), NULL);

  return CONFAB_PROVIDER_GET_IFACE (self)->get_name (self);
}

/**
 * confab_provider_get_model:
 *
 * Returns: (nullable): the model that answers where a prompt names none; NULL if there is but one
 *   without a name, or if the first that the upstream lists will be taken and it was not asked yet
 */
const char *
confab_provider_get_model (ConfabProvider *self)
{
  ConfabProviderInterface *iface;

  g_return_val_if_fail (CONFAB_IS_PROVIDER (self), NULL);

  iface = CONFAB_PROVIDER_GET_IFACE (self);

  return iface->get_model != NULL ? iface->get_model (self) : NULL;
}

/**
 * confab_provider_generate_async:
 * @prompt: what to answer; not changed by anyone any more
 * @on_delta: called for each piece of the answer, see #ConfabDeltaFunc
 * @cancellable: (nullable): stops the run
 * @callback: called exactly once
 *
 * Streams one answer.
 */
void
confab_provider_generate_async (ConfabProvider *self,
                                ConfabPrompt *prompt,
                                ConfabDeltaFunc on_delta,
                                gpointer delta_data,
                                GCancellable *cancellable,
                                GAsyncReadyCallback callback,
                                gpointer user_data)
{
  g_return_if_fail (CONFAB_IS_PROVIDER (self));
  g_return_if_fail (prompt != NULL);
  g_return_if_fail (on_delta != NULL);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  CONFAB_PROVIDER_GET_IFACE (self)->generate_async (self, prompt, on_delta, delta_data, cancellable,
                                                    callback, user_data);
}

/**
 * confab_provider_generate_finish:
 *
 * Returns: (transfer full) (nullable): how the run ended; NULL with a %CONFAB_ERROR, or with
 *   %G_IO_ERROR_CANCELLED if it was stopped
 */
ConfabOutcome *
confab_provider_generate_finish (ConfabProvider *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (CONFAB_IS_PROVIDER (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return CONFAB_PROVIDER_GET_IFACE (self)->generate_finish (self, result, error);
}

/**
 * confab_provider_list_models_async:
 * @cancellable: (nullable)
 *
 * Asks which models there are.
 */
void
confab_provider_list_models_async (ConfabProvider *self,
                                   GCancellable *cancellable,
                                   GAsyncReadyCallback callback,
                                   gpointer user_data)
{
  g_return_if_fail (CONFAB_IS_PROVIDER (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  CONFAB_PROVIDER_GET_IFACE (self)->list_models_async (self, cancellable, callback, user_data);
}

/**
 * confab_provider_list_models_finish:
 *
 * Returns: (transfer full) (element-type utf8) (nullable): names of models, in the order of the
 *   upstream; NULL with a %CONFAB_ERROR
 */
GPtrArray *
confab_provider_list_models_finish (ConfabProvider *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (CONFAB_IS_PROVIDER (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return CONFAB_PROVIDER_GET_IFACE (self)->list_models_finish (self, result, error);
}

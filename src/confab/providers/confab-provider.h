/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-completion.h"

G_BEGIN_DECLS

#define CONFAB_TYPE_PROVIDER (confab_provider_get_type ())
G_DECLARE_INTERFACE (ConfabProvider, confab_provider, CONFAB, PROVIDER, GObject)

/*
 * ConfabDeltaFunc: new visible text of a run.
 * @text: valid UTF-8, @length bytes, NUL-terminated, never empty; all that the upstream gave
 *   without blocking in one turn, neighbours of one kind joined (at most 64 KiB read a turn)
 */
typedef void (*ConfabDeltaFunc) (ConfabDeltaKind kind,
                                 const char *text,
                                 gsize length,
                                 gpointer user_data);

/*
 * ConfabProvider: a way to get an answer from a model. Everything runs in the thread-default
 * context of the caller.
 *
 * generate_async: streams one answer. After @cancellable was cancelled no delta comes any more, the
 * upstream connection is closed at once, and finish says G_IO_ERROR_CANCELLED. Every other failure
 * is a CONFAB_ERROR whose message is a sentence for people that keeps the upstream's own words.
 * @on_delta is never called after @callback, nor before generate_async returned.
 *
 * get_model: (nullable): which model answers where a prompt names none, as far as that is known
 * without asking; may be left out by those who have but one.
 *
 * list_models_async: (element-type utf8) names of models that the provider offers.
 *
 * generate_finish, list_models_finish: may be left out where the result is a GTask of the provider.
 */
struct _ConfabProviderInterface
{
  GTypeInterface parent_iface;

  const char *(*get_name) (ConfabProvider *self);
  const char *(*get_model) (ConfabProvider *self);
  void (*generate_async) (ConfabProvider *self,
                          ConfabPrompt *prompt,
                          ConfabDeltaFunc on_delta,
                          gpointer delta_data,
                          GCancellable *cancellable,
                          GAsyncReadyCallback callback,
                          gpointer user_data);
  ConfabOutcome *(*generate_finish) (ConfabProvider *self, GAsyncResult *result, GError **error);
  void (*list_models_async) (ConfabProvider *self,
                             GCancellable *cancellable,
                             GAsyncReadyCallback callback,
                             gpointer user_data);
  GPtrArray *(*list_models_finish) (ConfabProvider *self, GAsyncResult *result, GError **error);
};

const char *confab_provider_get_name (ConfabProvider *self);
const char *confab_provider_get_model (ConfabProvider *self);
void confab_provider_generate_async (ConfabProvider *self,
                                     ConfabPrompt *prompt,
                                     ConfabDeltaFunc on_delta,
                                     gpointer delta_data,
                                     GCancellable *cancellable,
                                     GAsyncReadyCallback callback,
                                     gpointer user_data);
ConfabOutcome *
confab_provider_generate_finish (ConfabProvider *self, GAsyncResult *result, GError **error);
void confab_provider_list_models_async (ConfabProvider *self,
                                        GCancellable *cancellable,
                                        GAsyncReadyCallback callback,
                                        gpointer user_data);
GPtrArray *
confab_provider_list_models_finish (ConfabProvider *self, GAsyncResult *result, GError **error);

G_END_DECLS

/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-service-private.h"

G_BEGIN_DECLS

/*
 * ConfabRun: the way of one generation from its acceptance to its end: waiting for its turn, asking
 * the provider, writing down what comes, and telling the end only when it is on disk.
 * Reference counted; the service holds one until the end was told.
 */
ConfabRun *
confab_run_new (ConfabService *service, ConfabModule *module, ConfabGeneration *generation);
ConfabRun *confab_run_ref (ConfabRun *self);
void confab_run_unref (ConfabRun *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConfabRun, confab_run_unref)

typedef void (*ConfabRunFunc) (gpointer user_data);

ConfabGeneration *confab_run_get_generation (ConfabRun *self);
const char *confab_run_get_provider_name (ConfabRun *self);
gboolean confab_run_is_accepted (ConfabRun *self);

/* The question is about to be written. */
void confab_run_read_ahead (ConfabRun *self);
/* The question is on disk: lets it wait for its turn, and tells that it started unless another one
 * of its module goes before it. */
void confab_run_accept (ConfabRun *self);
/* The question could not be kept: as if it had never been asked. */
void confab_run_abandon (ConfabRun *self);
/* Those who asked the same while it was not accepted yet. */
void confab_run_add_waiter (ConfabRun *self, GTask *task);
GPtrArray *confab_run_steal_waiters (ConfabRun *self);

/* For the service, some time after confab_service_save_soon(). */
void confab_run_save (ConfabRun *self);
/* Its turn has come. */
void confab_run_begin (ConfabRun *self);
/* FALSE if the end stands already, and @func is not called then; else it is when the end was told.
 */
gboolean
confab_run_stop (ConfabRun *self, gboolean *stopped, ConfabRunFunc func, gpointer user_data);
gboolean confab_run_interrupt (ConfabRun *self, const GError *error);

G_END_DECLS

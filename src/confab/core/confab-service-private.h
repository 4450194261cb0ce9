/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-error.h"
#include "confab-scheduler.h"
#include "confab-service.h"

G_BEGIN_DECLS

typedef struct _ConfabRun ConfabRun;

struct _ConfabService
{
  GObject parent_instance;

  ConfabStore *store;
  ConfabProviderRegistry *providers; /* NULL: nobody answers */

  GListStore *session_list; /* of ConfabSession */
  GHashTable *sessions;     /* id → ConfabSession; key belongs to the value */
  GHashTable *modules;      /* id → ConfabModule; key belongs to the value */
  guint64 last_ordinal;

  ConfabMetrics *metrics;

  GHashTable *runs; /* ConfabGeneration → ConfabRun, until the end was told; owns both */
  ConfabScheduler *scheduler;
  GQueue unwritten; /* of Unwritten: ends that the store did not take, oldest first */
  GSource *retry_source;
  GPtrArray *unsaved; /* of ConfabRun, with text that is not written yet; NULL: none */
  GSource *save_source;

  GPtrArray *transfers; /* of ConfabTransfer: exports and imports that run */

  gboolean queue;
  gboolean auto_create_modules;
  gboolean shut_down;
  GTask *shutdown_task;
};

/* confab-service.c */
void confab_service_take_session (ConfabService *self, ConfabSession *session);
void confab_service_take_module (ConfabService *self, ConfabModule *module);
ConfabSession *confab_service_add_session (ConfabService *self, const char *id);
void confab_service_remove_session (ConfabService *self, ConfabSession *session);
ConfabModule *
confab_service_add_module (ConfabService *self, ConfabSession *session, const char *id);
void confab_service_remove_module (ConfabService *self, ConfabModule *module);
ConfabProvider *confab_service_find_provider (ConfabService *self, ConfabModule *module);
/* The name by which the settings know that one; "none" if there is none. */
const char *confab_service_find_provider_name (ConfabService *self, ConfabModule *module);
/* What the store says, as an error of the contract. */
GError *confab_service_storage_error (const GError *cause);

/* confab-service-calls.c */
GTask *confab_service_begin_call (ConfabService *self,
                                  const char *call,
                                  JsonObject *payload,
                                  gpointer tag,
                                  GAsyncReadyCallback callback,
                                  gpointer user_data);
void confab_service_refuse (GTask *task, ConfabError code, const char *message);

/* confab-service-signals.c */
void confab_service_add_signals (GType type);
void confab_service_emit_started (ConfabService *self, ConfabGeneration *generation);
void confab_service_emit_session (ConfabService *self, const char *id, ConfabSession *session);
void confab_service_emit_module (ConfabService *self, const char *id, ConfabModule *module);
void confab_service_emit_branch (ConfabService *self, const ConfabBranchChange *change);

/* confab-branching.c */
/* While another branch of @module is being made visible: calls @again with @task when that is on
 * disk, or cannot get there. FALSE: none is. */
gboolean confab_service_await_switch (ConfabService *self,
                                      ConfabModule *module,
                                      void (*again) (GTask *task),
                                      GTask *task);

/* confab-unwritten.c */
void confab_service_keep_unwritten (ConfabService *self,
                                    ConfabModule *module,
                                    ConfabGeneration *generation,
                                    ConfabBatch *batch);
void confab_service_flush_unwritten (ConfabService *self);
void confab_service_clear_unwritten (ConfabService *self);

/* confab-autosave.c */
void confab_service_save_soon (ConfabService *self, ConfabRun *run);
void confab_service_forget_unsaved (ConfabService *self, ConfabRun *run);
void confab_service_clear_unsaved (ConfabService *self);

/* confab-shutdown.c: once nothing runs any more */
void confab_service_continue_shutdown (ConfabService *self);

G_END_DECLS

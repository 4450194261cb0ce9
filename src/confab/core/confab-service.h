/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-metrics.h"
#include "confab-provider-registry.h"
#include "confab-rules.h"
#include "confab-session.h"
#include "confab-store.h"

G_BEGIN_DECLS

/* An answer that grows beyond this many bytes, thinking included, is cut off as by a token limit.
 */
#define CONFAB_MAX_ANSWER_BYTES (4 * 1024 * 1024)
/* Where a module goes whose client names no session. */
#define CONFAB_DEFAULT_SESSION "default"
#define CONFAB_MAX_SESSIONS 10000
#define CONFAB_MAX_MODULES 10000
/* With the setting "queue": how many questions of a module may wait. */
#define CONFAB_MAX_QUEUED 16

#define CONFAB_TYPE_SERVICE (confab_service_get_type ())

/*
 * ConfabService: what all faces call. It owns the sessions and every running generation, whatever
 * becomes of the clients that asked, and keeps all of it in a store.
 *
 * Requests come as the payloads of the contract; confab_rules_check() refuses what is unfit, and
 * nothing changes then. A request's callback runs in the thread-default context of the service, and
 * before any signal that the request causes.
 *
 * Signals:
 *   generation-started (ConfabGeneration *generation): it was accepted, and is kept; no delta of it
 *     came before
 *   session-changed (const char *session_id, ConfabSession *session): NULL: deleted
 *   module-changed (const char *module_id, ConfabModule *module): NULL: deleted
 *   branch-changed (const ConfabBranchChange *change): before the module-changed that goes with it
 */
G_DECLARE_FINAL_TYPE (ConfabService, confab_service, CONFAB, SERVICE, GObject)

ConfabService *confab_service_new (ConfabStore *store);
gboolean confab_service_load (ConfabService *self, GError **error);

void confab_service_set_providers (ConfabService *self, ConfabProviderRegistry *providers);
ConfabProviderRegistry *confab_service_get_providers (ConfabService *self); /* nullable */
void confab_service_set_queue (ConfabService *self, gboolean queue);
void confab_service_set_auto_create_modules (ConfabService *self, gboolean auto_create);
void confab_service_set_max_running (ConfabService *self, guint max_running);

/* ai:chat:generate and ai:chat:regenerate */
void confab_service_generate_async (ConfabService *self,
                                    JsonObject *payload,
                                    GAsyncReadyCallback callback,
                                    gpointer user_data);
void confab_service_regenerate_async (ConfabService *self,
                                      JsonObject *payload,
                                      GAsyncReadyCallback callback,
                                      gpointer user_data);
ConfabGeneration *confab_service_generate_finish (ConfabService *self,
                                                  GAsyncResult *result,
                                                  gboolean *repeated,
                                                  GError **error);
void confab_service_stop_async (ConfabService *self,
                                JsonObject *payload,
                                GAsyncReadyCallback callback,
                                gpointer user_data);
gint confab_service_stop_finish (ConfabService *self, GAsyncResult *result, GError **error);

/* What was said: ai:chat:resume, ai:chat:history and ai:chat:search */
void confab_service_recall_async (ConfabService *self,
                                  JsonObject *payload,
                                  GAsyncReadyCallback callback,
                                  gpointer user_data);
ConfabGeneration *confab_service_get_running (ConfabService *self, ConfabModule *module);
ConfabGeneration *
confab_service_recall_finish (ConfabService *self, GAsyncResult *result, GError **error);
void confab_service_history_async (ConfabService *self,
                                   JsonObject *payload,
                                   GAsyncReadyCallback callback,
                                   gpointer user_data);
GPtrArray *confab_service_history_finish (ConfabService *self,
                                          GAsyncResult *result,
                                          gboolean *more,
                                          GError **error);
void confab_service_search_async (ConfabService *self,
                                  JsonObject *payload,
                                  GAsyncReadyCallback callback,
                                  gpointer user_data);
GPtrArray *confab_service_search_finish (ConfabService *self, GAsyncResult *result, GError **error);

/* ai:chat:branch: another branch of a module became the visible one */
typedef struct
{
  ConfabModule *module;
  const char *message_id; /* that was asked for */
  const char *parent_id;  /* of that message; nullable: it is a first one */
  const char *head_id;
  guint64 n_messages; /* of the branch that is visible now */
} ConfabBranchChange;

void confab_service_switch_branch_async (ConfabService *self,
                                         JsonObject *payload,
                                         GAsyncReadyCallback callback,
                                         gpointer user_data);
gboolean confab_service_switch_branch_finish (ConfabService *self,
                                              GAsyncResult *result,
                                              char **head_id,
                                              guint64 *n_messages,
                                              GError **error);

/* session:create, session:update, session:delete, and the same of modules */
void confab_service_change_session_async (ConfabService *self,
                                          const char *call,
                                          JsonObject *payload,
                                          GAsyncReadyCallback callback,
                                          gpointer user_data);
ConfabSession *
confab_service_change_session_finish (ConfabService *self, GAsyncResult *result, GError **error);
void confab_service_change_module_async (ConfabService *self,
                                         const char *call,
                                         JsonObject *payload,
                                         GAsyncReadyCallback callback,
                                         gpointer user_data);
ConfabModule *
confab_service_change_module_finish (ConfabService *self, GAsyncResult *result, GError **error);

void confab_service_shutdown_async (ConfabService *self,
                                    GAsyncReadyCallback callback,
                                    gpointer user_data);
gboolean confab_service_shutdown_finish (ConfabService *self, GAsyncResult *result, GError **error);
gboolean confab_service_is_shut_down (ConfabService *self);
/* Whether a question would find somebody to answer it, and a place to be kept. */
gboolean confab_service_is_ready (ConfabService *self);
guint confab_service_get_n_running (ConfabService *self);

ConfabMetrics *confab_service_get_metrics (ConfabService *self);
/* Of generations that have not ended; @provider by its name in the settings. */
typedef void (*ConfabRunningFunc) (ConfabGeneration *generation,
                                   const char *provider,
                                   gpointer user_data);
void
confab_service_foreach_running (ConfabService *self, ConfabRunningFunc func, gpointer user_data);
/* How long the store took to keep what it was given. */
void confab_service_get_store_latency (ConfabService *self, ConfabHistogram *latency);

/* Of ConfabSession, oldest first. */
GListModel *confab_service_get_sessions (ConfabService *self);
ConfabModule *confab_service_lookup_module (ConfabService *self, const char *module_id);
ConfabSession *confab_service_lookup_session (ConfabService *self, const char *session_id);
ConfabSession *
confab_service_require_session (ConfabService *self, const char *session_id, GError **error);

G_END_DECLS

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-service-private.h"

enum
{
  GENERATION_STARTED,
  SESSION_CHANGED,
  MODULE_CHANGED,
  BRANCH_CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

/* For the class of ConfabService, whose type is @type. */
void
confab_service_add_signals (GType type)
{
  /**
   * ConfabService::generation-started:
   * @self: the service
   * @generation: what was accepted
   */
  signals[GENERATION_STARTED] =
      g_signal_new ("generation-started", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE,
                    1, CONFAB_TYPE_GENERATION);

  /**
   * ConfabService::session-changed:
   * @self: the service
   * @session_id: its id
   * @session: (nullable): as it is now; %NULL: it was deleted
   */
  signals[SESSION_CHANGED] =
      g_signal_new ("session-changed", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 2,
                    G_TYPE_STRING | G_SIGNAL_TYPE_STATIC_SCOPE, CONFAB_TYPE_SESSION);

  /**
   * ConfabService::module-changed:
   * @self: the service
   * @module_id: its id
   * @module: (nullable): as it is now; %NULL: it was deleted
   */
  signals[MODULE_CHANGED] =
      g_signal_new ("module-changed", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 2,
                    G_TYPE_STRING | G_SIGNAL_TYPE_STATIC_SCOPE, CONFAB_TYPE_MODULE);

  /**
   * ConfabService::branch-changed:
   * @self: the service
   * @change: a #ConfabBranchChange, which lasts as long as the signal
   */
  signals[BRANCH_CHANGED] = g_signal_new ("branch-changed", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                          NULL, G_TYPE_NONE, 1, G_TYPE_POINTER);
}

void
confab_service_emit_started (ConfabService *self, ConfabGeneration *generation)
{
  g_signal_emit (self, signals[GENERATION_STARTED], 0, generation);
}

void
confab_service_emit_session (ConfabService *self, const char *id, ConfabSession *session)
{
  g_signal_emit (self, signals[SESSION_CHANGED], 0, id, session);
}

void
confab_service_emit_module (ConfabService *self, const char *id, ConfabModule *module)
{
  g_signal_emit (self, signals[MODULE_CHANGED], 0, id, module);
}

void
confab_service_emit_branch (ConfabService *self, const ConfabBranchChange *change)
{
  g_signal_emit (self, signals[BRANCH_CHANGED], 0, change);
}

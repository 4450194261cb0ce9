/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-activation.h"
#include "confab-bus.h"
#include "confab-chat-streams.h"
#include "confab-config.h"
#include "confab-daemon.h"
#include "confab-desktop.h"
#include "confab-gateway.h"
#include "confab-guard.h"
#include "confab-idle.h"
#include "confab-keys.h"
#include "confab-listeners.h"
#include "confab-reporter.h"
#include "confab-secrets.h"
#include "confab-supervisor.h"
#include "confab-trimmer.h"
#include "confab-web.h"

G_BEGIN_DECLS

struct _ConfabDaemon
{
  const ConfabOptions *options; /* of the caller */
  ConfabSupervisor *supervisor;
  ConfabActivation *activation;
  ConfabConfig *config;
  ConfabSecrets *secrets;
  ConfabSettings *settings; /* as they were when they last were right */
  ConfabKeys *keys;         /* NULL with --dev */
  ConfabAccess *access;
  ConfabLimits *limits;
  ConfabStore *store;
  ConfabService *service;
  ConfabProviderRegistry *providers;
  SocketioServer *server;
  ConfabGuard *guard;
  ConfabWeb *web;
  ConfabChatStreams *streams;
  ConfabGateway *gateway; /* NULL with --no-realtime */
  ConfabListeners *listeners;
  ConfabReporter *reporter;
  ConfabTrimmer *trimmer;
  ConfabIdle *idle;        /* NULL unless started on demand */
  ConfabBusName *bus_name; /* NULL: on no bus */
  ConfabBus *bus;          /* the same */
  ConfabDesktop *desktop;  /* NULL unless on a session bus */
  GMainLoop *loop;
  guint sources[4]; /* of the signals and of the time limit; 0 for none */
  gboolean stopping;
  gint64 stopping_since; /* monotonic, µs */
  int exit_status;
};

/* confab-daemon.c */
/* Says in one sentence why the program does not run. Returns: FALSE */
gboolean confab_daemon_give_up (ConfabDaemon *self, int exit_status, const GError *error);
/* Does nothing if it ends already. */
void confab_daemon_shut_down (ConfabDaemon *self);

/* confab-daemon-settings.c */
/* What is wrong changes nothing: neither the settings nor the providers. */
gboolean confab_daemon_read_settings (ConfabDaemon *self, GError **error);
/* Hands the settings to those whom they concern. */
void confab_daemon_apply_settings (ConfabDaemon *self);
/* Reads and applies them again. */
void confab_daemon_reload (ConfabDaemon *self);
/* Lets it look for a model, if it has to. */
void confab_daemon_start_provider (ConfabDaemon *self);

/* confab-daemon-reach.c */
gboolean confab_daemon_listen (ConfabDaemon *self);
/* Tells whoever started it where it listens. */
void confab_daemon_announce (ConfabDaemon *self);
/* Once we can be asked: whoever sees the name may call. */
gboolean confab_daemon_show_on_bus (ConfabDaemon *self);

G_END_DECLS

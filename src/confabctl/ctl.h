/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define CTL_ROOT "/org/confab/Confab"
#define CTL_MANAGER "org.confab.Confab1.Manager"
#define CTL_SESSION "org.confab.Confab1.Session"
#define CTL_MODULE "org.confab.Confab1.Module"

/* What the shell is told. */
typedef enum
{
  CTL_EXIT_OK = 0,
  CTL_EXIT_FAILED = 1,      /* Confab refused, or the answer failed */
  CTL_EXIT_USAGE = 2,       /* wrong command line */
  CTL_EXIT_UNREACHABLE = 3, /* there is no Confab on the bus */
  CTL_EXIT_STOPPED = 130,   /* Ctrl-C, as shells have it */
} CtlExit;

/* One run of the program. */
typedef struct
{
  GDBusConnection *connection;
  gboolean json;
  char *module; /* of -m; nullable */
} Ctl;

typedef CtlExit (*CtlCommandFunc) (Ctl *self, char **args);

/* Both print why they fail, in one sentence; @status is set then. */
GVariant *ctl_call (Ctl *self,
                    const char *path,
                    const char *interface,
                    const char *method,
                    GVariant *parameters,
                    const char *reply_type,
                    CtlExit *status);
char *ctl_find_module (Ctl *self, const char *id, CtlExit *status);
CtlExit ctl_report (const GError *error);

void ctl_print_json (GVariant *value);

/* ctl-chat.c, ctl-lists.c */
CtlExit ctl_chat (Ctl *self, char **args);
CtlExit ctl_status (Ctl *self, char **args);
CtlExit ctl_sessions (Ctl *self, char **args);
CtlExit ctl_modules (Ctl *self, char **args);
CtlExit ctl_history (Ctl *self, char **args);
CtlExit ctl_stop (Ctl *self, char **args);
CtlExit ctl_providers (Ctl *self, char **args);

G_END_DECLS

/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define CTL_NAME "org.confab.Confab"
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
  CTL_EXIT_UNREACHABLE = 3, /* there is no Confab on the bus, or not any more */
  CTL_EXIT_STOPPED = 130,   /* Ctrl-C, as shells have it */
} CtlExit;

/* One run of the program. */
typedef struct
{
  GDBusConnection *connection;
  gboolean json;
  gboolean system_bus;
  gboolean print;          /* of open */
  gboolean fresh;          /* the same */
  gboolean chunks;         /* of monitor */
  char *module;            /* of chat -m and branch -m; nullable */
  char **sessions;         /* of export --session; nullable */
  gboolean all_parameters; /* of import */
  int limit;               /* of history --limit; 0: all */
} Ctl;

typedef CtlExit (*CtlCommandFunc) (Ctl *self, char **args);

/* ctl-bus.c */
CtlExit ctl_connect (Ctl *self, GBusType bus);
/* Whether it is the one of this name in org.confab.Confab1.Error. */
gboolean ctl_is_error (const GError *error, const char *code);
gboolean ctl_is_deleted (const GError *error);
/* These two print in one sentence what went wrong. */
CtlExit ctl_fail (CtlExit status, const char *format, ...) G_GNUC_PRINTF (2, 3);
CtlExit ctl_report (const GError *error);
/* These two print why they fail, and set @status. */
GVariant *ctl_call (Ctl *self,
                    const char *path,
                    const char *interface,
                    const char *method,
                    GVariant *parameters,
                    const char *reply_type,
                    CtlExit *status);
char *ctl_find_module (Ctl *self, const char *id, CtlExit *status);
/* The ids in the path of a session, or of a module; FALSE if it is of neither. */
gboolean ctl_parse_path (const char *path, char **session_id, char **module_id);
/* Runs @loop until it is quit; or until Confab or the bus has gone, which it prints and returns. */
CtlExit ctl_run (Ctl *self, GMainLoop *loop);

/* Before Watch is called. */
void ctl_take_watcher_name (Ctl *self);

/* main.c */
/* Both take a floating @value; the latter is for streams of them. */
void ctl_print_json (GVariant *value);
void ctl_print_json_line (GVariant *value);

/* one file for each, but ctl-lists.c for the lists, and ctl-transfer.c for
 * export and import */
CtlExit ctl_branch (Ctl *self, char **args);
CtlExit ctl_change_key (Ctl *self, char **args);
CtlExit ctl_chat (Ctl *self, char **args);
CtlExit ctl_export (Ctl *self, char **args);
CtlExit ctl_history (Ctl *self, char **args);
CtlExit ctl_import (Ctl *self, char **args);
CtlExit ctl_modules (Ctl *self, char **args);
CtlExit ctl_monitor (Ctl *self, char **args);
CtlExit ctl_open (Ctl *self, char **args);
CtlExit ctl_providers (Ctl *self, char **args);
CtlExit ctl_sessions (Ctl *self, char **args);
CtlExit ctl_status (Ctl *self, char **args);
CtlExit ctl_stop (Ctl *self, char **args);
CtlExit ctl_token (Ctl *self, char **args);

G_END_DECLS

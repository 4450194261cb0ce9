/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-options.h"

G_BEGIN_DECLS

#define CONFAB_DAEMON_EXIT_USAGE 2

/*
 * ConfabDaemon: all that the program owns, and the one place where its parts are wired together:
 * made in order, freed in the opposite one.
 */
typedef struct _ConfabDaemon ConfabDaemon;

ConfabDaemon *confab_daemon_new (const ConfabOptions *options);
void confab_daemon_free (ConfabDaemon *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConfabDaemon, confab_daemon_free)

int confab_daemon_run (ConfabDaemon *self);

G_END_DECLS

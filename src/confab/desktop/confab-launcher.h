/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-opener.h"

G_BEGIN_DECLS

#define CONFAB_TYPE_LAUNCHER (confab_launcher_get_type ())

/* ConfabLauncher: what the desktop's launcher calls: org.freedesktop.Application, which opens our
 * page, and GNOME Shell's search, over titles and messages. Both only on a session bus. */
G_DECLARE_FINAL_TYPE (ConfabLauncher, confab_launcher, CONFAB, LAUNCHER, GObject)

/* Of ActivateAction: opens the page of the module whose id is the parameter. */
#define CONFAB_LAUNCHER_SHOW_CHAT "show-chat"

/* @opener must outlive it */
ConfabLauncher *confab_launcher_new (ConfabService *service, ConfabOpener *opener);
gboolean confab_launcher_export (ConfabLauncher *self, GDBusConnection *connection, GError **error);
void confab_launcher_unexport (ConfabLauncher *self);

G_END_DECLS

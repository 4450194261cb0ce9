/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-opener.h"

G_BEGIN_DECLS

#define CONFAB_TYPE_NOTIFIER (confab_notifier_get_type ())

/* ConfabNotifier: tells the desktop that an answer is ready, or failed, of whose end no client was
 * told. */
G_DECLARE_FINAL_TYPE (ConfabNotifier, confab_notifier, CONFAB, NOTIFIER, GObject)

/* @opener must outlive it */
ConfabNotifier *confab_notifier_new (ConfabService *service, ConfabOpener *opener);

/* On which bus the desktop is; NULL: none. */
void confab_notifier_set_connection (ConfabNotifier *self, GDBusConnection *connection);
/* @with_text: whether titles and answers are shown */
void confab_notifier_set_enabled (ConfabNotifier *self, gboolean enabled, gboolean with_text);

G_END_DECLS

/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-access.h"
#include "confab-service.h"
#include "confab-settings.h"

G_BEGIN_DECLS

/* ConfabDesktop: all that makes Confab part of the desktop of its user: launcher, search,
 * notifications, and staying awake. */
typedef struct _ConfabDesktop ConfabDesktop;

ConfabDesktop *confab_desktop_new (ConfabService *service, ConfabAccess *access);
void confab_desktop_free (ConfabDesktop *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConfabDesktop, confab_desktop_free)

void confab_desktop_apply (ConfabDesktop *self, const ConfabSettings *settings);
/* @connection: to a session bus, before our name is taken there; NULL: it is lost */
gboolean
confab_desktop_set_connection (ConfabDesktop *self, GDBusConnection *connection, GError **error);

G_END_DECLS

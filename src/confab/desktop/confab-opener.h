/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-access.h"
#include "confab-service.h"

G_BEGIN_DECLS

/* ConfabOpener: opens our pages in the user's browser, which a one-time ticket signs in. Inside a
 * sandbox GIO asks the portal to. */
typedef struct _ConfabOpener ConfabOpener;

ConfabOpener *confab_opener_new (ConfabService *service, ConfabAccess *access);
void confab_opener_free (ConfabOpener *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConfabOpener, confab_opener_free)

/* @module_id: nullable; the first page for NULL and for one that is not there */
void confab_opener_set_connection (ConfabOpener *self, GDBusConnection *connection);
void confab_opener_open (ConfabOpener *self, const char *module_id);
void confab_opener_open_new (ConfabOpener *self);

G_END_DECLS

/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-module.h"

G_BEGIN_DECLS

#define CONFAB_TYPE_SESSION (confab_session_get_type ())

/* ConfabSession: a set of modules under one title. */
G_DECLARE_FINAL_TYPE (ConfabSession, confab_session, CONFAB, SESSION, GObject)

ConfabSession *confab_session_new (const char *id);

const char *confab_session_get_id (ConfabSession *self);
const char *confab_session_get_title (ConfabSession *self); /* nullable */
void confab_session_set_title (ConfabSession *self, const char *title);
gint64 confab_session_get_created_at (ConfabSession *self); /* ms since the epoch */

void confab_session_add_module (ConfabSession *self, ConfabModule *module);
guint confab_session_get_n_modules (ConfabSession *self);
ConfabModule *confab_session_get_module (ConfabSession *self, guint index);

G_END_DECLS

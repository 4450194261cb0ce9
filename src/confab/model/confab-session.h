/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "confab-module.h"

G_BEGIN_DECLS

#define CONFAB_TYPE_SESSION (confab_session_get_type ())

/* ConfabSession: a set of modules under one title; a GListModel of them, oldest first. */
G_DECLARE_FINAL_TYPE (ConfabSession, confab_session, CONFAB, SESSION, GObject)

ConfabSession *confab_session_new (const char *id);

const char *confab_session_get_id (ConfabSession *self);
/* "" where there is none */
const char *confab_session_get_title (ConfabSession *self);
void confab_session_set_title (ConfabSession *self, const char *title);
/* Place in the order of making, which no clock can change. */
guint64 confab_session_get_ordinal (ConfabSession *self);
void confab_session_set_ordinal (ConfabSession *self, guint64 ordinal);
/* Times in ms since the epoch; updated: the newest change of the session itself. */
gint64 confab_session_get_created_at (ConfabSession *self);
void confab_session_set_created_at (ConfabSession *self, gint64 created_at);
gint64 confab_session_get_updated_at (ConfabSession *self);
void confab_session_set_updated_at (ConfabSession *self, gint64 updated_at);

void confab_session_add_module (ConfabSession *self, ConfabModule *module);
void confab_session_remove_module (ConfabSession *self, ConfabModule *module);

G_END_DECLS

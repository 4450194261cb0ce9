/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "confab-keys.h"
#include "confab-requester.h"

G_BEGIN_DECLS

#define CONFAB_TYPE_ACCESS (confab_access_get_type ())

/*
 * ConfabAccess: the rules about who may talk, without I/O. ConfabGuard applies them to HTTP,
 * ConfabGateway to the CONNECT of Socket.IO.
 */
G_DECLARE_FINAL_TYPE (ConfabAccess, confab_access, CONFAB, ACCESS, GObject)

/* @keys is only read now; NULL (--dev) asks for no token. */
ConfabAccess *confab_access_new (const ConfabKeys *keys);

void confab_access_set_keys (ConfabAccess *self, const ConfabKeys *keys);
const char *confab_access_get_token (ConfabAccess *self);

void confab_access_set_address (ConfabAccess *self, guint16 port, GInetAddress *bind);
void confab_access_set_allowed (ConfabAccess *self,
                                const char *const *origins,
                                const char *const *hosts);

gboolean confab_access_is_open (ConfabAccess *self);
gboolean confab_access_allows_host (ConfabAccess *self, const char *host, gboolean unix_peer);
gboolean confab_access_allows_origin (ConfabAccess *self, const char *origin);
gboolean
confab_access_check_place (ConfabAccess *self, const ConfabRequester *requester, GError **error);
gboolean confab_access_is_authorized (ConfabAccess *self, const ConfabRequester *requester);
gboolean confab_access_check_token (ConfabAccess *self, const char *token);

char *confab_access_mint_ticket (ConfabAccess *self, gint64 *expires_at);
gboolean confab_access_redeem_ticket (ConfabAccess *self, const char *ticket);
char *confab_access_make_cookie (ConfabAccess *self);
char *confab_access_make_url (ConfabAccess *self, const char *name, const char *value);

G_END_DECLS

/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

/*
 * ConfabHttpPool: the sessions through which one server is asked. libsoup looks through all
 * connections to a host, with a lock and a weak reference for each, whenever one of them is made,
 * so that hundreds at once cost the square. No session gets more than a few dozen requests at a
 * time; those are few enough, and the first ones are filled first, so that their connections are
 * used again.
 */
typedef struct _ConfabHttpPool ConfabHttpPool;

/* What one session is given at a time. */
#define CONFAB_HTTP_POOL_SESSION_REQUESTS 48

ConfabHttpPool *confab_http_pool_new (gboolean direct);
void confab_http_pool_free (ConfabHttpPool *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConfabHttpPool, confab_http_pool_free)

SoupSession *confab_http_pool_take (ConfabHttpPool *self);
void confab_http_pool_give_back (ConfabHttpPool *self, SoupSession *session);
guint confab_http_pool_get_n_sessions (ConfabHttpPool *self);

G_END_DECLS

/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define CONFAB_TICKET_SECONDS 60
/* More at a time than anybody opens by hand; the oldest gives way. */
#define CONFAB_TICKETS_MAX 32

/* ConfabTickets: passes that open a page once, within a minute. Only their digests are kept. */
typedef struct _ConfabTickets ConfabTickets;

ConfabTickets *confab_tickets_new (void);
void confab_tickets_free (ConfabTickets *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConfabTickets, confab_tickets_free)

/* @now: monotonic time in microseconds */
char *confab_tickets_mint (ConfabTickets *self, gint64 now);
gboolean confab_tickets_redeem (ConfabTickets *self, const char *ticket, gint64 now);

G_END_DECLS

/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

#include "confab-metrics.h"

G_BEGIN_DECLS

/* How long one may be ahead of the rates: ten seconds' worth may come in one go. */
#define CONFAB_LIMITS_BURST_SECONDS 10

/* What the settings say; 0 stands for no limit. */
typedef struct
{
  guint client_rate;         /* requests per second of one client of Socket.IO or D-Bus */
  guint address_rate;        /* the same, of all clients of one address, HTTP included */
  guint address_connections; /* of one address, at a time */
  guint connections;         /* of all addresses, at a time */
  gboolean limit_local;      /* whether this machine counts as an address, too */
} ConfabLimitValues;

/*
 * ConfabLimits: how much each client and each address may ask, for all faces together.
 *
 * An address is an IPv4 address or an IPv6 network of 64 bits, which one machine has to itself.
 * Everything on this machine is one address, "local", which is limited only on demand; but one that
 * a proxy here tells is taken for the sender's. What is kept of addresses and names is bounded:
 * when too many are active, the rest of them share.
 */
typedef struct _ConfabLimits ConfabLimits;
/* One client of Socket.IO, and what its address has used up. */
typedef struct _ConfabLimitedClient ConfabLimitedClient;

ConfabLimits *confab_limits_new (ConfabMetrics *metrics);
ConfabLimits *confab_limits_ref (ConfabLimits *self);
void confab_limits_unref (ConfabLimits *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConfabLimits, confab_limits_unref)

void confab_limits_set (ConfabLimits *self, const ConfabLimitValues *values);

/* The name of an address. @peer: as text, "" for a UNIX peer; @x_forwarded_for and @forwarded:
 * headers of those names, NULL if there are none. Only a peer on this machine is believed them. */
char *
confab_limits_name_address (const char *peer, const char *x_forwarded_for, const char *forwarded);

/* All of these take the address by its name, and fail with CONFAB_ERROR_RATE_LIMITED and the time
 * after which it is worth trying again. @now: monotonic, in µs */
gboolean
confab_limits_admit_request (ConfabLimits *self, const char *address, gint64 now, GError **error);
gboolean confab_limits_admit_connection (ConfabLimits *self,
                                         const char *address,
                                         gint64 now,
                                         GError **error);
void confab_limits_connection_opened (ConfabLimits *self, const char *address, gint64 now);
void confab_limits_connection_closed (ConfabLimits *self, const char *address);
/* Whether as many connections are open as may be. */
gboolean confab_limits_is_full (ConfabLimits *self);

/* @name: of somebody on a bus */
gboolean
confab_limits_admit_caller (ConfabLimits *self, const char *name, gint64 now, GError **error);

ConfabLimitedClient *
confab_limited_client_new (ConfabLimits *limits, const char *address, gint64 now);
void confab_limited_client_free (ConfabLimitedClient *self);
gboolean confab_limited_client_admit (ConfabLimitedClient *self, gint64 now, GError **error);

G_END_DECLS

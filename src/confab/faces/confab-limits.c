/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-limits.h"

#include <arpa/inet.h>
#include <gio/gio.h>
#include <glib/gi18n-lib.h>
#include <string.h>

#include "confab-error.h"

#define LOCAL "local"
/* Addresses, and names on a bus, that are kept apart. */
#define MAX_ENTRIES 16384
/* How often at most the tables are searched for what is used no more. */
#define SWEEP_INTERVAL_US G_USEC_PER_SEC
#define BURST_US ((gint64) CONFAB_LIMITS_BURST_SECONDS * G_USEC_PER_SEC)
/* A connection that is refused may come again after this. */
#define CONNECTION_RETRY_MS 5000
#define IPV6_NETWORK_BYTES 8

/* One address, or one name on a bus. */
typedef struct
{
  gint64 paid_until; /* see admit() */
  guint n_connections;
  guint n_clients; /* that point here */
  gboolean is_local;
} Entry;

typedef struct
{
  GHashTable *entries; /* name → Entry */
  Entry others;        /* all for whom there is no room */
  gint64 next_sweep;
} Table;

struct _ConfabLimits
{
  grefcount refs;
  ConfabMetrics *metrics;
  ConfabLimitValues values;
  Table addresses;
  Table callers;
  guint n_connections;
};

struct _ConfabLimitedClient
{
  ConfabLimits *limits;
  Entry *address;
  gint64 paid_until;
};

static void
table_init (Table *table)
{
  table->entries = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
}

static void
table_clear (Table *table)
{
  g_hash_table_unref (table->entries);
}

static gboolean
is_unused (gpointer name, gpointer value, gpointer now)
{
  const Entry *entry = value;

  return entry->n_connections == 0 && entry->n_clients == 0 && entry->paid_until <= *(gint64 *) now;
}

static Entry *
table_take (Table *table, const char *name, gint64 now)
{
  Entry *entry = g_hash_table_lookup (table->entries, name);

  if (entry != NULL)
    return entry;

  if (g_hash_table_size (table->entries) >= MAX_ENTRIES)
    {
      if (now < table->next_sweep)
        return &table->others;
      table->next_sweep = now + SWEEP_INTERVAL_US;
      g_hash_table_foreach_remove (table->entries, is_unused, &now);
      if (g_hash_table_size (table->entries) >= MAX_ENTRIES)
        return &table->others;
    }

  entry = g_new0 (Entry, 1);
  entry->is_local = g_str_equal (name, LOCAL);
  g_hash_table_insert (table->entries, g_strdup (name), entry);

  return entry;
}

/**
 * confab_limits_new:
 * @metrics: where refusals are counted
 *
 * Returns: (transfer full): limits that let everything pass
 */
ConfabLimits *
confab_limits_new (ConfabMetrics *metrics)
{
  ConfabLimits *self = g_new0 (ConfabLimits, 1);

  g_ref_count_init (&self->refs);
  self->metrics = confab_metrics_ref (metrics);
  table_init (&self->addresses);
  table_init (&self->callers);

  return self;
}

ConfabLimits *
confab_limits_ref (ConfabLimits *self)
{
  g_ref_count_inc (&self->refs);

  return self;
}

void
confab_limits_unref (ConfabLimits *self)
{
  if (!g_ref_count_dec (&self->refs))
    return;

  table_clear (&self->addresses);
  table_clear (&self->callers);
  confab_metrics_unref (self->metrics);
  g_free (self);
}

void
confab_limits_set (ConfabLimits *self, const ConfabLimitValues *values)
{
  self->values = *values;
}

/* An address as headers have it: maybe with a port, in brackets, in quotes. */
static GInetAddress *
parse_address (const char *text)
{
  g_autofree char *plain = g_strdup (text);
  char *start = plain;
  char *end;

  g_strstrip (start);
  if (*start == '"')
    start++;
  if (*start == '[')
    {
      start++;
      end = strchr (start, ']');
    }
  else
    {
      end = strpbrk (start, "\";");
      if (end != NULL)
        *end = '\0';
      /* one colon is a port's, more of them an IPv6 address's */
      end = strchr (start, ':');
      if (end != NULL && strchr (end + 1, ':') != NULL)
        end = NULL;
    }
  if (end != NULL)
    *end = '\0';

  return g_inet_address_new_from_string (start);
}

static const char *
last_of_list (const char *list)
{
  const char *comma = strrchr (list, ',');

  return comma != NULL ? comma + 1 : list;
}

/* The parameter "for" of an element of the header Forwarded (RFC 7239). */
static GInetAddress *
parse_forwarded (const char *element)
{
  g_auto (GStrv) pairs = g_strsplit (element, ";", -1);

  for (guint i = 0; pairs[i] != NULL; i++)
    {
      const char *pair = g_strstrip (pairs[i]);

      if (g_ascii_strncasecmp (pair, "for=", strlen ("for=")) == 0)
        return parse_address (pair + strlen ("for="));
    }

  return NULL;
}

static gboolean
is_ipv4_in_ipv6 (GInetAddress *address)
{
  static const guint8 prefix[] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

  return g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV6
         && memcmp (g_inet_address_to_bytes (address), prefix, sizeof prefix) == 0;
}

static char *
name_of (GInetAddress *address)
{
  g_autoptr (GInetAddress) part = NULL;
  guint8 bytes[16] = { 0 };

  if (address == NULL)
    return g_strdup (LOCAL);
  if (is_ipv4_in_ipv6 (address))
    {
      part = g_inet_address_new_from_bytes (g_inet_address_to_bytes (address) + 12,
                                            G_SOCKET_FAMILY_IPV4);
      return name_of (part);
    }
  if (g_inet_address_get_is_loopback (address))
    return g_strdup (LOCAL);
  if (g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV4)
    return g_inet_address_to_string (address);

  memcpy (bytes, g_inet_address_to_bytes (address), IPV6_NETWORK_BYTES);
  part = g_inet_address_new_from_bytes (bytes, G_SOCKET_FAMILY_IPV6);

  return g_inet_address_to_string (part);
}

/* As name_of(), for the usual peers without making objects. */
static char *
name_of_peer (const char *peer)
{
  g_autoptr (GInetAddress) address = NULL;
  guint8 bytes[4];

  if (peer == NULL)
    return g_strdup (LOCAL);
  if (inet_pton (AF_INET, peer, bytes) == 1)
    return g_strdup (bytes[0] == IN_LOOPBACKNET ? LOCAL : peer);

  address = g_inet_address_new_from_string (peer);

  return name_of (address);
}

/**
 * confab_limits_name_address:
 * @peer: (nullable): the peer's address as text; "" for a UNIX peer
 * @x_forwarded_for: (nullable): that header
 * @forwarded: (nullable): that header
 *
 * The last address of a header is what the nearest proxy has seen itself; those before it may be
 * made up. A proxy on this machine that tells no address counts as this machine.
 *
 * Returns: (transfer full): the name under which the sender is limited
 */
char *
confab_limits_name_address (const char *peer, const char *x_forwarded_for, const char *forwarded)
{
  g_autofree char *name = name_of_peer (peer);
  g_autoptr (GInetAddress) told = NULL;

  if (!g_str_equal (name, LOCAL))
    return g_steal_pointer (&name);

  if (x_forwarded_for != NULL)
    told = parse_address (last_of_list (x_forwarded_for));
  else if (forwarded != NULL)
    told = parse_forwarded (last_of_list (forwarded));

  return name_of (told);
}

static gboolean
refuse (ConfabLimits *self, const char *limit, gint64 retry_after_ms, GError **error)
{
  guint seconds = (guint) ((retry_after_ms + 999) / 1000);
  GError *refusal;

  confab_metrics_add (self->metrics, CONFAB_METRIC_LIMITED, 1, limit, NULL, NULL);
  refusal = g_error_new (CONFAB_ERROR, CONFAB_ERROR_RATE_LIMITED,
                         ngettext ("Too much at a time. Try again in %u second.",
                                   "Too much at a time. Try again in %u seconds.", seconds),
                         seconds);
  confab_error_set_retry_after (refusal, retry_after_ms);
  g_propagate_error (error, refusal);

  return FALSE;
}

/* Each request costs its share of a second, paid in time from now on; nobody may be further ahead
 * than the burst. Returns for how many ms to wait, 0 if it may pass. */
static gint64
admit (gint64 *paid_until, guint rate, gint64 now)
{
  gint64 next;

  if (rate == 0)
    return 0;
  next = MAX (*paid_until, now) + G_USEC_PER_SEC / rate;
  if (next - now > BURST_US)
    return (next - now - BURST_US + 999) / 1000;
  *paid_until = next;

  return 0;
}

static gboolean
is_exempt (ConfabLimits *self, const Entry *entry)
{
  return entry->is_local && !self->values.limit_local;
}

static gboolean
admit_to_address (ConfabLimits *self, Entry *entry, gint64 now, GError **error)
{
  gint64 wait =
      is_exempt (self, entry) ? 0 : admit (&entry->paid_until, self->values.address_rate, now);

  return wait == 0 || refuse (self, "address", wait, error);
}

/**
 * confab_limits_admit_request:
 * @self: the limits
 * @address: the name of an address
 * @now: monotonic time
 * @error: return location for %CONFAB_ERROR_RATE_LIMITED
 *
 * Returns: whether a request from there may go on
 */
gboolean
confab_limits_admit_request (ConfabLimits *self, const char *address, gint64 now, GError **error)
{
  return admit_to_address (self, table_take (&self->addresses, address, now), now, error);
}

/**
 * confab_limits_admit_connection:
 * @self: the limits
 * @address: the name of an address
 * @now: monotonic time
 * @error: return location for %CONFAB_ERROR_RATE_LIMITED
 *
 * Returns: whether one more connection may be open from there; it is not counted yet
 */
gboolean
confab_limits_admit_connection (ConfabLimits *self, const char *address, gint64 now, GError **error)
{
  const Entry *entry = table_take (&self->addresses, address, now);
  guint most = self->values.address_connections;

  if (most > 0 && !is_exempt (self, entry) && entry->n_connections >= most)
    return refuse (self, "address-connections", CONNECTION_RETRY_MS, error);
  if (confab_limits_is_full (self))
    return refuse (self, "connections", CONNECTION_RETRY_MS, error);

  return TRUE;
}

void
confab_limits_connection_opened (ConfabLimits *self, const char *address, gint64 now)
{
  table_take (&self->addresses, address, now)->n_connections++;
  self->n_connections++;
}

void
confab_limits_connection_closed (ConfabLimits *self, const char *address)
{
  Entry *entry = g_hash_table_lookup (self->addresses.entries, address);

  /* one that has an entry only since this connection was opened is counted with the others */
  if (entry == NULL || entry->n_connections == 0)
    entry = &self->addresses.others;
  if (entry->n_connections > 0)
    entry->n_connections--;
  self->n_connections--;
}

gboolean
confab_limits_is_full (ConfabLimits *self)
{
  return self->values.connections > 0 && self->n_connections >= self->values.connections;
}

/**
 * confab_limits_admit_caller:
 * @self: the limits
 * @name: the unique name of somebody on a bus
 * @now: monotonic time
 * @error: return location for %CONFAB_ERROR_RATE_LIMITED
 *
 * Returns: whether a call may go on
 */
gboolean
confab_limits_admit_caller (ConfabLimits *self, const char *name, gint64 now, GError **error)
{
  Entry *entry = table_take (&self->callers, name, now);
  gint64 wait = admit (&entry->paid_until, self->values.client_rate, now);

  return wait == 0 || refuse (self, "client", wait, error);
}

ConfabLimitedClient *
confab_limited_client_new (ConfabLimits *limits, const char *address, gint64 now)
{
  ConfabLimitedClient *self = g_new0 (ConfabLimitedClient, 1);

  self->limits = confab_limits_ref (limits);
  self->address = table_take (&limits->addresses, address, now);
  self->address->n_clients++;

  return self;
}

void
confab_limited_client_free (ConfabLimitedClient *self)
{
  self->address->n_clients--;
  confab_limits_unref (self->limits);
  g_free (self);
}

/**
 * confab_limited_client_admit:
 * @self: a client
 * @now: monotonic time
 * @error: return location for %CONFAB_ERROR_RATE_LIMITED
 *
 * Returns: whether a request of it may go on; it counts for its address as well
 */
gboolean
confab_limited_client_admit (ConfabLimitedClient *self, gint64 now, GError **error)
{
  gint64 wait = admit (&self->paid_until, self->limits->values.client_rate, now);

  if (wait > 0)
    return refuse (self->limits, "client", wait, error);

  return admit_to_address (self->limits, self->address, now, error);
}

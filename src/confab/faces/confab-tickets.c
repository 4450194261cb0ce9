/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-tickets.h"

#include "confab-digest.h"
#include "confab-keys.h"

typedef struct
{
  ConfabDigest digest;
  gint64 expires; /* monotonic, microseconds */
} Ticket;

struct _ConfabTickets
{
  GArray *valid; /* of Ticket, oldest first */
};

/**
 * confab_tickets_new:
 *
 * Returns: (transfer full): no tickets yet
 */
ConfabTickets *
confab_tickets_new (void)
{
  ConfabTickets *self = g_new0 (ConfabTickets, 1);

  self->valid = g_array_new (FALSE, FALSE, sizeof (Ticket));

  return self;
}

/**
 * confab_tickets_free:
 * @self: (transfer full): tickets
 */
void
confab_tickets_free (ConfabTickets *self)
{
  g_array_unref (self->valid);
  g_free (self);
}

static void
drop_expired (ConfabTickets *self, gint64 now)
{
  guint n = 0;

  while (n < self->valid->len && g_array_index (self->valid, Ticket, n).expires <= now)
    n++;
  g_array_remove_range (self->valid, 0, n);
}

/**
 * confab_tickets_mint:
 * @self: tickets
 * @now: monotonic time in microseconds
 *
 * Returns: (transfer full): a new ticket
 */
char *
confab_tickets_mint (ConfabTickets *self, gint64 now)
{
  g_autofree char *text = confab_secret_new (CONFAB_SECRET_BYTES);
  Ticket ticket = { .expires = now + CONFAB_TICKET_SECONDS * G_USEC_PER_SEC };

  drop_expired (self, now);
  if (self->valid->len == CONFAB_TICKETS_MAX)
    g_array_remove_index (self->valid, 0);
  confab_digest_init (&ticket.digest, text);
  g_array_append_val (self->valid, ticket);

  return g_steal_pointer (&text);
}

/**
 * confab_tickets_redeem:
 * @self: tickets
 * @ticket: (nullable): what somebody shows
 * @now: monotonic time in microseconds
 *
 * Returns: whether @ticket was good; it is not any more
 */
gboolean
confab_tickets_redeem (ConfabTickets *self, const char *ticket, gint64 now)
{
  guint found = G_MAXUINT;
  ConfabDigest digest;

  if (ticket == NULL)
    return FALSE;

  drop_expired (self, now);
  confab_digest_init (&digest, ticket);
  for (guint i = 0; i < self->valid->len; i++)
    if (confab_digest_equal (&g_array_index (self->valid, Ticket, i).digest, &digest))
      found = i;
  if (found == G_MAXUINT)
    return FALSE;
  g_array_remove_index (self->valid, found);

  return TRUE;
}

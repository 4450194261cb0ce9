/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-http-pool.h"

#include "confab-http-session.h"

typedef struct
{
  SoupSession *session; /* owned */
  guint n_requests;
} Place;

struct _ConfabHttpPool
{
  gboolean direct;
  GArray *places; /* of Place; at least one */
};

static void
clear_place (gpointer data)
{
  Place *place = data;

  g_clear_object (&place->session);
}

static Place *
get_place (ConfabHttpPool *self, guint index)
{
  return &g_array_index (self->places, Place, index);
}

static Place *
add_place (ConfabHttpPool *self)
{
  Place place = { confab_http_session_new (self->direct), 0 };

  g_array_append_val (self->places, place);

  return get_place (self, self->places->len - 1);
}

/**
 * confab_http_pool_new:
 * @direct: as of confab_http_session_new()
 *
 * Returns: (transfer full): a pool with one session
 */
ConfabHttpPool *
confab_http_pool_new (gboolean direct)
{
  ConfabHttpPool *self = g_new0 (ConfabHttpPool, 1);

  self->direct = direct;
  self->places = g_array_new (FALSE, FALSE, sizeof (Place));
  g_array_set_clear_func (self->places, clear_place);
  add_place (self);

  return self;
}

void
confab_http_pool_free (ConfabHttpPool *self)
{
  g_array_unref (self->places);
  g_free (self);
}

/**
 * confab_http_pool_take:
 * @self: a pool
 *
 * Returns: (transfer none): a session for one request, to be given back when that has ended
 */
SoupSession *
confab_http_pool_take (ConfabHttpPool *self)
{
  Place *place = NULL;

  for (guint i = 0; i < self->places->len && place == NULL; i++)
    {
      if (get_place (self, i)->n_requests < CONFAB_HTTP_POOL_SESSION_REQUESTS)
        place = get_place (self, i);
    }
  if (place == NULL)
    place = add_place (self);
  place->n_requests++;

  return place->session;
}

/* Those at the end, as soon as the one before has room enough not to want them back at once. */
static void
drop_unused (ConfabHttpPool *self)
{
  while (self->places->len > 1 && get_place (self, self->places->len - 1)->n_requests == 0
         && get_place (self, self->places->len - 2)->n_requests
                < CONFAB_HTTP_POOL_SESSION_REQUESTS / 2)
    g_array_set_size (self->places, self->places->len - 1);
}

/**
 * confab_http_pool_give_back:
 * @self: a pool
 * @session: of confab_http_pool_take(); the caller holds a reference if it goes on to use it
 */
void
confab_http_pool_give_back (ConfabHttpPool *self, SoupSession *session)
{
  for (guint i = 0; i < self->places->len; i++)
    {
      Place *place = get_place (self, i);

      if (place->session != session)
        continue;

      g_assert (place->n_requests > 0);
      place->n_requests--;
      drop_unused (self);
      return;
    }

  g_assert_not_reached ();
}

guint
confab_http_pool_get_n_sessions (ConfabHttpPool *self)
{
  return self->places->len;
}

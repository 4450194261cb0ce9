/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-scheduler.h"

/* Exists as long as it has an item. */
typedef struct
{
  gconstpointer key;
  GQueue waiting;
  gpointer running; /* NULL: none of its items runs */
  GList link;       /* in the queue of lanes whose turn comes; data is NULL outside of it */
} Lane;

struct _ConfabScheduler
{
  guint max_running;
  ConfabSchedulerFunc start;
  gpointer user_data;

  GHashTable *lanes; /* key → Lane */
  GQueue turns;      /* of Lane: those with a waiting item and no running one */
  guint n_running;
  guint n_waiting;
  gboolean starting;
};

static void
lane_free (gpointer data)
{
  Lane *lane = data;

  g_queue_clear (&lane->waiting);
  g_free (lane);
}

/**
 * confab_scheduler_new:
 * @max_running: how many items may run at once, at least 1
 * @start: called when an item's turn has come
 * @user_data: for @start
 *
 * Returns: (transfer full): a scheduler without items
 */
ConfabScheduler *
confab_scheduler_new (guint max_running, ConfabSchedulerFunc start, gpointer user_data)
{
  ConfabScheduler *self;

  g_return_val_if_fail (max_running > 0 && start != NULL, NULL);

  self = g_new0 (ConfabScheduler, 1);
  self->max_running = max_running;
  self->start = start;
  self->user_data = user_data;
  self->lanes = g_hash_table_new_full (NULL, NULL, NULL, lane_free);

  return self;
}

void
confab_scheduler_free (ConfabScheduler *self)
{
  /* lanes own their links */
  self->turns = (GQueue) G_QUEUE_INIT;
  g_hash_table_unref (self->lanes);
  g_free (self);
}

static void
take_turns (ConfabScheduler *self)
{
  if (self->starting)
    return;

  self->starting = TRUE;
  while (self->n_running < self->max_running && !g_queue_is_empty (&self->turns))
    {
      Lane *lane = g_queue_pop_head_link (&self->turns)->data;

      lane->link.data = NULL;
      lane->running = g_queue_pop_head (&lane->waiting);
      self->n_waiting--;
      self->n_running++;
      self->start (lane->running, self->user_data);
    }
  self->starting = FALSE;
}

static void
wait_for_turn (ConfabScheduler *self, Lane *lane)
{
  if (lane->running != NULL || lane->link.data != NULL || g_queue_is_empty (&lane->waiting))
    return;

  lane->link.data = lane;
  g_queue_push_tail_link (&self->turns, &lane->link);
}

/**
 * confab_scheduler_set_max_running:
 * @self: a scheduler
 * @max_running: the new limit, at least 1; what runs already goes on
 */
void
confab_scheduler_set_max_running (ConfabScheduler *self, guint max_running)
{
  g_return_if_fail (max_running > 0);

  self->max_running = max_running;
  take_turns (self);
}

/**
 * confab_scheduler_add:
 * @self: a scheduler
 * @lane: where to wait
 * @item: not in any lane yet
 *
 * Lets @item wait behind those of its lane. Its turn may come before this returns.
 */
void
confab_scheduler_add (ConfabScheduler *self, gconstpointer lane, gpointer item)
{
  Lane *found = g_hash_table_lookup (self->lanes, lane);

  g_return_if_fail (lane != NULL && item != NULL);

  if (found == NULL)
    {
      found = g_new0 (Lane, 1);
      found->key = lane;
      g_hash_table_insert (self->lanes, (gpointer) lane, found);
    }

  g_queue_push_tail (&found->waiting, item);
  self->n_waiting++;
  wait_for_turn (self, found);
  take_turns (self);
}

/**
 * confab_scheduler_remove:
 * @self: a scheduler
 * @lane: where @item was added
 * @item: an item that is done, or is to run no more; nothing happens if it is not there
 *
 * The turn of another one may come before this returns.
 */
void
confab_scheduler_remove (ConfabScheduler *self, gconstpointer lane, gpointer item)
{
  Lane *found = g_hash_table_lookup (self->lanes, lane);

  if (found == NULL)
    return;

  if (found->running == item)
    {
      found->running = NULL;
      self->n_running--;
    }
  else if (g_queue_remove (&found->waiting, item))
    self->n_waiting--;

  if (found->running == NULL && g_queue_is_empty (&found->waiting))
    {
      if (found->link.data != NULL)
        g_queue_unlink (&self->turns, &found->link);
      g_hash_table_remove (self->lanes, lane);
    }
  else
    wait_for_turn (self, found);

  take_turns (self);
}

guint
confab_scheduler_get_n_running (ConfabScheduler *self)
{
  return self->n_running;
}

guint
confab_scheduler_get_n_waiting (ConfabScheduler *self)
{
  return self->n_waiting;
}

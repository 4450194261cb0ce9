/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "confab-scheduler.h"

/* Items are strings; their first letter is the lane, which is that letter's address below. */
static const char lanes[] = "abcd";

typedef struct
{
  ConfabScheduler *scheduler;
  GString *started; /* "ITEM " for each */
  const char *remove_at_once;
  const char *add_at_start;
} Fixture;

static gconstpointer
get_lane (const char *item)
{
  return lanes + (item[0] - 'a');
}

static void
add (Fixture *self, const char *item)
{
  confab_scheduler_add (self->scheduler, get_lane (item), (gpointer) item);
}

static void
remove_item (Fixture *self, const char *item)
{
  confab_scheduler_remove (self->scheduler, get_lane (item), (gpointer) item);
}

static void
start_cb (gpointer item, gpointer user_data)
{
  Fixture *self = user_data;

  g_string_append_printf (self->started, "%s ", (const char *) item);
  if (self->add_at_start != NULL)
    add (self, g_steal_pointer (&self->add_at_start));
  if (self->remove_at_once != NULL && strchr (self->remove_at_once, ((const char *) item)[0]))
    remove_item (self, item);
}

static void
set_up (Fixture *self, gconstpointer data)
{
  self->scheduler = confab_scheduler_new (GPOINTER_TO_UINT (data), start_cb, self);
  self->started = g_string_new (NULL);
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  confab_scheduler_free (self->scheduler);
  g_string_free (self->started, TRUE);
}

static void
assert_state (Fixture *self, const char *started, guint n_running, guint n_waiting)
{
  g_assert_cmpstr (self->started->str, ==, started);
  g_assert_cmpuint (confab_scheduler_get_n_running (self->scheduler), ==, n_running);
  g_assert_cmpuint (confab_scheduler_get_n_waiting (self->scheduler), ==, n_waiting);
}

static void
test_at_once (Fixture *self, gconstpointer data)
{
  assert_state (self, "", 0, 0);
  add (self, "a1");
  add (self, "b1");
  assert_state (self, "a1 b1 ", 2, 0);
  remove_item (self, "a1");
  remove_item (self, "b1");
  assert_state (self, "a1 b1 ", 0, 0);
}

static void
test_one_of_a_lane (Fixture *self, gconstpointer data)
{
  add (self, "a1");
  add (self, "a2");
  add (self, "a3");
  assert_state (self, "a1 ", 1, 2);
  remove_item (self, "a1");
  assert_state (self, "a1 a2 ", 1, 1);
  remove_item (self, "a2");
  remove_item (self, "a3");
  assert_state (self, "a1 a2 a3 ", 0, 0);
  /* the lane is used again */
  add (self, "a4");
  assert_state (self, "a1 a2 a3 a4 ", 1, 0);
}

static void
test_limit (Fixture *self, gconstpointer data)
{
  add (self, "a1");
  add (self, "b1");
  add (self, "c1");
  add (self, "d1");
  assert_state (self, "a1 b1 ", 2, 2);
  remove_item (self, "b1");
  assert_state (self, "a1 b1 c1 ", 2, 1);
  remove_item (self, "a1");
  assert_state (self, "a1 b1 c1 d1 ", 2, 0);
}

/* A lane with much to do does not keep the others waiting. */
static void
test_round_robin (Fixture *self, gconstpointer data)
{
  add (self, "a1");
  add (self, "a2");
  add (self, "a3");
  add (self, "b1");
  add (self, "b2");
  add (self, "c1");
  assert_state (self, "a1 ", 1, 5);
  remove_item (self, "a1");
  remove_item (self, "b1");
  remove_item (self, "c1");
  remove_item (self, "a2");
  remove_item (self, "b2");
  assert_state (self, "a1 b1 c1 a2 b2 a3 ", 1, 0);
}

static void
test_remove_waiting (Fixture *self, gconstpointer data)
{
  add (self, "a1");
  add (self, "a2");
  add (self, "a3");
  add (self, "b1");
  add (self, "c1");
  /* one amid its lane, and one that is alone in it while its turn is due */
  remove_item (self, "a2");
  remove_item (self, "b1");
  assert_state (self, "a1 ", 1, 2);
  remove_item (self, "a1");
  remove_item (self, "c1");
  assert_state (self, "a1 c1 a3 ", 1, 0);
}

static void
test_remove_unknown (Fixture *self, gconstpointer data)
{
  remove_item (self, "a1");
  add (self, "a1");
  add (self, "a2");
  remove_item (self, "a9");
  remove_item (self, "b1");
  assert_state (self, "a1 ", 1, 1);
  remove_item (self, "a1");
  remove_item (self, "a1");
  assert_state (self, "a1 a2 ", 1, 0);
}

static void
test_set_limit (Fixture *self, gconstpointer data)
{
  add (self, "a1");
  add (self, "b1");
  add (self, "c1");
  assert_state (self, "a1 ", 1, 2);
  confab_scheduler_set_max_running (self->scheduler, 3);
  assert_state (self, "a1 b1 c1 ", 3, 0);

  /* what runs goes on */
  confab_scheduler_set_max_running (self->scheduler, 1);
  add (self, "d1");
  remove_item (self, "a1");
  remove_item (self, "b1");
  assert_state (self, "a1 b1 c1 ", 1, 1);
  remove_item (self, "c1");
  assert_state (self, "a1 b1 c1 d1 ", 1, 0);
}

/* Items that are done as soon as they start, as those that fail at once. */
static void
test_done_at_once (Fixture *self, gconstpointer data)
{
  add (self, "a1");
  add (self, "b1");
  add (self, "b2");
  add (self, "c1");
  add (self, "b3");
  self->remove_at_once = "bc";
  remove_item (self, "a1");
  assert_state (self, "a1 b1 c1 b2 b3 ", 0, 0);
}

static void
test_add_from_start (Fixture *self, gconstpointer data)
{
  self->add_at_start = "b1";
  add (self, "a1");
  assert_state (self, "a1 b1 ", 2, 0);
  self->add_at_start = "a2";
  remove_item (self, "b1");
  add (self, "c1");
  assert_state (self, "a1 b1 c1 ", 2, 1);
}

/* The lane in which it starts ends while it starts, and begins anew. */
static void
test_lane_renewed_from_start (Fixture *self, gconstpointer data)
{
  self->remove_at_once = "a";
  self->add_at_start = "a2";
  add (self, "a1");
  assert_state (self, "a1 a2 ", 0, 0);
  add (self, "a3");
  assert_state (self, "a1 a2 a3 ", 0, 0);
}

static void
test_freed_with_items (Fixture *self, gconstpointer data)
{
  add (self, "a1");
  add (self, "a2");
  add (self, "b1");
  add (self, "c1");
  assert_state (self, "a1 ", 1, 3);
}

#define ADD(name, max_running, func)                                                               \
  g_test_add ("/confab/scheduler/" name, Fixture, GUINT_TO_POINTER (max_running), set_up, func,    \
              tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  ADD ("at-once", 4, test_at_once);
  ADD ("one-of-a-lane", 4, test_one_of_a_lane);
  ADD ("limit", 2, test_limit);
  ADD ("round-robin", 1, test_round_robin);
  ADD ("remove-waiting", 1, test_remove_waiting);
  ADD ("remove-unknown", 4, test_remove_unknown);
  ADD ("set-limit", 1, test_set_limit);
  ADD ("done-at-once", 1, test_done_at_once);
  ADD ("add-from-start", 2, test_add_from_start);
  ADD ("lane-renewed-from-start", 1, test_lane_renewed_from_start);
  ADD ("freed-with-items", 1, test_freed_with_items);

  return g_test_run ();
}

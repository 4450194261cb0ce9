/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "socketio-timer.h"

/* A timer that notes when it fires, and then may do something to another one. */
typedef struct
{
  SocketioTimer timer;
  SocketioTimerQueue *queue;
  GArray *log; /* of guint: names, in the order of firing */
  guint name;
  SocketioTimer *to_stop; /* nullable */
  gint64 restart_at;      /* 0: not */
} Probe;

static void
probe_cb (gpointer user_data)
{
  Probe *self = user_data;

  g_array_append_val (self->log, self->name);
  if (self->to_stop != NULL)
    socketio_timer_queue_stop (self->queue, self->to_stop);
  if (self->restart_at != 0)
    socketio_timer_queue_start (self->queue, &self->timer, self->restart_at, probe_cb, self);
}

typedef struct
{
  SocketioTimerQueue *queue;
  GArray *log;
  Probe probes[8];
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->queue = socketio_timer_queue_new ();
  fixture->log = g_array_new (FALSE, FALSE, sizeof (guint));
  for (guint i = 0; i < G_N_ELEMENTS (fixture->probes); i++)
    fixture->probes[i] = (Probe){ .queue = fixture->queue, .log = fixture->log, .name = i };
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_clear_pointer (&fixture->queue, socketio_timer_queue_free);
  g_array_unref (fixture->log);
}

static void
start (Fixture *fixture, guint i, gint64 at)
{
  Probe *probe = &fixture->probes[i];

  socketio_timer_queue_start (fixture->queue, &probe->timer, at, probe_cb, probe);
}

/* Checks the log against names given as digits, and empties it. */
static void
assert_fired (Fixture *fixture, const char *names)
{
  g_autoptr (GString) fired = g_string_new (NULL);

  for (guint i = 0; i < fixture->log->len; i++)
    g_string_append_printf (fired, "%u", g_array_index (fixture->log, guint, i));
  g_assert_cmpstr (fired->str, ==, names);
  g_array_set_size (fixture->log, 0);
}

static void
test_empty (Fixture *fixture, gconstpointer data)
{
  g_assert_cmpint (socketio_timer_queue_get_next (fixture->queue), ==, -1);
  socketio_timer_queue_run (fixture->queue, G_MAXINT64);
  assert_fired (fixture, "");
}

static void
test_order (Fixture *fixture, gconstpointer data)
{
  static const gint64 times[] = { 50, 10, 40, 20, 70, 30, 60, 80 };

  for (guint i = 0; i < G_N_ELEMENTS (times); i++)
    start (fixture, i, times[i]);
  g_assert_cmpint (socketio_timer_queue_get_next (fixture->queue), ==, 10);

  socketio_timer_queue_run (fixture->queue, 100);
  assert_fired (fixture, "13520647");
  g_assert_cmpint (socketio_timer_queue_get_next (fixture->queue), ==, -1);
}

static void
test_due (Fixture *fixture, gconstpointer data)
{
  start (fixture, 0, 10);
  start (fixture, 1, 11);

  socketio_timer_queue_run (fixture->queue, 9);
  assert_fired (fixture, "");
  socketio_timer_queue_run (fixture->queue, 10);
  assert_fired (fixture, "0");
  g_assert_cmpint (socketio_timer_queue_get_next (fixture->queue), ==, 11);
}

static void
test_once (Fixture *fixture, gconstpointer data)
{
  start (fixture, 0, 10);

  socketio_timer_queue_run (fixture->queue, 10);
  socketio_timer_queue_run (fixture->queue, 20);
  assert_fired (fixture, "0");
}

static void
test_restart (Fixture *fixture, gconstpointer data)
{
  start (fixture, 0, 10);
  start (fixture, 1, 20);
  start (fixture, 0, 30);
  g_assert_cmpint (socketio_timer_queue_get_next (fixture->queue), ==, 20);
  socketio_timer_queue_run (fixture->queue, 30);
  assert_fired (fixture, "10");

  start (fixture, 0, 60);
  start (fixture, 1, 50);
  start (fixture, 0, 40);
  g_assert_cmpint (socketio_timer_queue_get_next (fixture->queue), ==, 40);
  socketio_timer_queue_run (fixture->queue, 60);
  assert_fired (fixture, "01");
}

static void
test_stop (Fixture *fixture, gconstpointer data)
{
  for (guint i = 0; i < 3; i++)
    start (fixture, i, 10 + i);

  socketio_timer_queue_stop (fixture->queue, &fixture->probes[0].timer);
  g_assert_cmpint (socketio_timer_queue_get_next (fixture->queue), ==, 11);
  socketio_timer_queue_stop (fixture->queue, &fixture->probes[2].timer);
  socketio_timer_queue_stop (fixture->queue, &fixture->probes[2].timer);
  socketio_timer_queue_stop (fixture->queue, &fixture->probes[7].timer);

  socketio_timer_queue_run (fixture->queue, 100);
  assert_fired (fixture, "1");
}

static void
test_stop_in_callback (Fixture *fixture, gconstpointer data)
{
  for (guint i = 0; i < 4; i++)
    start (fixture, i, 10);
  start (fixture, 4, 20);
  fixture->probes[4].to_stop = &fixture->probes[5].timer;
  start (fixture, 5, 30);
  start (fixture, 6, 40);

  socketio_timer_queue_run (fixture->queue, 10);
  g_assert_cmpuint (fixture->log->len, ==, 4);
  g_array_set_size (fixture->log, 0);
  socketio_timer_queue_run (fixture->queue, 100);
  assert_fired (fixture, "46");
}

static void
test_stop_itself (Fixture *fixture, gconstpointer data)
{
  fixture->probes[0].to_stop = &fixture->probes[0].timer;
  start (fixture, 0, 10);
  start (fixture, 1, 20);

  socketio_timer_queue_run (fixture->queue, 100);
  assert_fired (fixture, "01");
}

/* A timer that always is due again fires once a run: it starves neither the caller nor others. */
static void
test_start_in_callback (Fixture *fixture, gconstpointer data)
{
  fixture->probes[0].restart_at = 1;
  start (fixture, 0, 10);
  start (fixture, 1, 20);

  socketio_timer_queue_run (fixture->queue, 100);
  assert_fired (fixture, "01");
  g_assert_cmpint (socketio_timer_queue_get_next (fixture->queue), ==, 1);
  socketio_timer_queue_run (fixture->queue, 100);
  assert_fired (fixture, "0");
}

/* Started by one callback, stopped by a later one of the same run. */
static void
test_stop_just_started (Fixture *fixture, gconstpointer data)
{
  fixture->probes[0].restart_at = 15;
  start (fixture, 0, 10);
  fixture->probes[1].to_stop = &fixture->probes[0].timer;
  start (fixture, 1, 20);

  socketio_timer_queue_run (fixture->queue, 100);
  assert_fired (fixture, "01");
  g_assert_cmpint (socketio_timer_queue_get_next (fixture->queue), ==, -1);
  fixture->probes[0].restart_at = 0;
  start (fixture, 0, 30);
  socketio_timer_queue_run (fixture->queue, 100);
  assert_fired (fixture, "0");
}

static void
test_free_running (Fixture *fixture, gconstpointer data)
{
  for (guint i = 0; i < 8; i++)
    start (fixture, i, 10 + i);
  g_clear_pointer (&fixture->queue, socketio_timer_queue_free);
  fixture->queue = socketio_timer_queue_new ();

  /* they count as stopped, so that they can start in another queue */
  for (guint i = 0; i < 8; i++)
    {
      fixture->probes[i].queue = fixture->queue;
      socketio_timer_queue_stop (fixture->queue, &fixture->probes[i].timer);
      start (fixture, i, 20 - i);
    }
  socketio_timer_queue_run (fixture->queue, 100);
  assert_fired (fixture, "76543210");
}

#define MODEL_TIMERS 500
#define MODEL_STEPS 10000

typedef struct
{
  SocketioTimer timer;
  gint64 at; /* -1: stopped */
  GPtrArray *fired;
} ModelTimer;

static void
model_cb (gpointer user_data)
{
  ModelTimer *self = user_data;

  g_ptr_array_add (self->fired, self);
}

static int
compare_deadlines (gconstpointer a, gconstpointer b)
{
  const ModelTimer *first = *(const ModelTimer *const *) a;
  const ModelTimer *second = *(const ModelTimer *const *) b;

  return (first->at > second->at) - (first->at < second->at);
}

/* The timers that run, the earliest first. */
static GPtrArray *
sort_model (ModelTimer *timers)
{
  GPtrArray *sorted = g_ptr_array_new ();

  for (guint i = 0; i < MODEL_TIMERS; i++)
    if (timers[i].at >= 0)
      g_ptr_array_add (sorted, &timers[i]);
  g_ptr_array_sort (sorted, compare_deadlines);
  return sorted;
}

static void
check_model_run (SocketioTimerQueue *queue, ModelTimer *timers, GPtrArray *fired, gint64 now)
{
  g_autoptr (GPtrArray) sorted = sort_model (timers);
  guint n_due = 0;

  g_assert_cmpint (socketio_timer_queue_get_next (queue), ==,
                   sorted->len > 0 ? ((ModelTimer *) sorted->pdata[0])->at : -1);
  while (n_due < sorted->len && ((ModelTimer *) sorted->pdata[n_due])->at <= now)
    n_due++;

  g_ptr_array_set_size (fired, 0);
  socketio_timer_queue_run (queue, now);

  /* of the same deadline the order is free */
  g_assert_cmpuint (fired->len, ==, n_due);
  for (guint i = 0; i < n_due; i++)
    g_assert_cmpint (((ModelTimer *) fired->pdata[i])->at, ==,
                     ((ModelTimer *) sorted->pdata[i])->at);
  for (guint i = 0; i < n_due; i++)
    {
      ModelTimer *timer = fired->pdata[i];

      g_assert_cmpint (timer->at, >=, 0);
      timer->at = -1;
    }
}

/* 10,000 random starts, restarts and stops, against a sorted list. */
static void
test_model (void)
{
  g_autoptr (SocketioTimerQueue) queue = socketio_timer_queue_new ();
  g_autoptr (GPtrArray) fired = g_ptr_array_new ();
  g_autofree ModelTimer *timers = g_new0 (ModelTimer, MODEL_TIMERS);
  gint64 now = 0;

  for (guint i = 0; i < MODEL_TIMERS; i++)
    {
      timers[i].at = -1;
      timers[i].fired = fired;
    }

  for (guint step = 0; step < MODEL_STEPS; step++)
    {
      ModelTimer *timer = &timers[g_test_rand_int_range (0, MODEL_TIMERS)];

      if (g_test_rand_int_range (0, 3) == 0)
        {
          socketio_timer_queue_stop (queue, &timer->timer);
          timer->at = -1;
        }
      else
        {
          timer->at = now + g_test_rand_int_range (0, 1000);
          socketio_timer_queue_start (queue, &timer->timer, timer->at, model_cb, timer);
        }
      if (step % 20 == 0)
        {
          now += g_test_rand_int_range (0, 50);
          check_model_run (queue, timers, fired, now);
        }
    }
  check_model_run (queue, timers, fired, G_MAXINT64);
  g_assert_cmpint (socketio_timer_queue_get_next (queue), ==, -1);
}

#define add(name, func) g_test_add ("/timer/" name, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  add ("empty", test_empty);
  add ("order", test_order);
  add ("due", test_due);
  add ("once", test_once);
  add ("restart", test_restart);
  add ("stop", test_stop);
  add ("stop-in-callback", test_stop_in_callback);
  add ("stop-itself", test_stop_itself);
  add ("start-in-callback", test_start_in_callback);
  add ("stop-just-started", test_stop_just_started);
  add ("free-running", test_free_running);
  g_test_add_func ("/timer/model", test_model);

  return g_test_run ();
}

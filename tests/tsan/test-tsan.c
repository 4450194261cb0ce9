/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether ThreadSanitizer sees, with the annotations, what it is for: each kind of hand-over that
 * the sources use is told of as a race where something is touched without it, and only there. Each
 * case runs in a process of its own, whose report is looked at. */
#include <gio/gio.h>

/* How long one waits for the other in no order that ThreadSanitizer would know of. */
#define A_WHILE_US (100 * 1000)
#define N_SOURCES 2000

typedef struct
{
  GMutex mutex;
  GMutex other_mutex;
  GCond cond;
  GAsyncQueue *queue;
  GMainLoop *loop;
  gatomicrefcount refs;
  GObject *object;
  GMainContext *context;
  gboolean ready;
  int value; /* what is raced for */
} Shared;

/* A case: what each of two threads does, and whether that is a race. */
typedef struct
{
  const char *path;
  GThreadFunc first; /* runs in a thread of its own */
  void (*second) (Shared *shared);
  gboolean is_race;
} Case;

static void
touch (Shared *shared)
{
  shared->value++;
}

static gpointer
touch_plainly (gpointer data)
{
  touch (data);

  return NULL;
}

static gpointer
touch_locked (gpointer data)
{
  Shared *shared = data;

  g_mutex_lock (&shared->mutex);
  touch (shared);
  g_mutex_unlock (&shared->mutex);

  return NULL;
}

static void
also_locked (Shared *shared)
{
  touch_locked (shared);
}

static void
otherwise_locked (Shared *shared)
{
  g_mutex_lock (&shared->other_mutex);
  touch (shared);
  g_mutex_unlock (&shared->other_mutex);
}

static gpointer
touch_and_signal (gpointer data)
{
  Shared *shared = data;

  touch (shared);
  g_mutex_lock (&shared->mutex);
  shared->ready = TRUE;
  g_cond_broadcast (&shared->cond);
  g_mutex_unlock (&shared->mutex);

  return NULL;
}

static gpointer
signal_and_touch (gpointer data)
{
  Shared *shared = data;

  g_mutex_lock (&shared->mutex);
  shared->ready = TRUE;
  g_cond_broadcast (&shared->cond);
  g_mutex_unlock (&shared->mutex);
  touch (shared);

  return NULL;
}

static void
wait_and_touch (Shared *shared)
{
  g_mutex_lock (&shared->mutex);
  while (!shared->ready)
    g_cond_wait (&shared->cond, &shared->mutex);
  g_mutex_unlock (&shared->mutex);
  touch (shared);
}

static gpointer
touch_and_push (gpointer data)
{
  Shared *shared = data;

  touch (shared);
  g_async_queue_push (shared->queue, shared);

  return NULL;
}

static gpointer
push_and_touch (gpointer data)
{
  Shared *shared = data;

  g_async_queue_push (shared->queue, shared);
  touch (shared);

  return NULL;
}

static void
pop_and_touch (Shared *shared)
{
  touch (g_async_queue_pop (shared->queue));
}

static gboolean
touch_cb (gpointer data)
{
  Shared *shared = data;

  touch (shared);
  g_main_loop_quit (shared->loop);

  return G_SOURCE_REMOVE;
}

static void
attach (Shared *shared)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_callback (source, touch_cb, shared, NULL);
  g_source_attach (source, NULL);
}

static gpointer
touch_and_attach (gpointer data)
{
  touch (data);
  attach (data);

  return NULL;
}

static gpointer
attach_and_touch (gpointer data)
{
  attach (data);
  touch (data);

  return NULL;
}

static void
run_loop (Shared *shared)
{
  g_main_loop_run (shared->loop);
}

static gboolean
nothing_cb (gpointer data)
{
  return G_SOURCE_REMOVE;
}

/* Of half of them the loop drops the last reference, of half of them this thread: both make GLib's
 * own table smaller. */
static gpointer
attach_and_drop_last (gpointer data)
{
  g_autoptr (GPtrArray) kept = g_ptr_array_new_with_free_func ((GDestroyNotify) g_source_unref);

  for (guint i = 0; i < N_SOURCES; i++)
    {
      GSource *source = g_idle_source_new ();

      g_source_set_callback (source, nothing_cb, NULL, NULL);
      g_source_attach (source, NULL);
      if (i % 2 == 0)
        g_source_unref (source);
      else
        g_ptr_array_add (kept, source);
    }
  touch_and_attach (data);
  g_usleep (3 * A_WHILE_US);

  return NULL;
}

static void
run_loop_later (Shared *shared)
{
  g_usleep (A_WHILE_US);
  run_loop (shared);
}

static gpointer
use_and_drop_context (gpointer data)
{
  Shared *shared = data;

  g_main_context_iteration (shared->context, FALSE);
  g_main_context_unref (shared->context);

  return NULL;
}

static gpointer
drop_context_and_touch (gpointer data)
{
  Shared *shared = data;

  g_main_context_unref (shared->context);
  touch (shared);

  return NULL;
}

/* With a source in it. */
static void
drop_context_last (Shared *shared)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_callback (source, nothing_cb, shared, (GDestroyNotify) touch);
  g_source_attach (source, shared->context);
  g_usleep (A_WHILE_US);
  g_main_context_unref (shared->context);
}

static gpointer
touch_and_drop (gpointer data)
{
  Shared *shared = data;

  touch (shared);
  if (g_atomic_ref_count_dec (&shared->refs))
    touch (shared);

  return NULL;
}

static void
also_drop (Shared *shared)
{
  if (g_atomic_ref_count_dec (&shared->refs))
    touch (shared);
}

static gpointer
drop_and_touch (gpointer data)
{
  Shared *shared = data;

  if (!g_atomic_ref_count_dec (&shared->refs))
    touch (shared);

  return NULL;
}

static void
drop_last (Shared *shared)
{
  while (!g_atomic_ref_count_compare (&shared->refs, 1))
    g_thread_yield ();
  also_drop (shared);
}

static void
finalized_cb (gpointer data, GObject *object)
{
  touch (data);
}

static gpointer
touch_and_unref (gpointer data)
{
  Shared *shared = data;

  touch (shared);
  g_object_unref (shared->object);

  return NULL;
}

static void
also_unref (Shared *shared)
{
  g_object_unref (shared->object);
}

static void
touch_in_pool (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  touch (data);
  g_task_return_boolean (task, TRUE);
}

static void
pool_done_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  touch_cb (data);
}

static gpointer
nothing (gpointer data)
{
  return NULL;
}

static void
run_task (Shared *shared, gboolean meddle)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, pool_done_cb, shared);

  touch (shared);
  g_task_set_task_data (task, shared, NULL);
  g_task_run_in_thread (task, touch_in_pool);
  if (meddle)
    touch (shared);
  g_main_loop_run (shared->loop);
}

static void
await_task (Shared *shared)
{
  run_task (shared, FALSE);
}

static void
meddle_with_task (Shared *shared)
{
  run_task (shared, TRUE);
}

static const Case cases[] = {
  { "/tsan/nothing/race", touch_plainly, touch, TRUE },
  { "/tsan/mutex/same", touch_locked, also_locked, FALSE },
  { "/tsan/mutex/one-side/race", touch_locked, touch, TRUE },
  { "/tsan/mutex/two/race", touch_locked, otherwise_locked, TRUE },
  { "/tsan/cond/before", touch_and_signal, wait_and_touch, FALSE },
  { "/tsan/cond/after/race", signal_and_touch, wait_and_touch, TRUE },
  { "/tsan/queue/before", touch_and_push, pop_and_touch, FALSE },
  { "/tsan/queue/after/race", push_and_touch, pop_and_touch, TRUE },
  { "/tsan/source/before", touch_and_attach, run_loop, FALSE },
  { "/tsan/source/after/race", attach_and_touch, run_loop, TRUE },
  { "/tsan/source/dropped-last", attach_and_drop_last, run_loop_later, FALSE },
  { "/tsan/context/dropped-last", use_and_drop_context, drop_context_last, FALSE },
  { "/tsan/context/notify/race", drop_context_and_touch, drop_context_last, TRUE },
  { "/tsan/ref-count/before", touch_and_drop, also_drop, FALSE },
  { "/tsan/ref-count/after/race", drop_and_touch, drop_last, TRUE },
  { "/tsan/object/before", touch_and_unref, also_unref, FALSE },
  { "/tsan/task/waited-for", nothing, await_task, FALSE },
  { "/tsan/task/meddled-with/race", nothing, meddle_with_task, TRUE },
};

/* In a process of its own. Two threads touch the same; what is told of does not depend on which of
 * them was the first. */
static void
run_case (const Case *test)
{
  Shared *shared = g_new0 (Shared, 1);
  GThread *thread;

  g_mutex_init (&shared->mutex);
  g_mutex_init (&shared->other_mutex);
  g_cond_init (&shared->cond);
  shared->queue = g_async_queue_new ();
  shared->loop = g_main_loop_new (NULL, FALSE);
  g_atomic_ref_count_init (&shared->refs);
  g_atomic_ref_count_inc (&shared->refs);
  shared->object = g_object_new (G_TYPE_OBJECT, NULL);
  g_object_weak_ref (shared->object, finalized_cb, shared);
  g_object_ref (shared->object);
  shared->context = g_main_context_new ();
  g_main_context_ref (shared->context);

  thread = g_thread_new ("first", test->first, shared);
  test->second (shared);
  g_thread_join (thread);
}

static void
test_case (gconstpointer data)
{
  const Case *test = data;

  if (g_test_subprocess ())
    {
      run_case (test);
      return;
    }

  g_test_trap_subprocess (NULL, 0, 0);
  if (test->is_race)
    {
      g_test_trap_assert_failed ();
      g_test_trap_assert_stderr ("*WARNING: ThreadSanitizer: data race*touch*test-tsan.c*");
    }
  else
    {
      g_test_trap_assert_passed ();
      g_test_trap_assert_stderr_unmatched ("*ThreadSanitizer*");
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    g_test_add_data_func (cases[i].path, &cases[i], test_case);

  return g_test_run ();
}

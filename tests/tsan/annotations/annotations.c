/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What ThreadSanitizer has to know of GLib. It sees what is compiled with it; GLib is not, and what
 * its locks, queues, sources and counts order would look like races. A program that is built with
 * -fsanitize=thread links this file: each function here takes the place of GLib's of the same name,
 * tells ThreadSanitizer what that one guarantees, no more, and calls it.
 *
 * GLib's calls of itself do not come here: a queue's lock is told of where the queue is used.
 * This file is compiled without the sanitizer, and adds no order by its own memory. */
#include <dlfcn.h>
#include <gio/gio.h>
#include <sanitizer/tsan_interface.h>

#define EXPORTED __attribute__ ((visibility ("default")))

/* of its run-time library, though not in its header: what this thread does to memory between the
 * two is GLib's own affair, such as the nodes of its lists, which its inner locks guard */
void __tsan_ignore_thread_begin (void);
void __tsan_ignore_thread_end (void);

/* How often this thread has begun that without ending it. */
static __thread guint unwatched;

static void
unwatch (void)
{
  unwatched++;
  __tsan_ignore_thread_begin ();
}

static void
watch_again (void)
{
  __tsan_ignore_thread_end ();
  unwatched--;
}

/* What GLib calls of ours meanwhile is looked at nevertheless. */
static void
call_watched (GDestroyNotify notify, gpointer data)
{
  guint depth = unwatched;

  while (unwatched > 0)
    watch_again ();
  notify (data);
  while (unwatched < depth)
    unwatch ();
}

/* GLib's own @name, looked up once; who looks it up meanwhile finds the same */
#define REAL(name) ((__typeof__ (&name)) find_real (&real_##name, #name))
#define DECLARE_REAL(name) static gpointer real_##name

static gpointer
find_real (gpointer *where, const char *name)
{
  gpointer real = __atomic_load_n (where, __ATOMIC_RELAXED);

  if (real == NULL)
    {
      real = dlsym (RTLD_NEXT, name);
      __atomic_store_n (where, real, __ATOMIC_RELAXED);
    }

  return real;
}

/* Mutexes and conditions. GRecMutex and GRWLock are those of pthread, which are known. */

DECLARE_REAL (g_mutex_clear);
DECLARE_REAL (g_mutex_lock);
DECLARE_REAL (g_mutex_trylock);
DECLARE_REAL (g_mutex_unlock);
DECLARE_REAL (g_cond_wait);
DECLARE_REAL (g_cond_wait_until);

EXPORTED void
g_mutex_clear (GMutex *mutex)
{
  __tsan_mutex_destroy (mutex, 0);
  REAL (g_mutex_clear) (mutex);
}

EXPORTED void
g_mutex_lock (GMutex *mutex)
{
  __tsan_mutex_pre_lock (mutex, 0);
  REAL (g_mutex_lock) (mutex);
  __tsan_mutex_post_lock (mutex, 0, 0);
}

EXPORTED gboolean
g_mutex_trylock (GMutex *mutex)
{
  gboolean locked;

  __tsan_mutex_pre_lock (mutex, __tsan_mutex_try_lock);
  locked = REAL (g_mutex_trylock) (mutex);
  __tsan_mutex_post_lock (mutex,
                          __tsan_mutex_try_lock | (locked ? 0 : __tsan_mutex_try_lock_failed), 0);

  return locked;
}

EXPORTED void
g_mutex_unlock (GMutex *mutex)
{
  __tsan_mutex_pre_unlock (mutex, 0);
  REAL (g_mutex_unlock) (mutex);
  __tsan_mutex_post_unlock (mutex, 0);
}

EXPORTED void
g_cond_wait (GCond *cond, GMutex *mutex)
{
  __tsan_mutex_pre_unlock (mutex, 0);
  __tsan_mutex_post_unlock (mutex, 0);
  REAL (g_cond_wait) (cond, mutex);
  __tsan_mutex_pre_lock (mutex, 0);
  __tsan_mutex_post_lock (mutex, 0, 0);
}

EXPORTED gboolean
g_cond_wait_until (GCond *cond, GMutex *mutex, gint64 end_time)
{
  gboolean signalled;

  __tsan_mutex_pre_unlock (mutex, 0);
  __tsan_mutex_post_unlock (mutex, 0);
  signalled = REAL (g_cond_wait_until) (cond, mutex, end_time);
  __tsan_mutex_pre_lock (mutex, 0);
  __tsan_mutex_post_lock (mutex, 0, 0);

  return signalled;
}

/* Queues: each has a lock, which whoever pushes or pops holds for a moment. */

DECLARE_REAL (g_async_queue_lock);
DECLARE_REAL (g_async_queue_unlock);
DECLARE_REAL (g_async_queue_push);
DECLARE_REAL (g_async_queue_push_unlocked);
DECLARE_REAL (g_async_queue_pop);
DECLARE_REAL (g_async_queue_try_pop);

EXPORTED void
g_async_queue_lock (GAsyncQueue *queue)
{
  REAL (g_async_queue_lock) (queue);
  __tsan_acquire (queue);
}

EXPORTED void
g_async_queue_unlock (GAsyncQueue *queue)
{
  __tsan_release (queue);
  REAL (g_async_queue_unlock) (queue);
}

EXPORTED void
g_async_queue_push (GAsyncQueue *queue, gpointer data)
{
  __tsan_release (queue);
  unwatch ();
  REAL (g_async_queue_push) (queue, data);
  watch_again ();
}

EXPORTED void
g_async_queue_push_unlocked (GAsyncQueue *queue, gpointer data)
{
  unwatch ();
  REAL (g_async_queue_push_unlocked) (queue, data);
  watch_again ();
}

EXPORTED gpointer
g_async_queue_pop (GAsyncQueue *queue)
{
  gpointer data;

  unwatch ();
  data = REAL (g_async_queue_pop) (queue);
  watch_again ();
  __tsan_acquire (queue);

  return data;
}

EXPORTED gpointer
g_async_queue_try_pop (GAsyncQueue *queue)
{
  gpointer data;

  unwatch ();
  data = REAL (g_async_queue_try_pop) (queue);
  watch_again ();
  __tsan_acquire (queue);

  return data;
}

/* Counts of references: who takes the last one has seen what others did before they dropped theirs.
 */

DECLARE_REAL (g_atomic_ref_count_dec);
DECLARE_REAL (g_atomic_rc_box_release_full);
DECLARE_REAL (g_object_unref);

#undef g_atomic_ref_count_dec
EXPORTED gboolean
g_atomic_ref_count_dec (gatomicrefcount *count)
{
  gboolean last;

  __tsan_release ((gpointer) count);
  last = REAL (g_atomic_ref_count_dec) (count);
  if (last)
    __tsan_acquire ((gpointer) count);

  return last;
}

/* what the outer call in this thread was given */
static __thread GDestroyNotify clear_block;

static void
acquire_and_clear (gpointer block)
{
  __tsan_acquire (block);
  if (clear_block != NULL)
    clear_block (block);
}

EXPORTED void
g_atomic_rc_box_release_full (gpointer block, GDestroyNotify clear)
{
  GDestroyNotify outer = clear_block;

  __tsan_release (block);
  clear_block = clear;
  REAL (g_atomic_rc_box_release_full) (block, acquire_and_clear);
  clear_block = outer;
}

/* Finalizes within, so the count is looked at here: as long as it is not the last reference it is
 * dropped as GObject does it, without what toggle references would need, which nothing here has. */
EXPORTED void
g_object_unref (gpointer data)
{
  GObject *self = data;
  guint refs;

  __tsan_release (self);
  refs = __atomic_load_n (&self->ref_count, __ATOMIC_SEQ_CST);
  while (refs > 1)
    {
      if (__atomic_compare_exchange_n (&self->ref_count, &refs, refs - 1, FALSE, __ATOMIC_SEQ_CST,
                                       __ATOMIC_SEQ_CST))
        return;
    }

  __tsan_acquire (self);
  REAL (g_object_unref) (self);
}

/* Sources: what was done before one was attached, or was given its callback, is done when that is
 * called. GLib asks for the callback in the thread that calls it, just before. */

typedef struct
{
  gint refs;
  GSource *source; /* not owned: only its address is used */
  GSourceFunc func;
  gpointer data;
  GDestroyNotify notify;
} Callback;

DECLARE_REAL (g_source_attach);

static void
callback_ref (gpointer data)
{
  Callback *self = data;

  __atomic_add_fetch (&self->refs, 1, __ATOMIC_SEQ_CST);
}

static void
callback_unref (gpointer data)
{
  Callback *self = data;

  __tsan_release (self);
  if (__atomic_sub_fetch (&self->refs, 1, __ATOMIC_SEQ_CST) > 0)
    return;

  __tsan_acquire (self);
  if (self->notify != NULL)
    call_watched (self->notify, self->data);
  g_free (self);
}

static void
callback_get (gpointer data, GSource *source, GSourceFunc *func, gpointer *func_data)
{
  Callback *self = data;

  __tsan_acquire (source);
  *func = self->func;
  *func_data = self->data;
}

EXPORTED void
g_source_set_callback (GSource *source, GSourceFunc func, gpointer data, GDestroyNotify notify)
{
  static GSourceCallbackFuncs funcs = { callback_ref, callback_unref, callback_get };
  Callback *callback = g_new (Callback, 1);

  *callback = (Callback){ 1, source, func, data, notify };
  __tsan_release (source);
  g_source_set_callback_indirect (source, callback, &funcs);
}

EXPORTED guint
g_source_attach (GSource *source, GMainContext *context)
{
  guint id;

  __tsan_release (source);
  unwatch ();
  id = REAL (g_source_attach) (source, context);
  watch_again ();

  return id;
}

/* Whoever drops the last reference of one, of which the other may be in another thread's hands,
 * takes it apart: what GLib keeps there is guarded by locks and counts of its own. */

DECLARE_REAL (g_source_unref);
DECLARE_REAL (g_main_context_unref);

EXPORTED void
g_source_unref (GSource *source)
{
  unwatch ();
  REAL (g_source_unref) (source);
  watch_again ();
}

EXPORTED void
g_main_context_unref (GMainContext *context)
{
  unwatch ();
  REAL (g_main_context_unref) (context);
  watch_again ();
}

/* Pools of threads: what was done before something was pushed is done when it is worked on. A pool
 * lives as long as the program. */

typedef struct
{
  GFunc func;
  gpointer data;
} Work;

DECLARE_REAL (g_thread_pool_new);
DECLARE_REAL (g_thread_pool_push);

static void
work (gpointer item, gpointer data)
{
  Work *self = data;

  __tsan_acquire (item);
  self->func (item, self->data);
}

EXPORTED GThreadPool *
g_thread_pool_new (GFunc func, gpointer data, gint max_threads, gboolean exclusive, GError **error)
{
  Work *self = g_new (Work, 1);

  *self = (Work){ func, data };

  return REAL (g_thread_pool_new) (work, self, max_threads, exclusive, error);
}

EXPORTED gboolean
g_thread_pool_push (GThreadPool *pool, gpointer item, GError **error)
{
  gboolean pushed;

  __tsan_release (item);
  unwatch ();
  pushed = REAL (g_thread_pool_push) (pool, item, error);
  watch_again ();

  return pushed;
}

/* GDBus's own thread runs nothing of ours, as long as nobody adds a filter to a connection. It
 * frees parts of messages, which count their references inside GLib. What it does to memory is not
 * looked at; what it hands over, by sources and locks, is. */

DECLARE_REAL (g_thread_new);

typedef struct
{
  GThreadFunc func;
  gpointer data;
} Start;

static gpointer
run_unwatched (gpointer data)
{
  g_autofree Start *start = data;
  gpointer result;

  __tsan_ignore_thread_begin ();
  result = start->func (start->data);
  __tsan_ignore_thread_end ();

  return result;
}

EXPORTED GThread *
g_thread_new (const char *name, GThreadFunc func, gpointer data)
{
  Start *start;

  if (g_strcmp0 (name, "gdbus") != 0)
    return REAL (g_thread_new) (name, func, data);

  start = g_new (Start, 1);
  *start = (Start){ func, data };

  return REAL (g_thread_new) (name, run_unwatched, start);
}

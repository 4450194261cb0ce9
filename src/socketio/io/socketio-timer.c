/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "socketio-timer.h"

/* A binary heap of pointers to the embedded timers, earliest first. */
struct _SocketioTimerQueue
{
  GPtrArray *heap;
  /* A timer restarted by its own callback with a deadline in the past would keep run() busy for
   * ever; those that start while it runs wait here. */
  GPtrArray *started;
  gboolean running;
};

/* Marks a timer that waits in `started`: an index no heap reaches. */
#define INDEX_STARTED G_MAXUINT

SocketioTimerQueue *
socketio_timer_queue_new (void)
{
  SocketioTimerQueue *self = g_new0 (SocketioTimerQueue, 1);

  self->heap = g_ptr_array_new ();
  self->started = g_ptr_array_new ();
  return self;
}

void
socketio_timer_queue_free (SocketioTimerQueue *self)
{
  for (guint i = 0; i < self->heap->len; i++)
    ((SocketioTimer *) g_ptr_array_index (self->heap, i))->index = 0;
  for (guint i = 0; i < self->started->len; i++)
    ((SocketioTimer *) g_ptr_array_index (self->started, i))->index = 0;

  g_ptr_array_unref (self->heap);
  g_ptr_array_unref (self->started);
  g_free (self);
}

static inline SocketioTimer *
heap_get (SocketioTimerQueue *self, guint i)
{
  return g_ptr_array_index (self->heap, i);
}

static inline void
heap_put (SocketioTimerQueue *self, guint i, SocketioTimer *timer)
{
  g_ptr_array_index (self->heap, i) = timer;
  timer->index = i + 1;
}

static void
sift_up (SocketioTimerQueue *self, guint i)
{
  SocketioTimer *timer = heap_get (self, i);

  while (i > 0)
    {
      guint parent = (i - 1) / 2;

      if (heap_get (self, parent)->at <= timer->at)
        break;
      heap_put (self, i, heap_get (self, parent));
      i = parent;
    }
  heap_put (self, i, timer);
}

static void
sift_down (SocketioTimerQueue *self, guint i)
{
  SocketioTimer *timer = heap_get (self, i);

  while (TRUE)
    {
      guint child = 2 * i + 1;

      if (child >= self->heap->len)
        break;
      if (child + 1 < self->heap->len
          && heap_get (self, child + 1)->at < heap_get (self, child)->at)
        child++;
      if (heap_get (self, child)->at >= timer->at)
        break;
      heap_put (self, i, heap_get (self, child));
      i = child;
    }
  heap_put (self, i, timer);
}

static void
heap_insert (SocketioTimerQueue *self, SocketioTimer *timer)
{
  g_ptr_array_add (self->heap, timer);
  sift_up (self, self->heap->len - 1);
}

static void
heap_remove (SocketioTimerQueue *self, guint i)
{
  SocketioTimer *last = g_ptr_array_steal_index_fast (self->heap, self->heap->len - 1);

  if (i == self->heap->len)
    return;

  heap_put (self, i, last);
  sift_up (self, i);
  sift_down (self, last->index - 1);
}

void
socketio_timer_queue_start (SocketioTimerQueue *self,
                            SocketioTimer *timer,
                            gint64 at,
                            SocketioTimerFunc func,
                            gpointer user_data)
{
  socketio_timer_queue_stop (self, timer);

  timer->at = at;
  timer->func = func;
  timer->user_data = user_data;

  if (self->running)
    {
      timer->index = INDEX_STARTED;
      g_ptr_array_add (self->started, timer);
    }
  else
    heap_insert (self, timer);
}

void
socketio_timer_queue_stop (SocketioTimerQueue *self, SocketioTimer *timer)
{
  if (timer->index == 0)
    return;

  if (timer->index == INDEX_STARTED)
    g_ptr_array_remove_fast (self->started, timer);
  else
    heap_remove (self, timer->index - 1);
  timer->index = 0;
}

gint64
socketio_timer_queue_get_next (SocketioTimerQueue *self)
{
  return self->heap->len > 0 ? heap_get (self, 0)->at : -1;
}

void
socketio_timer_queue_run (SocketioTimerQueue *self, gint64 now)
{
  g_return_if_fail (!self->running);

  self->running = TRUE;
  while (self->heap->len > 0 && heap_get (self, 0)->at <= now)
    {
      SocketioTimer *timer = heap_get (self, 0);

      heap_remove (self, 0);
      timer->index = 0;
      timer->func (timer->user_data);
    }
  self->running = FALSE;

  for (guint i = 0; i < self->started->len; i++)
    heap_insert (self, g_ptr_array_index (self->started, i));
  g_ptr_array_set_size (self->started, 0);
}

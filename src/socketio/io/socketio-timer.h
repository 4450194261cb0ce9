/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _SocketioTimer SocketioTimer;
typedef struct _SocketioTimerQueue SocketioTimerQueue;

typedef void (*SocketioTimerFunc) (gpointer user_data);

/*
 * SocketioTimer: a one-shot timer, embedded in what it belongs to; all zero is a stopped one.
 *
 * Ten thousand connections have as many deadlines. As GSources each would cost a look at every turn
 * of the main loop; here all of them together cost one comparison.
 *
 * The owner stops it before it goes away.
 */
struct _SocketioTimer
{
  /* private */
  gint64 at;   /* monotonic time, µs */
  guint index; /* place in the heap + 1; 0: stopped */
  SocketioTimerFunc func;
  gpointer user_data;
};

SocketioTimerQueue *socketio_timer_queue_new (void);
void socketio_timer_queue_free (SocketioTimerQueue *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SocketioTimerQueue, socketio_timer_queue_free)

/* Starts or moves @timer: it fires once, at the monotonic time @at (µs) or soon after. */
void socketio_timer_queue_start (SocketioTimerQueue *self,
                                 SocketioTimer *timer,
                                 gint64 at,
                                 SocketioTimerFunc func,
                                 gpointer user_data);
void socketio_timer_queue_stop (SocketioTimerQueue *self, SocketioTimer *timer);

/* The earliest deadline, or -1. */
gint64 socketio_timer_queue_get_next (SocketioTimerQueue *self);
/* Fires what is due at @now. A timer started by a callback waits for the next call, even if due. */
void socketio_timer_queue_run (SocketioTimerQueue *self, gint64 now);

G_END_DECLS

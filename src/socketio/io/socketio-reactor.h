/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "socketio-timer.h"

G_BEGIN_DECLS

/*
 * SocketioReactor: one GSource with one epoll fd, under which any number of connections costs the
 * main loop as much as one.
 *
 * It belongs to the thread and the thread-default context in which it was made. In a turn of that
 * context it
 *   1. runs what was deferred (output that the turn before gathered is sent), in prepare;
 *   2. hands epoll's events to the watches;
 *   3. fires the timers that are due;
 *   4. runs what was put off by socketio_reactor_invoke();
 *   5. iterates the shards that have something to do.
 */
typedef struct _SocketioReactor SocketioReactor;
typedef struct _SocketioShard SocketioShard;

SocketioReactor *socketio_reactor_new (void);
SocketioReactor *socketio_reactor_ref (SocketioReactor *self);
void socketio_reactor_unref (SocketioReactor *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SocketioReactor, socketio_reactor_unref)

/* The context in which the reactor was made; never NULL. */
GMainContext *socketio_reactor_get_context (SocketioReactor *self);

/* Around calls out of io/: what runs between them sees the reactor's context as thread default,
 * whatever shard is being iterated. */
void socketio_reactor_push_context (SocketioReactor *self);
void socketio_reactor_pop_context (SocketioReactor *self);

/*
 * Watches. A watch is named by a number that is never used again, so that an event which epoll
 * reported before the watch was removed (by another handler of the same batch, say) reaches nobody,
 * even if the fd's number has a new owner by then.
 */
typedef guint64 SocketioWatchId;
typedef void (*SocketioWatchFunc) (guint32 events, gpointer user_data);

/* @events: EPOLL* flags. Returns 0 with errno set if epoll refuses. */
SocketioWatchId socketio_reactor_add_watch (SocketioReactor *self,
                                            int fd,
                                            guint32 events,
                                            SocketioWatchFunc func,
                                            gpointer user_data);
void
socketio_reactor_modify_watch (SocketioReactor *self, SocketioWatchId id, int fd, guint32 events);
/* Does nothing for 0. To be called before @fd is closed. */
void socketio_reactor_remove_watch (SocketioReactor *self, SocketioWatchId id, int fd);

/* Timers fire in the reactor's context. @ms: from now. */
void socketio_reactor_start_timer (SocketioReactor *self,
                                   SocketioTimer *timer,
                                   guint ms,
                                   SocketioTimerFunc func,
                                   gpointer user_data);
void socketio_reactor_stop_timer (SocketioReactor *self, SocketioTimer *timer);

typedef void (*SocketioReactorFunc) (gpointer user_data);

/* Runs @func before the loop sleeps next. It must not call out of io/. */
void socketio_reactor_defer (SocketioReactor *self, SocketioReactorFunc func, gpointer user_data);
/* Runs @func in the reactor's context, soon, never from within this call. */
void socketio_reactor_invoke (SocketioReactor *self, SocketioReactorFunc func, gpointer user_data);

/* A shard with room for one more connection; to be given back by socketio_shard_release(). */
SocketioShard *socketio_reactor_take_shard (SocketioReactor *self);
guint socketio_reactor_get_n_shards (SocketioReactor *self);

/* For socketio-shard.c */
void socketio_reactor_queue_shard (SocketioReactor *self, SocketioShard *shard);
void socketio_reactor_shard_has_room (SocketioReactor *self, SocketioShard *shard);
void socketio_reactor_shard_gone (SocketioReactor *self, SocketioShard *shard);

G_END_DECLS

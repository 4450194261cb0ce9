/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "socketio-shard.h"

#include <errno.h>
#include <sys/epoll.h>

/* Rounds of one iteration, so that a connection which is always ready cannot starve the others. */
#define MAX_ROUNDS 4

struct _SocketioShard
{
  grefcount ref_count;
  SocketioReactor *reactor; /* not owned: it outlives its shards */
  GMainContext *context;
  GList link; /* place in the reactor's list of shards with room */
  guint n_users;
  int wakeup_fd;
  SocketioWatchId wakeup_watch;
  SocketioTimer deadline;
  gboolean woken;
  gboolean ready;
};

static void
wakeup_cb (guint32 events, gpointer user_data)
{
  SocketioShard *self = user_data;

  self->woken = TRUE;
  socketio_shard_mark_ready (self);
}

static void
deadline_cb (gpointer user_data)
{
  socketio_shard_mark_ready (user_data);
}

/* A context without sources polls just one fd: that of its wakeup. GLib has no other way to ask. */
static int
query_wakeup_fd (GMainContext *context)
{
  GPollFD fd = { .fd = -1 };
  int priority, timeout;

  if (!g_main_context_acquire (context))
    return -1;
  g_main_context_prepare (context, &priority);
  g_main_context_query (context, G_MAXINT, &timeout, &fd, 1);
  g_main_context_release (context);
  return fd.fd;
}

SocketioShard *
socketio_shard_new (SocketioReactor *reactor)
{
  SocketioShard *self = g_new0 (SocketioShard, 1);

  g_ref_count_init (&self->ref_count);
  self->reactor = reactor;
  self->link.data = self;
  self->context = g_main_context_new_with_flags (G_MAIN_CONTEXT_FLAGS_OWNERLESS_POLLING);
  self->wakeup_fd = query_wakeup_fd (self->context);
  self->wakeup_watch =
      socketio_reactor_add_watch (reactor, self->wakeup_fd, EPOLLIN | EPOLLET, wakeup_cb, self);
  if (self->wakeup_watch == 0)
    g_warning ("A shard cannot be watched: %s", g_strerror (errno));
  return self;
}

SocketioShard *
socketio_shard_ref (SocketioShard *self)
{
  g_ref_count_inc (&self->ref_count);
  return self;
}

void
socketio_shard_unref (SocketioShard *self)
{
  if (!g_ref_count_dec (&self->ref_count))
    return;

  g_main_context_unref (self->context);
  g_free (self);
}

SocketioReactor *
socketio_shard_get_reactor (SocketioShard *self)
{
  return self->reactor;
}

GList *
socketio_shard_get_link (SocketioShard *self)
{
  return &self->link;
}

gboolean
socketio_shard_is_full (SocketioShard *self)
{
  return self->n_users >= SOCKETIO_SHARD_MAX_USERS;
}

void
socketio_shard_add_user (SocketioShard *self)
{
  self->n_users++;
}

void
socketio_shard_release (SocketioShard *self)
{
  gboolean was_full = socketio_shard_is_full (self);

  g_return_if_fail (self->n_users > 0);

  if (--self->n_users > 0)
    {
      if (was_full)
        socketio_reactor_shard_has_room (self->reactor, self);
      return;
    }

  socketio_reactor_stop_timer (self->reactor, &self->deadline);
  socketio_reactor_remove_watch (self->reactor, self->wakeup_watch, self->wakeup_fd);
  self->wakeup_watch = 0;
  socketio_reactor_shard_gone (self->reactor, self);
  socketio_shard_unref (self);
}

void
socketio_shard_enter (SocketioShard *self)
{
  g_main_context_push_thread_default (self->context);
}

void
socketio_shard_leave (SocketioShard *self)
{
  g_main_context_pop_thread_default (self->context);
}

void
socketio_shard_mark_ready (SocketioShard *self)
{
  if (self->ready || self->n_users == 0)
    return;

  self->ready = TRUE;
  socketio_reactor_queue_shard (self->reactor, self);
}

/* One round of what g_main_context_iteration() does, without its poll(): the only fd is that of the
 * wakeup, and epoll has told about it. Returns the time to the next timeout, 0 if there is more to
 * do at once, -1 for never. */
static int
iterate_once (SocketioShard *self)
{
  GPollFD fd = { .fd = self->wakeup_fd, .events = G_IO_IN };
  int priority, timeout;

  g_main_context_prepare (self->context, &priority);
  if (g_main_context_query (self->context, G_MAXINT, &timeout, &fd, 1) > 1)
    g_critical ("A source with an fd of its own was attached to a shard; nobody polls it");

  fd.revents = self->woken ? G_IO_IN : 0;
  self->woken = FALSE;
  if (!g_main_context_check (self->context, priority, &fd, 1))
    return timeout;

  g_main_context_dispatch (self->context);
  return 0;
}

void
socketio_shard_iterate (SocketioShard *self)
{
  int timeout = 0;

  self->ready = FALSE;
  if (self->n_users == 0)
    return;

  g_main_context_push_thread_default (self->context);
  for (guint round = 0; round < MAX_ROUNDS && timeout == 0; round++)
    timeout = iterate_once (self);
  g_main_context_pop_thread_default (self->context);

  if (timeout == 0)
    socketio_shard_mark_ready (self);
  else if (timeout > 0 && self->n_users > 0)
    socketio_reactor_start_timer (self->reactor, &self->deadline, timeout, deadline_cb, self);
  else
    socketio_reactor_stop_timer (self->reactor, &self->deadline);
}

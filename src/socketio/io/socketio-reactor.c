/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "socketio-reactor.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "socketio-shard.h"

/* Events taken from epoll at once; the rest waits for the next turn, so that others get theirs. */
#define MAX_EVENTS 256

/* What epoll tells about: a place in the table of watches, and which use of that place. */
typedef struct
{
  SocketioWatchFunc func; /* NULL: free */
  gpointer user_data;
  guint32 generation;
  guint32 next_free; /* place + 1 */
} Slot;

typedef struct
{
  SocketioReactorFunc func;
  gpointer user_data;
} Call;

typedef struct
{
  GSource source;
  SocketioReactor *reactor; /* not owned: the reactor destroys its source */
} ReactorSource;

struct _SocketioReactor
{
  grefcount ref_count;
  GMainContext *context;
  GSource *source;
  gpointer epoll_tag;
  int epoll_fd;

  GArray *slots; /* of Slot */
  guint32 first_free;

  SocketioTimerQueue *timers;
  GArray *deferred; /* of Call, run in prepare */
  GArray *invoked;  /* of Call, run in dispatch */

  GQueue roomy;       /* shards that can take another connection, linked through themselves */
  GPtrArray *pending; /* shards to iterate, each with a reference */
  guint n_shards;
};

static void
run_calls (GArray **calls)
{
  /* What a call adds waits in the new array: it runs in the next round, not in this loop. */
  g_autoptr (GArray) batch = g_steal_pointer (calls);

  *calls = g_array_new (FALSE, FALSE, sizeof (Call));
  for (guint i = 0; i < batch->len; i++)
    {
      Call call = g_array_index (batch, Call, i);

      call.func (call.user_data);
    }
}

static void
add_call (GArray *calls, SocketioReactorFunc func, gpointer user_data)
{
  Call call = { func, user_data };

  g_array_append_val (calls, call);
}

static gboolean
reactor_is_ready (SocketioReactor *self, gint64 now)
{
  gint64 next = socketio_timer_queue_get_next (self->timers);

  return self->pending->len > 0 || self->invoked->len > 0 || (next >= 0 && next <= now);
}

static gboolean
reactor_prepare (GSource *source, int *timeout)
{
  /* what was deferred may hold the last reference: a stream with output */
  g_autoptr (SocketioReactor) self = socketio_reactor_ref (((ReactorSource *) source)->reactor);
  gint64 now, next;

  while (self->deferred->len > 0)
    run_calls (&self->deferred);

  now = g_source_get_time (source);
  *timeout = -1;
  if (reactor_is_ready (self, now))
    return TRUE;

  next = socketio_timer_queue_get_next (self->timers);
  if (next >= 0)
    *timeout = (int) MIN ((next - now + 999) / 1000, G_MAXINT);
  return FALSE;
}

static gboolean
reactor_check (GSource *source)
{
  SocketioReactor *self = ((ReactorSource *) source)->reactor;

  return g_source_query_unix_fd (source, self->epoll_tag) != 0
         || reactor_is_ready (self, g_source_get_time (source));
}

static void
handle_events (SocketioReactor *self)
{
  struct epoll_event events[MAX_EVENTS];
  int n = epoll_wait (self->epoll_fd, events, MAX_EVENTS, 0);

  for (int i = 0; i < n; i++)
    {
      guint32 place = (guint32) events[i].data.u64;
      guint32 generation = (guint32) (events[i].data.u64 >> 32);
      Slot slot = g_array_index (self->slots, Slot, place);

      if (slot.func != NULL && slot.generation == generation)
        slot.func (events[i].events, slot.user_data);
    }
}

static void
iterate_shards (SocketioReactor *self)
{
  g_autoptr (GPtrArray) batch = g_steal_pointer (&self->pending);

  self->pending = g_ptr_array_new_with_free_func ((GDestroyNotify) socketio_shard_unref);
  for (guint i = 0; i < batch->len; i++)
    socketio_shard_iterate (g_ptr_array_index (batch, i));
}

static gboolean
reactor_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  g_autoptr (SocketioReactor) self = socketio_reactor_ref (((ReactorSource *) source)->reactor);

  g_main_context_push_thread_default (self->context);

  if (g_source_query_unix_fd (source, self->epoll_tag) != 0)
    handle_events (self);
  socketio_timer_queue_run (self->timers, g_source_get_time (source));
  if (self->invoked->len > 0)
    run_calls (&self->invoked);
  if (self->pending->len > 0)
    iterate_shards (self);

  g_main_context_pop_thread_default (self->context);
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs reactor_source_funcs = {
  .prepare = reactor_prepare,
  .check = reactor_check,
  .dispatch = reactor_dispatch,
};

SocketioReactor *
socketio_reactor_new (void)
{
  SocketioReactor *self = g_new0 (SocketioReactor, 1);

  g_ref_count_init (&self->ref_count);
  self->context = g_main_context_ref_thread_default ();
  self->slots = g_array_new (FALSE, FALSE, sizeof (Slot));
  self->timers = socketio_timer_queue_new ();
  self->deferred = g_array_new (FALSE, FALSE, sizeof (Call));
  self->invoked = g_array_new (FALSE, FALSE, sizeof (Call));
  self->pending = g_ptr_array_new_with_free_func ((GDestroyNotify) socketio_shard_unref);
  g_queue_init (&self->roomy);

  self->epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
  if (self->epoll_fd < 0)
    g_error ("epoll cannot be had: %s", g_strerror (errno));

  self->source = g_source_new (&reactor_source_funcs, sizeof (ReactorSource));
  ((ReactorSource *) self->source)->reactor = self;
  g_source_set_static_name (self->source, "Socketio reactor");
  /* Else GLib takes the fd out and in again around each dispatch, and wakes itself up for both. A
   * main loop that a handler nests goes on with what there is, each event once. */
  g_source_set_can_recurse (self->source, TRUE);
  self->epoll_tag = g_source_add_unix_fd (self->source, self->epoll_fd, G_IO_IN);
  g_source_attach (self->source, self->context);
  return self;
}

SocketioReactor *
socketio_reactor_ref (SocketioReactor *self)
{
  g_ref_count_inc (&self->ref_count);
  return self;
}

void
socketio_reactor_unref (SocketioReactor *self)
{
  if (!g_ref_count_dec (&self->ref_count))
    return;

  g_source_destroy (self->source);
  g_source_unref (self->source);
  close (self->epoll_fd);
  g_ptr_array_unref (self->pending);
  g_array_unref (self->deferred);
  g_array_unref (self->invoked);
  g_array_unref (self->slots);
  socketio_timer_queue_free (self->timers);
  g_main_context_unref (self->context);
  g_free (self);
}

GMainContext *
socketio_reactor_get_context (SocketioReactor *self)
{
  return self->context;
}

void
socketio_reactor_push_context (SocketioReactor *self)
{
  g_main_context_push_thread_default (self->context);
}

void
socketio_reactor_pop_context (SocketioReactor *self)
{
  g_main_context_pop_thread_default (self->context);
}

static guint32
take_slot (SocketioReactor *self)
{
  guint32 place;

  if (self->first_free == 0)
    {
      Slot slot = { .generation = 1 };

      g_array_append_val (self->slots, slot);
      return self->slots->len - 1;
    }

  place = self->first_free - 1;
  self->first_free = g_array_index (self->slots, Slot, place).next_free;
  return place;
}

static void
drop_slot (SocketioReactor *self, guint32 place)
{
  Slot *slot = &g_array_index (self->slots, Slot, place);

  slot->func = NULL;
  slot->user_data = NULL;
  if (++slot->generation == 0)
    slot->generation = 1; /* an id is never 0 */
  slot->next_free = self->first_free;
  self->first_free = place + 1;
}

SocketioWatchId
socketio_reactor_add_watch (SocketioReactor *self,
                            int fd,
                            guint32 events,
                            SocketioWatchFunc func,
                            gpointer user_data)
{
  guint32 place = take_slot (self);
  Slot *slot = &g_array_index (self->slots, Slot, place);
  struct epoll_event event = { .events = events };

  slot->func = func;
  slot->user_data = user_data;
  event.data.u64 = ((guint64) slot->generation << 32) | place;

  if (epoll_ctl (self->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
    {
      int saved = errno;

      drop_slot (self, place);
      errno = saved;
      return 0;
    }
  return event.data.u64;
}

void
socketio_reactor_modify_watch (SocketioReactor *self, SocketioWatchId id, int fd, guint32 events)
{
  struct epoll_event event = { .events = events, .data.u64 = id };

  if (epoll_ctl (self->epoll_fd, EPOLL_CTL_MOD, fd, &event) < 0)
    g_warning ("epoll refused a change: %s", g_strerror (errno));
}

void
socketio_reactor_remove_watch (SocketioReactor *self, SocketioWatchId id, int fd)
{
  guint32 place = (guint32) id;

  if (id == 0)
    return;

  g_return_if_fail (g_array_index (self->slots, Slot, place).generation == (guint32) (id >> 32));

  epoll_ctl (self->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
  drop_slot (self, place);
}

void
socketio_reactor_start_timer (SocketioReactor *self,
                              SocketioTimer *timer,
                              guint ms,
                              SocketioTimerFunc func,
                              gpointer user_data)
{
  socketio_timer_queue_start (self->timers, timer,
                              g_get_monotonic_time () + ms * G_GINT64_CONSTANT (1000), func,
                              user_data);
}

void
socketio_reactor_stop_timer (SocketioReactor *self, SocketioTimer *timer)
{
  socketio_timer_queue_stop (self->timers, timer);
}

void
socketio_reactor_defer (SocketioReactor *self, SocketioReactorFunc func, gpointer user_data)
{
  add_call (self->deferred, func, user_data);
}

void
socketio_reactor_invoke (SocketioReactor *self, SocketioReactorFunc func, gpointer user_data)
{
  add_call (self->invoked, func, user_data);
}

SocketioShard *
socketio_reactor_take_shard (SocketioReactor *self)
{
  SocketioShard *shard;

  if (self->roomy.head == NULL)
    {
      shard = socketio_shard_new (self);
      self->n_shards++;
      g_queue_push_head_link (&self->roomy, socketio_shard_get_link (shard));
    }
  else
    shard = self->roomy.head->data;

  socketio_shard_add_user (shard);
  if (socketio_shard_is_full (shard))
    g_queue_unlink (&self->roomy, socketio_shard_get_link (shard));
  return shard;
}

void
socketio_reactor_queue_shard (SocketioReactor *self, SocketioShard *shard)
{
  g_ptr_array_add (self->pending, socketio_shard_ref (shard));
}

void
socketio_reactor_shard_has_room (SocketioReactor *self, SocketioShard *shard)
{
  g_queue_push_tail_link (&self->roomy, socketio_shard_get_link (shard));
}

void
socketio_reactor_shard_gone (SocketioReactor *self, SocketioShard *shard)
{
  /* SHARD_MAX_USERS is above 1: a shard that lost its last user had room before */
  g_queue_unlink (&self->roomy, socketio_shard_get_link (shard));
  self->n_shards--;
}

guint
socketio_reactor_get_n_shards (SocketioReactor *self)
{
  return self->n_shards;
}

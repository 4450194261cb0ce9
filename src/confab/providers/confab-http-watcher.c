/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-http-watcher.h"

#include <sys/epoll.h>
#include <unistd.h>

/* Events taken from epoll at once; the rest waits for the next turn. */
#define MAX_EVENTS 64
/* Silences are looked for this often, and more often if a short one is asked for. */
#define SWEEP_MS 500
#define SWEEPS_A_SILENCE 8

struct _ConfabHttpWatcher
{
  grefcount refs; /* the session's, and that of a dispatch that goes on */
  GSource *source;
  gpointer epoll_tag; /* NULL without the fd */
  int epoll_fd;       /* -1: none could be had, and libsoup's own sources tell what can be read */

  GHashTable *sockets; /* connection id → GWeakRef of its GSocket */
  GQueue watches;      /* of ConfabHttpWatch, linked through themselves */
  GQueue marked;       /* those with something to be told, likewise */
  guint sweep_ms;
  gint64 next_sweep; /* monotonic time in µs; -1 for never */
  gint64 ready_time; /* the source's */
  gboolean dispatching;
};

struct _ConfabHttpWatch
{
  ConfabHttpWatcher *watcher;
  GList link;
  GList marked_link;
  ConfabHttpWatchReasons reasons; /* not told yet; 0: not in the queue of the marked */

  int fd; /* -1: not in the epoll set */
  guint silence_ms;
  gint64 last_touch; /* monotonic time in µs */
  GCancellable *cancellable;
  gulong cancelled_id;

  ConfabHttpWatchFunc func;
  gpointer user_data;
  GDestroyNotify destroy;
};

typedef struct
{
  GSource source;
  ConfabHttpWatcher *watcher; /* which destroys this before it goes */
} WatcherSource;

/* Sparingly: to change the time of a source wakes the loop up by a system call. */
static void
schedule (ConfabHttpWatcher *self)
{
  gint64 ready_time = self->marked.length > 0 ? 0 : self->next_sweep;

  if (self->dispatching || self->ready_time == ready_time)
    return;

  self->ready_time = ready_time;
  g_source_set_ready_time (self->source, ready_time);
}

void
confab_http_watch_mark (ConfabHttpWatch *self, ConfabHttpWatchReasons reasons)
{
  if (self->reasons == 0)
    g_queue_push_tail_link (&self->watcher->marked, &self->marked_link);
  self->reasons |= reasons;
  if (self->watcher->marked.length == 1)
    schedule (self->watcher);
}

static void
take_events (ConfabHttpWatcher *self)
{
  struct epoll_event events[MAX_EVENTS];
  int n = epoll_wait (self->epoll_fd, events, MAX_EVENTS, 0);

  for (int i = 0; i < n; i++)
    confab_http_watch_mark (events[i].data.ptr, CONFAB_HTTP_WATCH_READABLE);
}

static void
sweep (ConfabHttpWatcher *self, gint64 now)
{
  for (GList *l = self->watches.head; l != NULL; l = l->next)
    {
      ConfabHttpWatch *watch = l->data;

      if (now - watch->last_touch >= watch->silence_ms * G_GINT64_CONSTANT (1000))
        confab_http_watch_mark (watch, CONFAB_HTTP_WATCH_SILENT);
    }
}

static void
plan_sweep (ConfabHttpWatcher *self, gint64 now)
{
  self->next_sweep =
      self->watches.length > 0 ? now + self->sweep_ms * G_GINT64_CONSTANT (1000) : -1;
}

/* Only those that are marked by now: one that always has more to read cannot starve the loop. */
static void
tell (ConfabHttpWatcher *self)
{
  for (guint n = self->marked.length; n > 0 && self->marked.length > 0; n--)
    {
      ConfabHttpWatch *watch = g_queue_pop_head_link (&self->marked)->data;
      ConfabHttpWatchReasons reasons = watch->reasons;

      watch->reasons = 0;
      watch->func (reasons, watch->user_data);
    }
}

static void
watcher_unref (gpointer data)
{
  ConfabHttpWatcher *self = data;

  if (!g_ref_count_dec (&self->refs))
    return;

  g_source_unref (self->source);
  if (self->epoll_fd >= 0)
    close (self->epoll_fd);
  g_hash_table_unref (self->sockets);
  g_free (self);
}

static gboolean
watcher_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  ConfabHttpWatcher *self = ((WatcherSource *) source)->watcher;
  gint64 now = g_source_get_time (source);

  /* what is told may drop the session */
  g_ref_count_inc (&self->refs);
  self->dispatching = TRUE;
  if (self->epoll_tag != NULL && g_source_query_unix_fd (source, self->epoll_tag) != 0)
    take_events (self);
  if (self->next_sweep >= 0 && now >= self->next_sweep)
    {
      sweep (self, now);
      plan_sweep (self, now);
    }
  tell (self);
  self->dispatching = FALSE;
  if (!g_source_is_destroyed (source))
    schedule (self);
  watcher_unref (self);

  return G_SOURCE_CONTINUE;
}

static GSourceFuncs watcher_source_funcs = { .dispatch = watcher_dispatch };

static void
free_weak_ref (gpointer data)
{
  g_weak_ref_clear (data);
  g_free (data);
}

static ConfabHttpWatcher *
watcher_new (void)
{
  ConfabHttpWatcher *self = g_new0 (ConfabHttpWatcher, 1);

  g_ref_count_init (&self->refs);
  g_queue_init (&self->watches);
  g_queue_init (&self->marked);
  self->sweep_ms = SWEEP_MS;
  self->next_sweep = -1;
  self->ready_time = -1;
  self->sockets = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, free_weak_ref);
  self->epoll_fd = epoll_create1 (EPOLL_CLOEXEC);

  self->source = g_source_new (&watcher_source_funcs, sizeof (WatcherSource));
  ((WatcherSource *) self->source)->watcher = self;
  g_source_set_static_name (self->source, "[confab] upstreams");
  /* else GLib takes its fd out and in again around each dispatch, and wakes itself up for both */
  g_source_set_can_recurse (self->source, TRUE);
  if (self->epoll_fd >= 0)
    self->epoll_tag = g_source_add_unix_fd (self->source, self->epoll_fd, G_IO_IN);
  g_source_attach (self->source, g_main_context_get_thread_default ());

  return self;
}

/* Running requests hold the session, so that no watch is left by now. */
static void
session_gone_cb (gpointer data)
{
  ConfabHttpWatcher *self = data;

  g_source_destroy (self->source);
  watcher_unref (self);
}

static G_DEFINE_QUARK (confab - http - watcher, confab_http_watcher)

    ConfabHttpWatcher *confab_http_watcher_of (SoupSession *session)
{
  ConfabHttpWatcher *self = g_object_get_qdata (G_OBJECT (session), confab_http_watcher_quark ());

  if (self == NULL)
    {
      self = watcher_new ();
      g_object_set_qdata_full (G_OBJECT (session), confab_http_watcher_quark (), self,
                               session_gone_cb);
    }

  return self;
}

static gboolean
is_gone (gpointer key, gpointer value, gpointer user_data)
{
  g_autoptr (GSocket) socket = g_weak_ref_get (value);

  return socket == NULL || g_socket_is_closed (socket);
}

/**
 * confab_http_watcher_learn:
 * @self: a watcher
 * @connection_id: as libsoup counts them
 * @socket: that connection's
 */
void
confab_http_watcher_learn (ConfabHttpWatcher *self, guint64 connection_id, GSocket *socket)
{
  GWeakRef *reference = g_new (GWeakRef, 1);

  g_hash_table_foreach_remove (self->sockets, is_gone, NULL);
  g_weak_ref_init (reference, socket);
  g_hash_table_replace (self->sockets, g_memdup2 (&connection_id, sizeof connection_id), reference);
}

/**
 * confab_http_watcher_find:
 * @self: a watcher
 * @connection_id: as libsoup counts them
 *
 * Returns: (transfer full) (nullable): the connection's socket, if it is known and open
 */
GSocket *
confab_http_watcher_find (ConfabHttpWatcher *self, guint64 connection_id)
{
  GWeakRef *reference = g_hash_table_lookup (self->sockets, &connection_id);
  g_autoptr (GSocket) socket = reference != NULL ? g_weak_ref_get (reference) : NULL;

  return socket != NULL && !g_socket_is_closed (socket) ? g_steal_pointer (&socket) : NULL;
}

/* Not told from within the emission: whoever cancels has more to do. */
static void
cancelled_cb (GCancellable *cancellable, gpointer user_data)
{
  confab_http_watch_mark (user_data, CONFAB_HTTP_WATCH_CANCELLED);
}

/**
 * confab_http_watch_new:
 * @watcher: a watcher
 * @silence_ms: how long without a touch is told as silence
 * @cancellable: (nullable): cancelled in the watcher's thread only
 * @func: told what there is to do
 * @user_data: for @func
 * @destroy: (nullable): for @user_data, when the watch is freed
 *
 * Returns: (transfer full): a watch that has just been touched
 */
ConfabHttpWatch *
confab_http_watch_new (ConfabHttpWatcher *watcher,
                       guint silence_ms,
                       GCancellable *cancellable,
                       ConfabHttpWatchFunc func,
                       gpointer user_data,
                       GDestroyNotify destroy)
{
  ConfabHttpWatch *self = g_new0 (ConfabHttpWatch, 1);

  self->watcher = watcher;
  self->fd = -1;
  self->func = func;
  self->user_data = user_data;
  self->destroy = destroy;
  self->link.data = self;
  self->marked_link.data = self;
  g_queue_push_tail_link (&watcher->watches, &self->link);
  confab_http_watch_touch (self);
  confab_http_watch_set_silence (self, silence_ms);

  if (cancellable != NULL)
    {
      self->cancellable = g_object_ref (cancellable);
      self->cancelled_id =
          g_signal_connect (cancellable, "cancelled", G_CALLBACK (cancelled_cb), self);
      if (g_cancellable_is_cancelled (cancellable))
        confab_http_watch_mark (self, CONFAB_HTTP_WATCH_CANCELLED);
    }

  return self;
}

void
confab_http_watch_free (ConfabHttpWatch *self)
{
  ConfabHttpWatcher *watcher = self->watcher;

  if (self->fd >= 0)
    epoll_ctl (watcher->epoll_fd, EPOLL_CTL_DEL, self->fd, NULL);
  if (self->reasons != 0)
    g_queue_unlink (&watcher->marked, &self->marked_link);
  g_queue_unlink (&watcher->watches, &self->link);
  g_clear_signal_handler (&self->cancelled_id, self->cancellable);
  g_clear_object (&self->cancellable);
  /* last: it may drop the session */
  if (self->destroy != NULL)
    self->destroy (self->user_data);
  g_free (self);
}

/**
 * confab_http_watch_set_socket:
 * @self: a watch without a socket
 * @socket: what it is to watch
 *
 * Reading has to go on until it would block: what came before that is told once.
 *
 * Returns: whether it can be watched; if not, nothing has changed
 */
gboolean
confab_http_watch_set_socket (ConfabHttpWatch *self, GSocket *socket)
{
  struct epoll_event event = { .events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.ptr = self };
  int fd = g_socket_get_fd (socket);

  g_return_val_if_fail (self->fd < 0, FALSE);

  if (self->watcher->epoll_fd < 0
      || epoll_ctl (self->watcher->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
    return FALSE;

  self->fd = fd;

  return TRUE;
}

void
confab_http_watch_set_silence (ConfabHttpWatch *self, guint silence_ms)
{
  ConfabHttpWatcher *watcher = self->watcher;
  guint sweep_ms = MAX (silence_ms / SWEEPS_A_SILENCE, 1);

  self->silence_ms = silence_ms;
  if (sweep_ms >= watcher->sweep_ms && watcher->next_sweep >= 0)
    return;

  watcher->sweep_ms = MIN (watcher->sweep_ms, sweep_ms);
  plan_sweep (watcher, g_get_monotonic_time ());
  schedule (watcher);
}

/* Something has come: the silence begins anew. */
void
confab_http_watch_touch (ConfabHttpWatch *self)
{
  self->last_touch = g_get_monotonic_time ();
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "socketio-reactor.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io-fixture.h"
#include "socketio-shard.h"

/* Every test runs in the default context, and in one of its own. */
typedef struct
{
  GMainContext *context; /* NULL: the default one */
  SocketioReactor *reactor;
  GString *log;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer own_context)
{
  if (own_context != NULL)
    {
      fixture->context = g_main_context_new ();
      g_main_context_push_thread_default (fixture->context);
    }
  fixture->reactor = socketio_reactor_new ();
  fixture->log = g_string_new (NULL);
}

static void
tear_down (Fixture *fixture, gconstpointer own_context)
{
  io_settle (fixture->context);
  g_clear_pointer (&fixture->reactor, socketio_reactor_unref);
  g_string_free (fixture->log, TRUE);
  if (fixture->context != NULL)
    {
      g_main_context_pop_thread_default (fixture->context);
      g_main_context_unref (fixture->context);
    }
}

/* The context that the reactor must be in, never NULL. */
static GMainContext *
get_expected_context (Fixture *fixture)
{
  return fixture->context != NULL ? fixture->context : g_main_context_default ();
}

static void
test_context (Fixture *fixture, gconstpointer data)
{
  g_assert_true (socketio_reactor_get_context (fixture->reactor) == get_expected_context (fixture));
}

/* Watches */

typedef struct _Watch Watch;

struct _Watch
{
  Fixture *fixture;
  Watch *victim; /* nullable */
  SocketioWatchId id;
  int fds[2]; /* the first is watched */
  guint n_events;
  guint32 events;
  gboolean victim_is_replaced;
};

static void watch_cb (guint32 events, gpointer user_data);

static void
watch_open (Watch *self, Fixture *fixture, guint32 events)
{
  self->fixture = fixture;
  io_unix_pair (self->fds);
  self->id = socketio_reactor_add_watch (fixture->reactor, self->fds[0], events, watch_cb, self);
  g_assert_cmpuint (self->id, !=, 0);
}

static void
watch_close (Watch *self)
{
  socketio_reactor_remove_watch (self->fixture->reactor, self->id, self->fds[0]);
  close (self->fds[0]);
  close (self->fds[1]);
}

/* Lets a silent socket take the number of the victim's. */
static void
watch_replace (Watch *self)
{
  int number = self->fds[0];
  int fds[2];

  watch_close (self);
  io_unix_pair (fds);
  g_assert_true (fds[0] == number || fcntl (number, F_GETFD) < 0 || fds[1] == number);
  if (fds[0] != number)
    {
      int other = fds[1] == number ? fcntl (fds[1], F_DUPFD_CLOEXEC, number + 1) : fds[1];

      g_assert_cmpint (dup3 (fds[0], number, O_CLOEXEC), ==, number);
      close (fds[0]);
      fds[1] = other;
    }
  self->fds[0] = number;
  self->fds[1] = fds[1];
  self->id = socketio_reactor_add_watch (self->fixture->reactor, number, EPOLLIN, watch_cb, self);
}

static void
watch_cb (guint32 events, gpointer user_data)
{
  Watch *self = user_data;

  self->n_events++;
  self->events = events;
  g_assert_true (g_main_context_get_thread_default () == self->fixture->context
                 || self->fixture->context == NULL);
  if (self->victim == NULL || self->n_events > 1)
    return;
  if (self->victim_is_replaced)
    watch_replace (self->victim);
  else
    {
      socketio_reactor_remove_watch (self->fixture->reactor, self->victim->id,
                                     self->victim->fds[0]);
      self->victim->id = 0;
    }
}

static void
send_byte (Watch *watch)
{
  g_assert_cmpint (send (watch->fds[1], "x", 1, MSG_NOSIGNAL), ==, 1);
}

static void
take_byte (Watch *watch)
{
  char byte;

  g_assert_cmpint (recv (watch->fds[0], &byte, 1, 0), ==, 1);
}

static void
test_watch_event (Fixture *fixture, gconstpointer data)
{
  Watch watch = { 0 };

  watch_open (&watch, fixture, EPOLLIN | EPOLLET);
  io_settle (fixture->context);
  g_assert_cmpuint (watch.n_events, ==, 0);

  send_byte (&watch);
  io_wait_for (fixture->context, watch.n_events > 0);
  g_assert_cmpuint (watch.events, ==, EPOLLIN);
  io_settle (fixture->context);
  g_assert_cmpuint (watch.n_events, ==, 1);
  watch_close (&watch);
}

static void
test_watch_modify (Fixture *fixture, gconstpointer data)
{
  Watch watch = { 0 };

  watch_open (&watch, fixture, 0);
  send_byte (&watch);
  io_settle (fixture->context);
  g_assert_cmpuint (watch.n_events, ==, 0);

  socketio_reactor_modify_watch (fixture->reactor, watch.id, watch.fds[0], EPOLLOUT | EPOLLET);
  io_wait_for (fixture->context, watch.n_events > 0);
  g_assert_cmpuint (watch.events, ==, EPOLLOUT);
  watch_close (&watch);
}

static void
test_watch_refused (Fixture *fixture, gconstpointer data)
{
  int fd = open ("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  Watch watch = { 0 };

  /* epoll takes no plain files */
  g_assert_cmpuint (socketio_reactor_add_watch (fixture->reactor, fd, EPOLLIN, watch_cb, NULL), ==,
                    0);
  g_assert_cmpint (errno, ==, EPERM);
  close (fd);
  socketio_reactor_remove_watch (fixture->reactor, 0, fd);

  /* its place can be taken by another */
  watch_open (&watch, fixture, EPOLLIN | EPOLLET);
  send_byte (&watch);
  io_wait_for (fixture->context, watch.n_events > 0);
  watch_close (&watch);
}

/* More than one batch of epoll holds. */
static void
test_watch_many (Fixture *fixture, gconstpointer data)
{
  g_autofree Watch *watches = g_new0 (Watch, 300);

  for (guint i = 0; i < 300; i++)
    {
      watch_open (&watches[i], fixture, EPOLLIN | EPOLLET);
      send_byte (&watches[i]);
    }
  io_settle (fixture->context);
  for (guint i = 0; i < 300; i++)
    {
      g_assert_cmpuint (watches[i].n_events, ==, 1);
      watch_close (&watches[i]);
    }
}

/* Both are in one batch: whichever comes first removes the other. */
static void
test_watch_removed_by_neighbour (Fixture *fixture, gconstpointer data)
{
  Watch watches[2] = { 0 };

  for (guint i = 0; i < 2; i++)
    {
      watches[i].victim = &watches[1 - i];
      watch_open (&watches[i], fixture, EPOLLIN | EPOLLET);
      send_byte (&watches[i]);
    }
  io_settle (fixture->context);
  g_assert_cmpuint (watches[0].n_events + watches[1].n_events, ==, 1);
  for (guint i = 0; i < 2; i++)
    watch_close (&watches[i]);
}

/* The same, but the fd's number, and the place in the table, have a new owner at once: the event of
 * the old one is not the new one's. */
static void
test_watch_number_used_again (Fixture *fixture, gconstpointer data)
{
  Watch watches[2] = { 0 };
  Watch *late;

  for (guint i = 0; i < 2; i++)
    {
      watches[i].victim = &watches[1 - i];
      watches[i].victim_is_replaced = TRUE;
      watch_open (&watches[i], fixture, EPOLLIN | EPOLLET);
      send_byte (&watches[i]);
    }
  io_settle (fixture->context);
  g_assert_cmpuint (watches[0].n_events + watches[1].n_events, ==, 1);

  /* and the new owner does get its own */
  late = watches[0].n_events == 0 ? &watches[0] : &watches[1];
  late->victim = NULL;
  send_byte (late);
  io_wait_for (fixture->context, late->n_events > 0);
  take_byte (late);
  for (guint i = 0; i < 2; i++)
    watch_close (&watches[i]);
}

static void
test_watch_ids_differ (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_int64_hash, g_int64_equal);
  SocketioWatchId ids[1000];
  int fds[2];

  io_unix_pair (fds);
  for (guint i = 0; i < G_N_ELEMENTS (ids); i++)
    {
      ids[i] = socketio_reactor_add_watch (fixture->reactor, fds[0], EPOLLIN, watch_cb, NULL);
      g_assert_true (g_hash_table_add (seen, &ids[i]));
      socketio_reactor_remove_watch (fixture->reactor, ids[i], fds[0]);
    }
  close (fds[0]);
  close (fds[1]);
}

/* Timers, deferred and invoked calls */

typedef struct
{
  Fixture *fixture;
  char letter;
} Note;

static void
note_cb (gpointer user_data)
{
  Note *note = user_data;

  g_string_append_c (note->fixture->log, note->letter);
}

static void
test_timer_fires (Fixture *fixture, gconstpointer data)
{
  SocketioTimer timer = { 0 };
  Note note = { fixture, 't' };
  gint64 start = g_get_monotonic_time ();

  socketio_reactor_start_timer (fixture->reactor, &timer, 50, note_cb, &note);
  io_wait_for (fixture->context, fixture->log->len > 0);
  g_assert_cmpint (g_get_monotonic_time () - start, >=, 50000);
}

static void
test_timer_stopped (Fixture *fixture, gconstpointer data)
{
  SocketioTimer early = { 0 };
  SocketioTimer late = { 0 };
  Note notes[] = { { fixture, 'e' }, { fixture, 'l' } };

  socketio_reactor_start_timer (fixture->reactor, &early, 1, note_cb, &notes[0]);
  socketio_reactor_start_timer (fixture->reactor, &late, 20, note_cb, &notes[1]);
  socketio_reactor_stop_timer (fixture->reactor, &early);
  io_wait_for (fixture->context, fixture->log->len > 0);
  g_assert_cmpstr (fixture->log->str, ==, "l");
}

typedef struct
{
  Fixture *fixture;
  void (*start) (SocketioReactor *reactor, SocketioReactorFunc func, gpointer user_data);
  guint depth;
  gboolean inside;
} Nested;

static void
nested_cb (gpointer user_data)
{
  Nested *self = user_data;

  g_assert_false (self->inside);
  self->inside = TRUE;
  g_string_append_printf (self->fixture->log, "%u", self->depth);
  if (self->depth-- > 1)
    self->start (self->fixture->reactor, nested_cb, self);
  self->inside = FALSE;
}

static void
test_defer_order (Fixture *fixture, gconstpointer data)
{
  Note notes[] = { { fixture, 'a' }, { fixture, 'b' }, { fixture, 'c' } };

  for (guint i = 0; i < 3; i++)
    socketio_reactor_defer (fixture->reactor, note_cb, &notes[i]);
  g_assert_cmpstr (fixture->log->str, ==, "");
  g_main_context_iteration (fixture->context, FALSE);
  g_assert_cmpstr (fixture->log->str, ==, "abc");
}

/* What is deferred by a deferred call runs in the same turn: before the loop sleeps. */
static void
test_defer_nested (Fixture *fixture, gconstpointer data)
{
  Nested nested = { fixture, socketio_reactor_defer, 3, FALSE };

  socketio_reactor_defer (fixture->reactor, nested_cb, &nested);
  g_main_context_iteration (fixture->context, FALSE);
  g_assert_cmpstr (fixture->log->str, ==, "321");
}

static void
drop_reactor_cb (gpointer user_data)
{
  socketio_reactor_unref (user_data);
}

/* The last holder of a reactor may be what was deferred: a stream with output. */
static void
test_defer_drops_reactor (Fixture *fixture, gconstpointer data)
{
  guint n_fds = io_count_fds ();
  SocketioReactor *reactor = socketio_reactor_new ();

  socketio_reactor_defer (reactor, drop_reactor_cb, reactor);
  io_settle (fixture->context);
  g_assert_cmpuint (io_count_fds (), ==, n_fds);
}

static void
test_invoke_order (Fixture *fixture, gconstpointer data)
{
  Note notes[] = { { fixture, 'a' }, { fixture, 'b' }, { fixture, 'c' } };

  for (guint i = 0; i < 3; i++)
    socketio_reactor_invoke (fixture->reactor, note_cb, &notes[i]);
  g_assert_cmpstr (fixture->log->str, ==, "");
  io_wait_for (fixture->context, fixture->log->len == 3);
  g_assert_cmpstr (fixture->log->str, ==, "abc");
}

/* What an invoked call invokes runs after it, in a turn of its own: others get theirs between. */
static void
test_invoke_nested (Fixture *fixture, gconstpointer data)
{
  Nested nested = { fixture, socketio_reactor_invoke, 3, FALSE };
  guint turns = 0;

  socketio_reactor_invoke (fixture->reactor, nested_cb, &nested);
  while (fixture->log->len < 3)
    {
      gsize before = fixture->log->len;

      g_assert_true (g_main_context_iteration (fixture->context, FALSE));
      g_assert_cmpuint (fixture->log->len, <=, before + 1);
      g_assert_cmpuint (++turns, <=, 3);
    }
  g_assert_cmpstr (fixture->log->str, ==, "321");
}

static void
test_invoke_drops_reactor (Fixture *fixture, gconstpointer data)
{
  guint n_fds = io_count_fds ();
  SocketioReactor *reactor = socketio_reactor_new ();

  socketio_reactor_invoke (reactor, drop_reactor_cb, reactor);
  io_settle (fixture->context);
  g_assert_cmpuint (io_count_fds (), ==, n_fds);
}

/* Shards */

typedef struct
{
  Fixture *fixture;
  GMainContext *expected; /* in which it must run */
  guint n_calls;
  guint left; /* how often it goes on */
} Ticker;

static gboolean
ticker_cb (gpointer user_data)
{
  Ticker *self = user_data;

  g_assert_true (g_source_get_context (g_main_current_source ()) == self->expected);
  self->n_calls++;
  return self->left > 0 && self->left-- > 0;
}

static GMainContext *
get_shard_context (SocketioShard *shard)
{
  GMainContext *context;

  socketio_shard_enter (shard);
  context = g_main_context_get_thread_default ();
  socketio_shard_leave (shard);
  return context;
}

/* Attaches @source (transfer full) as libsoup does: to the thread default of the moment. */
static void
attach_in_shard (SocketioShard *shard, GSource *source, Ticker *ticker)
{
  socketio_shard_enter (shard);
  g_source_set_static_name (source, "Test ticker");
  g_source_set_callback (source, ticker_cb, ticker, NULL);
  g_source_attach (source, g_main_context_get_thread_default ());
  g_source_unref (source);
  socketio_shard_leave (shard);
  ticker->expected = get_shard_context (shard);
}

static void
test_shard_enter (Fixture *fixture, gconstpointer data)
{
  SocketioShard *shard = socketio_reactor_take_shard (fixture->reactor);
  GMainContext *outside = g_main_context_get_thread_default ();

  socketio_shard_enter (shard);
  g_assert_true (g_main_context_get_thread_default () != outside);
  g_assert_true (g_main_context_get_thread_default () != get_expected_context (fixture));
  socketio_reactor_push_context (fixture->reactor);
  g_assert_true (g_main_context_get_thread_default () == get_expected_context (fixture)
                 || fixture->context == NULL);
  socketio_reactor_pop_context (fixture->reactor);
  socketio_shard_leave (shard);
  g_assert_true (g_main_context_get_thread_default () == outside);
  g_assert_true (socketio_shard_get_reactor (shard) == fixture->reactor);
  socketio_shard_release (shard);
}

static void
test_shard_count (Fixture *fixture, gconstpointer data)
{
  SocketioShard *shards[SOCKETIO_SHARD_MAX_USERS + 1];
  guint n_fds = io_count_fds ();

  for (guint i = 0; i < SOCKETIO_SHARD_MAX_USERS; i++)
    shards[i] = socketio_reactor_take_shard (fixture->reactor);
  g_assert_cmpuint (socketio_reactor_get_n_shards (fixture->reactor), ==, 1);
  shards[SOCKETIO_SHARD_MAX_USERS] = socketio_reactor_take_shard (fixture->reactor);
  g_assert_cmpuint (socketio_reactor_get_n_shards (fixture->reactor), ==, 2);
  g_assert_true (shards[SOCKETIO_SHARD_MAX_USERS] != shards[0]);

  /* room that was given back is used again, also in a shard that was full */
  socketio_shard_release (shards[SOCKETIO_SHARD_MAX_USERS]);
  g_assert_cmpuint (socketio_reactor_get_n_shards (fixture->reactor), ==, 1);
  socketio_shard_release (shards[0]);
  shards[0] = socketio_reactor_take_shard (fixture->reactor);
  g_assert_true (shards[0] == shards[1]);
  g_assert_cmpuint (socketio_reactor_get_n_shards (fixture->reactor), ==, 1);

  for (guint i = 0; i < SOCKETIO_SHARD_MAX_USERS; i++)
    socketio_shard_release (shards[i]);
  g_assert_cmpuint (socketio_reactor_get_n_shards (fixture->reactor), ==, 0);
  io_settle (fixture->context);
  g_assert_cmpuint (io_count_fds (), ==, n_fds);
}

/* Random comings and goings: never more shards than the users need if none had ever left, and none
 * is over-full. */
static void
test_shard_churn (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GPtrArray) users = g_ptr_array_new ();
  g_autoptr (GHashTable) counts = NULL;
  guint most = 0;

  for (guint step = 0; step < 5000; step++)
    {
      if (users->len == 0 || g_test_rand_int_range (0, 100) < (step < 2500 ? 60 : 40))
        g_ptr_array_add (users, socketio_reactor_take_shard (fixture->reactor));
      else
        socketio_shard_release (
            g_ptr_array_remove_index_fast (users, g_test_rand_int_range (0, users->len)));
      most = MAX (most, users->len);
      g_assert_cmpuint (socketio_reactor_get_n_shards (fixture->reactor), <=,
                        (most + SOCKETIO_SHARD_MAX_USERS - 1) / SOCKETIO_SHARD_MAX_USERS);
      g_assert_cmpuint (socketio_reactor_get_n_shards (fixture->reactor) * SOCKETIO_SHARD_MAX_USERS,
                        >=, users->len);
    }

  counts = g_hash_table_new (NULL, NULL);
  for (guint i = 0; i < users->len; i++)
    {
      guint n = GPOINTER_TO_UINT (g_hash_table_lookup (counts, users->pdata[i])) + 1;

      g_assert_cmpuint (n, <=, SOCKETIO_SHARD_MAX_USERS);
      g_hash_table_insert (counts, users->pdata[i], GUINT_TO_POINTER (n));
    }
  g_assert_cmpuint (g_hash_table_size (counts), ==,
                    socketio_reactor_get_n_shards (fixture->reactor));
  while (users->len > 0)
    socketio_shard_release (g_ptr_array_remove_index_fast (users, users->len - 1));
  g_assert_cmpuint (socketio_reactor_get_n_shards (fixture->reactor), ==, 0);
}

static void
test_shard_idle (Fixture *fixture, gconstpointer data)
{
  SocketioShard *shard = socketio_reactor_take_shard (fixture->reactor);
  Ticker ticker = { fixture };

  attach_in_shard (shard, g_idle_source_new (), &ticker);
  io_wait_for (fixture->context, ticker.n_calls > 0);
  io_settle (fixture->context);
  g_assert_cmpuint (ticker.n_calls, ==, 1);
  socketio_shard_release (shard);
}

/* Nothing else stirs meanwhile. */
static void
test_shard_timeout (Fixture *fixture, gconstpointer data)
{
  SocketioShard *shard = socketio_reactor_take_shard (fixture->reactor);
  Ticker ticker = { fixture };
  gint64 start = g_get_monotonic_time ();
  gint64 took;

  attach_in_shard (shard, g_timeout_source_new (100), &ticker);
  io_wait_for (fixture->context, ticker.n_calls > 0);
  took = g_get_monotonic_time () - start;
  g_assert_cmpint (took, >=, 100 * 1000);
  g_assert_cmpint (took, <, 5000 * 1000);
  socketio_shard_release (shard);
}

static void
test_shard_timeout_repeats (Fixture *fixture, gconstpointer data)
{
  SocketioShard *shard = socketio_reactor_take_shard (fixture->reactor);
  Ticker ticker = { fixture, .left = 4 };
  gint64 start = g_get_monotonic_time ();

  attach_in_shard (shard, g_timeout_source_new (10), &ticker);
  io_wait_for (fixture->context, ticker.n_calls == 5);
  g_assert_cmpint (g_get_monotonic_time () - start, >=, 50 * 1000);
  socketio_shard_release (shard);
}

/* A later source may be due before the one that the shard waits for. */
static void
test_shard_earlier_timeout (Fixture *fixture, gconstpointer data)
{
  SocketioShard *shard = socketio_reactor_take_shard (fixture->reactor);
  Ticker late = { fixture };
  Ticker early = { fixture };

  attach_in_shard (shard, g_timeout_source_new (600 * 1000), &late);
  io_settle (fixture->context);
  attach_in_shard (shard, g_timeout_source_new (20), &early);
  io_wait_for (fixture->context, early.n_calls > 0);
  g_assert_cmpuint (late.n_calls, ==, 0);
  socketio_shard_release (shard);
}

static gpointer
attach_thread (gpointer data)
{
  Ticker *ticker = data;
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_static_name (source, "Test ticker");
  g_source_set_callback (source, ticker_cb, ticker, NULL);
  g_source_attach (source, ticker->expected);
  return NULL;
}

static void
test_shard_other_thread (Fixture *fixture, gconstpointer data)
{
  SocketioShard *shard = socketio_reactor_take_shard (fixture->reactor);
  Ticker ticker = { fixture, .expected = get_shard_context (shard) };

  io_settle (fixture->context);
  for (guint i = 1; i <= 20; i++)
    {
      GThread *thread = g_thread_new ("attach", attach_thread, &ticker);

      io_wait_for (fixture->context, ticker.n_calls == i);
      g_thread_join (thread);
    }
  socketio_shard_release (shard);
}

static gboolean
tell_cb (gpointer user_data)
{
  *(gboolean *) user_data = TRUE;
  return G_SOURCE_REMOVE;
}

/* A source that is always ready keeps neither its neighbours nor others from their turn. */
static void
test_shard_always_busy (Fixture *fixture, gconstpointer data)
{
  SocketioShard *shard = socketio_reactor_take_shard (fixture->reactor);
  SocketioTimer timer = { 0 };
  Ticker busy = { fixture, .left = G_MAXUINT };
  Ticker neighbour = { fixture, .left = 9 };
  Note note = { fixture, 't' };
  Watch watch = { 0 };

  attach_in_shard (shard, g_idle_source_new (), &busy);
  attach_in_shard (shard, g_idle_source_new (), &neighbour);
  socketio_reactor_start_timer (fixture->reactor, &timer, 5, note_cb, &note);
  watch_open (&watch, fixture, EPOLLIN | EPOLLET);
  send_byte (&watch);
  io_wait_for (fixture->context,
               fixture->log->len > 0 && watch.n_events > 0 && neighbour.n_calls == 10);
  g_assert_cmpuint (busy.n_calls, >=, 10);
  watch_close (&watch);
  socketio_shard_release (shard);
}

/* With timeouts far ahead the loop sleeps. */
static void
test_shard_sleeps (Fixture *fixture, gconstpointer data)
{
  SocketioShard *shard = socketio_reactor_take_shard (fixture->reactor);
  SocketioTimer timer = { 0 };
  Ticker far_ahead = { fixture };
  Note note = { fixture, 't' };
  g_autoptr (GSource) end = g_timeout_source_new (100);
  gboolean ended = FALSE;
  guint turns = 0;

  attach_in_shard (shard, g_timeout_source_new (600 * 1000), &far_ahead);
  socketio_reactor_start_timer (fixture->reactor, &timer, 600 * 1000, note_cb, &note);
  io_settle (fixture->context);

  g_source_set_callback (end, tell_cb, &ended, NULL);
  g_source_attach (end, fixture->context);
  for (; !ended; turns++)
    g_main_context_iteration (fixture->context, TRUE);
  g_assert_cmpuint (turns, <, 10);
  socketio_reactor_stop_timer (fixture->reactor, &timer);
  socketio_shard_release (shard);
}

static gboolean
release_shard_cb (gpointer user_data)
{
  socketio_shard_release (user_data);
  return G_SOURCE_REMOVE;
}

/* The last user leaves from within the shard's own dispatch. */
static void
test_shard_released_inside (Fixture *fixture, gconstpointer data)
{
  SocketioShard *shard = socketio_reactor_take_shard (fixture->reactor);
  GSource *source = g_idle_source_new ();

  socketio_shard_enter (shard);
  g_source_set_callback (source, release_shard_cb, shard, NULL);
  g_source_attach (source, g_main_context_get_thread_default ());
  g_source_unref (source);
  socketio_shard_leave (shard);

  io_wait_for (fixture->context, socketio_reactor_get_n_shards (fixture->reactor) == 0);
  io_settle (fixture->context);
}

/* The last user leaves while the shard waits for its turn. */
static void
test_shard_released_ready (Fixture *fixture, gconstpointer data)
{
  SocketioShard *shard = socketio_reactor_take_shard (fixture->reactor);
  Ticker ticker = { fixture };

  attach_in_shard (shard, g_idle_source_new (), &ticker);
  socketio_shard_mark_ready (shard);
  socketio_shard_release (shard);
  io_settle (fixture->context);
  g_assert_cmpuint (ticker.n_calls, ==, 0);
}

/* One turn: deferred calls, events, timers, invoked calls, shards. */
typedef struct
{
  Note note;
  Watch watch;
} EventNote;

static void
event_note_cb (guint32 events, gpointer user_data)
{
  note_cb (user_data);
}

static gboolean
source_note_cb (gpointer user_data)
{
  note_cb (user_data);
  return G_SOURCE_REMOVE;
}

static void
test_phases (Fixture *fixture, gconstpointer data)
{
  SocketioShard *shard = socketio_reactor_take_shard (fixture->reactor);
  Note notes[] = {
    { fixture, 'd' }, { fixture, 'e' }, { fixture, 't' }, { fixture, 'i' }, { fixture, 's' }
  };
  g_autoptr (GSource) source = g_idle_source_new ();
  SocketioTimer timer = { 0 };
  SocketioWatchId id;
  int fds[2];

  io_settle (fixture->context);
  g_source_set_callback (source, source_note_cb, &notes[4], NULL);
  g_source_attach (source, get_shard_context (shard));
  socketio_reactor_invoke (fixture->reactor, note_cb, &notes[3]);
  socketio_reactor_start_timer (fixture->reactor, &timer, 0, note_cb, &notes[2]);
  io_unix_pair (fds);
  id = socketio_reactor_add_watch (fixture->reactor, fds[0], EPOLLIN | EPOLLET, event_note_cb,
                                   &notes[1]);
  g_assert_cmpint (send (fds[1], "x", 1, 0), ==, 1);
  socketio_reactor_defer (fixture->reactor, note_cb, &notes[0]);

  g_main_context_iteration (fixture->context, FALSE);
  g_assert_cmpstr (fixture->log->str, ==, "detis");
  socketio_reactor_remove_watch (fixture->reactor, id, fds[0]);
  close (fds[0]);
  close (fds[1]);
  socketio_shard_release (shard);
}

/* What a callback of a connection starts ends in the reactor's context, not in the shard's. */
typedef struct
{
  Fixture *fixture;
  SocketioTimer timer;
  GMainContext *shard_context;
  gboolean task_done;
  gboolean idle_done;
  gboolean timeout_done;
  gboolean timer_done;
} Outside;

static void
assert_outside (Outside *self)
{
  GMainContext *expected = get_expected_context (self->fixture);

  g_assert_true (g_source_get_context (g_main_current_source ()) == expected);
  g_assert_true (g_main_context_ref_thread_default () == expected);
  g_main_context_unref (expected);
}

static void
outside_task_thread (GTask *task,
                     gpointer source_object,
                     gpointer task_data,
                     GCancellable *cancellable)
{
  g_task_return_int (task, 42);
}

static void
outside_task_cb (GObject *source_object, GAsyncResult *result, gpointer user_data)
{
  Outside *self = user_data;

  assert_outside (self);
  g_assert_cmpint (g_task_propagate_int (G_TASK (result), NULL), ==, 42);
  self->task_done = TRUE;
}

static gboolean
outside_idle_cb (gpointer user_data)
{
  Outside *self = user_data;

  g_assert_true (g_source_get_context (g_main_current_source ())
                 == get_expected_context (self->fixture));
  self->idle_done = TRUE;
  return G_SOURCE_REMOVE;
}

static gboolean
outside_timeout_cb (gpointer user_data)
{
  Outside *self = user_data;

  g_assert_true (g_source_get_context (g_main_current_source ())
                 == get_expected_context (self->fixture));
  self->timeout_done = TRUE;
  return G_SOURCE_REMOVE;
}

static void
outside_timer_cb (gpointer user_data)
{
  Outside *self = user_data;

  assert_outside (self);
  self->timer_done = TRUE;
}

static void
attach_outside (GSource *source, GSourceFunc func, Outside *self)
{
  g_source_set_callback (source, func, self, NULL);
  g_source_attach (source, g_main_context_get_thread_default ());
  g_source_unref (source);
}

static gboolean
inside_cb (gpointer user_data)
{
  Outside *self = user_data;
  g_autoptr (GTask) task = NULL;

  g_assert_true (g_main_context_get_thread_default () == self->shard_context);
  socketio_reactor_push_context (self->fixture->reactor);
  task = g_task_new (NULL, NULL, outside_task_cb, self);
  g_task_set_source_tag (task, inside_cb);
  g_task_run_in_thread (task, outside_task_thread);
  attach_outside (g_idle_source_new (), outside_idle_cb, self);
  attach_outside (g_timeout_source_new (1), outside_timeout_cb, self);
  socketio_reactor_start_timer (self->fixture->reactor, &self->timer, 1, outside_timer_cb, self);
  socketio_reactor_pop_context (self->fixture->reactor);
  g_assert_true (g_main_context_get_thread_default () == self->shard_context);
  return G_SOURCE_REMOVE;
}

static void
test_started_in_callback (Fixture *fixture, gconstpointer data)
{
  SocketioShard *shard = socketio_reactor_take_shard (fixture->reactor);
  Outside outside = { fixture, .shard_context = get_shard_context (shard) };
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_callback (source, inside_cb, &outside, NULL);
  g_source_attach (source, outside.shard_context);
  io_wait_for (fixture->context, outside.task_done && outside.idle_done && outside.timeout_done
                                     && outside.timer_done);
  socketio_shard_release (shard);
}

static const struct
{
  const char *name;
  void (*func) (Fixture *fixture, gconstpointer data);
} tests[] = {
  { "context", test_context },
  { "watch/event", test_watch_event },
  { "watch/modify", test_watch_modify },
  { "watch/refused", test_watch_refused },
  { "watch/many", test_watch_many },
  { "watch/removed-by-neighbour", test_watch_removed_by_neighbour },
  { "watch/number-used-again", test_watch_number_used_again },
  { "watch/ids-differ", test_watch_ids_differ },
  { "timer/fires", test_timer_fires },
  { "timer/stopped", test_timer_stopped },
  { "defer/order", test_defer_order },
  { "defer/nested", test_defer_nested },
  { "defer/drops-reactor", test_defer_drops_reactor },
  { "invoke/order", test_invoke_order },
  { "invoke/nested", test_invoke_nested },
  { "invoke/drops-reactor", test_invoke_drops_reactor },
  { "shard/enter", test_shard_enter },
  { "shard/count", test_shard_count },
  { "shard/churn", test_shard_churn },
  { "shard/idle", test_shard_idle },
  { "shard/timeout", test_shard_timeout },
  { "shard/timeout-repeats", test_shard_timeout_repeats },
  { "shard/earlier-timeout", test_shard_earlier_timeout },
  { "shard/other-thread", test_shard_other_thread },
  { "shard/always-busy", test_shard_always_busy },
  { "shard/sleeps", test_shard_sleeps },
  { "shard/released-inside", test_shard_released_inside },
  { "shard/released-ready", test_shard_released_ready },
  { "phases", test_phases },
  { "started-in-callback", test_started_in_callback },
};

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (tests); i++)
    {
      g_autofree char *plain = g_strconcat ("/reactor/default/", tests[i].name, NULL);
      g_autofree char *own = g_strconcat ("/reactor/own/", tests[i].name, NULL);

      g_test_add (plain, Fixture, NULL, set_up, tests[i].func, tear_down);
      g_test_add (own, Fixture, GINT_TO_POINTER (TRUE), set_up, tests[i].func, tear_down);
    }

  return g_test_run ();
}

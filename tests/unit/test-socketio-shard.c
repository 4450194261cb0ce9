/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "socketio-shard.h"

#include <sys/epoll.h>

#include "io-reactor-fixture.h"

typedef struct
{
  ReactorFixture *fixture;
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
  ticker->expected = reactor_fixture_get_shard_context (shard);
}

static void
test_shard_enter (ReactorFixture *fixture, gconstpointer data)
{
  SocketioShard *shard = socketio_reactor_take_shard (fixture->reactor);
  GMainContext *outside = g_main_context_get_thread_default ();

  socketio_shard_enter (shard);
  g_assert_true (g_main_context_get_thread_default () != outside);
  g_assert_true (g_main_context_get_thread_default () != reactor_fixture_get_context (fixture));
  socketio_reactor_push_context (fixture->reactor);
  g_assert_true (g_main_context_get_thread_default () == reactor_fixture_get_context (fixture)
                 || fixture->context == NULL);
  socketio_reactor_pop_context (fixture->reactor);
  socketio_shard_leave (shard);
  g_assert_true (g_main_context_get_thread_default () == outside);
  g_assert_true (socketio_shard_get_reactor (shard) == fixture->reactor);
  socketio_shard_release (shard);
}

static void
test_shard_count (ReactorFixture *fixture, gconstpointer data)
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
test_shard_churn (ReactorFixture *fixture, gconstpointer data)
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
test_shard_idle (ReactorFixture *fixture, gconstpointer data)
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
test_shard_timeout (ReactorFixture *fixture, gconstpointer data)
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
test_shard_timeout_repeats (ReactorFixture *fixture, gconstpointer data)
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
test_shard_earlier_timeout (ReactorFixture *fixture, gconstpointer data)
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
test_shard_other_thread (ReactorFixture *fixture, gconstpointer data)
{
  SocketioShard *shard = socketio_reactor_take_shard (fixture->reactor);
  Ticker ticker = { fixture, .expected = reactor_fixture_get_shard_context (shard) };

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
test_shard_always_busy (ReactorFixture *fixture, gconstpointer data)
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
test_shard_sleeps (ReactorFixture *fixture, gconstpointer data)
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
test_shard_released_inside (ReactorFixture *fixture, gconstpointer data)
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
test_shard_released_ready (ReactorFixture *fixture, gconstpointer data)
{
  SocketioShard *shard = socketio_reactor_take_shard (fixture->reactor);
  Ticker ticker = { fixture };

  attach_in_shard (shard, g_idle_source_new (), &ticker);
  socketio_shard_mark_ready (shard);
  socketio_shard_release (shard);
  io_settle (fixture->context);
  g_assert_cmpuint (ticker.n_calls, ==, 0);
}

static const ReactorTest tests[] = {
  { "enter", test_shard_enter },
  { "count", test_shard_count },
  { "churn", test_shard_churn },
  { "idle", test_shard_idle },
  { "timeout", test_shard_timeout },
  { "timeout-repeats", test_shard_timeout_repeats },
  { "earlier-timeout", test_shard_earlier_timeout },
  { "other-thread", test_shard_other_thread },
  { "always-busy", test_shard_always_busy },
  { "sleeps", test_shard_sleeps },
  { "released-inside", test_shard_released_inside },
  { "released-ready", test_shard_released_ready },
};

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  reactor_add_tests ("shard", tests, G_N_ELEMENTS (tests));

  return g_test_run ();
}

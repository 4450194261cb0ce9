/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "socketio-reactor.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io-reactor-fixture.h"

static void
test_context (ReactorFixture *fixture, gconstpointer data)
{
  g_assert_true (socketio_reactor_get_context (fixture->reactor)
                 == reactor_fixture_get_context (fixture));
}

/* Watches */

static void
test_watch_event (ReactorFixture *fixture, gconstpointer data)
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
test_watch_modify (ReactorFixture *fixture, gconstpointer data)
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
test_watch_refused (ReactorFixture *fixture, gconstpointer data)
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
test_watch_many (ReactorFixture *fixture, gconstpointer data)
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
test_watch_removed_by_neighbour (ReactorFixture *fixture, gconstpointer data)
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
test_watch_number_used_again (ReactorFixture *fixture, gconstpointer data)
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
test_watch_ids_differ (ReactorFixture *fixture, gconstpointer data)
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

static void
test_timer_fires (ReactorFixture *fixture, gconstpointer data)
{
  SocketioTimer timer = { 0 };
  Note note = { fixture, 't' };
  gint64 start = g_get_monotonic_time ();

  socketio_reactor_start_timer (fixture->reactor, &timer, 50, note_cb, &note);
  io_wait_for (fixture->context, fixture->log->len > 0);
  g_assert_cmpint (g_get_monotonic_time () - start, >=, 50000);
}

static void
test_timer_stopped (ReactorFixture *fixture, gconstpointer data)
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
  ReactorFixture *fixture;
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
test_defer_order (ReactorFixture *fixture, gconstpointer data)
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
test_defer_nested (ReactorFixture *fixture, gconstpointer data)
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
test_defer_drops_reactor (ReactorFixture *fixture, gconstpointer data)
{
  guint n_fds = io_count_fds ();
  SocketioReactor *reactor = socketio_reactor_new ();

  socketio_reactor_defer (reactor, drop_reactor_cb, reactor);
  io_settle (fixture->context);
  g_assert_cmpuint (io_count_fds (), ==, n_fds);
}

static void
test_invoke_order (ReactorFixture *fixture, gconstpointer data)
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
test_invoke_nested (ReactorFixture *fixture, gconstpointer data)
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
test_invoke_drops_reactor (ReactorFixture *fixture, gconstpointer data)
{
  guint n_fds = io_count_fds ();
  SocketioReactor *reactor = socketio_reactor_new ();

  socketio_reactor_invoke (reactor, drop_reactor_cb, reactor);
  io_settle (fixture->context);
  g_assert_cmpuint (io_count_fds (), ==, n_fds);
}

/* One turn: deferred calls, events, timers, invoked calls, shards. */
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
test_phases (ReactorFixture *fixture, gconstpointer data)
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
  g_source_attach (source, reactor_fixture_get_shard_context (shard));
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
  ReactorFixture *fixture;
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
  GMainContext *expected = reactor_fixture_get_context (self->fixture);

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
                 == reactor_fixture_get_context (self->fixture));
  self->idle_done = TRUE;
  return G_SOURCE_REMOVE;
}

static gboolean
outside_timeout_cb (gpointer user_data)
{
  Outside *self = user_data;

  g_assert_true (g_source_get_context (g_main_current_source ())
                 == reactor_fixture_get_context (self->fixture));
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
test_started_in_callback (ReactorFixture *fixture, gconstpointer data)
{
  SocketioShard *shard = socketio_reactor_take_shard (fixture->reactor);
  Outside outside = { fixture, .shard_context = reactor_fixture_get_shard_context (shard) };
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_callback (source, inside_cb, &outside, NULL);
  g_source_attach (source, outside.shard_context);
  io_wait_for (fixture->context, outside.task_done && outside.idle_done && outside.timeout_done
                                     && outside.timer_done);
  socketio_shard_release (shard);
}

static const ReactorTest tests[] = {
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
  { "phases", test_phases },
  { "started-in-callback", test_started_in_callback },
};

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  reactor_add_tests ("reactor", tests, G_N_ELEMENTS (tests));

  return g_test_run ();
}

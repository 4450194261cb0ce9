/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <sys/socket.h>
#include <unistd.h>

#include "confab-http-watcher.h"

#define LONG_MS 60000
#define N_SOCKETS 200

typedef struct
{
  SoupSession *session;
  ConfabHttpWatcher *watcher;
  ConfabHttpWatch *watch;
  GSocket *socket; /* the watched end */
  GSocket *peer;
  GCancellable *cancellable;

  ConfabHttpWatchReasons told;
  guint n_told;
  gboolean drop_when_told;
  guint n_destroyed;
} Fixture;

static void
told_cb (ConfabHttpWatchReasons reasons, gpointer user_data)
{
  Fixture *self = user_data;

  self->told |= reasons;
  self->n_told++;
  if (self->drop_when_told)
    {
      g_clear_pointer (&self->watch, confab_http_watch_free);
      g_clear_object (&self->session);
    }
}

static void
destroyed_cb (gpointer user_data)
{
  Fixture *self = user_data;

  self->n_destroyed++;
}

static void
make_pair (GSocket **socket, GSocket **peer)
{
  g_autoptr (GError) error = NULL;
  int fds[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
  *socket = g_socket_new_from_fd (fds[0], &error);
  g_assert_no_error (error);
  *peer = g_socket_new_from_fd (fds[1], &error);
  g_assert_no_error (error);
  g_socket_set_blocking (*socket, FALSE);
}

static void
start_watch (Fixture *self, guint silence_ms)
{
  self->watch = confab_http_watch_new (self->watcher, silence_ms, self->cancellable, told_cb, self,
                                       destroyed_cb);
}

static void
set_up (Fixture *self, gconstpointer data)
{
  self->session = soup_session_new ();
  self->watcher = confab_http_watcher_of (self->session);
  self->cancellable = g_cancellable_new ();
  make_pair (&self->socket, &self->peer);
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  g_clear_pointer (&self->watch, confab_http_watch_free);
  g_clear_object (&self->session);
  g_clear_object (&self->socket);
  g_clear_object (&self->peer);
  g_clear_object (&self->cancellable);
}

static void
send_byte (GSocket *socket)
{
  g_autoptr (GError) error = NULL;

  g_socket_send (socket, "x", 1, NULL, &error);
  g_assert_no_error (error);
}

static void
drain (GSocket *socket)
{
  char buffer[16];

  while (g_socket_receive (socket, buffer, sizeof buffer, NULL, NULL) > 0)
    ;
}

static void
iterate_until_told (Fixture *self)
{
  guint before = self->n_told;

  while (self->n_told == before)
    g_main_context_iteration (NULL, TRUE);
}

static void
iterate_without_waiting (void)
{
  for (guint i = 0; i < 10; i++)
    g_main_context_iteration (NULL, FALSE);
}

static void
test_same_session (Fixture *self, gconstpointer data)
{
  g_assert_true (confab_http_watcher_of (self->session) == self->watcher);
}

static void
test_readable (Fixture *self, gconstpointer data)
{
  start_watch (self, LONG_MS);
  g_assert_true (confab_http_watch_set_socket (self->watch, self->socket));
  iterate_without_waiting ();
  g_assert_cmpuint (self->n_told, ==, 0);

  for (guint i = 1; i <= 3; i++)
    {
      send_byte (self->peer);
      iterate_until_told (self);
      drain (self->socket);
      iterate_without_waiting ();
      g_assert_cmpuint (self->n_told, ==, i);
      g_assert_cmpuint (self->told, ==, CONFAB_HTTP_WATCH_READABLE);
    }
}

static void
test_readable_before (Fixture *self, gconstpointer data)
{
  send_byte (self->peer);
  start_watch (self, LONG_MS);
  g_assert_true (confab_http_watch_set_socket (self->watch, self->socket));
  iterate_until_told (self);
}

static void
test_closed_by_peer (Fixture *self, gconstpointer data)
{
  start_watch (self, LONG_MS);
  g_assert_true (confab_http_watch_set_socket (self->watch, self->socket));
  g_socket_close (self->peer, NULL);
  iterate_until_told (self);
  g_assert_cmpuint (self->told, ==, CONFAB_HTTP_WATCH_READABLE);
}

static void
test_closed_socket_refused (Fixture *self, gconstpointer data)
{
  start_watch (self, LONG_MS);
  g_socket_close (self->socket, NULL);
  g_assert_false (confab_http_watch_set_socket (self->watch, self->socket));
}

static void
test_silence (Fixture *self, gconstpointer data)
{
  gint64 begin = g_get_monotonic_time ();

  start_watch (self, 40);
  iterate_until_told (self);
  g_assert_cmpuint (self->told, ==, CONFAB_HTTP_WATCH_SILENT);
  g_assert_cmpint (g_get_monotonic_time () - begin, >=, 40 * 1000);
}

/* A watch that is asked for a shorter silence later must not wait for the sweep of the longer. */
static void
test_silence_shortened (Fixture *self, gconstpointer data)
{
  start_watch (self, LONG_MS);
  iterate_without_waiting ();
  confab_http_watch_set_silence (self->watch, 20);
  iterate_until_told (self);
  g_assert_cmpuint (self->told, ==, CONFAB_HTTP_WATCH_SILENT);
}

static void
test_touch (Fixture *self, gconstpointer data)
{
  gint64 touched;

  start_watch (self, 60);
  g_usleep (40 * 1000);
  touched = g_get_monotonic_time ();
  confab_http_watch_touch (self->watch);
  iterate_until_told (self);
  g_assert_cmpint (g_get_monotonic_time () - touched, >=, 60 * 1000);
}

static void
test_cancelled (Fixture *self, gconstpointer data)
{
  start_watch (self, LONG_MS);
  g_cancellable_cancel (self->cancellable);
  g_assert_cmpuint (self->n_told, ==, 0);
  iterate_until_told (self);
  g_assert_cmpuint (self->told, ==, CONFAB_HTTP_WATCH_CANCELLED);
}

static void
test_cancelled_before (Fixture *self, gconstpointer data)
{
  g_cancellable_cancel (self->cancellable);
  start_watch (self, LONG_MS);
  iterate_until_told (self);
  g_assert_cmpuint (self->told, ==, CONFAB_HTTP_WATCH_CANCELLED);
}

static void
test_reasons_together (Fixture *self, gconstpointer data)
{
  start_watch (self, LONG_MS);
  confab_http_watch_mark (self->watch, CONFAB_HTTP_WATCH_READABLE);
  g_cancellable_cancel (self->cancellable);
  iterate_until_told (self);
  iterate_without_waiting ();
  g_assert_cmpuint (self->n_told, ==, 1);
  g_assert_cmpuint (self->told, ==, CONFAB_HTTP_WATCH_READABLE | CONFAB_HTTP_WATCH_CANCELLED);
}

static void
test_freed_while_marked (Fixture *self, gconstpointer data)
{
  start_watch (self, LONG_MS);
  confab_http_watch_mark (self->watch, CONFAB_HTTP_WATCH_READABLE);
  g_clear_pointer (&self->watch, confab_http_watch_free);
  iterate_without_waiting ();
  g_assert_cmpuint (self->n_told, ==, 0);
  g_assert_cmpuint (self->n_destroyed, ==, 1);
}

/* The last request of a session may drop it. */
static void
test_session_dropped_when_told (Fixture *self, gconstpointer data)
{
  start_watch (self, LONG_MS);
  self->drop_when_told = TRUE;
  confab_http_watch_mark (self->watch, CONFAB_HTTP_WATCH_READABLE);
  g_object_set_data_full (G_OBJECT (self->cancellable), "session", g_steal_pointer (&self->session),
                          g_object_unref);
  iterate_until_told (self);
  g_clear_object (&self->cancellable);
  iterate_without_waiting ();
  g_assert_cmpuint (self->n_destroyed, ==, 1);
}

/* One that marks itself whenever it is told leaves the loop to others. */
static void
mark_again_cb (ConfabHttpWatchReasons reasons, gpointer user_data)
{
  Fixture *self = user_data;

  self->n_told++;
  confab_http_watch_mark (self->watch, CONFAB_HTTP_WATCH_READABLE);
}

static gboolean
count_cb (gpointer user_data)
{
  guint *n = user_data;

  (*n)++;

  return G_SOURCE_CONTINUE;
}

static void
test_always_ready_is_fair (Fixture *self, gconstpointer data)
{
  guint n_others = 0;
  guint id = g_timeout_add (0, count_cb, &n_others);

  self->watch = confab_http_watch_new (self->watcher, LONG_MS, NULL, mark_again_cb, self, NULL);
  confab_http_watch_mark (self->watch, CONFAB_HTTP_WATCH_READABLE);
  while (n_others < 3 || self->n_told < 3)
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (id);
}

static void
count_readable_cb (ConfabHttpWatchReasons reasons, gpointer user_data)
{
  guint *n = user_data;

  (*n)++;
}

/* What the main loop has to poll does not grow with what is watched. */
static void
test_many_cost_one (Fixture *self, gconstpointer data)
{
  ConfabHttpWatch *watches[N_SOCKETS];
  GSocket *sockets[N_SOCKETS];
  GSocket *peers[N_SOCKETS];
  GPollFD polled[N_SOCKETS];
  guint n_readable = 0;
  int priority, timeout;

  for (guint i = 0; i < N_SOCKETS; i++)
    {
      make_pair (&sockets[i], &peers[i]);
      watches[i] = confab_http_watch_new (self->watcher, LONG_MS, NULL, count_readable_cb,
                                          &n_readable, NULL);
      g_assert_true (confab_http_watch_set_socket (watches[i], sockets[i]));
    }
  g_assert_true (g_main_context_acquire (NULL));
  g_main_context_prepare (NULL, &priority);
  g_assert_cmpint (
      g_main_context_query (g_main_context_default (), G_MAXINT, &timeout, polled, N_SOCKETS), <=,
      3);
  g_main_context_release (NULL);

  for (guint i = 0; i < N_SOCKETS; i++)
    send_byte (peers[i]);
  while (n_readable < N_SOCKETS)
    g_main_context_iteration (NULL, TRUE);
  iterate_without_waiting ();
  g_assert_cmpuint (n_readable, ==, N_SOCKETS);

  for (guint i = 0; i < N_SOCKETS; i++)
    {
      confab_http_watch_free (watches[i]);
      g_object_unref (sockets[i]);
      g_object_unref (peers[i]);
    }
}

static void
test_find (Fixture *self, gconstpointer data)
{
  g_autoptr (GSocket) found = NULL;

  g_assert_null (confab_http_watcher_find (self->watcher, 7));
  confab_http_watcher_learn (self->watcher, 7, self->socket);
  found = confab_http_watcher_find (self->watcher, 7);
  g_assert_true (found == self->socket);
  g_assert_null (confab_http_watcher_find (self->watcher, 8));
}

static void
test_find_not_closed (Fixture *self, gconstpointer data)
{
  confab_http_watcher_learn (self->watcher, 7, self->socket);
  g_socket_close (self->socket, NULL);
  g_assert_null (confab_http_watcher_find (self->watcher, 7));
}

/* Connections are libsoup's; knowing them must not keep them. */
static void
test_find_not_gone (Fixture *self, gconstpointer data)
{
  confab_http_watcher_learn (self->watcher, 7, self->socket);
  g_clear_object (&self->socket);
  g_assert_null (confab_http_watcher_find (self->watcher, 7));
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *name;
    void (*func) (Fixture *self, gconstpointer data);
  } tests[] = {
    { "same-session", test_same_session },
    { "readable", test_readable },
    { "readable-before", test_readable_before },
    { "closed-by-peer", test_closed_by_peer },
    { "closed-socket-refused", test_closed_socket_refused },
    { "silence", test_silence },
    { "silence-shortened", test_silence_shortened },
    { "touch", test_touch },
    { "cancelled", test_cancelled },
    { "cancelled-before", test_cancelled_before },
    { "reasons-together", test_reasons_together },
    { "freed-while-marked", test_freed_while_marked },
    { "session-dropped-when-told", test_session_dropped_when_told },
    { "always-ready-is-fair", test_always_ready_is_fair },
    { "many-cost-one", test_many_cost_one },
    { "find", test_find },
    { "find-not-closed", test_find_not_closed },
    { "find-not-gone", test_find_not_gone },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    {
      g_autofree char *path = g_strdup_printf ("/confab/http-watcher/%s", tests[i].name);

      g_test_add (path, Fixture, NULL, set_up, tests[i].func, tear_down);
    }

  return g_test_run ();
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io-reactor-fixture.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static void
set_up (ReactorFixture *fixture, gconstpointer own_context)
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
tear_down (ReactorFixture *fixture, gconstpointer own_context)
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

GMainContext *
reactor_fixture_get_context (ReactorFixture *fixture)
{
  return fixture->context != NULL ? fixture->context : g_main_context_default ();
}

void
watch_open (Watch *self, ReactorFixture *fixture, guint32 events)
{
  self->fixture = fixture;
  io_unix_pair (self->fds);
  self->id = socketio_reactor_add_watch (fixture->reactor, self->fds[0], events, watch_cb, self);
  g_assert_cmpuint (self->id, !=, 0);
}

void
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

void
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

void
send_byte (Watch *watch)
{
  g_assert_cmpint (send (watch->fds[1], "x", 1, MSG_NOSIGNAL), ==, 1);
}

void
take_byte (Watch *watch)
{
  char byte;

  g_assert_cmpint (recv (watch->fds[0], &byte, 1, 0), ==, 1);
}

void
note_cb (gpointer user_data)
{
  Note *note = user_data;

  g_string_append_c (note->fixture->log, note->letter);
}

GMainContext *
reactor_fixture_get_shard_context (SocketioShard *shard)
{
  GMainContext *context;

  socketio_shard_enter (shard);
  context = g_main_context_get_thread_default ();
  socketio_shard_leave (shard);
  return context;
}

void
reactor_add_tests (const char *prefix, const ReactorTest *tests, gsize n_tests)
{
  for (gsize i = 0; i < n_tests; i++)
    {
      g_autofree char *plain = g_strdup_printf ("/%s/default/%s", prefix, tests[i].name);
      g_autofree char *own = g_strdup_printf ("/%s/own/%s", prefix, tests[i].name);

      g_test_add (plain, ReactorFixture, NULL, set_up, tests[i].func, tear_down);
      g_test_add (own, ReactorFixture, GINT_TO_POINTER (TRUE), set_up, tests[i].func, tear_down);
    }
}

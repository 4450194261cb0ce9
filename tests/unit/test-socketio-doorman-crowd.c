/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "socketio-doorman.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io-door.h"

/* No fd left. Each test in a process of its own, because the limit is one of the process. */

#define N_CLIENTS 10
#define N_FREE 3
#define MAX_FDS 64

typedef struct
{
  Door door;
  struct rlimit limit; /* as it was */
  IoClient *clients[N_CLIENTS];
  int fds[N_CLIENTS]; /* of clients that are not connected yet */
  GArray *hogs;       /* of int: fds that are there to be in use */
} Crowd;

static void
crowd_set_up (Crowd *self)
{
  struct rlimit limit;

  door_set_up (&self->door, NULL);
  self->hogs = g_array_new (FALSE, FALSE, sizeof (int));
  for (guint i = 0; i < N_CLIENTS; i++)
    {
      self->fds[i] = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      g_assert_cmpint (self->fds[i], >=, 0);
      g_assert_cmpint (self->fds[i], <, MAX_FDS);
    }
  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &self->limit), ==, 0);
  limit = self->limit;
  limit.rlim_cur = MAX_FDS;
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limit), ==, 0);
}

/* Leaves @n fds to be had. */
static void
crowd_fill (Crowd *self, guint n)
{
  int fd;

  while ((fd = dup (STDERR_FILENO)) >= 0)
    g_array_append_val (self->hogs, fd);
  g_assert_cmpint (errno, ==, EMFILE);
  g_assert_cmpuint (self->hogs->len, >=, n);
  for (guint i = 0; i < n; i++)
    {
      close (g_array_index (self->hogs, int, self->hogs->len - 1));
      g_array_set_size (self->hogs, self->hogs->len - 1);
    }
}

static void
crowd_make_room (Crowd *self)
{
  for (guint i = 0; i < self->hogs->len; i++)
    close (g_array_index (self->hogs, int, i));
  g_array_set_size (self->hogs, 0);
}

static void
crowd_connect (Crowd *self, guint i)
{
  struct sockaddr_storage native;
  gssize length = g_socket_address_get_native_size (self->door.address);

  g_assert_true (g_socket_address_to_native (self->door.address, &native, sizeof native, NULL));
  g_assert_cmpint (connect (self->fds[i], (struct sockaddr *) &native, length), ==, 0);
  self->clients[i] = io_client_new (NULL, self->fds[i]);
}

static void
crowd_tear_down (Crowd *self)
{
  for (guint i = 0; i < N_CLIENTS; i++)
    {
      if (self->clients[i] != NULL)
        io_client_free (self->clients[i]);
      else if (self->fds[i] >= 0)
        close (self->fds[i]);
    }
  crowd_make_room (self);
  g_array_unref (self->hogs);
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &self->limit), ==, 0);
  door_tear_down (&self->door, NULL);
}

static gboolean
tell_cb (gpointer user_data)
{
  *(gboolean *) user_data = TRUE;
  return G_SOURCE_REMOVE;
}

/* How often the loop turns in half a second. */
static guint
count_turns (void)
{
  g_autoptr (GSource) source = g_timeout_source_new (500);
  gboolean ended = FALSE;
  guint turns = 0;

  g_source_set_callback (source, tell_cb, &ended, NULL);
  g_source_attach (source, NULL);
  for (; !ended; turns++)
    g_main_context_iteration (NULL, TRUE);
  return turns;
}

/* The program keeps fds for what is no connection. */
static void
test_reserve (Crowd *crowd)
{
  int fd;

  socketio_doorman_set_max_fd (crowd->door.doorman, MAX_FDS - N_CLIENTS + N_FREE);
  crowd_fill (crowd, N_CLIENTS);
  for (guint i = 0; i < N_CLIENTS; i++)
    crowd_connect (crowd, i);
  for (guint i = N_FREE; i < N_CLIENTS; i++)
    door_assert_status (crowd->clients[i], 503);
  g_assert_cmpuint (socketio_doorman_get_n_waiting (crowd->door.doorman), ==, N_FREE);
  fd = dup (STDERR_FILENO);
  g_assert_cmpint (fd, ==, MAX_FDS - N_CLIENTS + N_FREE);
  close (fd);
}

/* Nobody holds a place for long by saying nothing. */
static void
test_silent_give_way (Crowd *crowd)
{
  socketio_doorman_set_max_fd (crowd->door.doorman, MAX_FDS - N_CLIENTS + N_FREE);
  crowd_fill (crowd, N_CLIENTS);
  for (guint i = 0; i < N_FREE; i++)
    crowd_connect (crowd, i);
  io_wait_for (NULL, socketio_doorman_get_n_waiting (crowd->door.doorman) == N_FREE);
  count_turns ();
  count_turns ();
  count_turns ();

  crowd_connect (crowd, N_FREE);
  io_wait_for (NULL, io_client_is_done (crowd->clients[0]));
  g_assert_cmpuint (socketio_doorman_get_n_waiting (crowd->door.doorman), ==, N_FREE);
  /* the next is as old, but this one is not */
  io_client_send (crowd->clients[N_FREE], DOOR_GET);
  door_assert_answer (crowd->clients[N_FREE], "hello");
  g_assert_false (io_client_is_done (crowd->clients[1]));
}

/* Those who are in are served; those for whom there is no fd are told; and after all of them, there
 * is room again. */
static void
test_emfile (Crowd *crowd)
{
  crowd_fill (crowd, N_FREE);
  for (guint i = 0; i < N_CLIENTS; i++)
    crowd_connect (crowd, i);
  io_wait_for (NULL, socketio_doorman_get_n_waiting (crowd->door.doorman) == N_FREE);
  for (guint i = N_FREE; i < N_CLIENTS; i++)
    door_assert_status (crowd->clients[i], 503);
  g_assert_cmpuint (count_turns (), <, 50);

  for (guint i = 0; i < N_FREE; i++)
    {
      io_client_send (crowd->clients[i], DOOR_GET);
      door_assert_answer (crowd->clients[i], "hello");
    }
  for (guint i = 0; i < N_CLIENTS; i++)
    {
      g_clear_pointer (&crowd->clients[i], io_client_free);
      crowd->fds[i] = -1;
    }
  for (guint i = 0; i < 20; i++)
    door_assert_open (crowd->door.address);
}

/* Puts a doorman behind the door that finds no fd at all, not even its spare one. */
static void
crowd_starve (Crowd *self)
{
  struct sockaddr_storage native;
  socklen_t length = sizeof native;
  g_autoptr (GError) error = NULL;
  int listener = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

  g_assert_cmpint (listen (listener, 16), ==, 0);
  g_assert_cmpint (getsockname (listener, (struct sockaddr *) &native, &length), ==, 0);
  g_clear_object (&self->door.address);
  self->door.address = g_socket_address_new_from_native (&native, length);

  g_clear_pointer (&self->door.doorman, socketio_doorman_free);
  crowd_fill (self, 0);
  self->door.doorman = socketio_doorman_new (self->door.reactor, self->door.soup_server);
  g_assert_true (socketio_doorman_listen_fd (self->door.doorman, listener, &error));
  g_assert_no_error (error);
}

/* Who comes waits in the backlog, and is served when there is room. The loop does not spin
 * meanwhile. */
static void
test_emfile_without_spare (Crowd *crowd)
{
  crowd_starve (crowd);
  for (guint i = 0; i < N_CLIENTS; i++)
    {
      crowd_connect (crowd, i);
      io_client_send (crowd->clients[i], DOOR_GET);
    }
  g_assert_cmpuint (count_turns (), <, 50);
  g_assert_cmpuint (socketio_doorman_get_n_waiting (crowd->door.doorman), ==, 0);
  g_assert_cmpuint (crowd->door.n_requests, ==, 0);

  crowd_make_room (crowd);
  for (guint i = 0; i < N_CLIENTS; i++)
    door_assert_answer (crowd->clients[i], "hello");
}

static void
test_emfile_stop_listening (Crowd *crowd)
{
  crowd_starve (crowd);
  crowd_connect (crowd, 0);
  io_settle (NULL);
  socketio_doorman_stop_listening (crowd->door.doorman);
  io_wait_for (NULL, io_client_is_done (crowd->clients[0]));
  g_assert_cmpuint (count_turns (), <, 50);
}

static const struct
{
  const char *name;
  void (*func) (Crowd *crowd);
} tests[] = {
  { "reserve", test_reserve },
  { "silent-give-way", test_silent_give_way },
  { "emfile/shed", test_emfile },
  { "emfile/without-spare", test_emfile_without_spare },
  { "emfile/stop-listening", test_emfile_stop_listening },
};

static void
run_alone (gconstpointer index)
{
  Crowd crowd = { 0 };

  if (!g_test_subprocess ())
    {
      g_test_trap_subprocess (NULL, 30 * G_USEC_PER_SEC, G_TEST_SUBPROCESS_INHERIT_STDERR);
      g_test_trap_assert_passed ();
      return;
    }

  crowd_set_up (&crowd);
  tests[GPOINTER_TO_UINT (index)].func (&crowd);
  crowd_tear_down (&crowd);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    {
      g_autofree char *name = g_strconcat ("/doorman-crowd/", tests[i].name, NULL);

      g_test_add_data_func (name, GUINT_TO_POINTER (i), run_alone);
    }

  return g_test_run ();
}

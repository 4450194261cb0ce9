/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "socketio-doorman.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "socketio-guests.h"
#include "socketio-peer.h"

#define BACKLOG 4096
/* Accepted in one go; the rest waits for the next turn, so that others get theirs. */
#define MAX_ACCEPTS 256
/* After a failed accept that would fail again at once. */
#define ACCEPT_PAUSE_MS 100

typedef struct
{
  SocketioDoorman *doorman;
  GSocketAddress *address; /* local */
  SocketioWatchId watch;
  int fd;
} Listener;

struct _SocketioDoorman
{
  SocketioReactor *reactor;
  SoupServer *soup_server;
  GPtrArray *listeners; /* of Listener */
  SocketioGuests *guests;
  int max_fd;   /* a connection's fd is less */
  int spare_fd; /* given up for a moment to turn somebody away when all fds are in use */
  SocketioTimer pause_timer;
  gboolean paused;
};

static void
resume_cb (gpointer user_data)
{
  SocketioDoorman *self = user_data;

  self->paused = FALSE;
  if (self->spare_fd < 0)
    self->spare_fd = open ("/dev/null", O_RDONLY | O_CLOEXEC);
  for (guint i = 0; i < self->listeners->len; i++)
    {
      Listener *listener = g_ptr_array_index (self->listeners, i);

      socketio_reactor_modify_watch (self->reactor, listener->watch, listener->fd, EPOLLIN);
    }
}

/* Lets the backlog hold what comes, instead of spinning on an accept that must fail. */
static void
pause_accepting (SocketioDoorman *self)
{
  if (self->paused)
    return;

  self->paused = TRUE;
  for (guint i = 0; i < self->listeners->len; i++)
    {
      Listener *listener = g_ptr_array_index (self->listeners, i);

      socketio_reactor_modify_watch (self->reactor, listener->watch, listener->fd, 0);
    }
  socketio_reactor_start_timer (self->reactor, &self->pause_timer, ACCEPT_PAUSE_MS, resume_cb,
                                self);
}

/* The fds that connections may have are in use. Whoever holds one without a word gives it up;
 * otherwise the newcomer is turned away. */
static void
receive_beyond (Listener *listener, int fd)
{
  SocketioDoorman *self = listener->doorman;
  int lower;

  if (!socketio_guests_give_up_oldest (self->guests))
    {
      socketio_guests_turn_away (fd);
      return;
    }

  lower = fcntl (fd, F_DUPFD_CLOEXEC, 0);
  close (fd);
  if (lower >= 0)
    socketio_guests_receive (self->guests, lower, listener->address);
}

/* All fds are in use: turns the next in line away politely, with the fd kept for that. */
static gboolean
shed_one (SocketioDoorman *self, Listener *listener)
{
  int fd;

  if (self->spare_fd < 0)
    return FALSE;

  close (self->spare_fd);
  fd = accept4 (listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd >= 0)
    socketio_guests_turn_away (fd);
  self->spare_fd = open ("/dev/null", O_RDONLY | O_CLOEXEC);
  return fd >= 0 && self->spare_fd >= 0;
}

static void
accept_cb (guint32 events, gpointer user_data)
{
  Listener *listener = user_data;
  SocketioDoorman *self = listener->doorman;

  for (guint i = 0; i < MAX_ACCEPTS; i++)
    {
      int fd = accept4 (listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

      if (fd >= 0)
        {
          if (fd < self->max_fd)
            socketio_guests_receive (self->guests, fd, listener->address);
          else
            receive_beyond (listener, fd);
          continue;
        }

      switch (errno)
        {
        case EAGAIN:
          return;
        case EMFILE:
        case ENFILE:
          if (shed_one (self, listener))
            continue;
          pause_accepting (self);
          return;
        case ENOBUFS:
        case ENOMEM:
          pause_accepting (self);
          return;
        default:
          /* the connection that was next in line failed (ECONNABORTED and the like) */
          continue;
        }
    }
}

static void
listener_free (gpointer data)
{
  Listener *listener = data;

  socketio_reactor_remove_watch (listener->doorman->reactor, listener->watch, listener->fd);
  close (listener->fd);
  g_object_unref (listener->address);
  g_free (listener);
}

/* The body is there: its deadline is off. */
static void
request_read_cb (SoupServer *soup_server, SoupServerMessage *message, gpointer user_data)
{
  SocketioPeer *peer = socketio_peer_from_message (message);

  if (peer != NULL)
    socketio_peer_request_read (peer);
}

SocketioDoorman *
socketio_doorman_new (SocketioReactor *reactor, SoupServer *soup_server)
{
  SocketioDoorman *self = g_new0 (SocketioDoorman, 1);

  self->reactor = socketio_reactor_ref (reactor);
  self->soup_server = soup_server;
  g_signal_connect (soup_server, "request-read", G_CALLBACK (request_read_cb), self);
  self->listeners = g_ptr_array_new_with_free_func (listener_free);
  self->guests = socketio_guests_new (reactor, soup_server);
  socketio_guests_set_timeouts (self->guests, SOCKETIO_DOORMAN_HEAD_TIMEOUT_MS,
                                SOCKETIO_DOORMAN_BODY_TIMEOUT_MS);
  self->max_fd = G_MAXINT;
  self->spare_fd = open ("/dev/null", O_RDONLY | O_CLOEXEC);
  return self;
}

void
socketio_doorman_stop_listening (SocketioDoorman *self)
{
  socketio_guests_clear (self->guests);
  g_ptr_array_set_size (self->listeners, 0);
  socketio_reactor_stop_timer (self->reactor, &self->pause_timer);
  self->paused = FALSE;
}

void
socketio_doorman_free (SocketioDoorman *self)
{
  socketio_doorman_stop_listening (self);
  g_signal_handlers_disconnect_by_data (self->soup_server, self);
  g_ptr_array_unref (self->listeners);
  socketio_guests_free (self->guests);
  if (self->spare_fd >= 0)
    close (self->spare_fd);
  socketio_reactor_unref (self->reactor);
  g_free (self);
}

void
socketio_doorman_set_timeouts (SocketioDoorman *self, guint head_ms, guint body_ms)
{
  socketio_guests_set_timeouts (self->guests, head_ms, body_ms);
}

void
socketio_doorman_set_max_fd (SocketioDoorman *self, int max_fd)
{
  self->max_fd = max_fd;
}

static GSocketAddress *
add_listener (SocketioDoorman *self, int fd, GError **error)
{
  g_autofree Listener *listener = g_new0 (Listener, 1);
  struct sockaddr_storage address;
  socklen_t length = sizeof address;

  listener->doorman = self;
  listener->fd = fd;
  if (getsockname (fd, (struct sockaddr *) &address, &length) == 0)
    listener->watch = socketio_reactor_add_watch (self->reactor, fd, EPOLLIN, accept_cb, listener);
  if (listener->watch == 0)
    {
      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno), "Cannot listen: %s",
                   g_strerror (errno));
      close (fd);
      return NULL;
    }

  listener->address = g_socket_address_new_from_native (&address, length);
  g_ptr_array_add (self->listeners, listener);
  return g_object_ref (g_steal_pointer (&listener)->address);
}

GSocketAddress *
socketio_doorman_listen (SocketioDoorman *self, GSocketAddress *address, GError **error)
{
  struct sockaddr_storage native;
  gssize length = g_socket_address_get_native_size (address);
  int on = 1;
  int fd;

  if (!g_socket_address_to_native (address, &native, sizeof native, error))
    return NULL;

  fd = socket (native.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd >= 0 && native.ss_family != AF_UNIX)
    setsockopt (fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (fd >= 0 && native.ss_family == AF_INET6)
    setsockopt (fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  if (fd < 0 || bind (fd, (struct sockaddr *) &native, length) < 0 || listen (fd, BACKLOG) < 0)
    {
      int saved = errno;
      g_autofree char *text = g_socket_connectable_to_string (G_SOCKET_CONNECTABLE (address));

      if (fd >= 0)
        close (fd);
      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (saved), "Cannot listen on %s: %s",
                   text, g_strerror (saved));
      return NULL;
    }
  return add_listener (self, fd, error);
}

gboolean
socketio_doorman_listen_fd (SocketioDoorman *self, int fd, GError **error)
{
  g_autoptr (GSocketAddress) address = NULL;
  int listening = 0;
  socklen_t length = sizeof listening;

  if (getsockopt (fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &length) < 0 || !listening)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                   "File descriptor %d is not a listening socket", fd);
      close (fd);
      return FALSE;
    }
  if (fcntl (fd, F_SETFL, O_NONBLOCK) < 0)
    g_debug ("fcntl: %s", g_strerror (errno));

  address = add_listener (self, fd, error);
  return address != NULL;
}

guint
socketio_doorman_get_n_waiting (SocketioDoorman *self)
{
  return socketio_guests_get_n (self->guests);
}

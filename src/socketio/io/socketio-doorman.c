/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "socketio-doorman.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "socketio-http-head.h"
#include "socketio-peer.h"

#define BACKLOG 4096
/* Accepted in one go; the rest waits for the next turn, so that others get theirs. */
#define MAX_ACCEPTS 256
/* After a failed accept that would fail again at once. */
#define ACCEPT_PAUSE_MS 100
/* A refused peer gets this long to read why, and may send this much meanwhile. */
#define REFUSAL_TIMEOUT_MS 2000
#define REFUSAL_DRAIN_BYTES (256 * 1024)
/* Who has said nothing sound for this long goes first when there is no room for others. */
#define PATIENCE_US G_USEC_PER_SEC
/* A peer that takes nothing of what was sent to it for this long is given up by the kernel. */
#define USER_TIMEOUT_MS 60000

typedef struct
{
  SocketioDoorman *doorman;
  GSocketAddress *address; /* local */
  SocketioWatchId watch;
  int fd;
} Listener;

/* A connection at the door. */
typedef struct
{
  SocketioDoorman *doorman;
  Listener *listener;
  GList link; /* place in the doorman's queue */
  SocketioWatchId watch;
  SocketioTimer timer;
  int fd;
  gint64 since;    /* monotonic time of the accept */
  guint16 scanned; /* see socketio_http_head_check() */
  gboolean refused;
  gsize drained; /* after the refusal */
} Guest;

struct _SocketioDoorman
{
  SocketioReactor *reactor;
  SoupServer *soup_server;
  GPtrArray *listeners; /* of Listener */
  GQueue guests;        /* of Guest, linked through themselves */
  guint head_timeout_ms;
  guint body_timeout_ms;
  int max_fd;   /* a connection's fd is less */
  int spare_fd; /* given up for a moment to turn somebody away when all fds are in use */
  SocketioTimer pause_timer;
  gboolean paused;
};

G_STATIC_ASSERT (SOCKETIO_HTTP_HEAD_MAX <= G_MAXUINT16);

static void guest_timeout_cb (gpointer user_data);
static void accept_cb (guint32 events, gpointer user_data);

static void
guest_free (Guest *guest)
{
  SocketioDoorman *self = guest->doorman;

  socketio_reactor_stop_timer (self->reactor, &guest->timer);
  socketio_reactor_remove_watch (self->reactor, guest->watch, guest->fd);
  g_queue_unlink (&self->guests, &guest->link);
  if (guest->fd >= 0)
    close (guest->fd);
  g_free (guest);
}

static const char *
reason_phrase (guint status)
{
  switch (status)
    {
    case 400:
      return "Bad Request";
    case 408:
      return "Request Timeout";
    case 431:
      return "Request Header Fields Too Large";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      g_return_val_if_reached ("Error");
    }
}

static void
send_status (int fd, guint status)
{
  g_autofree char *text =
      g_strdup_printf ("HTTP/1.1 %u %s\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", status,
                       reason_phrase (status));

  /* a fresh socket has room for this; if not, the peer learns nothing, which is its own doing */
  if (send (fd, text, strlen (text), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
    shutdown (fd, SHUT_WR);
}

/* Reads and drops what a refused peer still sends: closing on unread bytes would reset the
 * connection, and the answer could be lost with it. */
static void
drain_guest (Guest *guest)
{
  char buffer[4096];
  gssize n;

  while (guest->drained <= REFUSAL_DRAIN_BYTES)
    {
      n = recv (guest->fd, buffer, sizeof buffer, MSG_DONTWAIT);
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0 && errno == EAGAIN)
        return;
      if (n <= 0)
        break;
      guest->drained += n;
    }
  guest_free (guest);
}

static void
refuse_guest (Guest *guest, guint status)
{
  guest->refused = TRUE;
  send_status (guest->fd, status);
  socketio_reactor_start_timer (guest->doorman->reactor, &guest->timer, REFUSAL_TIMEOUT_MS,
                                guest_timeout_cb, guest);
  drain_guest (guest);
}

static void
guest_timeout_cb (gpointer user_data)
{
  Guest *guest = user_data;

  /* a peer that has said something gets an answer; one that was silent expects none */
  if (!guest->refused && guest->scanned > 0)
    refuse_guest (guest, 408);
  else
    guest_free (guest);
}

/* Gives the connection to libsoup; the guest is no more. */
static void
let_in (Guest *guest)
{
  SocketioDoorman *self = guest->doorman;
  Listener *listener = guest->listener;
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocket) socket = NULL;
  g_autoptr (GSocketAddress) remote = NULL;
  g_autoptr (GSocketConnection) connection = NULL;
  int fd = guest->fd;

  socketio_reactor_remove_watch (self->reactor, guest->watch, fd);
  guest->watch = 0;
  guest->fd = -1;
  guest_free (guest);

  socket = g_socket_new_from_fd (fd, &error);
  if (socket == NULL)
    {
      g_debug ("A connection was lost at the door: %s", error->message);
      close (fd);
      return;
    }
  remote = g_socket_get_remote_address (socket, &error);
  if (remote == NULL)
    {
      g_debug ("A peer was gone at the door: %s", error->message);
      return;
    }

  connection = g_socket_connection_factory_create_connection (socket);
  if (!socketio_peer_hand_over (self->reactor, self->soup_server, connection, listener->address,
                                remote, self->body_timeout_ms, &error))
    g_warning ("The HTTP server refused a connection: %s", error->message);
}

static void
guest_event_cb (guint32 events, gpointer user_data)
{
  Guest *guest = user_data;
  char data[SOCKETIO_HTTP_HEAD_MAX];
  gsize scanned = guest->scanned;
  gssize n;
  guint status;

  if (guest->refused)
    {
      drain_guest (guest);
      return;
    }

  do
    n = recv (guest->fd, data, sizeof data, MSG_PEEK | MSG_DONTWAIT);
  while (n < 0 && errno == EINTR);

  if (n < 0 && errno == EAGAIN)
    return;
  if (n <= 0)
    {
      guest_free (guest);
      return;
    }

  status = socketio_http_head_check (data, n, &scanned);
  guest->scanned = (guint16) scanned;
  if (status == 200)
    let_in (guest);
  else if (status != 0)
    refuse_guest (guest, status);
  else if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
    guest_free (guest);
}

static void
receive_guest (Listener *listener, int fd)
{
  SocketioDoorman *self = listener->doorman;
  Guest *guest = g_new0 (Guest, 1);
  int on = 1, timeout = USER_TIMEOUT_MS;

  if (G_IS_INET_SOCKET_ADDRESS (listener->address))
    {
      setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      setsockopt (fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof timeout);
    }

  guest->doorman = self;
  guest->listener = listener;
  guest->fd = fd;
  guest->since = g_get_monotonic_time ();
  guest->link.data = guest;
  g_queue_push_tail_link (&self->guests, &guest->link);
  guest->watch = socketio_reactor_add_watch (self->reactor, fd, EPOLLIN | EPOLLRDHUP | EPOLLET,
                                             guest_event_cb, guest);
  if (guest->watch == 0)
    {
      g_warning ("A connection cannot be watched: %s", g_strerror (errno));
      guest_free (guest);
      return;
    }
  socketio_reactor_start_timer (self->reactor, &guest->timer, self->head_timeout_ms,
                                guest_timeout_cb, guest);
}

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

static void
turn_away (int fd)
{
  char buffer[4096];

  send_status (fd, 503);
  while (recv (fd, buffer, sizeof buffer, MSG_DONTWAIT) > 0)
    ;
  close (fd);
}

/* The fds that connections may have are in use. Whoever holds one without a word gives it up;
 * otherwise the newcomer is turned away. */
static void
receive_beyond (Listener *listener, int fd)
{
  SocketioDoorman *self = listener->doorman;
  Guest *oldest = g_queue_peek_head (&self->guests);
  int lower;

  if (oldest == NULL || g_get_monotonic_time () - oldest->since < PATIENCE_US)
    {
      turn_away (fd);
      return;
    }

  guest_free (oldest);
  lower = fcntl (fd, F_DUPFD_CLOEXEC, 0);
  close (fd);
  if (lower >= 0)
    receive_guest (listener, lower);
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
    turn_away (fd);
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
            receive_guest (listener, fd);
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
  g_queue_init (&self->guests);
  self->head_timeout_ms = SOCKETIO_DOORMAN_HEAD_TIMEOUT_MS;
  self->body_timeout_ms = SOCKETIO_DOORMAN_BODY_TIMEOUT_MS;
  self->max_fd = G_MAXINT;
  self->spare_fd = open ("/dev/null", O_RDONLY | O_CLOEXEC);
  return self;
}

void
socketio_doorman_stop_listening (SocketioDoorman *self)
{
  /* those at the door refer to their listener's address; nobody new is let in anyhow */
  while (!g_queue_is_empty (&self->guests))
    guest_free (g_queue_peek_head (&self->guests));
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
  if (self->spare_fd >= 0)
    close (self->spare_fd);
  socketio_reactor_unref (self->reactor);
  g_free (self);
}

void
socketio_doorman_set_timeouts (SocketioDoorman *self, guint head_ms, guint body_ms)
{
  self->head_timeout_ms = head_ms;
  self->body_timeout_ms = body_ms;
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
  return self->guests.length;
}

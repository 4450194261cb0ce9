/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "socketio-guests.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "socketio-drain.h"
#include "socketio-http-head.h"
#include "socketio-peer.h"

/* A refused peer gets this long to read why, and may send this much meanwhile. */
#define REFUSAL_TIMEOUT_MS 2000
#define REFUSAL_DRAIN_BYTES (256 * 1024)
/* Who has said nothing sound for this long goes first when there is no room for others. */
#define PATIENCE_US G_USEC_PER_SEC
/* A peer that takes nothing of what was sent to it for this long is given up by the kernel. */
#define USER_TIMEOUT_MS 60000

typedef struct
{
  SocketioGuests *all;
  GList link;              /* place in the queue of all */
  GSocketAddress *address; /* local */
  SocketioWatchId watch;
  SocketioTimer timer;
  int fd;
  gint64 since;    /* monotonic time of the accept */
  guint16 scanned; /* see socketio_http_head_check() */
  gboolean refused;
  gsize drained; /* after the refusal */
} Guest;

struct _SocketioGuests
{
  SocketioReactor *reactor;
  SoupServer *soup_server;
  GQueue queue; /* of Guest, linked through themselves, oldest first */
  guint head_timeout_ms;
  guint body_timeout_ms;
};

G_STATIC_ASSERT (SOCKETIO_HTTP_HEAD_MAX <= G_MAXUINT16);

static void guest_timeout_cb (gpointer user_data);

static void
guest_free (Guest *guest)
{
  SocketioGuests *self = guest->all;

  socketio_reactor_stop_timer (self->reactor, &guest->timer);
  socketio_reactor_remove_watch (self->reactor, guest->watch, guest->fd);
  g_queue_unlink (&self->queue, &guest->link);
  if (guest->fd >= 0)
    close (guest->fd);
  g_object_unref (guest->address);
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

static void
drain_guest (Guest *guest)
{
  if (socketio_drain (guest->fd, &guest->drained, REFUSAL_DRAIN_BYTES))
    guest_free (guest);
}

static void
refuse_guest (Guest *guest, guint status)
{
  guest->refused = TRUE;
  send_status (guest->fd, status);
  socketio_reactor_start_timer (guest->all->reactor, &guest->timer, REFUSAL_TIMEOUT_MS,
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
  SocketioGuests *self = guest->all;
  g_autoptr (GSocketAddress) address = g_object_ref (guest->address);
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
  if (!socketio_peer_hand_over (self->reactor, self->soup_server, connection, address, remote,
                                self->body_timeout_ms, &error))
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

SocketioGuests *
socketio_guests_new (SocketioReactor *reactor, SoupServer *soup_server)
{
  SocketioGuests *self = g_new0 (SocketioGuests, 1);

  self->reactor = socketio_reactor_ref (reactor);
  self->soup_server = soup_server;
  g_queue_init (&self->queue);

  return self;
}

void
socketio_guests_free (SocketioGuests *self)
{
  socketio_guests_clear (self);
  socketio_reactor_unref (self->reactor);
  g_free (self);
}

void
socketio_guests_set_timeouts (SocketioGuests *self, guint head_ms, guint body_ms)
{
  self->head_timeout_ms = head_ms;
  self->body_timeout_ms = body_ms;
}

void
socketio_guests_receive (SocketioGuests *self, int fd, GSocketAddress *address)
{
  Guest *guest = g_new0 (Guest, 1);
  int on = 1, timeout = USER_TIMEOUT_MS;

  if (G_IS_INET_SOCKET_ADDRESS (address))
    {
      setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      setsockopt (fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof timeout);
    }

  guest->all = self;
  guest->address = g_object_ref (address);
  guest->fd = fd;
  guest->since = g_get_monotonic_time ();
  guest->link.data = guest;
  g_queue_push_tail_link (&self->queue, &guest->link);
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

void
socketio_guests_turn_away (int fd)
{
  char buffer[4096];

  send_status (fd, 503);
  while (recv (fd, buffer, sizeof buffer, MSG_DONTWAIT) > 0)
    ;
  close (fd);
}

gboolean
socketio_guests_give_up_oldest (SocketioGuests *self)
{
  Guest *oldest = g_queue_peek_head (&self->queue);

  if (oldest == NULL || g_get_monotonic_time () - oldest->since < PATIENCE_US)
    return FALSE;

  guest_free (oldest);

  return TRUE;
}

void
socketio_guests_clear (SocketioGuests *self)
{
  while (!g_queue_is_empty (&self->queue))
    guest_free (g_queue_peek_head (&self->queue));
}

guint
socketio_guests_get_n (SocketioGuests *self)
{
  return self->queue.length;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io-fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

/* Generous: also for sanitizers and valgrind on a busy machine. */
#define WATCHDOG_MS 30000

struct _IoWatchdog
{
  GMainContext *context;
  GSource *source;
};

static gboolean
watchdog_cb (gpointer user_data)
{
  g_error ("never happened: %s", (const char *) user_data);
  return G_SOURCE_REMOVE;
}

IoWatchdog *
io_watchdog_new (GMainContext *context, const char *what)
{
  IoWatchdog *self = g_new0 (IoWatchdog, 1);

  self->context = context;
  self->source = g_timeout_source_new (WATCHDOG_MS);
  g_source_set_static_name (self->source, "Test watchdog");
  g_source_set_callback (self->source, watchdog_cb, (gpointer) what, NULL);
  g_source_attach (self->source, context);
  return self;
}

void
io_watchdog_turn (IoWatchdog *self)
{
  g_main_context_iteration (self->context, TRUE);
}

void
io_watchdog_free (IoWatchdog *self)
{
  g_source_destroy (self->source);
  g_source_unref (self->source);
  g_free (self);
}

void
io_settle (GMainContext *context)
{
  /* one turn may only have sent what makes the next one busy */
  for (guint idle = 0; idle < 3; idle++)
    if (g_main_context_iteration (context, FALSE))
      idle = 0;
}

static gboolean
client_readable_cb (int fd, GIOCondition condition, gpointer user_data)
{
  IoClient *self = user_data;
  char buffer[65536];
  gssize n = recv (fd, buffer, sizeof buffer, MSG_DONTWAIT);

  if (n > 0)
    {
      g_string_append_len (self->received, buffer, n);
      return G_SOURCE_CONTINUE;
    }
  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return G_SOURCE_CONTINUE;

  self->eof = n == 0;
  self->error = n < 0 ? errno : 0;
  g_clear_pointer (&self->watch, g_source_unref);
  return G_SOURCE_REMOVE;
}

IoClient *
io_client_new (GMainContext *context, int fd)
{
  IoClient *self = g_new0 (IoClient, 1);

  self->context = context != NULL ? g_main_context_ref (context) : NULL;
  self->received = g_string_new (NULL);
  self->fd = fd;
  io_client_resume (self);
  return self;
}

IoClient *
io_client_connect (GMainContext *context, GSocketAddress *address)
{
  struct sockaddr_storage native;
  gssize length = g_socket_address_get_native_size (address);
  int fd;

  g_assert_true (g_socket_address_to_native (address, &native, sizeof native, NULL));
  fd = socket (native.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (connect (fd, (struct sockaddr *) &native, length), ==, 0);
  g_assert_true (g_unix_set_fd_nonblocking (fd, TRUE, NULL));
  return io_client_new (context, fd);
}

void
io_client_free (IoClient *self)
{
  io_client_pause (self);
  if (self->fd >= 0)
    close (self->fd);
  g_string_free (self->received, TRUE);
  g_clear_pointer (&self->context, g_main_context_unref);
  g_free (self);
}

void
io_client_send (IoClient *self, const char *text)
{
  gsize length = strlen (text);

  g_assert_cmpint (send (self->fd, text, length, MSG_NOSIGNAL), ==, length);
}

void
io_client_pause (IoClient *self)
{
  if (self->watch == NULL)
    return;

  g_source_destroy (self->watch);
  g_clear_pointer (&self->watch, g_source_unref);
}

void
io_client_resume (IoClient *self)
{
  if (self->watch != NULL || io_client_is_done (self))
    return;

  self->watch = g_unix_fd_source_new (self->fd, G_IO_IN | G_IO_HUP | G_IO_ERR);
  g_source_set_static_name (self->watch, "Test client");
  g_source_set_callback (self->watch, G_SOURCE_FUNC (client_readable_cb), self, NULL);
  g_source_attach (self->watch, self->context);
}

void
io_client_reset (IoClient *self)
{
  struct linger linger = { .l_onoff = 1, .l_linger = 0 };

  io_client_pause (self);
  g_assert_cmpint (setsockopt (self->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger), ==, 0);
  close (self->fd);
  self->fd = -1;
}

gboolean
io_client_is_done (IoClient *self)
{
  return self->eof || self->error != 0;
}

int
io_client_get_socket_error (IoClient *self)
{
  int error = 0;
  socklen_t length = sizeof error;

  g_assert_cmpint (getsockopt (self->fd, SOL_SOCKET, SO_ERROR, &error, &length), ==, 0);
  return error;
}

void
io_unix_pair (int fds[2])
{
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), ==, 0);
}

void
io_tcp_pair (int fds[2])
{
  struct sockaddr_in address = { .sin_family = AF_INET };
  socklen_t length = sizeof address;
  int listener = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int segment = 1448;

  /* as on a real network: with the 64 KiB of loopback a small window opens by timers only */
  setsockopt (listener, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof segment);
  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  g_assert_cmpint (bind (listener, (struct sockaddr *) &address, length), ==, 0);
  g_assert_cmpint (listen (listener, 1), ==, 0);
  g_assert_cmpint (getsockname (listener, (struct sockaddr *) &address, &length), ==, 0);

  fds[1] = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (connect (fds[1], (struct sockaddr *) &address, length), ==, 0);
  fds[0] = accept4 (listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  g_assert_cmpint (fds[0], >=, 0);
  g_assert_true (g_unix_set_fd_nonblocking (fds[1], TRUE, NULL));
  close (listener);
}

guint
io_count_fds (void)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/fd", 0, NULL);
  guint n = 0;

  g_assert_nonnull (dir);
  while (g_dir_read_name (dir) != NULL)
    n++;
  return n;
}

gboolean
io_fd_is_open (int fd)
{
  return fcntl (fd, F_GETFD) >= 0;
}

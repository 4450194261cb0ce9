/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-listeners.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gunixsocketaddress.h>
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* All that come while we are busy for a moment wait here, and not in SYN retries. */
#define BACKLOG 4096
/* How often a port that is free on 127.0.0.1 may be taken on [::1]. */
#define FREE_PORT_TRIES 64

struct _ConfabListeners
{
  SocketioServer *server; /* owned */

  char *unix_path; /* NULL before add_unix */
  dev_t unix_device;
  ino_t unix_inode;
};

/**
 * confab_listeners_new:
 * @server: who takes the sockets over
 *
 * Returns: (transfer full): no listeners yet
 */
ConfabListeners *
confab_listeners_new (SocketioServer *server)
{
  ConfabListeners *self;

  g_return_val_if_fail (SOCKETIO_IS_SERVER (server), NULL);

  self = g_new0 (ConfabListeners, 1);
  self->server = g_object_ref (server);

  return self;
}

/**
 * confab_listeners_free:
 * @self: (transfer full): listeners
 */
void
confab_listeners_free (ConfabListeners *self)
{
  struct stat info;

  /* another server may have put its own there meanwhile */
  if (self->unix_path != NULL && g_lstat (self->unix_path, &info) == 0
      && info.st_dev == self->unix_device && info.st_ino == self->unix_inode)
    g_unlink (self->unix_path);
  g_free (self->unix_path);
  g_object_unref (self->server);
  g_free (self);
}

static gboolean
fail_with_errno (GError **error, const char *what)
{
  int saved_errno = errno;

  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (saved_errno), "%s: %s", what,
               g_strerror (saved_errno));

  return FALSE;
}

static void
clear_fd (int *fd)
{
  if (*fd >= 0)
    close (*fd);
  *fd = -1;
}

typedef int AutoFd;
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (AutoFd, clear_fd)

/* A TCP socket that is bound but does not listen yet; -1 with errno set. */
static int
bind_tcp (GInetAddress *address, guint16 port)
{
  g_autoptr (GSocketAddress) target = g_inet_socket_address_new (address, port);
  g_auto (AutoFd) fd = -1;
  struct sockaddr_storage native;
  gboolean is_ipv6 = g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV6;
  /* 127.0.0.1 and [::1] have a socket each; [::] alone stands for everything */
  int only_ipv6 = !g_inet_address_get_is_any (address);
  int one = 1;

  fd = socket (is_ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0)
    return -1;
  setsockopt (fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (is_ipv6)
    setsockopt (fd, IPPROTO_IPV6, IPV6_V6ONLY, &only_ipv6, sizeof only_ipv6);
  if (!g_socket_address_to_native (target, &native, sizeof native, NULL))
    errno = EINVAL;
  /* listening now: only this tells whether somebody else listens on the port */
  else if (bind (fd, (struct sockaddr *) &native, g_socket_address_get_native_size (target)) == 0
           && listen (fd, BACKLOG) == 0)
    return g_steal_fd (&fd);

  return -1;
}

static guint16
get_port (int fd)
{
  struct sockaddr_storage native;
  socklen_t length = sizeof native;
  g_autoptr (GSocketAddress) address = NULL;

  if (getsockname (fd, (struct sockaddr *) &native, &length) != 0)
    return 0;
  address = g_socket_address_new_from_native (&native, length);

  return g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address));
}

static gboolean
fail_with_address (GError **error, GInetAddress *address, guint16 port)
{
  int saved_errno = errno;
  g_autofree char *host = g_inet_address_to_string (address);
  g_autofree char *what = g_strdup_printf (_ ("Cannot listen on %s port %u"), host, port);

  errno = saved_errno;

  return fail_with_errno (error, what);
}

/* 127.0.0.1 and, where the machine has it, [::1] with the same port. */
static gboolean
bind_loopback (guint16 port, int *v4, int *v6, GError **error)
{
  g_autoptr (GInetAddress) address4 = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GInetAddress) address6 = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV6);

  for (guint tries = 0;; tries++)
    {
      *v4 = bind_tcp (address4, port);
      if (*v4 < 0)
        return fail_with_address (error, address4, port);
      *v6 = bind_tcp (address6, get_port (*v4));
      if (*v6 >= 0 || errno == EADDRNOTAVAIL || errno == EAFNOSUPPORT)
        return TRUE;
      clear_fd (v4);
      if (port != 0 || errno != EADDRINUSE || tries == FREE_PORT_TRIES)
        return fail_with_address (error, address6, port);
    }
}

/**
 * confab_listeners_add_tcp:
 * @self: listeners
 * @bind: (nullable): the address; %NULL for loopback, IPv4 and IPv6
 * @port: the port; 0 takes a free one
 * @bound_port: (out): the port taken
 * @error: return location for a %G_IO_ERROR with a sentence for people
 *
 * Returns: whether we listen
 */
gboolean
confab_listeners_add_tcp (ConfabListeners *self,
                          GInetAddress *bind,
                          guint16 port,
                          guint16 *bound_port,
                          GError **error)
{
  g_auto (AutoFd) first = -1;
  g_auto (AutoFd) second = -1;

  g_return_val_if_fail (self != NULL && bound_port != NULL, FALSE);

  if (bind == NULL)
    {
      if (!bind_loopback (port, &first, &second, error))
        return FALSE;
    }
  else
    {
      first = bind_tcp (bind, port);
      if (first < 0)
        return fail_with_address (error, bind, port);
    }

  *bound_port = get_port (first);

  return socketio_server_listen_fd (self->server, g_steal_fd (&first), error)
         && (second < 0 || socketio_server_listen_fd (self->server, g_steal_fd (&second), error));
}

/* Makes way for a socket at @path: what a server left behind goes, a server that lives stays. */
static gboolean
clear_path (const char *path, const struct sockaddr_un *address, GError **error)
{
  g_auto (AutoFd) probe = -1;
  struct stat info;

  if (g_lstat (path, &info) != 0)
    return errno == ENOENT || fail_with_errno (error, path);
  if (!S_ISSOCK (info.st_mode))
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS, _ ("%s is in the way and is not a socket"),
                   path);
      return FALSE;
    }

  probe = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (probe < 0)
    return fail_with_errno (error, path);
  if (connect (probe, (const struct sockaddr *) address, sizeof *address) == 0
      || errno != ECONNREFUSED)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE,
                   _ ("Another server listens on %s already"), path);
      return FALSE;
    }

  return g_unlink (path) == 0 || fail_with_errno (error, path);
}

/* Returns a listening socket, or -1. */
static int
bind_unix (ConfabListeners *self, const char *path, GError **error)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  g_auto (AutoFd) fd = -1;
  struct stat info;

  g_strlcpy (address.sun_path, path, sizeof address.sun_path);
  if (!clear_path (path, &address, error))
    return -1;

  fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  /* the mode is set while nobody can connect yet */
  if (fd < 0 || bind (fd, (const struct sockaddr *) &address, sizeof address) != 0
      || g_chmod (path, 0600) != 0 || g_lstat (path, &info) != 0 || listen (fd, BACKLOG) != 0)
    {
      fail_with_errno (error, path);
      return -1;
    }

  self->unix_path = g_strdup (path);
  self->unix_device = info.st_dev;
  self->unix_inode = info.st_ino;

  return g_steal_fd (&fd);
}

/* The one of the contract, not one that the user has named. */
static gboolean
is_own_directory (const char *directory)
{
  g_autofree char *own = g_build_filename (g_get_user_runtime_dir (), "confab", NULL);

  return g_str_equal (directory, own);
}

/**
 * confab_listeners_add_unix:
 * @self: listeners, without a UNIX socket yet
 * @path: where; its directory is made with mode 0700 if it is missing
 * @error: return location for a %G_IO_ERROR with a sentence for people;
 *   %G_IO_ERROR_ADDRESS_IN_USE if another server lives there
 *
 * Returns: whether we listen
 */
gboolean
confab_listeners_add_unix (ConfabListeners *self, const char *path, GError **error)
{
  g_autofree char *directory = NULL;
  g_auto (AutoFd) lock = -1;
  int fd;

  g_return_val_if_fail (self != NULL && path != NULL && self->unix_path == NULL, FALSE);

  directory = g_path_get_dirname (path);
  if (g_mkdir_with_parents (directory, 0700) != 0)
    return fail_with_errno (error, directory);

  /* Of two that start at once, one looks and binds while the other waits. */
  lock = open (directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (lock < 0 || flock (lock, LOCK_EX) != 0)
    return fail_with_errno (error, directory);
  /* a Flatpak finds it made, with another mode */
  if (is_own_directory (directory) && fchmod (lock, 0700) != 0)
    return fail_with_errno (error, directory);

  fd = bind_unix (self, path, error);

  return fd >= 0 && socketio_server_listen_fd (self->server, fd, error);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-activation.h"

#include <fcntl.h>
#include <gio/gunixsocketaddress.h>
#include <glib-unix.h>
#include <glib/gi18n-lib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "confab-error.h"

#define FIRST_FD 3
#define MAX_SOCKETS 64

struct _ConfabActivation
{
  GArray *fds; /* int; -1 where it was stolen */
  guint16 port;
  GInetAddress *outer;
  char *unix_path;
};

/**
 * confab_activation_free:
 * @self: (transfer full): sockets; those that nobody took are closed
 */
void
confab_activation_free (ConfabActivation *self)
{
  for (guint i = 0; i < self->fds->len; i++)
    {
      int fd = g_array_index (self->fds, int, i);

      if (fd >= 0)
        close (fd);
    }
  g_array_unref (self->fds);
  g_clear_object (&self->outer);
  g_free (self->unix_path);
  g_free (self);
}

static GSocketAddress *
get_address (int fd)
{
  struct sockaddr_storage native;
  socklen_t length = sizeof native;

  if (getsockname (fd, (struct sockaddr *) &native, &length) != 0)
    return NULL;

  return g_socket_address_new_from_native (&native, length);
}

static gboolean
is_listening (int fd)
{
  int type = 0, listening = 0;
  socklen_t length = sizeof type;

  return getsockopt (fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_STREAM
         && getsockopt (fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &length) == 0 && listening;
}

static gboolean
take_http (ConfabActivation *self, GSocketAddress *address, GError **error)
{
  GInetAddress *inet;
  guint16 port;

  if (!G_IS_INET_SOCKET_ADDRESS (address))
    return confab_error_refuse (error, CONFAB_ERROR_INVALID_REQUEST,
                                _ ("The socket “http” that systemd hands over is no TCP socket"));
  port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address));
  if (self->port != 0 && self->port != port)
    return confab_error_refuse (
        error, CONFAB_ERROR_INVALID_REQUEST,
        _ ("The sockets “http” that systemd hands over have different ports, %u and "
           "%u; Confab answers to one"),
        self->port, port);

  self->port = port;
  inet = g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (address));
  if (self->outer == NULL && !g_inet_address_get_is_loopback (inet))
    self->outer = g_object_ref (inet);

  return TRUE;
}

static gboolean
take_unix (ConfabActivation *self, GSocketAddress *address, GError **error)
{
  if (!G_IS_UNIX_SOCKET_ADDRESS (address))
    return confab_error_refuse (error, CONFAB_ERROR_INVALID_REQUEST,
                                _ ("The socket “unix” that systemd hands over is no UNIX socket"));
  if (self->unix_path == NULL)
    self->unix_path = g_strdup (g_unix_socket_address_get_path (G_UNIX_SOCKET_ADDRESS (address)));

  return TRUE;
}

static gboolean
take (ConfabActivation *self, int fd, const char *name, GError **error)
{
  g_autoptr (GSocketAddress) address = get_address (fd);

  /* from here on it is ours, and closed whatever happens */
  g_array_append_val (self->fds, fd);
  if (address == NULL || !is_listening (fd))
    return confab_error_refuse (error, CONFAB_ERROR_INVALID_REQUEST,
                                _ ("What systemd hands over as “%s” is no socket that listens"),
                                name);
  if (fcntl (fd, F_SETFD, FD_CLOEXEC) != 0 || !g_unix_set_fd_nonblocking (fd, TRUE, NULL))
    return confab_error_refuse (error, CONFAB_ERROR_INVALID_REQUEST,
                                _ ("The socket “%s” that systemd hands over cannot be used"), name);

  if (g_str_equal (name, "http"))
    return take_http (self, address, error);
  if (g_str_equal (name, "unix"))
    return take_unix (self, address, error);

  return confab_error_refuse (
      error, CONFAB_ERROR_INVALID_REQUEST,
      _ ("systemd hands over a socket named “%s”; known are FileDescriptorName=http "
         "and unix"),
      name);
}

/**
 * confab_activation_take:
 * @error: return location for %CONFAB_ERROR_INVALID_REQUEST with a sentence for people
 *
 * Takes what the environment says, so that no child believes to be meant.
 *
 * Returns: (transfer full) (nullable): the sockets, which may be none; NULL if they are not what
 *   Confab can serve on
 */
ConfabActivation *
confab_activation_take (GError **error)
{
  g_autoptr (ConfabActivation) self = g_new0 (ConfabActivation, 1);
  const char *pid = g_getenv ("LISTEN_PID");
  g_auto (GStrv) names = g_strsplit (g_getenv ("LISTEN_FDNAMES") ?: "", ":", -1);
  guint n_names = g_strv_length (names);
  guint64 n_fds = 0;

  self->fds = g_array_new (FALSE, FALSE, sizeof (int));
  if (pid != NULL && g_ascii_strtoll (pid, NULL, 10) == getpid ()
      && !g_ascii_string_to_unsigned (g_getenv ("LISTEN_FDS") ?: "", 10, 0, MAX_SOCKETS, &n_fds,
                                      NULL))
    {
      confab_error_refuse (error, CONFAB_ERROR_INVALID_REQUEST,
                           _ ("LISTEN_FDS is no number from 0 to %d"), MAX_SOCKETS);
      return NULL;
    }
  g_unsetenv ("LISTEN_PID");
  g_unsetenv ("LISTEN_FDS");
  g_unsetenv ("LISTEN_FDNAMES");

  for (guint i = 0; i < n_fds; i++)
    {
      if (!take (self, FIRST_FD + (int) i, i < n_names ? names[i] : "unknown", error))
        return NULL;
    }

  return g_steal_pointer (&self);
}

guint
confab_activation_get_n_sockets (ConfabActivation *self)
{
  return self->fds->len;
}

guint16
confab_activation_get_port (ConfabActivation *self)
{
  return self->port;
}

GInetAddress *
confab_activation_get_outer_address (ConfabActivation *self)
{
  return self->outer;
}

const char *
confab_activation_get_unix_path (ConfabActivation *self)
{
  return self->unix_path;
}

/**
 * confab_activation_steal_socket:
 * @index: below confab_activation_get_n_sockets(); each once
 *
 * Returns: a listening socket, the caller's from now on
 */
int
confab_activation_steal_socket (ConfabActivation *self, guint index)
{
  int *fd;

  g_return_val_if_fail (index < self->fds->len, -1);

  fd = &g_array_index (self->fds, int, index);

  return g_steal_fd (fd);
}

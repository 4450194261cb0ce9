/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-pump.h"

#include <errno.h>
#include <glib/gi18n-lib.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "confab-error.h"

static ConfabError
get_code (int cause)
{
  switch (cause)
    {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EIO:
      return CONFAB_ERROR_STORAGE;
    case EPIPE:
    case ECONNRESET:
      return CONFAB_ERROR_INTERRUPTED;
    default:
      /* not opened for this, a folder, and the like */
      return CONFAB_ERROR_INVALID_REQUEST;
    }
}

static gboolean
wait_until (ConfabPump *self, short events, GError **error)
{
  struct pollfd fds[2] = { { .fd = self->fd, .events = events }, { .fd = -1 } };
  GPollFD wake = { .fd = -1 };
  gboolean has_wake =
      self->cancellable != NULL && g_cancellable_make_pollfd (self->cancellable, &wake);
  int n;

  fds[1] = (struct pollfd){ .fd = wake.fd, .events = POLLIN };
  do
    n = poll (fds, G_N_ELEMENTS (fds), (int) self->patience_ms);
  while (n < 0 && errno == EINTR);
  if (has_wake)
    g_cancellable_release_fd (self->cancellable);

  if (g_cancellable_set_error_if_cancelled (self->cancellable, error))
    return FALSE;
  if (n == 0)
    g_set_error (error, CONFAB_ERROR, CONFAB_ERROR_INTERRUPTED,
                 _ ("The other side did nothing for %u seconds."), self->patience_ms / 1000);

  return n != 0;
}

/* A pipe that can be written takes as much as PIPE_BUF without blocking; a socket is told not to.
 */
static gssize
write_some (ConfabPump *self, const char *bytes, gsize length)
{
  gssize n = send (self->fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);

  if (n < 0 && errno == ENOTSOCK)
    n = write (self->fd, bytes, MIN (length, PIPE_BUF));

  return n;
}

/**
 * confab_pump_write:
 * @self: a pump
 * @bytes: (array length=length): what to write; SIGPIPE must be ignored
 * @length: in bytes
 * @error: return location
 *
 * Returns: whether all of it was written
 */
gboolean
confab_pump_write (ConfabPump *self, const char *bytes, gsize length, GError **error)
{
  while (length > 0)
    {
      gssize n;

      if (!wait_until (self, POLLOUT, error))
        return FALSE;

      n = write_some (self, bytes, length);
      if (n < 0 && (errno == EINTR || errno == EAGAIN))
        continue;
      if (n < 0)
        {
          g_set_error (error, CONFAB_ERROR, (int) get_code (errno),
                       _ ("The export cannot be written: %s."), g_strerror (errno));
          return FALSE;
        }
      bytes += n;
      length -= n;
    }

  return TRUE;
}

/**
 * confab_pump_read:
 * @self: a pump
 * @bytes: (array length=length): where to
 * @length: in bytes, at least 1
 * @error: return location
 *
 * Waits until there is something.
 */
gssize
confab_pump_read (ConfabPump *self, char *bytes, gsize length, GError **error)
{
  gssize n;

  do
    {
      if (!wait_until (self, POLLIN, error))
        return -1;
      n = read (self->fd, bytes, length);
    }
  while (n < 0 && (errno == EINTR || errno == EAGAIN));

  if (n < 0)
    g_set_error (error, CONFAB_ERROR, (int) get_code (errno),
                 _ ("What is to be imported cannot be read: %s."), g_strerror (errno));

  return n;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-supervisor.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct _ConfabSupervisor
{
  int fd; /* -1: nobody wants to hear */
  struct sockaddr_un address;
  socklen_t length;
  guint watchdog_source;
  char *status;
};

static void
tell (ConfabSupervisor *self, const char *message)
{
  if (self->fd < 0)
    return;
  /* It must not hold us up, and what it misses is not worth a word to anybody else. */
  if (sendto (self->fd, message, strlen (message), MSG_NOSIGNAL | MSG_DONTWAIT,
              (const struct sockaddr *) &self->address, self->length)
      < 0)
    g_debug ("The supervisor was not told “%s”: %s", message, g_strerror (errno));
}

static gboolean
watchdog_cb (gpointer user_data)
{
  tell (user_data, "WATCHDOG=1");

  return G_SOURCE_CONTINUE;
}

/* The main loop itself says that it still turns, twice as often as it has to. */
static void
start_watchdog (ConfabSupervisor *self)
{
  const char *interval = g_getenv ("WATCHDOG_USEC");
  const char *pid = g_getenv ("WATCHDOG_PID");
  guint64 usec;

  if (interval == NULL || !g_ascii_string_to_unsigned (interval, 10, 2000, G_MAXINT64, &usec, NULL))
    return;
  if (pid != NULL && g_ascii_strtoll (pid, NULL, 10) != getpid ())
    return;

  self->watchdog_source = g_timeout_add (MIN (usec / 2000, G_MAXUINT), watchdog_cb, self);
  g_source_set_name_by_id (self->watchdog_source, "[confab] watchdog");
}

/**
 * confab_supervisor_new:
 *
 * Takes what the environment says of a supervisor, so that no child believes to be meant.
 *
 * Returns: (transfer full): a supervisor
 */
ConfabSupervisor *
confab_supervisor_new (void)
{
  ConfabSupervisor *self = g_new0 (ConfabSupervisor, 1);
  const char *path = g_getenv ("NOTIFY_SOCKET");
  gsize length = path != NULL ? strlen (path) : 0;

  self->fd = -1;
  self->address.sun_family = AF_UNIX;
  if (length > 1 && length < sizeof self->address.sun_path && (*path == '/' || *path == '@'))
    {
      memcpy (self->address.sun_path, path, length);
      /* an abstract name has no NUL at its end, and one in place of the @ */
      if (*path == '@')
        self->address.sun_path[0] = '\0';
      self->length =
          (socklen_t) (offsetof (struct sockaddr_un, sun_path) + length + (*path == '/'));
      self->fd = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
      if (self->fd >= 0)
        start_watchdog (self);
    }
  g_unsetenv ("NOTIFY_SOCKET");
  g_unsetenv ("WATCHDOG_USEC");
  g_unsetenv ("WATCHDOG_PID");

  return self;
}

/**
 * confab_supervisor_free:
 * @self: (transfer full): a supervisor
 */
void
confab_supervisor_free (ConfabSupervisor *self)
{
  g_clear_handle_id (&self->watchdog_source, g_source_remove);
  if (self->fd >= 0)
    close (self->fd);
  g_free (self->status);
  g_free (self);
}

/**
 * confab_supervisor_ready:
 *
 * The service serves: after its start, and after each confab_supervisor_reloading().
 */
void
confab_supervisor_ready (ConfabSupervisor *self)
{
  tell (self, "READY=1");
}

/**
 * confab_supervisor_reloading:
 *
 * Settings are being read again.
 */
void
confab_supervisor_reloading (ConfabSupervisor *self)
{
  /* systemd orders this by time against the signal that it sent */
  g_autofree char *message =
      g_strdup_printf ("RELOADING=1\nMONOTONIC_USEC=%" G_GINT64_FORMAT, g_get_monotonic_time ());

  tell (self, message);
}

/**
 * confab_supervisor_stopping:
 *
 * The service ends, by itself or because it was told to.
 */
void
confab_supervisor_stopping (ConfabSupervisor *self)
{
  tell (self, "STOPPING=1");
}

void
confab_supervisor_set_status (ConfabSupervisor *self, const char *status)
{
  g_autofree char *message = NULL;

  if (self->fd < 0 || g_strcmp0 (self->status, status) == 0)
    return;

  g_free (self->status);
  self->status = g_strdup (status);
  message = g_strconcat ("STATUS=", status, NULL);
  tell (self, message);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "socketio-drain.h"

#include <errno.h>
#include <sys/socket.h>

gboolean
socketio_drain (int fd, gsize *drained, gsize max_bytes)
{
  char buffer[4096];
  gssize n;

  while (*drained <= max_bytes)
    {
      n = recv (fd, buffer, sizeof buffer, MSG_DONTWAIT);
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0 && errno == EAGAIN)
        return FALSE;
      if (n <= 0)
        return TRUE;
      *drained += n;
    }

  return TRUE;
}

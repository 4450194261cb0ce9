/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "socketio-id.h"

#include <errno.h>
#include <sys/random.h>

void
socketio_id_generate (char id[SOCKETIO_ID_LENGTH + 1])
{
  static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  guint8 random[SOCKETIO_ID_LENGTH];
  gssize n;

  /* a request this small is never cut short once the generator has its seed */
  do
    n = getrandom (random, sizeof random, 0);
  while (n < 0 && errno == EINTR);
  if (n != sizeof random)
    g_error ("The kernel gives no random bytes: %s", g_strerror (errno));

  for (guint i = 0; i < SOCKETIO_ID_LENGTH; i++)
    id[i] = alphabet[random[i] & 63];
  id[SOCKETIO_ID_LENGTH] = '\0';
}

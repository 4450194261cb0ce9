/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "socketio-macros.h"

/**
 * socketio_check_version:
 * @major: the first number
 * @minor: the second
 * @micro: the third
 *
 * Whether the version that the program runs with is this one or a newer one. For the version that
 * it was compiled against there is %SOCKETIO_CHECK_VERSION.
 *
 * Returns: whether it is
 */
gboolean
socketio_check_version (guint major, guint minor, guint micro)
{
  const guint running[] = { SOCKETIO_MAJOR_VERSION, SOCKETIO_MINOR_VERSION,
                            SOCKETIO_MICRO_VERSION };
  const guint wanted[] = { major, minor, micro };

  for (gsize i = 0; i < G_N_ELEMENTS (wanted); i++)
    if (running[i] != wanted[i])
      return running[i] > wanted[i];
  return TRUE;
}

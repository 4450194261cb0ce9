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
  return SOCKETIO_CHECK_VERSION (major, minor, micro);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "socketio-error.h"

/**
 * socketio_error_quark:
 *
 * Gets the error domain.
 *
 * Returns: the domain of the library's errors
 */
GQuark
socketio_error_quark (void)
{
  return g_quark_from_static_string ("socketio-error-quark");
}

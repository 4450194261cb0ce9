/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Reads and drops what a peer still sends: closing on unread bytes would reset the connection, and
 * what it was sent last could be lost with that.
 * @drained: (inout): bytes so far
 * Returns: whether there is no more to wait for: it is done, or has sent more than @max_bytes */
gboolean socketio_drain (int fd, gsize *drained, gsize max_bytes);

G_END_DECLS

/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "socketio.h"

G_BEGIN_DECLS

/* What the library counts, as Prometheus reads it. */
void confab_socketio_metrics_append (GString *out, SocketioServer *server);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "socketio-counter.h"

G_BEGIN_DECLS

#define SOCKETIO_N_COUNTERS (SOCKETIO_COUNTER_ENDS_BY_SERVER + 1)

/* What happened since a server began, by SocketioCounter; a g_rc_box. */
typedef struct
{
  guint64 values[SOCKETIO_N_COUNTERS];
} SocketioCounters;

static inline void
socketio_counters_add (SocketioCounters *self, SocketioCounter counter, guint64 n)
{
  self->values[counter] += n;
}

static inline void
socketio_counters_count (SocketioCounters *self, SocketioCounter counter)
{
  self->values[counter]++;
}

G_END_DECLS

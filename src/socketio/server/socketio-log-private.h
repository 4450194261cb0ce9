/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "engineio-packet.h"

G_BEGIN_DECLS

/*
 * SocketioLog: the events that one client may not have received yet, by their offsets, oldest
 * first. Bounded: of what is too much the oldest go, and what they were can no longer be asked for.
 */
typedef struct _SocketioLog SocketioLog;

SocketioLog *socketio_log_new (void);
void socketio_log_free (SocketioLog *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SocketioLog, socketio_log_free)

/* Adds an event, whose buffers are shared with the way out. @offset grows from call to call. */
void socketio_log_append (SocketioLog *self,
                          guint64 offset,
                          const EngineioPacket *packets,
                          guint n_packets,
                          guint max_packets,
                          gsize max_bytes);
/* The client has everything up to @offset. */
void socketio_log_trim (SocketioLog *self, guint64 offset);

/* The offset of the newest event that was added; 0 if there was none. */
guint64 socketio_log_get_last (SocketioLog *self);
/* Whether all that came after @offset is there; @offset 0: all there ever was. */
gboolean socketio_log_covers (SocketioLog *self, guint64 offset);
/* (transfer full) (element-type EngineioPacket): what came after @offset */
GArray *socketio_log_collect (SocketioLog *self, guint64 offset);

G_END_DECLS

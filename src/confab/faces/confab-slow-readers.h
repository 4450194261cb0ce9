/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-change-log.h"
#include "socketio.h"

G_BEGIN_DECLS

/*
 * ConfabSlowReaders: those sockets whose queue was too long to be told all changes. Each is told
 * the rest by itself, as it drains.
 */
typedef struct _ConfabSlowReaders ConfabSlowReaders;

typedef void (*ConfabSlowReadersFunc) (SocketioSocket *socket, gpointer user_data);

/* @log: outlives it. @caught_up: called with each that has heard everything again, and is none of
 * these any more */
ConfabSlowReaders *
confab_slow_readers_new (ConfabChangeLog *log, ConfabSlowReadersFunc caught_up, gpointer user_data);
void confab_slow_readers_free (ConfabSlowReaders *self);

gboolean confab_slow_readers_contains (ConfabSlowReaders *self, SocketioSocket *socket);
gboolean confab_slow_readers_is_empty (ConfabSlowReaders *self);

/* Whether more waits for @socket than it should be sent on top. */
gboolean confab_slow_readers_is_slow (SocketioSocket *socket);
/* Takes @socket in, which has heard of all up to @number. It cannot be recovered any more. */
void confab_slow_readers_add (ConfabSlowReaders *self, SocketioSocket *socket, guint64 number);
/* Tells @socket alone what comes after @number, or takes it in as soon as it is slow.
 * Returns: whether it has heard everything */
gboolean confab_slow_readers_tell (ConfabSlowReaders *self, SocketioSocket *socket, guint64 number);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConfabSlowReaders, confab_slow_readers_free)

G_END_DECLS

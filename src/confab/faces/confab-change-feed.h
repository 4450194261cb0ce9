/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-service.h"
#include "socketio.h"

G_BEGIN_DECLS

/* How long changes are kept for those whose connection was lost when they were told, which they and
 * we may notice late, before the library's recovery is over. */
#define CONFAB_REMEMBER_CHANGES_SECONDS 180

/*
 * ConfabChangeFeed: tells every socket of a namespace what became of sessions and modules, as
 * `session:changed` and `module:changed`. A change is one frame for each client, and an answer
 * brings two. So changes are gathered: one leaves 10 ms after it happened, so that the answer that
 * caused it goes first; then the feed rests for 100 ms, and for longer where telling takes long.
 * What changes several times meanwhile is told once, as it is then, and where its first change was,
 * so that a session comes before what is in it.
 *
 * It goes from socket to socket, and gives each all that it has not heard of, as it is at that
 * time. In one turn of the main loop it visits only a few, and leaves the next turns to whatever
 * else there is to do: a hundred changes for ten thousand sockets are a million frames, and no
 * token is to wait for them. A socket that reads too slowly is told when it has caught up, and
 * slows nobody.
 */
typedef struct _ConfabChangeFeed ConfabChangeFeed;

ConfabChangeFeed *confab_change_feed_new (ConfabService *service, SocketioNamespace *namespace);
void confab_change_feed_free (ConfabChangeFeed *self);
gboolean confab_change_feed_add (ConfabChangeFeed *self, SocketioSocket *socket);
void confab_change_feed_flush (ConfabChangeFeed *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConfabChangeFeed, confab_change_feed_free)

G_END_DECLS

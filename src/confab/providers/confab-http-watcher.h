/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

/*
 * ConfabHttpWatcher: tells the running requests of a SoupSession when there is something to do:
 * more to read, a silence that has lasted too long, a cancellable. The main loop pays for all of
 * them as for one: their sockets are in one epoll set, and one source looks after their times.
 *
 * It belongs to the session, and to the thread-default context in which it was first asked for.
 */
typedef struct _ConfabHttpWatcher ConfabHttpWatcher;
typedef struct _ConfabHttpWatch ConfabHttpWatch;

typedef enum
{
  CONFAB_HTTP_WATCH_READABLE = 1 << 0, /* or its connection has ended */
  CONFAB_HTTP_WATCH_SILENT = 1 << 1,   /* told again and again, until a touch */
  CONFAB_HTTP_WATCH_CANCELLED = 1 << 2,
} ConfabHttpWatchReasons;

typedef void (*ConfabHttpWatchFunc) (ConfabHttpWatchReasons reasons, gpointer user_data);

ConfabHttpWatcher *confab_http_watcher_of (SoupSession *session);

/* Connections are known by soup_message_get_connection_id(): libsoup tells of a socket only when it
 * makes one, and later messages use it again. */
void confab_http_watcher_learn (ConfabHttpWatcher *self, guint64 connection_id, GSocket *socket);
GSocket *confab_http_watcher_find (ConfabHttpWatcher *self, guint64 connection_id);

/* @func runs in the watcher's context, never from within another call. */
ConfabHttpWatch *confab_http_watch_new (ConfabHttpWatcher *watcher,
                                        guint silence_ms,
                                        GCancellable *cancellable,
                                        ConfabHttpWatchFunc func,
                                        gpointer user_data,
                                        GDestroyNotify destroy);
/* To be freed before its socket is closed. */
void confab_http_watch_free (ConfabHttpWatch *self);
gboolean confab_http_watch_set_socket (ConfabHttpWatch *self, GSocket *socket);
void confab_http_watch_set_silence (ConfabHttpWatch *self, guint silence_ms);
void confab_http_watch_touch (ConfabHttpWatch *self);
void confab_http_watch_mark (ConfabHttpWatch *self, ConfabHttpWatchReasons reasons);

G_END_DECLS

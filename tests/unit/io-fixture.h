/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/*
 * IoClient: the far end of a connection in a unit test: a plain non-blocking socket, whose input is
 * gathered by a GSource on the context given. So a test waits for bytes by iterating that context.
 */
typedef struct
{
  GMainContext *context;
  GSource *watch; /* nullable: reading is paused, or over */
  GString *received;
  int fd;
  int error; /* errno that reading ended with, or 0 */
  gboolean eof;
} IoClient;

/* Takes @fd. */
IoClient *io_client_new (GMainContext *context, int fd);
IoClient *io_client_connect (GMainContext *context, GSocketAddress *address);
void io_client_free (IoClient *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (IoClient, io_client_free)

/* The kernel must take all of it at once. */
void io_client_send (IoClient *self, const char *text);
void io_client_pause (IoClient *self);
void io_client_resume (IoClient *self);
/* Ends the connection with a RST. */
void io_client_reset (IoClient *self);
/* Whether nothing more can come. */
gboolean io_client_is_done (IoClient *self);
/* What the kernel holds against the connection, such as a RST that came after its end; 0 if
 * nothing. */
int io_client_get_socket_error (IoClient *self);

/* A connected pair of non-blocking UNIX sockets. */
void io_unix_pair (int fds[2]);
/* The same over TCP on 127.0.0.1. */
void io_tcp_pair (int fds[2]);

/* How many fds this process has open. */
guint io_count_fds (void);
/* Whether @fd is open. */
gboolean io_fd_is_open (int fd);

/* Iterates until there is nothing to do at once. */
void io_settle (GMainContext *context);

/* For io_wait_for(): ends a test whose event never comes. */
typedef struct _IoWatchdog IoWatchdog;
IoWatchdog *io_watchdog_new (GMainContext *context, const char *what);
void io_watchdog_turn (IoWatchdog *self);
void io_watchdog_free (IoWatchdog *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (IoWatchdog, io_watchdog_free)

/* Iterates @context, sleeping while nothing happens, until @condition holds. */
#define io_wait_for(context, condition)                                                            \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autoptr (IoWatchdog) io_watchdog = io_watchdog_new ((context), G_STRLOC ": " #condition);    \
                                                                                                   \
    while (!(condition))                                                                           \
      io_watchdog_turn (io_watchdog);                                                              \
  }                                                                                                \
  G_STMT_END

G_END_DECLS

/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>
#include <sys/types.h>

G_BEGIN_DECLS

/*
 * RawServer: a TCP server on 127.0.0.1 for unit tests, below the level of any HTTP library, so that
 * every fault can be made. Each connection has a thread of its own, which reads one request and
 * calls the handler, which writes what it likes.
 */
typedef struct _RawServer RawServer;

typedef enum
{
  RAW_CLOSE,
  /* ends with a RST instead of a FIN */
  RAW_RESET,
  /* waits, and notes when the peer closes */
  RAW_HOLD,
  /* reads another request from the same connection */
  RAW_NEXT,
} RawEnd;

/* @request: head and body as they came. Runs in the connection's thread. */
typedef RawEnd (*RawHandler) (RawServer *server, int fd, const char *request, gpointer user_data);

RawServer *raw_server_new (RawHandler handler, gpointer user_data);
RawServer *raw_server_new_closed (RawHandler handler, gpointer user_data);
void raw_server_open (RawServer *self);
void raw_server_free (RawServer *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RawServer, raw_server_free)

/* As if another user's: whose socket it is. Returns: whether that can be done, as root can */
gboolean raw_server_give_to (RawServer *self, uid_t uid);

guint16 raw_server_get_port (RawServer *self);
char *raw_server_dup_origin (RawServer *self);
guint raw_server_get_n_connections (RawServer *self);
guint raw_server_get_n_requests (RawServer *self);
char *raw_server_dup_last_request (RawServer *self);

gboolean raw_server_wait_for_requests (RawServer *self, guint n, guint timeout_ms);
gint64 raw_server_wait_for_close (RawServer *self, guint timeout_ms);

/* For handlers. Return FALSE once the peer is gone. */
gboolean raw_write (int fd, const char *text, gssize length);
gboolean raw_write_by (int fd, const char *text, gsize step);
void raw_append_chunk (GString *out, const char *text, gssize length);
gboolean raw_reply (int fd, const char *status, const char *headers, const char *body);

G_END_DECLS

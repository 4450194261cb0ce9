/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Longest head of a request, with its empty line; most header fields in it. */
#define SOCKETIO_HTTP_HEAD_MAX (16 * 1024)
#define SOCKETIO_HTTP_HEAD_MAX_FIELDS 100

/*
 * socketio_http_head_check:
 * @data: what has come of a connection so far, @length bytes
 * @scanned: (inout): bytes known not to hold the end of the head; 0 at first. Keeps a head that
 *   trickles in from being searched from its start every time.
 *
 * Judges the head of an HTTP/1 request before libsoup sees it (RFC 9112). Refused, because they are
 * broken, dangerous in front of an old parser, or would cost for ever:
 * methods other than GET, HEAD, POST, PUT, PATCH, DELETE and OPTIONS (libsoup interns method
 * names); targets that are not a path ("*" with OPTIONS is one); anything but CRLF line ends,
 * control characters, folded lines, space before the colon; Transfer-Encoding together with
 * Content-Length, in HTTP/1.0, repeated, or other than "chunked"; a Content-Length repeated or not
 * all digits; Host repeated, or missing in HTTP/1.1.
 *
 * Returns: 0 while the head is incomplete; 200 if it is fine; else the HTTP status to refuse it
 * with
 */
guint socketio_http_head_check (const char *data, gsize length, gsize *scanned);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/*
 * socketio_json_scan:
 * @corrected: (out): NULL where json-glib can be shown @text as it is, else what to show it instead
 *
 * Holds @text to RFC 8259 and to the limits of socketio_json_parse(), without recursion.
 *
 * Returns: whether json-glib may parse it; if not, @error is of JSON_PARSER_ERROR
 */
gboolean socketio_json_scan (const char *text, gsize length, GString **corrected, GError **error);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* The deepest nesting accepted from a peer. json-glib parses, prints and frees recursively, so that
 * depth costs stack. */
#define SOCKETIO_JSON_MAX_DEPTH 64

/*
 * socketio_json_parse:
 * @text: @length bytes, need not end in NUL
 *
 * Parses JSON by the letter of RFC 8259: no comments, no trailing bytes, valid UTF-8, depth of at
 * most SOCKETIO_JSON_MAX_DEPTH. Escapes that a C string or UTF-8 cannot hold (\u0000 and lone
 * surrogates) become U+FFFD. Duplicate keys: the last one wins. Numbers beyond gint64 become
 * doubles; those beyond a double are refused. So are objects with more members than anybody needs
 * (about 4,096 in one), as json-glib's time for keys chosen to collide grows with their square.
 *
 * Returns: (transfer full): the tree, or NULL with an error of JSON_PARSER_ERROR
 */
JsonNode *socketio_json_parse (const char *text, gsize length, GError **error);

/* Appends @text as a JSON string literal with its quotes; @length -1 for a NUL-terminated one. */
void socketio_json_append_string (GString *out, const char *text, gssize length);

/* Appends @node as compact JSON. */
void socketio_json_append_node (GString *out, JsonNode *node);

/* Returns: (transfer full): @node as compact JSON. In place of json_to_string(), which leaves
 * U+001F as it is within a string, so that nobody can read it again. */
char *socketio_json_to_string (JsonNode *node);

G_END_DECLS

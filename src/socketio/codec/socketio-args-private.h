/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "socketio-args.h"

G_BEGIN_DECLS

/*
 * socketio_args_new_take:
 * @root: (transfer full): an array
 * @first: index of the first element that is an argument: 1 behind the name of an event
 */
SocketioArgs *socketio_args_new_take (JsonNode *root, guint first);

/* Returns: (transfer none): the bytes that placeholders number @index, which must be less than the
 * number of attachments */
GBytes *socketio_args_get_attachment (SocketioArgs *self, guint index);

/* Adds the next attachment of a packet whose placeholders are in the tree already. */
void socketio_args_add_attachment (SocketioArgs *self, GBytes *value);

/* Whether @node stands for an attachment, in a packet that has some; @number is -1 where it names
 * none. */
gboolean socketio_args_is_placeholder (JsonNode *node, gint64 *number);

G_END_DECLS

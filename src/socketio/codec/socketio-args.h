/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <json-glib/json-glib.h>

#include "socketio-macros.h"

G_BEGIN_DECLS

#define SOCKETIO_TYPE_ARGS (socketio_args_get_type ())

/**
 * SocketioArgs:
 *
 * The arguments of an event or of an acknowledgement: JSON values, with binary parts as
 * [struct@GLib.Bytes].
 *
 * JSON has no binary type: in the tree a binary part is a placeholder object, which
 * [method@Args.get_bytes] and [method@Args.resolve] turn into its bytes. Adding is for the one who
 * builds the arguments; once they were emitted or received they are only read.
 */
typedef struct _SocketioArgs SocketioArgs;

SOCKETIO_AVAILABLE_IN_ALL GType socketio_args_get_type (void) G_GNUC_CONST;
SOCKETIO_AVAILABLE_IN_ALL SocketioArgs *socketio_args_new (void);
SOCKETIO_AVAILABLE_IN_ALL SocketioArgs *
socketio_args_new_from_json (const char *json, GError **error);
SOCKETIO_AVAILABLE_IN_ALL SocketioArgs *socketio_args_ref (SocketioArgs *self);
SOCKETIO_AVAILABLE_IN_ALL void socketio_args_unref (SocketioArgs *self);

SOCKETIO_AVAILABLE_IN_ALL void socketio_args_add_string (SocketioArgs *self, const char *value);
SOCKETIO_AVAILABLE_IN_ALL void socketio_args_add_int (SocketioArgs *self, gint64 value);
SOCKETIO_AVAILABLE_IN_ALL void socketio_args_add_boolean (SocketioArgs *self, gboolean value);
SOCKETIO_AVAILABLE_IN_ALL void socketio_args_add_bytes (SocketioArgs *self, GBytes *value);
SOCKETIO_AVAILABLE_IN_ALL void socketio_args_take_node (SocketioArgs *self, JsonNode *node);
SOCKETIO_AVAILABLE_IN_ALL void socketio_args_take_object (SocketioArgs *self, JsonObject *object);
SOCKETIO_AVAILABLE_IN_ALL JsonNode *socketio_args_attach (SocketioArgs *self, GBytes *value);

SOCKETIO_AVAILABLE_IN_ALL guint socketio_args_get_length (SocketioArgs *self);
SOCKETIO_AVAILABLE_IN_ALL JsonNode *socketio_args_get_node (SocketioArgs *self, guint index);
SOCKETIO_AVAILABLE_IN_ALL JsonObject *socketio_args_get_object (SocketioArgs *self, guint index);
SOCKETIO_AVAILABLE_IN_ALL const char *socketio_args_get_string (SocketioArgs *self, guint index);
SOCKETIO_AVAILABLE_IN_ALL GBytes *socketio_args_get_bytes (SocketioArgs *self, guint index);
SOCKETIO_AVAILABLE_IN_ALL GBytes *socketio_args_resolve (SocketioArgs *self, JsonNode *placeholder);
SOCKETIO_AVAILABLE_IN_ALL char *socketio_args_to_json (SocketioArgs *self);
SOCKETIO_AVAILABLE_IN_ALL guint socketio_args_get_n_attachments (SocketioArgs *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SocketioArgs, socketio_args_unref)

G_END_DECLS

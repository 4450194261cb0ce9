/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "echo-args.h"

gint64
echo_arg_int (SocketioArgs *args, guint index)
{
  JsonNode *node =
      index < socketio_args_get_length (args) ? socketio_args_get_node (args, index) : NULL;

  return node != NULL && JSON_NODE_HOLDS_VALUE (node) ? json_node_get_int (node) : 0;
}

const char *
echo_arg_string (SocketioArgs *args, guint index)
{
  const char *text =
      index < socketio_args_get_length (args) ? socketio_args_get_string (args, index) : NULL;

  return text != NULL ? text : "";
}

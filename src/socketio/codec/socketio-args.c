/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "socketio-args-private.h"

#include <string.h>

#include "socketio-error.h"
#include "socketio-json.h"

/* Lives in an atomic reference-counted box: a binding may drop its reference in a thread of its
 * garbage collector. The contents have no lock: one thread at a time. */
struct _SocketioArgs
{
  /* The whole array, and not only its elements, which point back to it as their parent. */
  JsonNode *root;
  guint first;

  /* Of GBytes; NULL as long as there are none, as most events never have one. */
  GPtrArray *attachments;
};

G_DEFINE_BOXED_TYPE (SocketioArgs, socketio_args, socketio_args_ref, socketio_args_unref)

SocketioArgs *
socketio_args_new_take (JsonNode *root, guint first)
{
  SocketioArgs *self;

  g_assert (JSON_NODE_HOLDS_ARRAY (root));
  g_assert (first <= json_array_get_length (json_node_get_array (root)));

  self = g_atomic_rc_box_new0 (SocketioArgs);
  self->root = root;
  self->first = first;
  return self;
}

/**
 * socketio_args_new:
 *
 * Makes an empty list of arguments. It is not to be shared between threads.
 *
 * Returns: (transfer full): the arguments
 */
SocketioArgs *
socketio_args_new (void)
{
  JsonNode *root = json_node_new (JSON_NODE_ARRAY);

  json_node_take_array (root, json_array_new ());
  return socketio_args_new_take (root, 0);
}

/**
 * socketio_args_new_from_json:
 * @json: an array of JSON values, one for each argument
 * @error: return location for an error
 *
 * Makes arguments of JSON text, which is the shortest way from a language with JSON of its own. It
 * is read by the letter of RFC 8259, to a depth of 64; of a key that is repeated the last value
 * counts. More can be added afterwards, binary parts too.
 *
 * Returns: (transfer full): the arguments; or %NULL with %SOCKETIO_ERROR_INVALID_JSON
 */
SocketioArgs *
socketio_args_new_from_json (const char *json, GError **error)
{
  g_autoptr (JsonNode) root = NULL;
  g_autoptr (GError) reason = NULL;

  g_return_val_if_fail (json != NULL, NULL);

  root = socketio_json_parse (json, strlen (json), &reason);
  if (root == NULL)
    {
      g_set_error (error, SOCKETIO_ERROR, SOCKETIO_ERROR_INVALID_JSON,
                   "The arguments are not JSON: %s", reason->message);
      return NULL;
    }
  if (!JSON_NODE_HOLDS_ARRAY (root))
    {
      g_set_error_literal (error, SOCKETIO_ERROR, SOCKETIO_ERROR_INVALID_JSON,
                           "The arguments are JSON, but not an array");
      return NULL;
    }
  return socketio_args_new_take (g_steal_pointer (&root), 0);
}

/**
 * socketio_args_ref:
 * @self: arguments
 *
 * Takes a reference. What is referenced may be read by many, so nothing must be added any more.
 *
 * Returns: (transfer full): @self
 */
SocketioArgs *
socketio_args_ref (SocketioArgs *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return g_atomic_rc_box_acquire (self);
}

static void
socketio_args_clear (gpointer box)
{
  SocketioArgs *self = box;

  g_clear_pointer (&self->root, json_node_unref);
  g_clear_pointer (&self->attachments, g_ptr_array_unref);
}

/**
 * socketio_args_unref:
 * @self: (transfer full): arguments
 *
 * Drops a reference; the last one frees the arguments and everything that was got from them.
 */
void
socketio_args_unref (SocketioArgs *self)
{
  g_return_if_fail (self != NULL);

  g_atomic_rc_box_release_full (self, socketio_args_clear);
}

/**
 * socketio_args_take_node:
 * @self: arguments
 * @node: (transfer full): any JSON value
 *
 * Adds a JSON value. It may contain placeholders made by [method@Args.attach] of the same @self.
 */
void
socketio_args_take_node (SocketioArgs *self, JsonNode *node)
{
  g_return_if_fail (self != NULL);
  g_return_if_fail (node != NULL);

  json_array_add_element (json_node_get_array (self->root), node);
}

/**
 * socketio_args_take_object:
 * @self: arguments
 * @object: (transfer full): a JSON object
 *
 * Adds a JSON object.
 */
void
socketio_args_take_object (SocketioArgs *self, JsonObject *object)
{
  g_return_if_fail (self != NULL);
  g_return_if_fail (object != NULL);

  json_array_add_object_element (json_node_get_array (self->root), object);
}

/**
 * socketio_args_add_string:
 * @self: arguments
 * @value: (nullable): valid UTF-8, or %NULL for JSON's null
 *
 * Adds a string.
 */
void
socketio_args_add_string (SocketioArgs *self, const char *value)
{
  g_return_if_fail (self != NULL);

  json_array_add_string_element (json_node_get_array (self->root), value);
}

/**
 * socketio_args_add_int:
 * @self: arguments
 * @value: a number; JavaScript keeps it exactly up to 2^53
 *
 * Adds an integer.
 */
void
socketio_args_add_int (SocketioArgs *self, gint64 value)
{
  g_return_if_fail (self != NULL);

  json_array_add_int_element (json_node_get_array (self->root), value);
}

/**
 * socketio_args_add_boolean:
 * @self: arguments
 * @value: a truth value
 *
 * Adds a boolean.
 */
void
socketio_args_add_boolean (SocketioArgs *self, gboolean value)
{
  g_return_if_fail (self != NULL);

  json_array_add_boolean_element (json_node_get_array (self->root), value);
}

/**
 * socketio_args_add_bytes:
 * @self: arguments
 * @value: bytes, of which a reference is taken
 *
 * Adds a binary argument. Peers accept at most 10 binary parts in one packet.
 */
void
socketio_args_add_bytes (SocketioArgs *self, GBytes *value)
{
  g_return_if_fail (self != NULL);
  g_return_if_fail (value != NULL);

  socketio_args_take_node (self, socketio_args_attach (self, value));
}

/**
 * socketio_args_attach:
 * @self: arguments
 * @value: bytes, of which a reference is taken
 *
 * Attaches a binary part that stands somewhere inside an argument. The caller puts the placeholder
 * that this returns in that place, and adds the argument.
 *
 * Returns: (transfer full): the placeholder
 */
JsonNode *
socketio_args_attach (SocketioArgs *self, GBytes *value)
{
  JsonNode *placeholder;
  JsonObject *object;

  g_return_val_if_fail (self != NULL, NULL);
  g_return_val_if_fail (value != NULL, NULL);

  object = json_object_new ();
  json_object_set_boolean_member (object, "_placeholder", TRUE);
  json_object_set_int_member (object, "num", socketio_args_get_n_attachments (self));
  socketio_args_add_attachment (self, value);

  placeholder = json_node_new (JSON_NODE_OBJECT);
  json_node_take_object (placeholder, object);
  return placeholder;
}

void
socketio_args_add_attachment (SocketioArgs *self, GBytes *value)
{
  if (self->attachments == NULL)
    self->attachments = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  g_ptr_array_add (self->attachments, g_bytes_ref (value));
}

/**
 * socketio_args_get_length:
 * @self: arguments
 *
 * Counts the arguments.
 *
 * Returns: the number of arguments; the name of an event is none
 */
guint
socketio_args_get_length (SocketioArgs *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return json_array_get_length (json_node_get_array (self->root)) - self->first;
}

/**
 * socketio_args_get_node:
 * @self: arguments
 * @index: number of an argument, from 0
 *
 * Gets an argument of any kind.
 *
 * Returns: (transfer none) (nullable): the argument, or %NULL if there are not so many
 */
JsonNode *
socketio_args_get_node (SocketioArgs *self, guint index)
{
  g_return_val_if_fail (self != NULL, NULL);

  if (index >= socketio_args_get_length (self))
    return NULL;
  return json_array_get_element (json_node_get_array (self->root), self->first + index);
}

/**
 * socketio_args_get_object:
 * @self: arguments
 * @index: number of an argument, from 0
 *
 * Gets an argument that is an object.
 *
 * Returns: (transfer none) (nullable): the argument, or %NULL if it is no object or there are not
 *   so many
 */
JsonObject *
socketio_args_get_object (SocketioArgs *self, guint index)
{
  JsonNode *node = socketio_args_get_node (self, index);

  return node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

/**
 * socketio_args_get_string:
 * @self: arguments
 * @index: number of an argument, from 0
 *
 * Gets an argument that is a string.
 *
 * Returns: (transfer none) (nullable): the argument, or %NULL if it is no string or there are not
 *   so many
 */
const char *
socketio_args_get_string (SocketioArgs *self, guint index)
{
  JsonNode *node = socketio_args_get_node (self, index);

  if (node == NULL || !JSON_NODE_HOLDS_VALUE (node)
      || json_node_get_value_type (node) != G_TYPE_STRING)
    return NULL;
  return json_node_get_string (node);
}

/**
 * socketio_args_get_bytes:
 * @self: arguments
 * @index: number of an argument, from 0
 *
 * Gets a binary argument.
 *
 * Returns: (transfer none) (nullable): the argument, or %NULL if it is not binary or there are not
 *   so many
 */
GBytes *
socketio_args_get_bytes (SocketioArgs *self, guint index)
{
  JsonNode *node = socketio_args_get_node (self, index);

  return node != NULL ? socketio_args_resolve (self, node) : NULL;
}

gboolean
socketio_args_is_placeholder (JsonNode *node, gint64 *number)
{
  JsonObject *object;
  JsonNode *member;

  if (!JSON_NODE_HOLDS_OBJECT (node))
    return FALSE;

  object = json_node_get_object (node);
  member = json_object_get_member (object, "_placeholder");
  if (member == NULL || !JSON_NODE_HOLDS_VALUE (member)
      || json_node_get_value_type (member) != G_TYPE_BOOLEAN || !json_node_get_boolean (member))
    return FALSE;

  member = json_object_get_member (object, "num");
  *number = -1;
  if (member != NULL && JSON_NODE_HOLDS_VALUE (member)
      && json_node_get_value_type (member) == G_TYPE_INT64)
    *number = json_node_get_int (member);
  return TRUE;
}

/**
 * socketio_args_resolve:
 * @self: arguments
 * @placeholder: a node from within an argument
 *
 * Finds the binary part that a placeholder stands for. In arguments without binary parts an object
 * that looks like a placeholder is an object like any other.
 *
 * Returns: (transfer none) (nullable): the bytes, or %NULL if @placeholder is none of @self
 */
GBytes *
socketio_args_resolve (SocketioArgs *self, JsonNode *placeholder)
{
  gint64 number;

  g_return_val_if_fail (self != NULL, NULL);
  g_return_val_if_fail (placeholder != NULL, NULL);

  if (self->attachments == NULL || !socketio_args_is_placeholder (placeholder, &number)
      || number < 0 || number >= self->attachments->len)
    return NULL;
  return g_ptr_array_index (self->attachments, number);
}

/**
 * socketio_args_to_json:
 * @self: arguments
 *
 * Writes the arguments as JSON text. A binary part is its placeholder there,
 * `{"_placeholder":true,"num":0}`.
 *
 * Returns: (transfer full): an array with one value for each argument
 */
char *
socketio_args_to_json (SocketioArgs *self)
{
  GString *json;
  guint length;

  g_return_val_if_fail (self != NULL, NULL);

  json = g_string_new ("[");
  length = socketio_args_get_length (self);
  for (guint i = 0; i < length; i++)
    {
      if (i > 0)
        g_string_append_c (json, ',');
      socketio_json_append_node (json, socketio_args_get_node (self, i));
    }
  g_string_append_c (json, ']');
  return g_string_free (json, FALSE);
}

/**
 * socketio_args_get_n_attachments:
 * @self: arguments
 *
 * Counts the binary parts.
 *
 * Returns: the number of binary parts
 */
guint
socketio_args_get_n_attachments (SocketioArgs *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->attachments != NULL ? self->attachments->len : 0;
}

GBytes *
socketio_args_get_attachment (SocketioArgs *self, guint index)
{
  g_assert (index < socketio_args_get_n_attachments (self));

  return g_ptr_array_index (self->attachments, index);
}

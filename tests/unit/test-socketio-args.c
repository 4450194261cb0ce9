/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "socketio-args-private.h"
#include "socketio-error.h"

#include <string.h>

static JsonNode *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  JsonNode *node = json_from_string (text, &error);

  g_assert_no_error (error);
  return node;
}

static void
test_empty (void)
{
  g_autoptr (SocketioArgs) args = socketio_args_new ();

  g_assert_cmpuint (socketio_args_get_length (args), ==, 0);
  g_assert_cmpuint (socketio_args_get_n_attachments (args), ==, 0);
  g_assert_null (socketio_args_get_node (args, 0));
  g_assert_null (socketio_args_get_object (args, 0));
  g_assert_null (socketio_args_get_string (args, 0));
  g_assert_null (socketio_args_get_bytes (args, 0));
}

static void
test_kinds (void)
{
  g_autoptr (SocketioArgs) args = socketio_args_new ();
  g_autoptr (GBytes) bytes = g_bytes_new ("\0\1", 2);
  JsonObject *object = json_object_new ();

  socketio_args_add_string (args, "text");
  socketio_args_add_int (args, G_MININT64);
  socketio_args_add_boolean (args, TRUE);
  socketio_args_add_bytes (args, bytes);
  socketio_args_take_node (args, parse ("[1,2]"));
  socketio_args_take_object (args, object);

  g_assert_cmpuint (socketio_args_get_length (args), ==, 6);
  g_assert_cmpstr (socketio_args_get_string (args, 0), ==, "text");
  g_assert_cmpint (json_node_get_int (socketio_args_get_node (args, 1)), ==, G_MININT64);
  g_assert_true (json_node_get_boolean (socketio_args_get_node (args, 2)));
  g_assert_true (socketio_args_get_bytes (args, 3) == bytes);
  g_assert_true (JSON_NODE_HOLDS_ARRAY (socketio_args_get_node (args, 4)));
  g_assert_true (socketio_args_get_object (args, 5) == object);
  g_assert_null (socketio_args_get_node (args, 6));
}

static void
test_no_string_is_null (void)
{
  g_autoptr (SocketioArgs) args = socketio_args_new ();

  socketio_args_add_string (args, NULL);
  g_assert_cmpuint (socketio_args_get_length (args), ==, 1);
  g_assert_true (JSON_NODE_HOLDS_NULL (socketio_args_get_node (args, 0)));
  g_assert_null (socketio_args_get_string (args, 0));
}

/* Each getter on each other kind: NULL, and no critical. */
static void
test_wrong_kinds (void)
{
  static const char *const others[] = { "1", "1.5", "true", "null", "[]" };

  for (gsize i = 0; i < G_N_ELEMENTS (others); i++)
    {
      g_autoptr (SocketioArgs) args = socketio_args_new ();

      socketio_args_take_node (args, parse (others[i]));
      g_assert_null (socketio_args_get_string (args, 0));
      g_assert_null (socketio_args_get_object (args, 0));
      g_assert_null (socketio_args_get_bytes (args, 0));
    }
}

static void
test_attach_inside (void)
{
  g_autoptr (SocketioArgs) args = socketio_args_new ();
  g_autoptr (GBytes) first = g_bytes_new ("1", 1);
  g_autoptr (GBytes) second = g_bytes_new ("2", 1);
  JsonObject *object = json_object_new ();

  json_object_set_member (object, "one", socketio_args_attach (args, first));
  json_object_set_member (object, "two", socketio_args_attach (args, second));
  socketio_args_take_object (args, object);

  g_assert_cmpuint (socketio_args_get_length (args), ==, 1);
  g_assert_cmpuint (socketio_args_get_n_attachments (args), ==, 2);
  g_assert_true (socketio_args_resolve (args, json_object_get_member (object, "one")) == first);
  g_assert_true (socketio_args_resolve (args, json_object_get_member (object, "two")) == second);
  g_assert_null (socketio_args_get_bytes (args, 0));
}

static void
test_look_alike_without_attachments (void)
{
  g_autoptr (SocketioArgs) args = socketio_args_new ();

  socketio_args_take_node (args, parse ("{\"_placeholder\":true,\"num\":0}"));
  g_assert_null (socketio_args_get_bytes (args, 0));
  g_assert_null (socketio_args_resolve (args, socketio_args_get_node (args, 0)));
  g_assert_nonnull (socketio_args_get_object (args, 0));
}

typedef struct
{
  const char *name;
  const char *json;
  gboolean resolves;
} PlaceholderCase;

static const PlaceholderCase placeholder_cases[] = {
  { "first", "{\"_placeholder\":true,\"num\":0}", TRUE },
  { "with-more-members", "{\"num\":0,\"x\":1,\"_placeholder\":true}", TRUE },
  { "behind-the-last", "{\"_placeholder\":true,\"num\":1}", FALSE },
  { "negative", "{\"_placeholder\":true,\"num\":-1}", FALSE },
  { "beyond-32-bits", "{\"_placeholder\":true,\"num\":4294967296}", FALSE },
  { "fraction", "{\"_placeholder\":true,\"num\":0.5}", FALSE },
  { "number-in-a-string", "{\"_placeholder\":true,\"num\":\"0\"}", FALSE },
  { "number-is-null", "{\"_placeholder\":true,\"num\":null}", FALSE },
  { "without-number", "{\"_placeholder\":true}", FALSE },
  { "says-false", "{\"_placeholder\":false,\"num\":0}", FALSE },
  { "says-1", "{\"_placeholder\":1,\"num\":0}", FALSE },
  { "says-nothing", "{\"num\":0}", FALSE },
  { "array", "[true,0]", FALSE },
  { "string", "\"_placeholder\"", FALSE },
};

static void
test_resolve (gconstpointer data)
{
  const PlaceholderCase *c = data;
  g_autoptr (SocketioArgs) args = socketio_args_new ();
  g_autoptr (GBytes) bytes = g_bytes_new ("1", 1);
  g_autoptr (JsonNode) node = parse (c->json);

  socketio_args_add_bytes (args, bytes);
  g_assert_true (socketio_args_resolve (args, node) == (c->resolves ? bytes : NULL));
}

static void
count_free (gpointer data)
{
  ++*(guint *) data;
}

static void
test_references (void)
{
  guint n_freed = 0;
  SocketioArgs *args = socketio_args_new ();
  GBytes *bytes = g_bytes_new_with_free_func ("x", 1, count_free, &n_freed);
  gpointer copy;

  socketio_args_add_bytes (args, bytes);
  g_bytes_unref (bytes);
  g_assert_cmpuint (n_freed, ==, 0);

  g_assert_true (socketio_args_ref (args) == args);
  copy = g_boxed_copy (SOCKETIO_TYPE_ARGS, args);
  g_assert_true (copy == args);

  socketio_args_unref (args);
  g_boxed_free (SOCKETIO_TYPE_ARGS, copy);
  g_assert_cmpuint (n_freed, ==, 0);
  socketio_args_unref (args);
  g_assert_cmpuint (n_freed, ==, 1);
}

static void
test_node_outlives_args (void)
{
  SocketioArgs *args = socketio_args_new ();
  g_autoptr (JsonNode) node = NULL;

  socketio_args_add_string (args, "kept");
  node = json_node_ref (socketio_args_get_node (args, 0));
  socketio_args_unref (args);
  g_assert_cmpstr (json_node_get_string (node), ==, "kept");
}

static void
test_json_there_and_back (void)
{
  const char *json = "[1,\"zwei\",{\"a\":[true,null,1.5]},[],\"\\\"\\n\"]";
  g_autoptr (GError) error = NULL;
  g_autoptr (SocketioArgs) args = socketio_args_new_from_json (json, &error);
  g_autofree char *back = NULL;

  g_assert_no_error (error);
  g_assert_cmpuint (socketio_args_get_length (args), ==, 5);
  g_assert_cmpstr (socketio_args_get_string (args, 1), ==, "zwei");
  back = socketio_args_to_json (args);
  g_assert_cmpstr (back, ==, json);
}

static void
test_json_takes_more (void)
{
  g_autoptr (SocketioArgs) args = socketio_args_new_from_json ("[]", NULL);
  g_autoptr (GBytes) bytes = g_bytes_new_static ("x", 1);
  g_autofree char *empty = socketio_args_to_json (args);
  g_autofree char *json = NULL;

  g_assert_cmpstr (empty, ==, "[]");
  socketio_args_add_int (args, 7);
  socketio_args_add_bytes (args, bytes);
  json = socketio_args_to_json (args);
  g_assert_cmpstr (json, ==, "[7,{\"_placeholder\":true,\"num\":0}]");
}

/* The name of an event stands before its arguments, and is none. */
static void
test_json_without_the_name (void)
{
  g_autoptr (JsonNode) root = json_from_string ("[\"name\",1,2]", NULL);
  g_autoptr (SocketioArgs) args = socketio_args_new_take (g_steal_pointer (&root), 1);
  g_autofree char *json = socketio_args_to_json (args);

  g_assert_cmpstr (json, ==, "[1,2]");
}

static void
test_json_refused (gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (socketio_args_new_from_json (data, &error));
  g_assert_error (error, SOCKETIO_ERROR, SOCKETIO_ERROR_INVALID_JSON);
  g_assert_true (g_str_has_prefix (error->message, "The arguments are "));
}

int
main (int argc, char **argv)
{
  const char *const no_args[] = { "", "[", "[1] 2", "{}", "1", "null", "[\"\xff\"]" };

  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/socketio-args/empty", test_empty);
  g_test_add_func ("/socketio-args/kinds", test_kinds);
  g_test_add_func ("/socketio-args/no-string-is-null", test_no_string_is_null);
  g_test_add_func ("/socketio-args/wrong-kinds", test_wrong_kinds);
  g_test_add_func ("/socketio-args/attach-inside", test_attach_inside);
  g_test_add_func ("/socketio-args/look-alike-without-attachments",
                   test_look_alike_without_attachments);
  for (gsize i = 0; i < G_N_ELEMENTS (placeholder_cases); i++)
    {
      g_autofree char *path =
          g_strconcat ("/socketio-args/resolve/", placeholder_cases[i].name, NULL);
      g_test_add_data_func (path, &placeholder_cases[i], test_resolve);
    }
  g_test_add_func ("/socketio-args/references", test_references);
  g_test_add_func ("/socketio-args/node-outlives-args", test_node_outlives_args);
  g_test_add_func ("/socketio-args/json-there-and-back", test_json_there_and_back);
  g_test_add_func ("/socketio-args/json-takes-more", test_json_takes_more);
  g_test_add_func ("/socketio-args/json-without-the-name", test_json_without_the_name);
  for (gsize i = 0; i < G_N_ELEMENTS (no_args); i++)
    {
      g_autofree char *path = g_strdup_printf ("/socketio-args/json-refused/%zu", i);

      g_test_add_data_func (path, no_args[i], test_json_refused);
    }
  return g_test_run ();
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What servers say to each other through adapters that share a medium: here, a list of them. */
#include "socketio.h"

#define MEDIUM_TYPE_ADAPTER (medium_adapter_get_type ())
G_DECLARE_FINAL_TYPE (MediumAdapter, medium_adapter, MEDIUM, ADAPTER, SocketioAdapter)

struct _MediumAdapter
{
  SocketioAdapter parent_instance;

  GPtrArray *peers; /* of MediumAdapter, this one among them; not owned */
};

G_DEFINE_FINAL_TYPE (MediumAdapter, medium_adapter, SOCKETIO_TYPE_ADAPTER)

static gboolean
medium_adapter_server_side_emit (SocketioAdapter *adapter,
                                 const char *event,
                                 SocketioArgs *args,
                                 GError **error)
{
  GPtrArray *peers = MEDIUM_ADAPTER (adapter)->peers;

  for (guint i = 0; i < peers->len; i++)
    if (g_ptr_array_index (peers, i) != adapter)
      socketio_adapter_receive (g_ptr_array_index (peers, i), event, args, NULL);
  return TRUE;
}

static void
answer_cb (SocketioArgs *args, gpointer user_data)
{
  g_ptr_array_add (user_data, socketio_args_ref (args));
}

static void
medium_adapter_server_side_emit_with_ack_async (SocketioAdapter *adapter,
                                                const char *event,
                                                SocketioArgs *args,
                                                guint timeout_ms,
                                                GCancellable *cancellable,
                                                GAsyncReadyCallback callback,
                                                gpointer user_data)
{
  GPtrArray *peers = MEDIUM_ADAPTER (adapter)->peers;
  g_autoptr (GTask) task = g_task_new (adapter, cancellable, callback, user_data);
  GPtrArray *answers = g_ptr_array_new_with_free_func ((GDestroyNotify) socketio_args_unref);

  g_task_set_task_data (task, answers, (GDestroyNotify) g_ptr_array_unref);
  for (guint i = 0; i < peers->len; i++)
    if (g_ptr_array_index (peers, i) != adapter)
      {
        g_autoptr (SocketioAck) ack = socketio_ack_new_for_func (
            answer_cb, g_ptr_array_ref (answers), (GDestroyNotify) g_ptr_array_unref);

        socketio_adapter_receive (g_ptr_array_index (peers, i), event, args, ack);
      }
  if (answers->len == peers->len - 1)
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_new_error (task, SOCKETIO_ERROR, SOCKETIO_ERROR_TIMED_OUT, "Somebody is silent");
}

static gboolean
medium_adapter_server_side_emit_with_ack_finish (SocketioAdapter *adapter,
                                                 GAsyncResult *result,
                                                 GPtrArray **answers,
                                                 GError **error)
{
  *answers = g_ptr_array_ref (g_task_get_task_data (G_TASK (result)));
  return g_task_propagate_boolean (G_TASK (result), error);
}

static void
medium_adapter_class_init (MediumAdapterClass *klass)
{
  SocketioAdapterClass *adapter_class = SOCKETIO_ADAPTER_CLASS (klass);

  adapter_class->server_side_emit = medium_adapter_server_side_emit;
  adapter_class->server_side_emit_with_ack_async = medium_adapter_server_side_emit_with_ack_async;
  adapter_class->server_side_emit_with_ack_finish = medium_adapter_server_side_emit_with_ack_finish;
}

static void
medium_adapter_init (MediumAdapter *self)
{
}

typedef struct
{
  SocketioServer *servers[3];
  SocketioNamespace *spaces[3]; /* not owned */
  GPtrArray *peers;
  guint n_heard[3];
  guint silent; /* the index of the server that does not answer */
  GAsyncResult *result;
} Fixture;

static void
heard_cb (SocketioNamespace *nsp,
          const char *name,
          SocketioArgs *args,
          SocketioAck *ack,
          gpointer user_data)
{
  Fixture *fixture = user_data;

  g_assert_cmpstr (name, ==, "news");
  g_assert_cmpstr (socketio_args_get_string (args, 0), ==, "hello");
  for (guint i = 0; i < 3; i++)
    if (nsp == fixture->spaces[i])
      {
        fixture->n_heard[i]++;
        if (ack != NULL && i != fixture->silent)
          {
            g_autoptr (SocketioArgs) answer = socketio_args_new ();

            socketio_args_add_int (answer, i);
            g_assert_true (socketio_ack_send (ack, answer));
            /* once only */
            g_assert_false (socketio_ack_send (ack, answer));
          }
      }
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->peers = g_ptr_array_new ();
  fixture->silent = 3;
  for (guint i = 0; i < 3; i++)
    {
      SocketioAdapter *adapter;

      fixture->servers[i] =
          g_object_new (SOCKETIO_TYPE_SERVER, "adapter-type", MEDIUM_TYPE_ADAPTER, NULL);
      fixture->spaces[i] = socketio_server_of (fixture->servers[i], "/");
      adapter = socketio_namespace_get_adapter (fixture->spaces[i]);
      MEDIUM_ADAPTER (adapter)->peers = fixture->peers;
      g_ptr_array_add (fixture->peers, adapter);
      g_signal_connect (fixture->spaces[i], "server-side-event::news", G_CALLBACK (heard_cb),
                        fixture);
    }
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  for (guint i = 0; i < 3; i++)
    g_object_unref (fixture->servers[i]);
  g_ptr_array_unref (fixture->peers);
  g_clear_object (&fixture->result);
}

static void
test_emit (Fixture *fixture, gconstpointer data)
{
  g_autoptr (SocketioArgs) args = socketio_args_new_from_json ("[\"hello\"]", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_true (socketio_namespace_server_side_emit (fixture->spaces[1], "news", args, &error));
  g_assert_no_error (error);
  /* an event that nobody waits for */
  g_assert_true (socketio_namespace_server_side_emit (fixture->spaces[1], "other", NULL, &error));
  g_assert_cmpuint (fixture->n_heard[0], ==, 1);
  g_assert_cmpuint (fixture->n_heard[1], ==, 0);
  g_assert_cmpuint (fixture->n_heard[2], ==, 1);
}

static void
result_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  ((Fixture *) user_data)->result = g_object_ref (result);
}

static GPtrArray *
ask (Fixture *fixture, SocketioNamespace *nsp, GError **error)
{
  g_autoptr (SocketioArgs) args = socketio_args_new_from_json ("[\"hello\"]", NULL);
  GPtrArray *answers = NULL;

  socketio_namespace_server_side_emit_with_ack_async (nsp, "news", args, 1000, NULL, result_cb,
                                                      fixture);
  g_assert_null (fixture->result);
  while (fixture->result == NULL)
    g_main_context_iteration (NULL, TRUE);
  socketio_namespace_server_side_emit_with_ack_finish (nsp, fixture->result, &answers, error);
  return answers;
}

static void
test_ack (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) answers = ask (fixture, fixture->spaces[0], &error);

  g_assert_no_error (error);
  g_assert_cmpuint (answers->len, ==, 2);
  g_assert_cmpint (json_node_get_int (socketio_args_get_node (g_ptr_array_index (answers, 0), 0)),
                   ==, 1);
  g_assert_cmpint (json_node_get_int (socketio_args_get_node (g_ptr_array_index (answers, 1), 0)),
                   ==, 2);
}

static void
test_silent (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) answers = NULL;

  fixture->silent = 2;
  answers = ask (fixture, fixture->spaces[0], &error);
  g_assert_error (error, SOCKETIO_ERROR, SOCKETIO_ERROR_TIMED_OUT);
  g_assert_cmpuint (answers->len, ==, 1);
}

static void
test_alone (Fixture *fixture, gconstpointer data)
{
  g_autoptr (SocketioServer) server = socketio_server_new (NULL);
  SocketioNamespace *nsp = socketio_server_of (server, "/");
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) answers = NULL;

  g_assert_false (socketio_namespace_server_side_emit (nsp, "news", NULL, &error));
  g_assert_error (error, SOCKETIO_ERROR, SOCKETIO_ERROR_NOT_SUPPORTED);
  g_clear_error (&error);
  answers = ask (fixture, nsp, &error);
  g_assert_error (error, SOCKETIO_ERROR, SOCKETIO_ERROR_NOT_SUPPORTED);
  g_assert_cmpuint (answers->len, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)
  ADD ("/servers/emit", test_emit);
  ADD ("/servers/ack", test_ack);
  ADD ("/servers/silent", test_silent);
  ADD ("/servers/alone", test_alone);

  return g_test_run ();
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who waits for a server to be closed is told so, whatever becomes of the server. */
#include "socketio.h"

/* for a machine that does other things as well */
#define PATIENCE_MS 20000
/* that the server may take; longer than anybody is waited for here */
#define TIMEOUT_MS 60000

typedef struct
{
  SocketioServer *server;
  GAsyncResult *result; /* of the close */
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->server = socketio_server_new (NULL);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_clear_object (&fixture->result);
  g_clear_object (&fixture->server);
}

static void
closed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Fixture *fixture = user_data;

  /* once */
  g_assert_null (fixture->result);
  fixture->result = g_object_ref (result);
}

static gboolean
wake_cb (gpointer user_data)
{
  return G_SOURCE_CONTINUE;
}

static void
wait_for_result (Fixture *fixture)
{
  gint64 end = g_get_monotonic_time () + PATIENCE_MS * G_GINT64_CONSTANT (1000);
  guint waker = g_timeout_add (10, wake_cb, NULL);

  while (fixture->result == NULL && g_get_monotonic_time () < end)
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (waker);
  g_assert_nonnull (fixture->result);
}

static void
test_closed (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  socketio_server_close_async (fixture->server, TIMEOUT_MS, closed_cb, fixture);
  wait_for_result (fixture);
  g_assert_true (socketio_server_close_finish (fixture->server, fixture->result, &error));
  g_assert_no_error (error);
}

/* As the bindings of other languages do when they shut down: the task's reference does not help. */
static void
test_disposed (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  socketio_server_close_async (fixture->server, TIMEOUT_MS, closed_cb, fixture);
  g_object_run_dispose (G_OBJECT (fixture->server));
  /* never from within */
  g_assert_null (fixture->result);
  wait_for_result (fixture);
  g_assert_true (socketio_server_close_finish (fixture->server, fixture->result, &error));
  g_assert_no_error (error);
}

static void
test_twice (Fixture *fixture, gconstpointer data)
{
  Fixture second = { NULL };
  g_autoptr (GError) error = NULL;

  socketio_server_close_async (fixture->server, TIMEOUT_MS, closed_cb, fixture);
  socketio_server_close_async (fixture->server, TIMEOUT_MS, closed_cb, &second);
  g_object_run_dispose (G_OBJECT (fixture->server));
  wait_for_result (&second);
  g_assert_false (socketio_server_close_finish (fixture->server, second.result, &error));
  g_assert_error (error, SOCKETIO_ERROR, SOCKETIO_ERROR_CLOSING);
  g_object_unref (second.result);

  wait_for_result (fixture);
  g_assert_true (socketio_server_close_finish (fixture->server, fixture->result, NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)
  ADD ("/closing/closed", test_closed);
  ADD ("/closing/disposed", test_disposed);
  ADD ("/closing/twice", test_twice);

  return g_test_run ();
}

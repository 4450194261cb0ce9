/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <gio/gio.h>
#include <signal.h>

#include "confab-bus-loss.h"

static void
closed_cb (GDBusConnection *connection, gboolean vanished, const GError *error, gpointer user_data)
{
  gboolean *closed = user_data;

  g_assert_true (vanished);
  *closed = TRUE;
}

/* The connection that is shared tells of its end in the thread that opened it, which is where GDBus
 * raises the signal. */
static gpointer
lose_bus (gpointer user_data)
{
  GTestDBus *bus = user_data;
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GDBusConnection) connection = NULL;
  g_autoptr (GError) error = NULL;
  gboolean closed = FALSE;
  sigset_t set, before;

  g_main_context_push_thread_default (context);
  sigemptyset (&set);
  sigaddset (&set, SIGTERM);
  pthread_sigmask (SIG_BLOCK, &set, &before);
  connection = g_bus_get_sync (G_BUS_TYPE_SESSION, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (g_dbus_connection_get_exit_on_close (connection));
  g_signal_connect (connection, "closed", G_CALLBACK (closed_cb), &closed);

  g_test_dbus_stop (bus);
  while (!closed)
    g_main_context_iteration (context, TRUE);
  sigpending (&set);
  g_assert_false (sigismember (&set, SIGTERM));
  /* what is started later must not inherit it */
  pthread_sigmask (SIG_SETMASK, &before, NULL);
  g_main_context_pop_thread_default (context);

  return NULL;
}

static void
test_shared (void)
{
  g_autoptr (GTestDBus) bus = g_test_dbus_new (G_TEST_DBUS_NONE);

  g_test_dbus_up (bus);
  lose_bus (bus);
  g_test_dbus_down (bus);
}

/* As dconf has it. */
static void
test_shared_of_thread (void)
{
  g_autoptr (GTestDBus) bus = g_test_dbus_new (G_TEST_DBUS_NONE);

  g_test_dbus_up (bus);
  g_thread_join (g_thread_new ("bus", lose_bus, bus));
  g_test_dbus_down (bus);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  confab_bus_loss_outlive ();

  g_test_add_func ("/confab/bus-loss/shared", test_shared);
  g_test_add_func ("/confab/bus-loss/shared-of-thread", test_shared_of_thread);

  return g_test_run ();
}

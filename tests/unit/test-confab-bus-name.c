/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-bus-name.h"

/* Of how many connections the bus goes away again before anybody hears that they are there. */
static guint n_short_lived;

static void
closed_cb (GDBusConnection *connection, gboolean vanished, const GError *error, gpointer user_data)
{
  gboolean *closed = user_data;

  *closed = TRUE;
}

/* In GIO's place: what GDBus tells of the end is told when this returns. */
GDBusConnection *
g_dbus_connection_new_for_address_finish (GAsyncResult *result, GError **error)
{
  g_autoptr (GObject) source = g_async_result_get_source_object (result);
  GObject *object = g_async_initable_new_finish (G_ASYNC_INITABLE (source), result, error);
  gboolean closed = FALSE;

  if (object == NULL || n_short_lived == 0)
    return (GDBusConnection *) object;

  n_short_lived--;
  g_signal_connect (object, "closed", G_CALLBACK (closed_cb), &closed);
  g_dbus_connection_close (G_DBUS_CONNECTION (object), NULL, NULL, NULL);
  while (!closed)
    g_main_context_iteration (NULL, TRUE);
  g_signal_handlers_disconnect_by_data (object, &closed);

  return G_DBUS_CONNECTION (object);
}

static void
connected_cb (ConfabBusName *name, gpointer user_data)
{
  guint *n_connected = user_data;

  g_assert_false (g_dbus_connection_is_closed (confab_bus_name_get_connection (name)));
  (*n_connected)++;
}

static void
test_closes_as_it_opens (void)
{
  g_autoptr (GTestDBus) bus = g_test_dbus_new (G_TEST_DBUS_NONE);
  g_autoptr (ConfabBusName) name = NULL;
  g_autoptr (GError) error = NULL;
  guint n_connected = 0;

  g_test_dbus_up (bus);
  name = confab_bus_name_claim (CONFAB_BUS_SESSION, FALSE, &error);
  g_assert_no_error (error);
  g_signal_connect (name, "connected", G_CALLBACK (connected_cb), &n_connected);

  n_short_lived = 1;
  g_dbus_connection_close (confab_bus_name_get_connection (name), NULL, NULL, NULL);
  while (n_connected == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (n_short_lived, ==, 0);
  g_assert_cmpuint (n_connected, ==, 1);

  g_clear_object (&name);
  g_test_dbus_down (bus);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/confab/bus-name/closes-as-it-opens", test_closes_as_it_opens);

  return g_test_run ();
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-bus-loss.h"

#include <gio/gio.h>

/* In whatever thread a connection tells that it is closed; hooks come before the class's own
 * handler, which looks whether the program is to end. */
static gboolean
closed_hook_cb (GSignalInvocationHint *hint,
                guint n_values,
                const GValue *values,
                gpointer user_data)
{
  g_dbus_connection_set_exit_on_close (g_value_get_object (&values[0]), FALSE);

  return TRUE;
}

/**
 * confab_bus_loss_outlive:
 *
 * From now on the process outlives every connection of GDBus, whoever opens it and when. To set
 * #GDBusConnection:exit-on-close on the shared connections would not do: each has a moment before
 * one can, and libraries open them in threads of their own, and again after a loss. For the start
 * of a program, once.
 */
void
confab_bus_loss_outlive (void)
{
  GTypeClass *klass = g_type_class_ref (G_TYPE_DBUS_CONNECTION);

  g_signal_add_emission_hook (g_signal_lookup ("closed", G_TYPE_DBUS_CONNECTION), 0, closed_hook_cb,
                              NULL, NULL);
  g_type_class_unref (klass);
}

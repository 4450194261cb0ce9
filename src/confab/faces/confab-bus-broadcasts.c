/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-bus-private.h"

/* One that waits. */
typedef struct
{
  char *path;
  const char *interface; /* static, as the next */
  const char *signal;
  GVariant *parameters;
} Broadcast;

static void
broadcast_free (gpointer data)
{
  Broadcast *broadcast = data;

  g_free (broadcast->path);
  g_variant_unref (broadcast->parameters);
  g_free (broadcast);
}

/* To all; a bus that is lost just now is no error. @interface and @signal are static strings. */
void
confab_bus_emit (ConfabBus *self,
                 const char *path,
                 const char *interface,
                 const char *signal,
                 GVariant *parameters)
{
  g_autoptr (GVariant) sunk = g_variant_ref_sink (parameters);
  Broadcast *broadcast;

  if (self->connection == NULL)
    return;
  if (self->n_holds == 0)
    {
      g_dbus_connection_emit_signal (self->connection, NULL, path, interface, signal, sunk, NULL);
      return;
    }

  broadcast = g_new (Broadcast, 1);
  *broadcast = (Broadcast){ g_strdup (path), interface, signal, g_steal_pointer (&sunk) };
  g_queue_push_tail (&self->broadcasts, broadcast);
}

/* For the signal of the service; @user_data is the bus face. */
void
confab_bus_branch_changed_cb (ConfabService *service,
                              const ConfabBranchChange *change,
                              gpointer user_data)
{
  g_autofree char *path = confab_bus_module_path (change->module);

  confab_bus_emit (CONFAB_BUS (user_data), path, CONFAB_BUS_MODULE_INTERFACE, "BranchChanged",
                   g_variant_new ("(s)", change->head_id));
}

void
confab_bus_hold_broadcasts (ConfabBus *self)
{
  self->n_holds++;
}

void
confab_bus_release_broadcasts (ConfabBus *self)
{
  Broadcast *broadcast;

  if (--self->n_holds > 0)
    return;

  while ((broadcast = g_queue_pop_head (&self->broadcasts)) != NULL)
    {
      confab_bus_emit (self, broadcast->path, broadcast->interface, broadcast->signal,
                       broadcast->parameters);
      broadcast_free (broadcast);
    }
}

/* They are of a connection that is lost. */
void
confab_bus_clear_broadcasts (ConfabBus *self)
{
  g_queue_clear_full (&self->broadcasts, broadcast_free);
}

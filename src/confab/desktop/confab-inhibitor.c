/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-inhibitor.h"

#include <glib/gi18n-lib.h>

#define NAME "org.freedesktop.portal.Desktop"
#define PATH "/org/freedesktop/portal/desktop"
#define INHIBIT_SUSPEND 4

struct _ConfabInhibitor
{
  GObject parent_instance;

  ConfabService *service;
  GDBusConnection *connection; /* NULL: nobody to ask */
  gboolean enabled;
  guint update_source;
  gboolean asking; /* an answer is on its way, after which it is looked at again */
  char *request;   /* NULL: nothing is inhibited */
};

G_DEFINE_FINAL_TYPE (ConfabInhibitor, confab_inhibitor, G_TYPE_OBJECT)

static void
confab_inhibitor_finalize (GObject *object)
{
  ConfabInhibitor *self = CONFAB_INHIBITOR (object);

  g_clear_handle_id (&self->update_source, g_source_remove);
  g_clear_object (&self->connection);
  g_clear_object (&self->service);
  g_free (self->request);

  G_OBJECT_CLASS (confab_inhibitor_parent_class)->finalize (object);
}

static void
confab_inhibitor_class_init (ConfabInhibitorClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = confab_inhibitor_finalize;
}

static void
confab_inhibitor_init (ConfabInhibitor *self)
{
}

static void update (ConfabInhibitor *self);

static void
inhibited_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (ConfabInhibitor) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply =
      g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);

  self->asking = FALSE;
  if (G_DBUS_CONNECTION (source) != self->connection)
    return;
  if (reply == NULL)
    {
      g_info ("Suspending cannot be inhibited: %s", error->message);
      return;
    }

  g_variant_get (reply, "(o)", &self->request);
  update (self);
}

static void
inhibit (ConfabInhibitor *self)
{
  GVariantBuilder options;

  g_variant_builder_init (&options, G_VARIANT_TYPE ("a{sv}"));
  g_variant_builder_add (&options, "{sv}", "reason",
                         g_variant_new_string (C_ ("inhibit", "An answer is being written")));
  self->asking = TRUE;
  g_dbus_connection_call (self->connection, NAME, PATH, "org.freedesktop.portal.Inhibit", "Inhibit",
                          g_variant_new ("(sua{sv})", "", INHIBIT_SUSPEND, &options),
                          G_VARIANT_TYPE ("(o)"), G_DBUS_CALL_FLAGS_NONE, -1, NULL, inhibited_cb,
                          g_object_ref (self));
}

static void
release (ConfabInhibitor *self)
{
  g_dbus_connection_call (self->connection, NAME, self->request, "org.freedesktop.portal.Request",
                          "Close", NULL, NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL, NULL);
  g_clear_pointer (&self->request, g_free);
}

static void
update (ConfabInhibitor *self)
{
  gboolean wanted = self->enabled && confab_service_get_n_running (self->service) > 0;

  if (self->connection == NULL || self->asking)
    return;
  if (wanted && self->request == NULL)
    inhibit (self);
  else if (!wanted && self->request != NULL)
    release (self);
}

static gboolean
update_cb (gpointer user_data)
{
  ConfabInhibitor *self = user_data;

  self->update_source = 0;
  update (self);

  return G_SOURCE_REMOVE;
}

/* Once for all that happens in one turn of the main loop; the service has counted by then. */
static void
update_later (ConfabInhibitor *self)
{
  if (self->update_source != 0)
    return;
  self->update_source = g_idle_add (update_cb, self);
  g_source_set_name_by_id (self->update_source, "[confab] inhibit");
}

static void
started_cb (ConfabInhibitor *self, ConfabGeneration *generation)
{
  g_signal_connect_object (generation, "ended", G_CALLBACK (update_later), self, G_CONNECT_SWAPPED);
  update_later (self);
}

ConfabInhibitor *
confab_inhibitor_new (ConfabService *service)
{
  ConfabInhibitor *self = g_object_new (CONFAB_TYPE_INHIBITOR, NULL);

  self->service = g_object_ref (service);
  g_signal_connect_object (service, "generation-started", G_CALLBACK (started_cb), self,
                           G_CONNECT_SWAPPED);

  return self;
}

void
confab_inhibitor_set_connection (ConfabInhibitor *self, GDBusConnection *connection)
{
  g_return_if_fail (CONFAB_IS_INHIBITOR (self));

  /* what was inhibited ends with the connection */
  g_clear_pointer (&self->request, g_free);
  g_set_object (&self->connection, connection);
  update_later (self);
}

void
confab_inhibitor_set_enabled (ConfabInhibitor *self, gboolean enabled)
{
  g_return_if_fail (CONFAB_IS_INHIBITOR (self));

  self->enabled = enabled;
  update_later (self);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <gio/gunixfdlist.h>
#include <glib/gi18n-lib.h>
#include <string.h>

#include "confab-bus-private.h"
#include "confab-dbus.h"
#include "confab-error.h"
#include "confab-service-transfer.h"

/* Export and Import: their calls last, and end when the caller leaves. */
typedef struct
{
  ConfabBus *bus;
  GDBusMethodInvocation *invocation;
  const char *kind;
  GCancellable *cancellable;
  guint name_watch;
} Transfer;

static void
transfer_free (Transfer *transfer)
{
  g_bus_unwatch_name (transfer->name_watch);
  g_object_unref (transfer->cancellable);
  g_object_unref (transfer->bus);
  g_free (transfer);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Transfer, transfer_free)

static void
caller_vanished_cb (GDBusConnection *connection, const char *name, gpointer user_data)
{
  Transfer *transfer = user_data;

  g_cancellable_cancel (transfer->cancellable);
}

/* Takes @invocation. */
static Transfer *
transfer_new (ConfabBus *bus, const char *kind, GDBusMethodInvocation *invocation)
{
  Transfer *transfer = g_new0 (Transfer, 1);

  transfer->bus = g_object_ref (bus);
  transfer->invocation = invocation;
  transfer->kind = kind;
  transfer->cancellable = g_cancellable_new ();
  transfer->name_watch = g_bus_watch_name_on_connection (
      g_dbus_method_invocation_get_connection (invocation),
      g_dbus_method_invocation_get_sender (invocation), G_BUS_NAME_WATCHER_FLAGS_NONE, NULL,
      caller_vanished_cb, transfer, NULL);

  return transfer;
}

/* To the caller alone. */
static void
progress_cb (guint64 done, guint64 total, gpointer user_data)
{
  Transfer *transfer = user_data;

  g_dbus_connection_emit_signal (g_dbus_method_invocation_get_connection (transfer->invocation),
                                 g_dbus_method_invocation_get_sender (transfer->invocation),
                                 CONFAB_BUS_PATH, confab_dbus_manager_interface_info ()->name,
                                 "TransferProgress",
                                 g_variant_new ("(stt)", transfer->kind, done, total), NULL);
}

/* Returns: -1: there is none, and @invocation is answered, as it is otherwise not */
static int
take_fd (GDBusMethodInvocation *invocation, gint32 handle)
{
  GUnixFDList *list =
      g_dbus_message_get_unix_fd_list (g_dbus_method_invocation_get_message (invocation));
  int fd = -1;

  if (list != NULL && handle >= 0 && handle < g_unix_fd_list_get_length (list))
    fd = g_unix_fd_list_get (list, handle, NULL);
  if (fd < 0)
    g_dbus_method_invocation_return_error_literal (
        invocation, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST,
        _ ("There is no file descriptor with this call."));

  return fd;
}

static void
exported_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Transfer) transfer = user_data;
  g_autoptr (GError) error = NULL;

  if (confab_service_export_finish (CONFAB_SERVICE (source), result, &error))
    g_dbus_method_invocation_return_value (transfer->invocation, NULL);
  else
    confab_bus_refuse (transfer->invocation, error);
}

/* The ids in paths of sessions. Returns: NULL: one is the path of something else */
static GStrv
get_session_ids (GVariant *paths)
{
  g_autoptr (GStrvBuilder) ids = g_strv_builder_new ();

  for (gsize i = 0; i < g_variant_n_children (paths); i++)
    {
      g_autoptr (GVariant) child = g_variant_get_child_value (paths, i);
      const char *path = g_variant_get_string (child, NULL);
      g_autofree guint8 *id = NULL;

      if (g_str_has_prefix (path, CONFAB_BUS_SESSIONS_PATH "/"))
        id = g_dbus_unescape_object_path (path + strlen (CONFAB_BUS_SESSIONS_PATH "/"));
      if (id == NULL)
        return NULL;
      g_strv_builder_add (ids, (const char *) id);
    }

  return g_strv_builder_end (ids);
}

void
confab_bus_export (ConfabBus *self,
                   gpointer item,
                   GVariant *parameters,
                   GDBusMethodInvocation *invocation)
{
  g_autoptr (GVariant) paths = NULL;
  g_auto (GStrv) ids = NULL;
  Transfer *transfer;
  gint32 handle;
  int fd;

  g_variant_get (parameters, "(@aoh)", &paths, &handle);
  ids = get_session_ids (paths);
  if (ids == NULL)
    {
      g_dbus_method_invocation_return_error_literal (invocation, CONFAB_ERROR,
                                                     CONFAB_ERROR_UNKNOWN_SESSION,
                                                     _ ("There is no session at this path."));
      return;
    }
  fd = take_fd (invocation, handle);
  if (fd < 0)
    return;

  transfer = transfer_new (self, "export", invocation);
  confab_service_export_async (self->service, (const char *const *) ids, fd, transfer->cancellable,
                               progress_cb, transfer, exported_cb, transfer);
}

static void
imported_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Transfer) transfer = user_data;
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("ao"));
  g_autoptr (GPtrArray) sessions = NULL;
  g_autoptr (GError) error = NULL;

  sessions = confab_service_import_finish (CONFAB_SERVICE (source), result, &error);
  if (sessions == NULL)
    {
      confab_bus_refuse (transfer->invocation, error);
      return;
    }

  for (guint i = 0; i < sessions->len; i++)
    {
      g_autofree char *path =
          confab_bus_session_path (confab_session_get_id (g_ptr_array_index (sessions, i)));

      g_variant_builder_add (&builder, "o", path);
    }
  g_dbus_method_invocation_return_value (transfer->invocation, g_variant_new ("(ao)", &builder));
}

static void
import (ConfabBus *self, gint32 handle, gboolean all_parameters, GDBusMethodInvocation *invocation)
{
  Transfer *transfer;
  int fd = take_fd (invocation, handle);

  if (fd < 0)
    return;

  transfer = transfer_new (self, "import", invocation);
  confab_service_import_async (self->service, fd, all_parameters, transfer->cancellable,
                               progress_cb, transfer, imported_cb, transfer);
}

void
confab_bus_import (ConfabBus *self,
                   gpointer item,
                   GVariant *parameters,
                   GDBusMethodInvocation *invocation)
{
  gint32 handle;

  g_variant_get (parameters, "(h)", &handle);
  import (self, handle, FALSE, invocation);
}

void
confab_bus_import_with_options (ConfabBus *self,
                                gpointer item,
                                GVariant *parameters,
                                GDBusMethodInvocation *invocation)
{
  g_autoptr (GVariant) options = NULL;
  g_autoptr (GVariant) value = NULL;
  gint32 handle;

  g_variant_get (parameters, "(h@a{sv})", &handle, &options);
  value = g_variant_lookup_value (options, "allParameters", NULL);
  if (value != NULL && !g_variant_is_of_type (value, G_VARIANT_TYPE_BOOLEAN))
    {
      g_dbus_method_invocation_return_error (invocation, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST,
                                             _ ("The field %s must be true or false."),
                                             "allParameters");
      return;
    }

  import (self, handle, value != NULL && g_variant_get_boolean (value), invocation);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib/gi18n.h>
#include <string.h>

#include "ctl.h"

/* Errors that say that there is no Confab to ask, or not any more. */
static gboolean
is_gone (const GError *error)
{
  const GDBusError codes[] = {
    G_DBUS_ERROR_SERVICE_UNKNOWN,
    G_DBUS_ERROR_NAME_HAS_NO_OWNER,
    G_DBUS_ERROR_NO_REPLY,
    G_DBUS_ERROR_DISCONNECTED,
  };

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CLOSED))
    return TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (codes); i++)
    if (g_error_matches (error, G_DBUS_ERROR, (int) codes[i]))
      return TRUE;

  return FALSE;
}

/* The bus tried to start Confab, which did not succeed; its message tells why. */
static gboolean
is_failed_start (const GError *error)
{
  g_autofree char *name = g_dbus_error_get_remote_error (error);

  return name != NULL
         && (g_str_has_prefix (name, "org.freedesktop.DBus.Error.Spawn.")
             || g_str_has_prefix (name, "org.freedesktop.systemd1."));
}

gboolean
ctl_is_error (const GError *error, const char *code)
{
  g_autofree char *name = g_dbus_error_get_remote_error (error);
  g_autofree char *wanted = g_strconcat ("org.confab.Confab1.Error.", code, NULL);

  return g_strcmp0 (name, wanted) == 0;
}

/* Of a session or a module that is not there any more. */
gboolean
ctl_is_deleted (const GError *error)
{
  return g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_OBJECT)
         || g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_METHOD)
         || g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_INTERFACE)
         || ctl_is_error (error, "UnknownModule");
}

CtlExit
ctl_fail (CtlExit status, const char *format, ...)
{
  g_autofree char *sentence = NULL;
  va_list args;

  va_start (args, format);
  sentence = g_strdup_vprintf (format, args);
  va_end (args);
  /* one line, whatever another program wrote */
  g_strdelimit (sentence, "\n\r", ' ');
  g_printerr ("confabctl: %s\n", sentence);

  return status;
}

CtlExit
ctl_report (const GError *error)
{
  g_autoptr (GError) copy = g_error_copy (error);

  g_dbus_error_strip_remote_error (copy);
  if (is_gone (error))
    return ctl_fail (CTL_EXIT_UNREACHABLE, "%s", _ ("Confab does not run on this bus"));

  return ctl_fail (is_failed_start (error) ? CTL_EXIT_UNREACHABLE : CTL_EXIT_FAILED, "%s",
                   copy->message);
}

CtlExit
ctl_connect (Ctl *self, GBusType bus)
{
  g_autoptr (GError) error = NULL;

  self->connection = g_bus_get_sync (bus, NULL, &error);
  if (self->connection == NULL)
    return ctl_fail (CTL_EXIT_UNREACHABLE, "%s", error->message);
  /* its end is told by ctl_run() */
  g_dbus_connection_set_exit_on_close (self->connection, FALSE);

  return CTL_EXIT_OK;
}

GVariant *
ctl_call (Ctl *self,
          const char *path,
          const char *interface,
          const char *method,
          GVariant *parameters,
          const char *reply_type,
          CtlExit *status)
{
  g_autoptr (GError) error = NULL;
  GVariant *reply = g_dbus_connection_call_sync (
      self->connection, CTL_NAME, path, interface, method, parameters, G_VARIANT_TYPE (reply_type),
      G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION, G_MAXINT, NULL, &error);

  if (reply == NULL)
    *status = ctl_report (error);

  return reply;
}

char *
ctl_find_module (Ctl *self, const char *id, CtlExit *status)
{
  g_autoptr (GVariant) reply =
      ctl_call (self, CTL_ROOT, CTL_MANAGER, "GetModule", g_variant_new ("(s)", id), "(o)", status);
  char *path = NULL;

  if (reply != NULL)
    g_variant_get (reply, "(o)", &path);

  return path;
}

static char *
unescape (const char *part)
{
  g_autofree guint8 *bytes = g_dbus_unescape_object_path (part);

  /* ids have no NUL */
  return bytes != NULL ? g_strdup ((char *) bytes) : NULL;
}

gboolean
ctl_parse_path (const char *path, char **session_id, char **module_id)
{
  g_auto (GStrv) parts = g_strsplit (path, "/", -1);
  guint n_parts = g_strv_length (parts);

  *session_id = NULL;
  *module_id = NULL;
  /* "", org, confab, Confab, sessions, ID, modules, ID */
  if (!g_str_has_prefix (path, CTL_ROOT "/sessions/") || (n_parts != 6 && n_parts != 8))
    return FALSE;

  *session_id = unescape (parts[5]);
  *module_id = n_parts == 8 ? unescape (parts[7]) : NULL;

  return TRUE;
}

/* A loop that runs until Confab is gone, too. */
typedef struct
{
  GMainLoop *loop;
  CtlExit status;
} Run;

static void
vanished_cb (GDBusConnection *connection, const char *name, gpointer user_data)
{
  Run *run = user_data;

  run->status =
      ctl_fail (CTL_EXIT_UNREACHABLE, "%s",
                connection != NULL ? _ ("Confab has left the bus") : _ ("The bus is lost"));
  g_main_loop_quit (run->loop);
}

CtlExit
ctl_run (Ctl *self, GMainLoop *loop)
{
  Run run = { loop, CTL_EXIT_OK };
  guint watch = g_bus_watch_name_on_connection (
      self->connection, CTL_NAME, G_BUS_NAME_WATCHER_FLAGS_NONE, NULL, vanished_cb, &run, NULL);

  g_main_loop_run (loop);
  g_bus_unwatch_name (watch);

  return run.status;
}

/* The proxy of a sandbox lets a Confab in a Flatpak send signals only to those who have a name
 * below its own. Where we may not have it, as on the system bus, it is not needed. */
void
ctl_take_watcher_name (Ctl *self)
{
  g_autofree char *id = g_strdup (g_dbus_connection_get_unique_name (self->connection));
  g_autofree char *name =
      g_strconcat ("org.confab.Confab.Watcher.", g_strdelimit (id, ":.", '_'), NULL);
  g_autoptr (GVariant) reply = g_dbus_connection_call_sync (
      self->connection, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
      "RequestName", g_variant_new ("(su)", name, 0), NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL);

  if (reply == NULL)
    g_debug ("The name %s cannot be had", name);
}

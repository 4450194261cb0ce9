/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <gio/gunixfdlist.h>
#include <glib-unix.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl.h"

#define CLEAR_LINE "\r\033[K"

/* export and import: Confab reads or writes the file itself, by its descriptor, and tells how far
 * it is. Leaving the bus ends that. */
typedef struct
{
  Ctl *ctl;
  GMainLoop *loop;
  GCancellable *cancellable;
  gboolean shows_progress;
  gboolean stopped;
  GVariant *reply;
  GError *error;
} Transfer;

static void
progress_cb (GDBusConnection *connection,
             const char *sender,
             const char *path,
             const char *interface,
             const char *signal,
             GVariant *parameters,
             gpointer user_data)
{
  Transfer *transfer = user_data;
  const char *kind;
  guint64 done, total;

  if (!transfer->shows_progress || !g_variant_is_of_type (parameters, G_VARIANT_TYPE ("(stt)")))
    return;

  g_variant_get (parameters, "(&stt)", &kind, &done, &total);
  g_printerr (CLEAR_LINE);
  if (g_str_equal (kind, "export"))
    g_printerr (_ ("%u of %u conversations"), (guint) done, (guint) total);
  else if (total > 0)
    g_printerr ("%u %%", (guint) (done * 100 / total));
  else
    g_printerr ("%u KiB", (guint) (done / 1024));
}

static gboolean
interrupted_cb (gpointer user_data)
{
  Transfer *transfer = user_data;

  transfer->stopped = TRUE;
  g_main_loop_quit (transfer->loop);

  return G_SOURCE_CONTINUE;
}

static void
answered_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Transfer *transfer = user_data;

  transfer->reply = g_dbus_connection_call_with_unix_fd_list_finish (
      G_DBUS_CONNECTION (source), NULL, result, &transfer->error);
  g_main_loop_quit (transfer->loop);
}

/* Who interrupts it is heard before the first byte is written. */
static void
call_and_wait (Transfer *self,
               const char *method,
               GVariant *parameters,
               GUnixFDList *fds,
               const char *type)
{
  GDBusConnection *connection = self->ctl->connection;
  guint subscription = g_dbus_connection_signal_subscribe (
      connection, CTL_NAME, CTL_MANAGER, "TransferProgress", CTL_ROOT, NULL,
      G_DBUS_SIGNAL_FLAGS_NONE, progress_cb, self, NULL);
  guint interrupt = g_unix_signal_add (SIGINT, interrupted_cb, self);
  guint terminate = g_unix_signal_add (SIGTERM, interrupted_cb, self);

  g_dbus_connection_call_with_unix_fd_list (connection, CTL_NAME, CTL_ROOT, CTL_MANAGER, method,
                                            parameters, G_VARIANT_TYPE (type),
                                            G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION,
                                            G_MAXINT, fds, self->cancellable, answered_cb, self);
  g_main_loop_run (self->loop);
  g_source_remove (interrupt);
  g_source_remove (terminate);
  g_dbus_connection_signal_unsubscribe (connection, subscription);
  if (self->shows_progress)
    g_printerr (CLEAR_LINE);
}

/* Calls @method with @parameters, which have @fd as handle 0. Returns: nullable: the reply; else
 * @status is set, and what went wrong is said */
static GVariant *
transfer_call (Ctl *self,
               const char *method,
               GVariant *parameters,
               int fd,
               const char *reply_type,
               CtlExit *status)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GVariant) sunk = g_variant_ref_sink (parameters);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GUnixFDList) fds = g_unix_fd_list_new ();
  Transfer transfer = { self, loop, cancellable, isatty (STDERR_FILENO) };
  g_autoptr (GError) error = NULL;

  if (g_unix_fd_list_append (fds, fd, &error) < 0)
    {
      *status = ctl_report (error);
      return NULL;
    }

  call_and_wait (&transfer, method, sunk, fds, reply_type);

  if (transfer.stopped)
    {
      /* nobody must call back into this frame later */
      g_cancellable_cancel (cancellable);
      while (transfer.reply == NULL && transfer.error == NULL)
        g_main_context_iteration (NULL, TRUE);
      g_clear_pointer (&transfer.reply, g_variant_unref);
      *status = CTL_EXIT_STOPPED;
    }
  else if (transfer.reply == NULL)
    *status = ctl_report (transfer.error);
  g_clear_error (&transfer.error);

  return transfer.reply;
}

/* Both are about errno. */
static CtlExit
fail_to_write (const char *path)
{
  const char *reason = g_strerror (errno);
  g_autofree char *name = g_filename_display_name (path);

  return ctl_fail (CTL_EXIT_FAILED, _ ("“%s” cannot be written: %s"), name, reason);
}

static CtlExit
fail_to_read (const char *path)
{
  const char *reason = g_strerror (errno);
  g_autofree char *name = g_filename_display_name (path);

  return ctl_fail (CTL_EXIT_FAILED, _ ("“%s” cannot be read: %s"), name, reason);
}

/* Export */

static CtlExit
export_to (Ctl *self, int fd)
{
  g_auto (GVariantBuilder) paths = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("ao"));
  CtlExit status = CTL_EXIT_OK;
  g_autoptr (GVariant) reply G_GNUC_UNUSED = NULL;

  for (guint i = 0; self->sessions != NULL && self->sessions[i] != NULL; i++)
    {
      g_autofree char *escaped = g_dbus_escape_object_path (self->sessions[i]);
      g_autofree char *path = g_strconcat (CTL_ROOT "/sessions/", escaped, NULL);

      g_variant_builder_add (&paths, "o", path);
    }
  reply = transfer_call (self, "Export", g_variant_new ("(aoh)", &paths, 0), fd, "()", &status);

  return status;
}

/* A file appears whole, or stays as it was; and nobody else reads it, as it holds chats. */
static CtlExit
export_to_file (Ctl *self, const char *path)
{
  g_autofree char *temporary = g_strconcat (path, ".XXXXXX", NULL);
  int fd = g_mkstemp_full (temporary, O_RDWR | O_CLOEXEC, 0600);
  CtlExit status;

  if (fd < 0)
    return fail_to_write (path);

  status = export_to (self, fd);
  if (status == CTL_EXIT_OK && (fsync (fd) != 0 || g_rename (temporary, path) != 0))
    status = fail_to_write (path);
  if (status != CTL_EXIT_OK)
    g_unlink (temporary);
  close (fd);

  return status;
}

static gboolean
is_dash (const char *path)
{
  return path == NULL || g_str_equal (path, "-");
}

/* What is there and no file is written to as it is: a pipe with a name, a device. */
static CtlExit
export_to_other (Ctl *self, const char *path)
{
  int fd = g_open (path, O_WRONLY | O_CLOEXEC, 0);
  CtlExit status;

  if (fd < 0)
    return fail_to_write (path);

  status = export_to (self, fd);
  close (fd);

  return status;
}

CtlExit
ctl_export (Ctl *self, char **args)
{
  if (is_dash (args[0]))
    return export_to (self, STDOUT_FILENO);
  if (g_file_test (args[0], G_FILE_TEST_EXISTS) && !g_file_test (args[0], G_FILE_TEST_IS_REGULAR))
    return export_to_other (self, args[0]);

  return export_to_file (self, args[0]);
}

/* Import */

static void
print_sessions (Ctl *self, GVariant *paths)
{
  g_auto (GVariantBuilder) ids = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("as"));
  g_autoptr (GVariant) list = NULL;

  for (gsize i = 0; i < g_variant_n_children (paths); i++)
    {
      g_autoptr (GVariant) child = g_variant_get_child_value (paths, i);
      const char *escaped = strrchr (g_variant_get_string (child, NULL), '/') + 1;
      g_autofree guint8 *id = g_dbus_unescape_object_path (escaped);

      g_variant_builder_add (&ids, "s", (const char *) id);
      if (!self->json)
        g_print ("%s\n", (const char *) id);
    }
  list = g_variant_ref_sink (g_variant_builder_end (&ids));
  if (self->json)
    ctl_print_json (list);
}

static GVariant *
call_import (Ctl *self, int fd, CtlExit *status)
{
  g_auto (GVariantBuilder) options = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);

  if (!self->all_parameters)
    return transfer_call (self, "Import", g_variant_new ("(h)", 0), fd, "(ao)", status);

  g_variant_builder_add (&options, "{sv}", "allParameters", g_variant_new_boolean (TRUE));

  return transfer_call (self, "ImportWithOptions", g_variant_new ("(ha{sv})", 0, &options), fd,
                        "(ao)", status);
}

CtlExit
ctl_import (Ctl *self, char **args)
{
  CtlExit status = CTL_EXIT_OK;
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariant) paths = NULL;
  int fd = STDIN_FILENO;

  if (!is_dash (args[0]))
    fd = g_open (args[0], O_RDONLY | O_CLOEXEC, 0);
  if (fd < 0)
    return fail_to_read (args[0]);

  reply = call_import (self, fd, &status);
  if (!is_dash (args[0]))
    close (fd);
  if (reply == NULL)
    return status;

  paths = g_variant_get_child_value (reply, 0);
  print_sessions (self, paths);

  return CTL_EXIT_OK;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-daemon-private.h"

#include <glib/gi18n-lib.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "confab-error.h"

/* systemd decides on the addresses of a service that it starts. */
static gboolean
adopt_sockets (ConfabDaemon *self)
{
  const ConfabOptions *options = self->options;
  GInetAddress *outer = confab_activation_get_outer_address (self->activation);
  g_autoptr (GError) error = NULL;

  if (options->port_asked || options->bind != NULL || options->unix_asked)
    g_set_error_literal (
        &error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST,
        _ ("systemd hands over the sockets, so --port, --bind and --unix do not go "
           "with it"));
  else if (options->dev && outer != NULL)
    g_set_error_literal (
        &error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST,
        _ ("--dev turns the token off and so refuses the socket that systemd hands "
           "over: only loopback addresses go with it"));
  if (error != NULL)
    return confab_daemon_give_up (self, CONFAB_DAEMON_EXIT_USAGE, error);

  for (guint i = 0; i < confab_activation_get_n_sockets (self->activation); i++)
    {
      if (!socketio_server_listen_fd (self->server,
                                      confab_activation_steal_socket (self->activation, i), &error))
        return confab_daemon_give_up (self, EXIT_FAILURE, error);
    }
  confab_access_set_address (self->access, confab_activation_get_port (self->activation), outer);

  return TRUE;
}

gboolean
confab_daemon_listen (ConfabDaemon *self)
{
  const ConfabOptions *options = self->options;
  g_autoptr (GError) error = NULL;
  guint16 port = options->port_asked ? options->port : (guint16) self->settings->port;

  if (confab_activation_get_n_sockets (self->activation) > 0)
    return adopt_sockets (self);

  self->listeners = confab_listeners_new (self->server);
  if (!confab_listeners_add_tcp (self->listeners, options->bind, port, &port, &error))
    return confab_daemon_give_up (self, EXIT_FAILURE, error);
  confab_access_set_address (self->access, port, options->bind);

  if (options->unix_path != NULL
      && !confab_listeners_add_unix (self->listeners, options->unix_path, &error))
    {
      if (options->unix_asked)
        return confab_daemon_give_up (self, EXIT_FAILURE, error);
      g_warning ("No UNIX socket: %s", error->message);
    }

  return TRUE;
}

/* The journal is read by more people than the user's terminal. */
static gboolean
stdout_is_journal (void)
{
  const char *stream = g_getenv ("JOURNAL_STREAM");
  g_autofree char *own = NULL;
  struct stat info;

  if (stream == NULL || fstat (STDOUT_FILENO, &info) != 0)
    return FALSE;
  own = g_strdup_printf ("%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT, (guint64) info.st_dev,
                         (guint64) info.st_ino);

  return g_str_equal (stream, own);
}

void
confab_daemon_announce (ConfabDaemon *self)
{
  gboolean with_token = self->keys != NULL && !stdout_is_journal ();
  g_autofree char *url = confab_access_make_url (self->access, with_token ? "token" : NULL,
                                                 with_token ? self->keys->token : NULL);

  if (confab_activation_get_n_sockets (self->activation) > 0
      && confab_activation_get_port (self->activation) == 0)
    printf ("Listening on %s\n", confab_activation_get_unix_path (self->activation));
  else
    printf ("Listening on %s\n", url);
  fflush (stdout);
}

static void
bus_closed_cb (ConfabDaemon *self)
{
  confab_desktop_set_connection (self->desktop, NULL, NULL);
}

static void
bus_connected_cb (ConfabDaemon *self)
{
  g_autoptr (GError) error = NULL;

  if (!confab_desktop_set_connection (self->desktop,
                                      confab_bus_name_get_connection (self->bus_name), &error))
    g_warning ("The desktop cannot call Confab: %s", error->message);
}

/* Whoever came in by the old token has to come in by the new one. */
static gboolean
rotate_token (gpointer user_data, GError **error)
{
  ConfabDaemon *self = user_data;
  ConfabKeys *keys = confab_keys_renew (self->options->data_dir, error);

  if (keys == NULL)
    return FALSE;

  confab_keys_free (self->keys);
  self->keys = keys;
  confab_access_set_keys (self->access, keys);
  if (self->gateway != NULL)
    confab_gateway_disconnect_all (self->gateway);
  g_message ("There is a new token");

  return TRUE;
}

gboolean
confab_daemon_show_on_bus (ConfabDaemon *self)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_autofree char *url = confab_access_make_url (self->access, NULL, NULL);
  g_auto (GStrv) addresses = NULL;
  g_autoptr (GError) error = NULL;

  if (self->bus == NULL)
    return TRUE;

  g_strv_builder_add (builder, url);
  if (self->options->unix_path != NULL)
    {
      g_autofree char *socket = g_strconcat ("unix:", self->options->unix_path, NULL);

      g_strv_builder_add (builder, socket);
    }
  addresses = g_strv_builder_end (builder);
  confab_bus_set_addresses (self->bus, (const char *const *) addresses);
  confab_bus_set_rotate_func (self->bus, rotate_token, self);
  /* the one that replaces us waits until we are gone */
  g_signal_connect_swapped (self->bus_name, "replaced", G_CALLBACK (confab_daemon_shut_down), self);
  if (self->desktop != NULL)
    {
      g_signal_connect_swapped (self->bus_name, "connected", G_CALLBACK (bus_connected_cb), self);
      g_signal_connect_swapped (self->bus_name, "closed", G_CALLBACK (bus_closed_cb), self);
      bus_connected_cb (self);
    }

  return confab_bus_serve (self->bus, self->bus_name, &error)
         || confab_daemon_give_up (self, EXIT_FAILURE, error);
}

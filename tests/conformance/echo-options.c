/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "echo-options.h"

#include <glib-unix.h>
#include <stdlib.h>

void
echo_options_parse (EchoOptions *options, int argc, char **argv)
{
  const GOptionEntry entries[] = {
    { "port", 0, 0, G_OPTION_ARG_INT, &options->port, "Port on 127.0.0.1; 0 takes a free one",
      "P" },
    { "path", 0, 0, G_OPTION_ARG_STRING, &options->path, "Path", "PATH" },
    { "ping-interval", 0, 0, G_OPTION_ARG_INT, &options->ping_interval, "Ping interval", "MS" },
    { "ping-timeout", 0, 0, G_OPTION_ARG_INT, &options->ping_timeout, "Ping timeout", "MS" },
    { "upgrade-timeout", 0, 0, G_OPTION_ARG_INT, &options->upgrade_timeout, "Upgrade timeout",
      "MS" },
    { "connect-timeout", 0, 0, G_OPTION_ARG_INT, &options->connect_timeout, "Connect timeout",
      "MS" },
    { "max-payload", 0, 0, G_OPTION_ARG_INT, &options->max_payload, "Largest message", "N" },
    { "max-queued-bytes", 0, 0, G_OPTION_ARG_INT, &options->max_queued, "Most waiting output",
      "N" },
    { "recovery-window", 0, 0, G_OPTION_ARG_INT, &options->recovery_window,
      "How long a client may be away", "MS" },
    { "recovery-max-packets", 0, 0, G_OPTION_ARG_INT, &options->recovery_max_packets,
      "What is kept for one client", "N" },
    { "allow-eio3", 0, 0, G_OPTION_ARG_NONE, &options->allow_eio3, "Serve protocol 3 too", NULL },
    { "stock", 0, 0, G_OPTION_ARG_NONE, &options->stock, "Run on a stock SoupServer", NULL },
    G_OPTION_ENTRY_NULL,
  };
  const GOptionEntry set_entries[] = {
    { "set", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->set, "Set a property of the server",
      "NAME=VALUE" },
    G_OPTION_ENTRY_NULL,
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;
  g_autofree char *default_path = g_steal_pointer (&options->path);

  g_option_context_add_main_entries (context, entries, NULL);
  if (options->takes_set)
    g_option_context_add_main_entries (context, set_entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    {
      g_printerr ("%s: %s\n", g_get_prgname (), error->message);
      exit (2);
    }
  if (options->path == NULL)
    options->path = g_steal_pointer (&default_path);
}

void
echo_options_clear (EchoOptions *options)
{
  g_clear_pointer (&options->path, g_free);
  g_clear_pointer (&options->set, g_strfreev);
}

static gboolean
quit_cb (gpointer user_data)
{
  g_main_loop_quit (user_data);
  return G_SOURCE_CONTINUE;
}

void
echo_run (GSocketAddress *address)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  guint term_id = g_unix_signal_add (SIGTERM, quit_cb, loop);
  guint int_id = g_unix_signal_add (SIGINT, quit_cb, loop);

  /* the line that whoever started it waits for */
  g_print ("Listening on http://127.0.0.1:%u/\n",
           g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address)));
  g_main_loop_run (loop);
  g_source_remove (term_id);
  g_source_remove (int_id);
}

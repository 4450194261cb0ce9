/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-daemon-private.h"

#include <errno.h>
#include <glib-unix.h>
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>

#include "confab-error.h"
#include "confab-http-call.h"
#include "confab-http-chat.h"
#include "confab-http-metrics.h"
#include "confab-request-body.h"

/* How long clients get to take what is queued for them. */
#define CLOSE_TIMEOUT_MS 3000
/* When we go even if something hangs; the contract gives 5 s. */
#define SHUTDOWN_TIMEOUT_MS 4500
/* Signals that come together are one. */
#define SAME_SIGNAL_MS 500

/* What may wait for a client that reads slowly. Events stop at far less (CONFAB_BEHIND_BYTES); this
 * is for acks of what it asked for at once: after a reload a long answer, and the history with it.
 */
#define MAX_QUEUED_BYTES (4 * CONFAB_MAX_ANSWER_BYTES)

/* How long a client may be away and still be recovered. Answers are not kept for it: they are with
 * their generations. */
#define RECOVERY_WINDOW_MS (120 * 1000)

/**
 * confab_daemon_new:
 * @options: what the command line says; must outlive the daemon
 *
 * Returns: (transfer full): a daemon that does nothing yet
 */
ConfabDaemon *
confab_daemon_new (const ConfabOptions *options)
{
  ConfabDaemon *self;

  g_return_val_if_fail (options != NULL, NULL);

  self = g_new0 (ConfabDaemon, 1);
  self->options = options;

  return self;
}

/**
 * confab_daemon_free:
 * @self: (transfer full): a daemon that does not run
 */
void
confab_daemon_free (ConfabDaemon *self)
{
  for (guint i = 0; i < G_N_ELEMENTS (self->sources); i++)
    g_clear_handle_id (&self->sources[i], g_source_remove);
  if (self->config != NULL)
    g_signal_handlers_disconnect_by_data (self->config, self);
  g_clear_object (&self->idle);
  g_clear_object (&self->reporter);
  g_clear_object (&self->trimmer);
  if (self->bus_name != NULL)
    g_signal_handlers_disconnect_by_data (self->bus_name, self);
  g_clear_pointer (&self->desktop, confab_desktop_free);
  g_clear_object (&self->bus);
  g_clear_object (&self->bus_name);
  g_clear_pointer (&self->listeners, confab_listeners_free);
  g_clear_object (&self->server);
  g_clear_object (&self->gateway);
  g_clear_object (&self->web);
  g_clear_pointer (&self->streams, confab_chat_streams_unref);
  g_clear_object (&self->guard);
  g_clear_object (&self->service);
  g_clear_object (&self->store);
  g_clear_object (&self->providers);
  g_clear_object (&self->access);
  g_clear_pointer (&self->limits, confab_limits_unref);
  g_clear_pointer (&self->keys, confab_keys_free);
  g_clear_pointer (&self->settings, confab_settings_free);
  g_clear_object (&self->config);
  g_clear_object (&self->secrets);
  g_clear_pointer (&self->activation, confab_activation_free);
  g_clear_pointer (&self->supervisor, confab_supervisor_free);
  g_clear_pointer (&self->loop, g_main_loop_unref);
  g_free (self);
}

gboolean
confab_daemon_give_up (ConfabDaemon *self, int exit_status, const GError *error)
{
  g_printerr ("confabd: %s\n", error->message);
  self->exit_status = exit_status;

  return FALSE;
}

/* A database that cannot be used is left as it is. */
static gboolean
open_store (ConfabDaemon *self)
{
  g_autofree char *path = g_build_filename (self->options->data_dir, "confab.db", NULL);
  g_autoptr (GError) error = NULL;

  if (g_mkdir_with_parents (self->options->data_dir, 0700) != 0)
    {
      g_set_error (&error, G_FILE_ERROR, g_file_error_from_errno (errno),
                   _ ("The folder “%s” cannot be made: %s."), self->options->data_dir,
                   g_strerror (errno));
      return confab_daemon_give_up (self, CONFAB_DAEMON_EXIT_USAGE, error);
    }
  self->store = confab_store_open (self->options->in_memory ? NULL : path, &error);
  if (self->store == NULL)
    return confab_daemon_give_up (self, CONFAB_DAEMON_EXIT_USAGE, error);

  self->service = confab_service_new (self->store);

  return confab_service_load (self->service, &error)
         || confab_daemon_give_up (self, CONFAB_DAEMON_EXIT_USAGE, error);
}

/* What everybody gets who is let in, with Socket.IO or without. */
static void
serve_http (ConfabDaemon *self)
{
  SoupServer *http = socketio_server_get_soup_server (self->server);
  ConfabCallContext context = { self->service, CONFAB_VERSION, CONFAB_MAX_BODY_BYTES };
  guint max_payload = 0;

  if (self->options->realtime)
    {
      g_object_get (self->server, "max-payload", &max_payload, NULL);
      context.max_payload = max_payload;
    }

  self->guard = confab_guard_new (self->access, self->limits, self->server);
  self->web = confab_web_new (self->service, self->access, http);
  self->streams = confab_chat_streams_new (confab_service_get_metrics (self->service));
  confab_http_chat_serve (self->service, self->streams, http);
  confab_http_call_serve (&context, http);
  confab_http_metrics_serve (self->service, self->streams, self->server, CONFAB_VERSION);
}

static SocketioServer *
make_server (ConfabDaemon *self)
{
  SocketioServer *server =
      g_object_new (SOCKETIO_TYPE_SERVER, "path", CONFAB_SOCKET_PATH, "max-queued-bytes",
                    (guint64) MAX_QUEUED_BYTES, "recovery-window", RECOVERY_WINDOW_MS, "allow-eio3",
                    self->settings->allow_eio3, NULL);

  socketio_server_set_realtime (server, self->options->realtime);

  return server;
}

/* Everything that wrong settings can break, before anything is seen from outside. */
static gboolean
set_up (ConfabDaemon *self)
{
  const ConfabOptions *options = self->options;
  g_autoptr (GError) error = NULL;

  self->supervisor = confab_supervisor_new ();
  self->activation = confab_activation_take (&error);
  if (self->activation == NULL)
    return confab_daemon_give_up (self, CONFAB_DAEMON_EXIT_USAGE, error);
  self->secrets = confab_secrets_new ();
  self->config = confab_config_new (options->config, &error);
  if (self->config == NULL || !confab_daemon_read_settings (self, &error))
    return confab_daemon_give_up (self, CONFAB_DAEMON_EXIT_USAGE, error);
  /* before the data and the port, which the one that we replace may have */
  self->bus_name = confab_bus_name_claim (options->bus, options->replace, &error);
  if (error != NULL)
    return confab_daemon_give_up (self, EXIT_FAILURE, error);
  if (!options->dev)
    {
      self->keys = confab_keys_load (options->data_dir, &error);
      if (self->keys == NULL)
        return confab_daemon_give_up (self, CONFAB_DAEMON_EXIT_USAGE, error);
    }

  self->access = confab_access_new (self->keys);
  if (!open_store (self))
    return FALSE;
  self->limits = confab_limits_new (confab_service_get_metrics (self->service));
  self->server = make_server (self);

  serve_http (self);
  if (options->realtime)
    self->gateway = confab_gateway_new (self->service, self->access, self->limits, self->server,
                                        CONFAB_VERSION);

  if (self->bus_name != NULL)
    self->bus =
        confab_bus_new (self->service, self->access, self->limits, self->server, CONFAB_VERSION);
  if (self->bus_name != NULL && !confab_bus_name_is_system (self->bus_name))
    self->desktop = confab_desktop_new (self->service, self->access);

  confab_daemon_apply_settings (self);
  g_signal_connect_swapped (self->config, "changed", G_CALLBACK (confab_daemon_reload), self);

  return TRUE;
}

static void
closed_cb (GObject *object, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GMainLoop) loop = user_data;

  socketio_server_close_finish (SOCKETIO_SERVER (object), result, NULL);
  g_main_loop_quit (loop);
}

static void
shut_down_cb (GObject *object, GAsyncResult *result, gpointer user_data)
{
  ConfabDaemon *self = user_data;
  g_autoptr (GError) error = NULL;

  if (!confab_service_shutdown_finish (CONFAB_SERVICE (object), result, &error))
    g_warning ("Not everything could be kept: %s", error->message);
  if (self->gateway != NULL)
    confab_gateway_flush (self->gateway);
  socketio_server_close_async (self->server, CLOSE_TIMEOUT_MS, closed_cb,
                               g_main_loop_ref (self->loop));
}

static gboolean
time_is_up_cb (gpointer user_data)
{
  ConfabDaemon *self = user_data;

  g_warning ("Some connections did not close in time");
  self->sources[2] = 0;
  g_main_loop_quit (self->loop);

  return G_SOURCE_REMOVE;
}

/* First the ends are kept and told, then the connections close. */
void
confab_daemon_shut_down (ConfabDaemon *self)
{
  if (self->stopping)
    return;

  self->stopping = TRUE;
  self->stopping_since = g_get_monotonic_time ();
  g_message ("Shutting down");
  confab_supervisor_stopping (self->supervisor);
  self->sources[2] = g_timeout_add (SHUTDOWN_TIMEOUT_MS, time_is_up_cb, self);
  g_source_set_name_by_id (self->sources[2], "[confab] shutdown limit");
  confab_service_shutdown_async (self->service, shut_down_cb, self);
}

/* Who signals both a process and its group, as timeout(1) and many a wrapper do, asks once; who
 * asks again later has lost patience. */
static gboolean
signal_cb (gpointer user_data)
{
  ConfabDaemon *self = user_data;

  if (!self->stopping)
    confab_daemon_shut_down (self);
  else if (g_get_monotonic_time () - self->stopping_since > SAME_SIGNAL_MS * 1000)
    {
      self->exit_status = EXIT_FAILURE;
      g_main_loop_quit (self->loop);
    }

  return G_SOURCE_CONTINUE;
}

static gboolean
reload_cb (gpointer user_data)
{
  ConfabDaemon *self = user_data;

  if (self->stopping)
    return G_SOURCE_CONTINUE;

  confab_supervisor_reloading (self->supervisor);
  confab_daemon_reload (self);
  confab_supervisor_ready (self->supervisor);

  return G_SOURCE_CONTINUE;
}

static void
idle_expired_cb (ConfabDaemon *self)
{
  if (self->stopping)
    return;
  g_message ("Nobody has needed Confab for %u seconds", self->settings->idle_timeout);
  confab_daemon_shut_down (self);
}

/* Whoever starts a service on demand starts it again, so it may go when nobody needs it. */
static gboolean
is_on_demand (ConfabDaemon *self)
{
  return confab_activation_get_n_sockets (self->activation) > 0
         || g_getenv ("DBUS_STARTER_ADDRESS") != NULL;
}

static void
watch_idleness (ConfabDaemon *self)
{
  self->idle = confab_idle_new (self->service, self->server, self->bus);
  g_signal_connect_swapped (self->idle, "expired", G_CALLBACK (idle_expired_cb), self);
  if (self->bus != NULL)
    g_signal_connect_object (self->bus, "called", G_CALLBACK (confab_idle_touch), self->idle,
                             G_CONNECT_SWAPPED);
  confab_idle_set_timeout (self->idle, self->settings->idle_timeout);
}

static void
serve (ConfabDaemon *self)
{
  self->loop = g_main_loop_new (NULL, FALSE);
  self->sources[0] = g_unix_signal_add (SIGTERM, signal_cb, self);
  g_source_set_name_by_id (self->sources[0], "[confab] SIGTERM");
  self->sources[1] = g_unix_signal_add (SIGINT, signal_cb, self);
  g_source_set_name_by_id (self->sources[1], "[confab] SIGINT");
  self->sources[3] = g_unix_signal_add (SIGHUP, reload_cb, self);
  g_source_set_name_by_id (self->sources[3], "[confab] SIGHUP");

  confab_daemon_announce (self);
  self->reporter = confab_reporter_new (self->service, self->supervisor);
  self->trimmer = confab_trimmer_new (self->service, self->server);
  if (is_on_demand (self))
    watch_idleness (self);
  confab_supervisor_ready (self->supervisor);
  confab_daemon_start_provider (self);
  g_main_loop_run (self->loop);

  /* what was cancelled calls back once more, and frees what it holds */
  for (guint i = 0; i < 100 && g_main_context_iteration (NULL, FALSE); i++)
    ;
}

/**
 * confab_daemon_run:
 * @self: a daemon
 *
 * Serves until SIGTERM or SIGINT. What keeps it from that is told on standard error in one
 * sentence.
 *
 * Returns: the exit status of the program; %CONFAB_DAEMON_EXIT_USAGE if options or settings are
 *   wrong
 */
int
confab_daemon_run (ConfabDaemon *self)
{
  g_return_val_if_fail (self != NULL, EXIT_FAILURE);

  if (set_up (self) && confab_daemon_listen (self) && confab_daemon_show_on_bus (self))
    serve (self);

  return self->exit_status;
}

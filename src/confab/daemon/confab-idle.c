/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-idle.h"

#include "confab-service-transfer.h"

/* How often it is looked whether somebody is connected; connections that come and go in between are
 * seen by their requests. */
#define LOOKS_PER_TIMEOUT 8

struct _ConfabIdle
{
  GObject parent_instance;

  ConfabService *service;
  SocketioServer *server;
  ConfabBus *bus;   /* NULL: on no bus */
  guint timeout;    /* in seconds; 0: never */
  gint64 last_seen; /* monotonic */
  guint look_source;
};

G_DEFINE_FINAL_TYPE (ConfabIdle, confab_idle, G_TYPE_OBJECT)

enum
{
  EXPIRED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void
confab_idle_finalize (GObject *object)
{
  ConfabIdle *self = CONFAB_IDLE (object);

  g_clear_handle_id (&self->look_source, g_source_remove);
  g_signal_handlers_disconnect_by_data (socketio_server_get_soup_server (self->server), self);
  g_clear_object (&self->service);
  g_clear_object (&self->server);
  g_clear_object (&self->bus);

  G_OBJECT_CLASS (confab_idle_parent_class)->finalize (object);
}

static void
confab_idle_class_init (ConfabIdleClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = confab_idle_finalize;

  signals[EXPIRED] = g_signal_new ("expired", CONFAB_TYPE_IDLE, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                   NULL, G_TYPE_NONE, 0);
}

static void
confab_idle_init (ConfabIdle *self)
{
  confab_idle_touch (self);
}

/**
 * confab_idle_new:
 *
 * Returns: (transfer full): one that never expires, until confab_idle_set_timeout()
 */
ConfabIdle *
confab_idle_new (ConfabService *service, SocketioServer *server, ConfabBus *bus)
{
  ConfabIdle *self = g_object_new (CONFAB_TYPE_IDLE, NULL);

  self->service = g_object_ref (service);
  self->server = g_object_ref (server);
  g_set_object (&self->bus, bus);
  g_signal_connect_swapped (socketio_server_get_soup_server (server), "request-started",
                            G_CALLBACK (confab_idle_touch), self);
  g_signal_connect_swapped (socketio_server_get_soup_server (server), "request-finished",
                            G_CALLBACK (confab_idle_touch), self);

  return self;
}

static gboolean
look_cb (gpointer user_data)
{
  ConfabIdle *self = user_data;

  if (confab_service_get_n_running (self->service) > 0
      || confab_service_get_n_transfers (self->service) > 0
      || socketio_server_get_n_connections (self->server) > 0
      || (self->bus != NULL && confab_bus_is_watched (self->bus)))
    confab_idle_touch (self);
  else if (g_get_monotonic_time () - self->last_seen >= self->timeout * G_USEC_PER_SEC)
    {
      self->look_source = 0;
      g_signal_emit (self, signals[EXPIRED], 0);
      return G_SOURCE_REMOVE;
    }

  return G_SOURCE_CONTINUE;
}

/**
 * confab_idle_set_timeout:
 * @seconds: how long nobody must have been there, an eighth of it more or less; 0 for never
 */
void
confab_idle_set_timeout (ConfabIdle *self, guint seconds)
{
  g_return_if_fail (CONFAB_IS_IDLE (self));

  if (self->timeout == seconds)
    return;

  self->timeout = seconds;
  g_clear_handle_id (&self->look_source, g_source_remove);
  if (seconds == 0)
    return;
  self->look_source = g_timeout_add (seconds * 1000 / LOOKS_PER_TIMEOUT, look_cb, self);
  g_source_set_name_by_id (self->look_source, "[confab] idle");
}

void
confab_idle_touch (ConfabIdle *self)
{
  self->last_seen = g_get_monotonic_time ();
}

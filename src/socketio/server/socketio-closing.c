/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "socketio-closing.h"

/* How often it looks whether the last connections are through. */
#define CHECK_MS 10
#define REASON "server shutting down"

struct _SocketioClosing
{
  SocketioReactor *reactor; /* the server's; so are the next two */
  EngineioServer *engine;
  SocketioFront *front;
  GTask *task; /* NULL: not running */
  SocketioTimer timer;
  gint64 deadline; /* monotonic, µs */
};

SocketioClosing *
socketio_closing_new (SocketioReactor *reactor, EngineioServer *engine, SocketioFront *front)
{
  SocketioClosing *self = g_new0 (SocketioClosing, 1);

  self->reactor = reactor;
  self->engine = engine;
  self->front = front;
  return self;
}

gboolean
socketio_closing_is_running (SocketioClosing *self)
{
  return self->task != NULL;
}

static void
finish (SocketioClosing *self)
{
  g_autoptr (GTask) task = g_steal_pointer (&self->task);

  socketio_reactor_stop_timer (self->reactor, &self->timer);
  g_task_return_boolean (task, TRUE);
}

/* A client that polls comes for the rest with a new connection; all others are refused meanwhile.
 */
static void
maybe_stop_listening (SocketioClosing *self)
{
  if (!engineio_server_awaits_polls (self->engine))
    socketio_front_stop_listening (self->front);
}

/* The sessions end when their transports are told to; those then still say goodbye. */
static void
check_cb (gpointer user_data)
{
  SocketioClosing *self = user_data;

  maybe_stop_listening (self);
  if (g_get_monotonic_time () >= self->deadline)
    {
      engineio_server_abort_sessions (self->engine, REASON);
      maybe_stop_listening (self);
      finish (self);
    }
  else if (engineio_server_get_n_sessions (self->engine) == 0
           && socketio_reactor_get_n_shards (self->reactor) == 0)
    finish (self);
  else
    socketio_reactor_start_timer (self->reactor, &self->timer, CHECK_MS, check_cb, self);
}

void
socketio_closing_start (SocketioClosing *self, guint timeout_ms, GTask *task)
{
  g_assert (self->task == NULL);

  self->task = task;
  self->deadline = g_get_monotonic_time () + timeout_ms * G_GINT64_CONSTANT (1000);
  engineio_server_close_sessions (self->engine, REASON);
  maybe_stop_listening (self);
  socketio_reactor_start_timer (self->reactor, &self->timer, CHECK_MS, check_cb, self);
}

void
socketio_closing_free (SocketioClosing *self)
{
  if (self->task != NULL)
    finish (self);
  g_free (self);
}

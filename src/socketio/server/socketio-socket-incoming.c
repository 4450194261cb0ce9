/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What clients send: events, through the filter, and acknowledgements. */
#include "socketio-decision-private.h"
#include "socketio-socket-struct-private.h"

/* The function that incoming events have to pass. */
struct _SocketioFilter
{
  grefcount ref_count;
  SocketioEventFilter func;
  gpointer user_data;
  GDestroyNotify destroy;
};

/* An event on its way through it. */
typedef struct
{
  SocketioSocket *socket;
  SocketioFilter *filter;
  char *event;
  SocketioArgs *args;
  SocketioAck *ack; /* nullable */
} Passage;

void
socketio_filter_unref (SocketioFilter *filter)
{
  if (!g_ref_count_dec (&filter->ref_count))
    return;
  if (filter->destroy != NULL)
    filter->destroy (filter->user_data);
  g_free (filter);
}

/**
 * socketio_socket_set_event_filter:
 * @self: a socket
 * @filter: (scope notified) (nullable): decides on each event that comes in
 * @user_data: for @filter
 * @destroy: for @user_data
 *
 * Puts a function before all handlers of events (`use()` of a socket). What it refuses is told by
 * [signal@Socket::refused].
 */
void
socketio_socket_set_event_filter (SocketioSocket *self,
                                  SocketioEventFilter filter,
                                  gpointer user_data,
                                  GDestroyNotify destroy)
{
  g_return_if_fail (SOCKETIO_IS_SOCKET (self));

  g_clear_pointer (&self->filter, socketio_filter_unref);
  if (filter == NULL)
    return;
  self->filter = g_new (SocketioFilter, 1);
  g_ref_count_init (&self->filter->ref_count);
  self->filter->func = filter;
  self->filter->user_data = user_data;
  self->filter->destroy = destroy;
}

static void
deliver_event (SocketioSocket *self, const char *event, SocketioArgs *args, SocketioAck *ack)
{
  /* A name that nobody listens for has no quark, and gets none: what peers send is never interned.
   * Handlers without a detail hear of it all the same. */
  g_signal_emit (self, socketio_socket_signals[SOCKETIO_SOCKET_SIGNAL_EVENT],
                 g_quark_try_string (event), event, args, ack);
}

static void
passed_cb (gboolean allowed, const char *message, const char *data, gpointer user_data)
{
  Passage *passage = user_data;

  if (passage->socket->connected && allowed)
    deliver_event (passage->socket, passage->event, passage->args, passage->ack);
  else if (passage->socket->connected)
    g_signal_emit (passage->socket, socketio_socket_signals[SOCKETIO_SOCKET_SIGNAL_REFUSED], 0,
                   passage->event, message != NULL ? message : "Refused", passage->ack);
  g_object_unref (passage->socket);
  socketio_filter_unref (passage->filter);
  g_free (passage->event);
  socketio_args_unref (passage->args);
  g_clear_pointer (&passage->ack, socketio_ack_unref);
  g_free (passage);
}

static void
filter_event (SocketioSocket *self, const char *event, SocketioArgs *args, SocketioAck *ack)
{
  Passage *passage = g_new (Passage, 1);
  g_autoptr (SocketioDecision) decision = socketio_decision_new (passed_cb, passage);
  SocketioFilter *filter = self->filter;

  g_ref_count_inc (&filter->ref_count);
  *passage = (Passage){ g_object_ref (self), filter, g_strdup (event), socketio_args_ref (args),
                        ack != NULL ? socketio_ack_ref (ack) : NULL };
  filter->func (self, event, args, decision, filter->user_data);
}

void
socketio_socket_handle_event (SocketioSocket *self,
                              const char *event,
                              SocketioArgs *args,
                              gint64 id)
{
  g_autoptr (SocketioSocket) alive G_GNUC_UNUSED = g_object_ref (self);
  g_autoptr (SocketioAck) ack = id >= 0 ? socketio_ack_new (self, id) : NULL;

  if (self->filter != NULL)
    filter_event (self, event, args, ack);
  else
    deliver_event (self, event, args, ack);
}

void
socketio_socket_handle_ack (SocketioSocket *self, gint64 id, SocketioArgs *args)
{
  g_autoptr (GTask) task =
      self->waiting != NULL ? socketio_ack_waits_take (self->waiting, id) : NULL;

  /* an ack that nobody waits for (any more) is ignored */
  if (task != NULL)
    g_task_return_pointer (task, socketio_args_ref (args), (GDestroyNotify) socketio_args_unref);
}

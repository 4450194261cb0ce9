/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "socketio-ack-waits-private.h"

#include "socketio-error.h"

struct _SocketioAckWaits
{
  GHashTable *tasks; /* id → GTask */
};

/* The data of a task. */
typedef struct
{
  SocketioAckWaits *waits; /* not owned: it ends the task before it goes */
  gint64 id;
  GSource *timeout; /* nullable */
  gulong cancelled_id;
} Wait;

static void
wait_free (gpointer data)
{
  Wait *wait = data;

  if (wait->timeout != NULL)
    {
      g_source_destroy (wait->timeout);
      g_source_unref (wait->timeout);
    }
  g_free (wait);
}

SocketioAckWaits *
socketio_ack_waits_new (void)
{
  SocketioAckWaits *self = g_new0 (SocketioAckWaits, 1);

  self->tasks = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, g_object_unref);
  return self;
}

static void
end_wait (GTask *task)
{
  Wait *wait = g_task_get_task_data (task);

  if (wait->cancelled_id != 0)
    g_signal_handler_disconnect (g_task_get_cancellable (task), wait->cancelled_id);
  wait->cancelled_id = 0;
  if (wait->timeout != NULL)
    g_source_destroy (wait->timeout);
}

GTask *
socketio_ack_waits_take (SocketioAckWaits *self, gint64 id)
{
  gpointer task = NULL;

  if (!g_hash_table_steal_extended (self->tasks, &id, NULL, &task))
    return NULL;
  end_wait (task);
  return task;
}

void
socketio_ack_waits_fail (SocketioAckWaits *self)
{
  g_autoptr (GHashTable) tasks = g_steal_pointer (&self->tasks);
  GHashTableIter iter;
  gpointer task;

  /* what is added meanwhile is of another table */
  self->tasks = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, g_object_unref);
  g_hash_table_iter_init (&iter, tasks);
  while (g_hash_table_iter_next (&iter, NULL, &task))
    {
      end_wait (task);
      g_task_return_new_error (task, SOCKETIO_ERROR, SOCKETIO_ERROR_DISCONNECTED,
                               "The socket was disconnected before it acknowledged");
    }
}

void
socketio_ack_waits_free (SocketioAckWaits *self)
{
  socketio_ack_waits_fail (self);
  g_hash_table_unref (self->tasks);
  g_free (self);
}

static gboolean
timeout_cb (gpointer user_data)
{
  Wait *wait = g_task_get_task_data (user_data);
  g_autoptr (GTask) task = socketio_ack_waits_take (wait->waits, wait->id);

  g_task_return_new_error (task, SOCKETIO_ERROR, SOCKETIO_ERROR_TIMED_OUT,
                           "The client did not acknowledge in time");
  return G_SOURCE_REMOVE;
}

static void
cancelled_cb (GCancellable *cancellable, gpointer user_data)
{
  Wait *wait = g_task_get_task_data (user_data);
  g_autoptr (GTask) task = NULL;

  /* within the cancellable's own emission its handler cannot be disconnected */
  wait->cancelled_id = 0;
  task = socketio_ack_waits_take (wait->waits, wait->id);
  if (task != NULL)
    g_task_return_error_if_cancelled (task);
}

void
socketio_ack_waits_add (SocketioAckWaits *self, gint64 id, guint timeout_ms, GTask *task)
{
  GCancellable *cancellable = g_task_get_cancellable (task);
  Wait *wait = g_new0 (Wait, 1);

  wait->waits = self;
  wait->id = id;
  g_task_set_task_data (task, wait, wait_free);
  g_hash_table_insert (self->tasks, &wait->id, g_object_ref (task));

  if (timeout_ms > 0)
    {
      wait->timeout = g_timeout_source_new (timeout_ms);
      g_source_set_static_name (wait->timeout, "Socket.IO ack timeout");
      g_source_set_callback (wait->timeout, timeout_cb, task, NULL);
      g_source_attach (wait->timeout, g_task_get_context (task));
    }
  if (cancellable != NULL)
    wait->cancelled_id =
        g_signal_connect (cancellable, "cancelled", G_CALLBACK (cancelled_cb), task);
}

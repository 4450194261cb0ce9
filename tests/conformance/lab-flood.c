/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lab-flood.h"

/* A flood pauses while this much is queued. */
#define FLOOD_MARK (64 * 1024)

/* Something to say to a socket later. */
/* What one socket is being flooded with; goes with the socket. */
typedef struct
{
  gint64 left;
  gint64 sent;
  gint64 n_drained;
  guint64 most_queued;
  char *json; /* the arguments */
} Flood;

static void
flood_free (gpointer data)
{
  Flood *flood = data;

  g_free (flood->json);
  g_free (flood);
}

static void
flood_advance (SocketioSocket *socket, Flood *flood)
{
  while (flood->left > 0 && socketio_socket_get_queued_bytes (socket) < FLOOD_MARK
         && socketio_socket_emit_json (socket, "chunk", flood->json))
    {
      flood->left--;
      flood->sent++;
      flood->most_queued = MAX (flood->most_queued, socketio_socket_get_queued_bytes (socket));
    }
}

static void
drained_cb (SocketioSocket *socket, gpointer user_data)
{
  Flood *flood = user_data;
  g_autoptr (SocketioArgs) args = NULL;

  flood->n_drained++;
  if (flood->left > 0)
    {
      flood_advance (socket, flood);
      return;
    }
  if (flood->sent == 0)
    return;

  args = socketio_args_new ();
  socketio_args_add_int (args, flood->sent);
  socketio_args_add_int (args, flood->n_drained);
  socketio_args_add_int (args, (gint64) flood->most_queued);
  flood->sent = 0;
  socketio_socket_emit (socket, "flooded", args);
}

void
lab_flood (SocketioSocket *socket, gint64 n_chunks, gsize size)
{
  Flood *flood = g_new0 (Flood, 1);
  g_autofree char *text = g_strnfill (size, 'x');

  flood->left = n_chunks;
  flood->json = g_strdup_printf ("\"%s\"", text);
  g_object_set_data_full (G_OBJECT (socket), "lab-flood", flood, flood_free);
  g_signal_connect (socket, "drained", G_CALLBACK (drained_cb), flood);
  flood_advance (socket, flood);
}

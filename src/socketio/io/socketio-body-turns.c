/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "socketio-body-turns.h"

/* Pieces of a body that are read without a pause, at most; libsoup's are of 8 KiB or less. */
#define SHARE 64

static GQuark
socketio_body_turns_quark (void)
{
  return g_quark_from_static_string ("socketio-body-turns");
}

/* Reading goes on in a later turn of the loop, unless somebody who hears of the piece after us
 * wants it to wait for longer. */
static void
got_chunk_cb (SoupServerMessage *message, GBytes *chunk, gpointer user_data)
{
  GQuark quark = socketio_body_turns_quark ();
  guint n = GPOINTER_TO_UINT (g_object_get_qdata (G_OBJECT (message), quark)) + 1;

  if (n == SHARE)
    {
      soup_server_message_pause (message);
      soup_server_message_unpause (message);
      n = 0;
    }
  g_object_set_qdata (G_OBJECT (message), quark, GUINT_TO_POINTER (n));
}

void
socketio_body_turns_keep (SoupServerMessage *message)
{
  g_signal_connect (message, "got-chunk", G_CALLBACK (got_chunk_cb), NULL);
}

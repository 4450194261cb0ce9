/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-following.h"

#include "confab-wire.h"

struct _ConfabFollowing
{
  GHashTable *table; /* not owned: it owns us */
  SocketioNamespace *namespace;
  ConfabGeneration *generation;
  char *room;
  GString *json;        /* reused for every delta */
  GPtrArray *followers; /* of char: ids of sockets, which may be gone */
};

static void
following_free (gpointer data)
{
  ConfabFollowing *self = data;

  g_signal_handlers_disconnect_by_data (self->generation, self);
  g_clear_object (&self->generation);
  g_clear_object (&self->namespace);
  g_ptr_array_unref (self->followers);
  g_string_free (self->json, TRUE);
  g_free (self->room);
  g_free (self);
}

static void
delta_cb (ConfabGeneration *generation, const ConfabDelta *delta, gpointer user_data)
{
  ConfabFollowing *self = user_data;

  g_string_truncate (self->json, 0);
  confab_wire_append_delta (self->json, generation, delta);
  socketio_namespace_emit_json (self->namespace, self->room, NULL,
                                confab_wire_delta_event (delta->kind), self->json->str);
}

static void
ended_cb (ConfabGeneration *generation, gpointer user_data)
{
  ConfabFollowing *self = user_data;

  g_string_truncate (self->json, 0);
  confab_wire_append_end (self->json, generation);
  socketio_namespace_emit_json (self->namespace, self->room, NULL,
                                confab_wire_end_event (generation), self->json->str);

  for (guint i = 0; i < self->followers->len; i++)
    {
      SocketioSocket *socket =
          socketio_namespace_lookup (self->namespace, g_ptr_array_index (self->followers, i));

      if (socket != NULL)
        socketio_socket_leave (socket, self->room);
    }

  g_hash_table_remove (self->table, generation);
}

/**
 * confab_following_table_new:
 *
 * Returns: (transfer full): an empty table for confab_following_ensure()
 */
GHashTable *
confab_following_table_new (void)
{
  return g_hash_table_new_full (NULL, NULL, NULL, following_free);
}

/**
 * confab_following_ensure:
 * @table: of confab_following_table_new()
 * @namespace: where the followers are
 * @generation: a generation that has not ended
 *
 * Returns: (transfer none): the following of @generation, which lives until its end
 */
ConfabFollowing *
confab_following_ensure (GHashTable *table,
                         SocketioNamespace *namespace,
                         ConfabGeneration *generation)
{
  ConfabFollowing *self = g_hash_table_lookup (table, generation);

  g_return_val_if_fail (!confab_generation_is_ended (generation), NULL);

  if (self != NULL)
    return self;

  self = g_new0 (ConfabFollowing, 1);
  self->table = table;
  self->namespace = g_object_ref (namespace);
  self->generation = g_object_ref (generation);
  self->room = g_strconcat ("generation:", confab_generation_get_id (generation), NULL);
  self->json = g_string_sized_new (256);
  self->followers = g_ptr_array_new_with_free_func (g_free);
  g_signal_connect (generation, "delta", G_CALLBACK (delta_cb), self);
  g_signal_connect (generation, "ended", G_CALLBACK (ended_cb), self);
  g_hash_table_insert (table, generation, self);

  return self;
}

/**
 * confab_following_add:
 * @self: a following
 * @socket: who follows from now on; following twice is following once
 */
void
confab_following_add (ConfabFollowing *self, SocketioSocket *socket)
{
  if (socketio_socket_is_in (socket, self->room))
    return;

  socketio_socket_join (socket, self->room);
  g_ptr_array_add (self->followers, g_strdup (socketio_socket_get_id (socket)));
}

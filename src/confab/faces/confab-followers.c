/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-followers.h"

#include "confab-following.h"
#include "confab-wire-objects.h"

/* How long the end of a generation is remembered for those whose connection was lost at that time,
 * which they and we may notice late, before the library's recovery is over. */
#define REMEMBER_SECONDS 180
/* And of how many generations, followers, and bytes of text. */
#define MAX_ENDED 256
#define MAX_ENDED_ABSENT 16384
#define MAX_ENDED_BYTES (4 * 1024 * 1024)

typedef struct
{
  ConfabFollowing *following;
  gint64 expires; /* monotonic, µs */
  guint n_absent;
  gsize n_bytes;
} Ended;

struct _ConfabFollowers
{
  ConfabService *service;
  SocketioNamespace *namespace;
  GHashTable *followings; /* ConfabGeneration → ConfabFollowing, until its end was told */
  ConfabLaggards *laggards;
  guint interval_ms;

  GQueue ended; /* of Ended, the oldest first */
  guint n_absent;
  gsize n_bytes;
  GSource *expiry; /* while there are any */
};

/* Sockets leave their rooms when they go, so that no table here grows. */
static char *
make_room_name (const char *module_id)
{
  return g_strconcat ("module:", module_id, NULL);
}

static ConfabFollowing *ensure_following (ConfabFollowers *self, ConfabGeneration *generation);

static void
forget_oldest (ConfabFollowers *self)
{
  Ended *ended = g_queue_pop_head (&self->ended);

  self->n_absent -= ended->n_absent;
  self->n_bytes -= ended->n_bytes;
  confab_following_unref (ended->following);
  g_free (ended);
  if (!g_queue_is_empty (&self->ended) || self->expiry == NULL)
    return;

  g_source_destroy (self->expiry);
  g_clear_pointer (&self->expiry, g_source_unref);
}

static gboolean
expiry_cb (gpointer user_data)
{
  ConfabFollowers *self = user_data;
  gint64 now = g_get_monotonic_time ();
  const Ended *oldest;

  while ((oldest = g_queue_peek_head (&self->ended)) != NULL && oldest->expires <= now)
    forget_oldest (self);

  return self->expiry != NULL ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

/* For those who may not have heard of the end. */
static void
remember (ConfabFollowers *self, ConfabFollowing *following)
{
  ConfabGeneration *generation = confab_following_get_generation (following);
  Ended *ended;

  if (confab_following_get_n_absent (following) == 0)
    return;

  ended = g_new0 (Ended, 1);
  ended->following = confab_following_ref (following);
  ended->expires = g_get_monotonic_time () + REMEMBER_SECONDS * G_TIME_SPAN_SECOND;
  ended->n_absent = confab_following_get_n_absent (following);
  ended->n_bytes = strlen (confab_generation_get_text (generation))
                   + strlen (confab_generation_get_reasoning (generation));
  self->n_absent += ended->n_absent;
  self->n_bytes += ended->n_bytes;
  g_queue_push_tail (&self->ended, ended);
  while (self->ended.length > MAX_ENDED || self->n_absent > MAX_ENDED_ABSENT
         || self->n_bytes > MAX_ENDED_BYTES)
    forget_oldest (self);

  if (self->expiry != NULL || g_queue_is_empty (&self->ended))
    return;
  self->expiry = g_timeout_source_new_seconds (REMEMBER_SECONDS / 6);
  g_source_set_static_name (self->expiry, "[confab] endings");
  g_source_set_callback (self->expiry, expiry_cb, self, NULL);
  g_source_attach (self->expiry, g_main_context_get_thread_default ());
}

static void
ended_cb (ConfabGeneration *generation, gpointer user_data)
{
  ConfabFollowers *self = user_data;
  ConfabFollowing *following = g_hash_table_lookup (self->followings, generation);

  g_signal_handlers_disconnect_by_func (generation, ended_cb, self);
  confab_following_end (following);
  remember (self, following);
  g_hash_table_remove (self->followings, generation);
}

static ConfabFollowing *
ensure_following (ConfabFollowers *self, ConfabGeneration *generation)
{
  ConfabFollowing *following = g_hash_table_lookup (self->followings, generation);

  if (following != NULL)
    return following;

  following = confab_following_new (generation, self->namespace, self->laggards, self->interval_ms);
  g_hash_table_insert (self->followings, generation, following);
  g_signal_connect (generation, "ended", G_CALLBACK (ended_cb), self);

  return following;
}

/* Those of the module join those who asked, who are there already. */
static void
started_cb (ConfabService *service, ConfabGeneration *generation, gpointer user_data)
{
  ConfabFollowers *self = user_data;
  g_autofree char *room = make_room_name (confab_generation_get_module_id (generation));
  g_autoptr (GPtrArray) sockets = socketio_namespace_fetch_sockets (self->namespace, room);
  ConfabFollowing *following = g_hash_table_lookup (self->followings, generation);

  if (sockets->len == 0 && following == NULL)
    return;

  following = ensure_following (self, generation);
  for (guint i = 0; i < sockets->len; i++)
    confab_following_add (following, g_ptr_array_index (sockets, i));
  confab_following_start (following);
}

/* To all of the module; to those that are away when they are recovered. */
static void
branch_changed_cb (ConfabService *service, const ConfabBranchChange *change, gpointer user_data)
{
  ConfabFollowers *self = user_data;
  g_autofree char *room = make_room_name (confab_module_get_id (change->module));
  g_autofree char *json = confab_wire_to_string (confab_wire_branch_change (change));
  g_autoptr (SocketioBroadcast) broadcast = socketio_namespace_broadcast (self->namespace);

  socketio_broadcast_to (broadcast, room);
  socketio_broadcast_emit_json (broadcast, "ai:chat:branch", json);
}

/**
 * confab_followers_new:
 * @service: whose generations to tell of
 * @namespace: where the sockets are
 *
 * Returns: (transfer full): the followers, none so far
 */
ConfabFollowers *
confab_followers_new (ConfabService *service, SocketioNamespace *namespace)
{
  ConfabFollowers *self = g_new0 (ConfabFollowers, 1);

  self->service = g_object_ref (service);
  self->namespace = g_object_ref (namespace);
  self->followings =
      g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) confab_following_unref);
  g_queue_init (&self->ended);
  self->laggards = confab_laggards_new (namespace, confab_service_get_metrics (service));
  g_signal_connect (service, "generation-started", G_CALLBACK (started_cb), self);
  g_signal_connect (service, "branch-changed", G_CALLBACK (branch_changed_cb), self);

  return self;
}

void
confab_followers_free (ConfabFollowers *self)
{
  GHashTableIter iter;
  gpointer generation;

  g_signal_handlers_disconnect_by_data (self->service, self);
  while (!g_queue_is_empty (&self->ended))
    forget_oldest (self);
  g_hash_table_iter_init (&iter, self->followings);
  while (g_hash_table_iter_next (&iter, &generation, NULL))
    g_signal_handlers_disconnect_by_data (generation, self);
  confab_laggards_free (self->laggards);
  g_hash_table_unref (self->followings);
  g_object_unref (self->namespace);
  g_object_unref (self->service);
  g_free (self);
}

void
confab_followers_set_chunk_interval (ConfabFollowers *self, guint interval_ms)
{
  self->interval_ms = interval_ms;
}

void
confab_followers_catch_up (ConfabFollowers *self, ConfabGeneration *generation)
{
  ConfabFollowing *following = g_hash_table_lookup (self->followings, generation);

  if (following != NULL)
    confab_following_catch_up (following);
}

void
confab_followers_follow_generation (ConfabFollowers *self,
                                    SocketioSocket *socket,
                                    ConfabGeneration *generation)
{
  if (!confab_generation_is_ended (generation) && socketio_socket_is_connected (socket))
    confab_following_add (ensure_following (self, generation), socket);
}

/**
 * confab_followers_follow_module:
 * @self: the followers
 * @socket: who follows from now on
 * @module_id: an id, of a module that may come to be only later
 *
 * Also follows what runs in the module by now, and has caught up with it.
 */
void
confab_followers_follow_module (ConfabFollowers *self,
                                SocketioSocket *socket,
                                const char *module_id)
{
  ConfabModule *module = confab_service_lookup_module (self->service, module_id);
  g_autofree char *room = make_room_name (module_id);
  ConfabGeneration *running =
      module != NULL ? confab_service_get_running (self->service, module) : NULL;

  if (!socketio_socket_is_connected (socket))
    return;

  socketio_socket_join (socket, room);
  if (running == NULL)
    return;

  confab_laggards_drop (self->laggards, socket, running);
  confab_followers_follow_generation (self, socket, running);
}

/**
 * confab_followers_recover:
 * @self: the followers
 * @socket: who has just been recovered
 *
 * Tells it what it missed of the generations that it followed, and goes on with those that run.
 */
void
confab_followers_recover (ConfabFollowers *self, SocketioSocket *socket)
{
  g_autoptr (GList) running = g_hash_table_get_values (self->followings);
  g_autoptr (GPtrArray) all =
      g_ptr_array_new_with_free_func ((GDestroyNotify) confab_following_unref);

  for (GList *l = self->ended.head; l != NULL; l = l->next)
    g_ptr_array_add (all, confab_following_ref (((Ended *) l->data)->following));
  for (GList *l = running; l != NULL; l = l->next)
    g_ptr_array_add (all, confab_following_ref (l->data));

  for (guint i = 0; i < all->len && socketio_socket_is_connected (socket); i++)
    confab_following_recover (g_ptr_array_index (all, i), socket);
}

/**
 * confab_followers_leave_module:
 * @self: the followers
 * @socket: who follows no more
 * @module_id: an id
 *
 * What the socket itself asked for and still runs is left too.
 */
void
confab_followers_leave_module (ConfabFollowers *self, SocketioSocket *socket, const char *module_id)
{
  ConfabModule *module = confab_service_lookup_module (self->service, module_id);
  g_autofree char *room = make_room_name (module_id);

  socketio_socket_leave (socket, room);
  for (guint i = 0; module != NULL && i < confab_module_get_n_generations (module); i++)
    {
      ConfabGeneration *generation = confab_module_get_generation (module, i);
      ConfabFollowing *following = g_hash_table_lookup (self->followings, generation);

      if (following != NULL)
        confab_following_remove (following, socket);
      confab_laggards_drop (self->laggards, socket, generation);
    }
}

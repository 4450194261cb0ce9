/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "socketio-recovery-private.h"

#include <string.h>

#include "socketio-namespace-private.h"

/* What one client left behind. */
typedef struct
{
  char id[SOCKETIO_ID_LENGTH + 1];
  char secret[SOCKETIO_ID_LENGTH + 1];
  gint64 uid;        /* of a UNIX peer; -1 for others */
  gint64 expires;    /* monotonic, µs */
  GHashTable *rooms; /* a set of names; nullable */
  JsonObject *data;  /* nullable */
  SocketioLog *log;  /* nullable: nothing was ever sent */
  GList link;        /* in the order of going */
} Absence;

struct _SocketioRecovery
{
  SocketioNamespace *nsp; /* not owned: it owns this */
  SocketioReactor *reactor;
  const SocketioRecoveryOptions *options;
  SocketioCounters *counters;
  GHashTable *absences; /* id, held by the absence, → Absence */
  GHashTable *rooms;    /* name → set of Absence; a room goes with its last member */
  GQueue queue;         /* of Absence: the one to expire next is its head */
  SocketioTimer timer;
  guint64 last_offset;
};

/* A client's claim, as CONNECT makes it. */
typedef struct
{
  const char *id; /* with the secret behind it */
  guint64 offset; /* 0: it never got an event */
} Claim;

static void
absence_free (gpointer data)
{
  Absence *absence = data;

  g_clear_pointer (&absence->rooms, g_hash_table_unref);
  g_clear_pointer (&absence->data, json_object_unref);
  g_clear_pointer (&absence->log, socketio_log_free);
  g_free (absence);
}

SocketioRecovery *
socketio_recovery_new (SocketioNamespace *nsp,
                       SocketioReactor *reactor,
                       const SocketioRecoveryOptions *options,
                       SocketioCounters *counters)
{
  SocketioRecovery *self = g_new0 (SocketioRecovery, 1);

  self->nsp = nsp;
  self->reactor = socketio_reactor_ref (reactor);
  self->options = options;
  self->counters = counters;
  self->absences = g_hash_table_new (g_str_hash, g_str_equal);
  self->rooms =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_hash_table_unref);
  g_queue_init (&self->queue);
  /* A client keeps the offset that it had of an earlier server until it gets an event of this one.
   * It must not be taken for one of ours, or the client would miss what it was sent meanwhile. */
  self->last_offset = (guint64) g_random_int () << 8;
  return self;
}

static void
leave_room (SocketioRecovery *self, Absence *absence, const char *room)
{
  GHashTable *members = g_hash_table_lookup (self->rooms, room);

  g_hash_table_remove (members, absence);
  if (g_hash_table_size (members) == 0)
    g_hash_table_remove (self->rooms, room);
}

/* Takes it out of all tables; it is the caller's to free. */
static void
forget (SocketioRecovery *self, Absence *absence)
{
  GHashTableIter iter;
  gpointer room;

  if (absence->rooms != NULL)
    {
      g_hash_table_iter_init (&iter, absence->rooms);
      while (g_hash_table_iter_next (&iter, &room, NULL))
        leave_room (self, absence, room);
    }
  g_hash_table_remove (self->absences, absence->id);
  g_queue_unlink (&self->queue, &absence->link);
}

static void
expire_cb (gpointer user_data)
{
  SocketioRecovery *self = user_data;
  gint64 now = g_get_monotonic_time ();
  Absence *absence;

  while ((absence = g_queue_peek_head (&self->queue)) != NULL && absence->expires <= now)
    {
      forget (self, absence);
      absence_free (absence);
    }
  if (absence != NULL)
    socketio_reactor_start_timer (self->reactor, &self->timer,
                                  (guint) ((absence->expires - now) / 1000 + 1), expire_cb, self);
  else
    socketio_namespace_handle_forgotten (self->nsp);
}

void
socketio_recovery_free (SocketioRecovery *self)
{
  Absence *absence;

  socketio_reactor_stop_timer (self->reactor, &self->timer);
  while ((absence = g_queue_peek_head (&self->queue)) != NULL)
    {
      forget (self, absence);
      absence_free (absence);
    }
  g_hash_table_unref (self->absences);
  g_hash_table_unref (self->rooms);
  socketio_reactor_unref (self->reactor);
  g_free (self);
}

const SocketioRecoveryOptions *
socketio_recovery_get_options (SocketioRecovery *self)
{
  return self->options;
}

guint64
socketio_recovery_next_offset (SocketioRecovery *self)
{
  return ++self->last_offset;
}

/* In a time that does not tell how much of it was right. */
static gboolean
is_secret (const char *secret, const char *guess)
{
  guint8 difference = 0;

  if (secret[0] == '\0')
    return FALSE;
  for (guint i = 0; i < SOCKETIO_ID_LENGTH; i++)
    difference |= (guint8) (secret[i] ^ guess[i]);
  return difference == 0;
}

static const char *
get_text (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && JSON_NODE_HOLDS_VALUE (node)
                 && json_node_get_value_type (node) == G_TYPE_STRING
             ? json_node_get_string (node)
             : NULL;
}

static gboolean
read_claim (JsonNode *auth, Claim *claim)
{
  JsonObject *object;
  const char *offset;

  if (auth == NULL || !JSON_NODE_HOLDS_OBJECT (auth))
    return FALSE;

  object = json_node_get_object (auth);
  claim->id = get_text (object, "pid");
  if (claim->id == NULL || strlen (claim->id) != 2 * SOCKETIO_ID_LENGTH)
    return FALSE;
  claim->offset = 0;
  offset = get_text (object, "offset");
  return offset == NULL
         || g_ascii_string_to_unsigned (offset, 10, 1, G_MAXUINT64, &claim->offset, NULL);
}

/* A session id is of use only to the kind of peer that it was given to; so is this. */
static gint64
get_uid (SocketioSocket *socket)
{
  return socketio_handshake_get_peer_uid (socketio_socket_get_handshake (socket));
}

static gboolean
log_covers (SocketioLog *log, guint64 offset)
{
  return log != NULL ? socketio_log_covers (log, offset) : offset == 0;
}

static Absence *
find_absence (SocketioRecovery *self,
              const char *id,
              const char *secret,
              guint64 offset,
              gint64 uid)
{
  Absence *absence = g_hash_table_lookup (self->absences, id);

  if (absence == NULL || !is_secret (absence->secret, secret) || absence->uid != uid
      || absence->expires <= g_get_monotonic_time () || !log_covers (absence->log, offset))
    return NULL;
  return absence;
}

/* One whose connection is still there as far as this side knows. */
static SocketioSocket *
find_living (SocketioRecovery *self, const char *id, const char *secret, guint64 offset, gint64 uid)
{
  SocketioSocket *socket = socketio_namespace_lookup (self->nsp, id);

  if (socket == NULL || !is_secret (socketio_socket_get_secret (socket), secret)
      || get_uid (socket) != uid || !log_covers (socketio_socket_peek_log (socket), offset))
    return NULL;
  return socket;
}

void
socketio_recovery_identify (SocketioRecovery *self, SocketioSocket *socket, JsonNode *auth)
{
  char id[SOCKETIO_ID_LENGTH + 1] = { 0 };
  const char *secret;
  Claim claim;
  Absence *absence;
  SocketioSocket *living = NULL;

  socketio_socket_renew_secret (socket);
  if (!read_claim (auth, &claim))
    return;

  memcpy (id, claim.id, SOCKETIO_ID_LENGTH);
  secret = claim.id + SOCKETIO_ID_LENGTH;
  absence = find_absence (self, id, secret, claim.offset, get_uid (socket));
  if (absence == NULL)
    living = find_living (self, id, secret, claim.offset, get_uid (socket));
  if (absence != NULL)
    socketio_socket_assume (socket, id, secret, absence->data, claim.offset);
  else if (living != NULL)
    socketio_socket_assume (socket, id, secret, socketio_socket_peek_data (living), claim.offset);
  else
    socketio_counters_count (self->counters, SOCKETIO_COUNTER_RECOVERIES_FAILED);
}

GArray *
socketio_recovery_take_over (SocketioRecovery *self, SocketioSocket *socket)
{
  g_autofree char *id = g_strdup (socketio_socket_get_id (socket));
  const char *secret = socketio_socket_get_secret (socket);
  guint64 offset = socketio_socket_get_recovered_offset (socket);
  SocketioSocket *living;
  Absence *absence;
  GArray *missed;

  if (!socketio_socket_is_recovered (socket))
    return NULL;

  living = find_living (self, id, secret, offset, get_uid (socket));
  /* the client came back before this side noticed that it had gone */
  if (living != NULL)
    socketio_socket_abort (living, "transport error");
  absence = find_absence (self, id, secret, offset, get_uid (socket));
  if (absence == NULL)
    {
      socketio_counters_count (self->counters, SOCKETIO_COUNTER_RECOVERIES_FAILED);
      socketio_socket_renew (socket);
      return NULL;
    }

  forget (self, absence);
  if (absence->log != NULL)
    {
      socketio_log_trim (absence->log, offset);
      missed = socketio_log_collect (absence->log, offset);
    }
  else
    missed = g_array_new (FALSE, FALSE, sizeof (EngineioPacket));
  socketio_socket_set_log (socket, g_steal_pointer (&absence->log));
  if (absence->rooms != NULL)
    {
      GHashTableIter iter;
      gpointer room;

      g_hash_table_iter_init (&iter, absence->rooms);
      while (g_hash_table_iter_next (&iter, &room, NULL))
        socketio_namespace_join (self->nsp, socket, room);
    }
  absence_free (absence);
  socketio_counters_count (self->counters, SOCKETIO_COUNTER_RECOVERIES);
  return missed;
}

static void
keep_rooms (SocketioRecovery *self, Absence *absence, GHashTable *rooms)
{
  GHashTableIter iter;
  gpointer room;

  if (rooms == NULL)
    return;

  absence->rooms = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_hash_table_iter_init (&iter, rooms);
  while (g_hash_table_iter_next (&iter, &room, NULL))
    {
      GHashTable *members = g_hash_table_lookup (self->rooms, room);

      if (members == NULL)
        {
          members = g_hash_table_new (NULL, NULL);
          g_hash_table_insert (self->rooms, g_strdup (room), members);
        }
      g_hash_table_add (members, absence);
      g_hash_table_add (absence->rooms, g_strdup (room));
    }
}

void
socketio_recovery_keep (SocketioRecovery *self, SocketioSocket *socket)
{
  JsonObject *data = socketio_socket_peek_data (socket);
  Absence *absence;

  if (socketio_socket_get_secret (socket)[0] == '\0')
    return;

  absence = g_new0 (Absence, 1);
  g_strlcpy (absence->id, socketio_socket_get_id (socket), sizeof absence->id);
  g_strlcpy (absence->secret, socketio_socket_get_secret (socket), sizeof absence->secret);
  absence->uid = get_uid (socket);
  absence->expires = g_get_monotonic_time () + self->options->window * (G_TIME_SPAN_SECOND / 1000);
  absence->data = data != NULL ? json_object_ref (data) : NULL;
  absence->log = socketio_socket_steal_log (socket);
  keep_rooms (self, absence, socketio_socket_peek_rooms (socket));
  absence->link.data = absence;
  g_queue_push_tail_link (&self->queue, &absence->link);
  g_hash_table_insert (self->absences, absence->id, absence);
  if (self->queue.length == 1)
    socketio_reactor_start_timer (self->reactor, &self->timer, self->options->window + 1, expire_cb,
                                  self);
}

gboolean
socketio_recovery_is_needed (SocketioRecovery *self)
{
  return self->queue.length > 0;
}

static void
append (SocketioRecovery *self, Absence *absence, guint64 offset, GArray *packets)
{
  if (absence->log == NULL)
    absence->log = socketio_log_new ();
  /* one that is in several rooms of a broadcast gets it once */
  if (socketio_log_get_last (absence->log) == offset)
    return;
  socketio_log_append (absence->log, offset, (EngineioPacket *) packets->data, packets->len,
                       self->options->max_packets, self->options->max_bytes);
}

static gboolean
is_excluded (SocketioBroadcast *broadcast, Absence *absence)
{
  GPtrArray *except = socketio_broadcast_peek_except (broadcast);

  for (guint i = 0; except != NULL && i < except->len; i++)
    {
      const char *room = g_ptr_array_index (except, i);

      if (strcmp (absence->id, room) == 0
          || (absence->rooms != NULL && g_hash_table_contains (absence->rooms, room)))
        return TRUE;
    }
  return FALSE;
}

static void
record_set (SocketioRecovery *self,
            GHashTable *set,
            SocketioBroadcast *broadcast,
            guint64 offset,
            GArray *packets)
{
  GHashTableIter iter;
  gpointer absence;

  if (set == NULL)
    return;
  g_hash_table_iter_init (&iter, set);
  while (g_hash_table_iter_next (&iter, NULL, &absence))
    if (!is_excluded (broadcast, absence))
      append (self, absence, offset, packets);
}

void
socketio_recovery_record (SocketioRecovery *self,
                          SocketioBroadcast *broadcast,
                          guint64 offset,
                          GArray *packets)
{
  GPtrArray *rooms = socketio_broadcast_peek_rooms (broadcast);

  if (rooms == NULL)
    {
      record_set (self, self->absences, broadcast, offset, packets);
      return;
    }
  for (guint i = 0; i < rooms->len; i++)
    {
      const char *room = g_ptr_array_index (rooms, i);
      Absence *absence = g_hash_table_lookup (self->absences, room);

      record_set (self, g_hash_table_lookup (self->rooms, room), broadcast, offset, packets);
      /* an id is a room of one */
      if (absence != NULL && !is_excluded (broadcast, absence))
        append (self, absence, offset, packets);
    }
}

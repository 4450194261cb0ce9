/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-absentees.h"

/* So many deltas are known by their offset; who has none of them does not come back exactly. */
#define MAX_DELTAS 8192

typedef struct
{
  guint64 offset;
  guint64 seq;
} Delta;

struct _ConfabAbsentees
{
  GArray *deltas;       /* of Delta, in order */
  guint64 forgotten;    /* the offset of the newest that is there no more */
  guint64 start_offset; /* 0 while it was not told */
  guint64 end_offset;   /* likewise */
  GHashTable *by_id;    /* socket id → ConfabEntry */
};

ConfabAbsentees *
confab_absentees_new (void)
{
  ConfabAbsentees *self = g_new0 (ConfabAbsentees, 1);

  self->deltas = g_array_new (FALSE, FALSE, sizeof (Delta));
  self->by_id = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);

  return self;
}

void
confab_absentees_free (ConfabAbsentees *self)
{
  g_array_unref (self->deltas);
  g_hash_table_unref (self->by_id);
  g_free (self);
}

static void
note_delta (ConfabAbsentees *self, guint64 offset, guint64 seq)
{
  Delta delta = { offset, seq };

  if (self->deltas->len >= MAX_DELTAS)
    {
      self->forgotten = g_array_index (self->deltas, Delta, MAX_DELTAS / 2 - 1).offset;
      g_array_remove_range (self->deltas, 0, MAX_DELTAS / 2);
    }
  g_array_append_val (self->deltas, delta);
}

void
confab_absentees_note (ConfabAbsentees *self, ConfabNoted what, guint64 offset, guint64 seq)
{
  if (offset == 0)
    return;

  if (what == CONFAB_NOTED_START)
    self->start_offset = offset;
  else if (what == CONFAB_NOTED_END)
    self->end_offset = offset;
  else
    note_delta (self, offset, seq);
}

void
confab_absentees_add (ConfabAbsentees *self, SocketioSocket *socket, const ConfabEntry *entry)
{
  if (socketio_socket_get_recoverable (socket))
    g_hash_table_insert (self->by_id, g_strdup (socketio_socket_get_id (socket)),
                         g_memdup2 (entry, sizeof *entry));
}

guint
confab_absentees_get_length (ConfabAbsentees *self)
{
  return g_hash_table_size (self->by_id);
}

/* The seq that comes with the newest delta up to @offset; 0 if there is none. */
static guint64
find_seq (ConfabAbsentees *self, guint64 offset)
{
  guint low = 0;
  guint high = self->deltas->len;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      if (g_array_index (self->deltas, Delta, middle).offset <= offset)
        low = middle + 1;
      else
        high = middle;
    }

  return low > 0 ? g_array_index (self->deltas, Delta, low - 1).seq : 0;
}

gboolean
confab_absentees_take (ConfabAbsentees *self, SocketioSocket *socket, ConfabReach *reach)
{
  const char *id = socketio_socket_get_id (socket);
  guint64 offset = socketio_socket_get_recovered_offset (socket);
  const ConfabEntry *entry = g_hash_table_lookup (self->by_id, id);

  if (entry == NULL)
    return FALSE;

  reach->known = offset >= self->forgotten;
  reach->seq = MAX (find_seq (self, offset), entry->seq);
  reach->started = entry->started || (self->start_offset > 0 && offset >= self->start_offset);
  reach->ended = self->end_offset > 0 && offset >= self->end_offset;
  g_hash_table_remove (self->by_id, id);

  return TRUE;
}

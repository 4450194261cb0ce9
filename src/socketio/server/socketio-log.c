/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "socketio-log-private.h"

/* Entries to start with: most clients are never far behind. */
#define INITIAL_SIZE 8

/* One packet; an event with attachments is several, of the same offset. */
typedef struct
{
  guint64 offset;
  EngineioPacket packet;
} Entry;

struct _SocketioLog
{
  Entry *entries; /* a ring of @size, a power of two; NULL while it is empty */
  guint size;
  guint head; /* the oldest */
  guint n_entries;
  gsize bytes;
  guint64 base;  /* of the newest that was dropped; 0 for none */
  guint64 first; /* of the first that was added */
  guint64 last;  /* of the newest that was added */
};

SocketioLog *
socketio_log_new (void)
{
  return g_new0 (SocketioLog, 1);
}

static Entry *
get_entry (SocketioLog *self, guint index)
{
  return &self->entries[(self->head + index) & (self->size - 1)];
}

static void
drop_oldest (SocketioLog *self)
{
  Entry *entry = get_entry (self, 0);

  self->base = entry->offset;
  self->bytes -= g_bytes_get_size (entry->packet.data);
  engineio_packet_clear (&entry->packet);
  self->head = (self->head + 1) & (self->size - 1);
  self->n_entries--;
}

static void
release_if_empty (SocketioLog *self)
{
  if (self->n_entries > 0)
    return;

  g_clear_pointer (&self->entries, g_free);
  self->size = 0;
  self->head = 0;
}

void
socketio_log_free (SocketioLog *self)
{
  while (self->n_entries > 0)
    drop_oldest (self);
  g_free (self->entries);
  g_free (self);
}

static void
make_room (SocketioLog *self)
{
  guint size = self->size > 0 ? self->size * 2 : INITIAL_SIZE;
  Entry *entries;

  if (self->n_entries < self->size)
    return;

  entries = g_new (Entry, size);
  for (guint i = 0; i < self->n_entries; i++)
    entries[i] = *get_entry (self, i);
  g_free (self->entries);
  self->entries = entries;
  self->size = size;
  self->head = 0;
}

void
socketio_log_append (SocketioLog *self,
                     guint64 offset,
                     const EngineioPacket *packets,
                     guint n_packets,
                     guint max_packets,
                     gsize max_bytes)
{
  g_return_if_fail (offset > self->last);

  for (guint i = 0; i < n_packets; i++)
    {
      make_room (self);
      *get_entry (self, self->n_entries++) =
          (Entry){ .offset = offset, .packet = engineio_packet_copy (&packets[i]) };
      self->bytes += g_bytes_get_size (packets[i].data);
    }
  if (self->first == 0)
    self->first = offset;
  self->last = offset;

  while (self->n_entries > 0 && (self->n_entries > max_packets || self->bytes > max_bytes))
    drop_oldest (self);
  /* an event goes with all its attachments */
  while (self->n_entries > 0 && get_entry (self, 0)->offset == self->base)
    drop_oldest (self);
  release_if_empty (self);
}

void
socketio_log_trim (SocketioLog *self, guint64 offset)
{
  while (self->n_entries > 0 && get_entry (self, 0)->offset <= offset)
    drop_oldest (self);
  self->base = MAX (self->base, MIN (offset, self->last));
  release_if_empty (self);
}

guint64
socketio_log_get_last (SocketioLog *self)
{
  return self->last;
}

gboolean
socketio_log_covers (SocketioLog *self, guint64 offset)
{
  if (offset == 0)
    return self->base == 0;

  return MAX (self->base, self->first) <= offset && offset <= self->last;
}

/* The index of the first entry after @offset: by halving, as offsets grow. */
static guint
find_after (SocketioLog *self, guint64 offset)
{
  guint low = 0, high = self->n_entries;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      if (get_entry (self, middle)->offset <= offset)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

GArray *
socketio_log_collect (SocketioLog *self, guint64 offset)
{
  guint first = find_after (self, offset);
  GArray *packets =
      g_array_sized_new (FALSE, FALSE, sizeof (EngineioPacket), self->n_entries - first);

  g_array_set_clear_func (packets, (GDestroyNotify) engineio_packet_clear);
  for (guint i = first; i < self->n_entries; i++)
    {
      EngineioPacket packet = engineio_packet_copy (&get_entry (self, i)->packet);

      g_array_append_val (packets, packet);
    }
  return packets;
}

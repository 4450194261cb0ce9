/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-delta-log.h"

#include <string.h>

/* One delta. Its text is not kept twice: it is the next @length bytes of its kind. */
typedef struct
{
  guint32 kind : 1;
  guint32 length : 31;
} Entry;

struct _ConfabDeltaLog
{
  GArray *entries;  /* of Entry, the newest; the last one has the seq @seq */
  guint64 seq;      /* 0 before the first */
  gsize dropped[2]; /* by kind: bytes of text before the first entry */
};

ConfabDeltaLog *
confab_delta_log_new (void)
{
  ConfabDeltaLog *self = g_new0 (ConfabDeltaLog, 1);

  self->entries = g_array_new (FALSE, FALSE, sizeof (Entry));

  return self;
}

void
confab_delta_log_free (ConfabDeltaLog *self)
{
  g_array_unref (self->entries);
  g_free (self);
}

static void
drop_half (ConfabDeltaLog *self)
{
  guint n = self->entries->len / 2;

  for (guint i = 0; i < n; i++)
    {
      Entry entry = g_array_index (self->entries, Entry, i);

      self->dropped[entry.kind] += entry.length;
    }
  g_array_remove_range (self->entries, 0, n);
}

/**
 * confab_delta_log_add:
 * @self: the log
 * @kind: whose text has grown
 * @length: by how many bytes, at most %G_MAXINT32
 *
 * Forgets the oldest if there are %CONFAB_DELTA_LOG_MAX.
 *
 * Returns: the seq of the new delta
 */
guint64
confab_delta_log_add (ConfabDeltaLog *self, ConfabDeltaKind kind, gsize length)
{
  Entry entry = { .kind = kind, .length = length };

  if (self->entries->len == CONFAB_DELTA_LOG_MAX)
    drop_half (self);
  g_array_append_val (self->entries, entry);

  return ++self->seq;
}

/* The seq before the first entry. */
static guint64
get_start (const ConfabDeltaLog *self)
{
  return self->seq - self->entries->len;
}

/**
 * confab_delta_log_reaches:
 * @self: the log
 * @after_seq: the last seq that is known already; 0 for none
 *
 * Returns: whether it is a seq of this log, and all that follows it is still known
 */
gboolean
confab_delta_log_reaches (const ConfabDeltaLog *self, guint64 after_seq)
{
  return after_seq <= self->seq && after_seq >= get_start (self);
}

/**
 * confab_delta_log_replay:
 * @self: the log
 * @after_seq: a seq that it confab_delta_log_reaches()
 * @texts: the whole text of each kind, which all deltas together have made
 * @func: (scope call): called in order of seq, with neighbours of one kind as one stretch
 * @user_data: for @func
 *
 * Tells all that came after @after_seq.
 */
void
confab_delta_log_replay (const ConfabDeltaLog *self,
                         guint64 after_seq,
                         const char *const *texts,
                         ConfabStretchFunc func,
                         gpointer user_data)
{
  guint64 start = get_start (self);
  gsize offsets[2];
  guint i = 0;

  memcpy (offsets, self->dropped, sizeof offsets);
  for (; i < after_seq - start; i++)
    {
      Entry entry = g_array_index (self->entries, Entry, i);

      offsets[entry.kind] += entry.length;
    }

  while (i < self->entries->len)
    {
      ConfabDeltaKind kind = g_array_index (self->entries, Entry, i).kind;
      guint first = i;
      gsize length = 0;

      for (; i < self->entries->len && g_array_index (self->entries, Entry, i).kind == kind; i++)
        length += g_array_index (self->entries, Entry, i).length;
      func (kind, start + first + 1, start + i, texts[kind] + offsets[kind], length, user_data);
      offsets[kind] += length;
    }
}

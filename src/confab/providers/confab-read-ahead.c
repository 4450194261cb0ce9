/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-read-ahead.h"

#include <string.h>

struct _ConfabReadAhead
{
  GFilterInputStream parent_instance;

  /* What was read and not asked for yet; NULL when there is nothing, as between two tokens. */
  guint8 *ahead;
  gsize ahead_length;
  gsize ahead_taken;
};

static void pollable_iface_init (GPollableInputStreamInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (ConfabReadAhead,
                               confab_read_ahead,
                               G_TYPE_FILTER_INPUT_STREAM,
                               G_IMPLEMENT_INTERFACE (G_TYPE_POLLABLE_INPUT_STREAM,
                                                      pollable_iface_init))

static void
drop_ahead (ConfabReadAhead *self)
{
  g_clear_pointer (&self->ahead, g_free);
  self->ahead_length = 0;
  self->ahead_taken = 0;
}

static void
confab_read_ahead_finalize (GObject *object)
{
  drop_ahead (CONFAB_READ_AHEAD (object));

  G_OBJECT_CLASS (confab_read_ahead_parent_class)->finalize (object);
}

static gsize
take_ahead (ConfabReadAhead *self, void *buffer, gsize count)
{
  gsize n = MIN (count, self->ahead_length - self->ahead_taken);

  memcpy (buffer, self->ahead + self->ahead_taken, n);
  self->ahead_taken += n;
  if (self->ahead_taken == self->ahead_length)
    drop_ahead (self);

  return n;
}

static gssize
read_some (ConfabReadAhead *self,
           void *buffer,
           gsize count,
           gboolean blocking,
           GCancellable *cancellable,
           GError **error)
{
  GInputStream *base = g_filter_input_stream_get_base_stream (G_FILTER_INPUT_STREAM (self));
  guint8 scratch[CONFAB_READ_AHEAD_BYTES];
  gssize n;

  if (self->ahead != NULL)
    return (gssize) take_ahead (self, buffer, count);

  if (count >= sizeof scratch)
    return g_pollable_stream_read (base, buffer, count, blocking, cancellable, error);

  n = g_pollable_stream_read (base, scratch, sizeof scratch, blocking, cancellable, error);
  if (n <= (gssize) count)
    {
      if (n > 0)
        memcpy (buffer, scratch, (gsize) n);
      return n;
    }

  memcpy (buffer, scratch, count);
  self->ahead_length = (gsize) n - count;
  self->ahead = g_memdup2 (scratch + count, self->ahead_length);

  return (gssize) count;
}

static gssize
confab_read_ahead_read (GInputStream *stream,
                        void *buffer,
                        gsize count,
                        GCancellable *cancellable,
                        GError **error)
{
  return read_some (CONFAB_READ_AHEAD (stream), buffer, count, TRUE, cancellable, error);
}

/* The base's own would skip what was not read from it yet. */
static gssize
confab_read_ahead_skip (GInputStream *stream,
                        gsize count,
                        GCancellable *cancellable,
                        GError **error)
{
  guint8 skipped[1024];

  return read_some (CONFAB_READ_AHEAD (stream), skipped, MIN (count, sizeof skipped), TRUE,
                    cancellable, error);
}

static void
confab_read_ahead_class_init (ConfabReadAheadClass *klass)
{
  GInputStreamClass *stream_class = G_INPUT_STREAM_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = confab_read_ahead_finalize;
  stream_class->read_fn = confab_read_ahead_read;
  stream_class->skip = confab_read_ahead_skip;
}

static void
confab_read_ahead_init (ConfabReadAhead *self)
{
}

static GPollableInputStream *
pollable_base (ConfabReadAhead *self)
{
  return G_POLLABLE_INPUT_STREAM (
      g_filter_input_stream_get_base_stream (G_FILTER_INPUT_STREAM (self)));
}

static gboolean
confab_read_ahead_is_readable (GPollableInputStream *stream)
{
  ConfabReadAhead *self = CONFAB_READ_AHEAD (stream);

  return self->ahead != NULL || g_pollable_input_stream_is_readable (pollable_base (self));
}

static gssize
confab_read_ahead_read_nonblocking (GPollableInputStream *stream,
                                    void *buffer,
                                    gsize count,
                                    GError **error)
{
  return read_some (CONFAB_READ_AHEAD (stream), buffer, count, FALSE, NULL, error);
}

static GSource *
confab_read_ahead_create_source (GPollableInputStream *stream, GCancellable *cancellable)
{
  ConfabReadAhead *self = CONFAB_READ_AHEAD (stream);
  g_autoptr (GSource) child = NULL;

  if (self->ahead != NULL)
    child = g_timeout_source_new (0);
  else
    child = g_pollable_input_stream_create_source (pollable_base (self), NULL);

  return g_pollable_source_new_full (stream, child, cancellable);
}

static void
pollable_iface_init (GPollableInputStreamInterface *iface)
{
  iface->is_readable = confab_read_ahead_is_readable;
  iface->read_nonblocking = confab_read_ahead_read_nonblocking;
  iface->create_source = confab_read_ahead_create_source;
}

/**
 * confab_read_ahead_new:
 * @base: a pollable stream, as that of a socket; closed along with what is returned
 *
 * Returns: (transfer full): a pollable stream
 */
GInputStream *
confab_read_ahead_new (GInputStream *base)
{
  g_return_val_if_fail (G_IS_POLLABLE_INPUT_STREAM (base), NULL);

  return g_object_new (CONFAB_TYPE_READ_AHEAD, "base-stream", base, NULL);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl-watches.h"

#include <string.h>

/* Calls that are under way at a time: enough not to wait for each, too few to be in the way. */
#define WINDOW 16
/* How long to wait once Confab had enough of us. */
#define PAUSE_MS 250

struct _CtlWatches
{
  Ctl *ctl;
  CtlWatchesFunc func;
  gpointer user_data;
  GCancellable *cancellable;
  GQueue paths; /* that were not asked for yet, or were refused for now */
  guint n_calls;
  guint pause_id; /* while we wait */
};

typedef struct
{
  CtlWatches *watches; /* lives as long as the call is not cancelled */
  char *path;
} Call;

static void
call_free (Call *call)
{
  g_free (call->path);
  g_free (call);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Call, call_free)

static void pump (CtlWatches *self);

static gboolean
resume_cb (gpointer user_data)
{
  CtlWatches *self = user_data;

  self->pause_id = 0;
  pump (self);

  return G_SOURCE_REMOVE;
}

/* Where Confab says that these are too many, they come again later: none is lost. */
static void
failed (CtlWatches *self, Call *call, const GError *error)
{
  if (ctl_is_error (error, "RateLimited"))
    {
      g_queue_push_head (&self->paths, g_steal_pointer (&call->path));
      if (self->pause_id == 0)
        self->pause_id = g_timeout_add (PAUSE_MS, resume_cb, self);
    }
  else if (!ctl_is_deleted (error))
    ctl_report (error);
}

static void
watched_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Call) call = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply =
      g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  const char *generation, *text;
  guint64 seq;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;

  call->watches->n_calls--;
  if (reply != NULL)
    {
      g_variant_get (reply, "(&st&s)", &generation, &seq, &text);
      call->watches->func (call->path, generation, seq, text, call->watches->user_data);
    }
  else
    failed (call->watches, call, error);
  pump (call->watches);
}

static void
pump (CtlWatches *self)
{
  while (self->pause_id == 0 && self->n_calls < WINDOW && !g_queue_is_empty (&self->paths))
    {
      Call *call = g_new (Call, 1);

      *call = (Call){ self, g_queue_pop_head (&self->paths) };
      self->n_calls++;
      g_dbus_connection_call (self->ctl->connection, CTL_NAME, call->path, CTL_MODULE, "Watch",
                              NULL, G_VARIANT_TYPE ("(sts)"), G_DBUS_CALL_FLAGS_NONE, -1,
                              self->cancellable, watched_cb, call);
    }
}

CtlWatches *
ctl_watches_new (Ctl *ctl, CtlWatchesFunc func, gpointer user_data)
{
  CtlWatches *self = g_new0 (CtlWatches, 1);

  self->ctl = ctl;
  self->func = func;
  self->user_data = user_data;
  self->cancellable = g_cancellable_new ();
  g_queue_init (&self->paths);

  return self;
}

void
ctl_watches_free (CtlWatches *self)
{
  g_cancellable_cancel (self->cancellable);
  g_object_unref (self->cancellable);
  if (self->pause_id != 0)
    g_source_remove (self->pause_id);
  g_queue_clear_full (&self->paths, g_free);
  g_free (self);
}

void
ctl_watches_add (CtlWatches *self, const char *path)
{
  g_queue_push_tail (&self->paths, g_strdup (path));
  pump (self);
}

/* What happens at @path makes it the next one, if it waits for its turn. */
void
ctl_watches_hurry (CtlWatches *self, const char *path)
{
  GList *link = g_queue_find_custom (&self->paths, path, (GCompareFunc) strcmp);

  if (link == NULL)
    return;

  g_queue_unlink (&self->paths, link);
  g_queue_push_head_link (&self->paths, link);
  pump (self);
}

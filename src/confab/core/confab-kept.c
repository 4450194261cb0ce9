/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-kept.h"

struct _ConfabSnapshot
{
  char *title;
  gint64 updated_at;

  /* of a module */
  gboolean title_is_auto;
  char *instructions;
  char *provider;
  char *model;
  JsonObject *parameters;
};

/* Exists while changes are on their way. */
typedef struct
{
  guint n_pending;
  ConfabSnapshot *kept; /* NULL: nothing of the object is on disk */
} Pending;

static GQuark
get_quark (void)
{
  static GQuark quark;

  if (quark == 0)
    quark = g_quark_from_static_string ("confab-kept-pending");

  return quark;
}

static void
pending_free (gpointer data)
{
  Pending *pending = data;

  g_clear_pointer (&pending->kept, confab_snapshot_free);
  g_free (pending);
}

/**
 * confab_snapshot_new:
 * @object: a #ConfabSession or #ConfabModule
 *
 * Returns: (transfer full): its settings as they are now
 */
ConfabSnapshot *
confab_snapshot_new (gpointer object)
{
  ConfabSnapshot *self = g_new0 (ConfabSnapshot, 1);

  if (CONFAB_IS_SESSION (object))
    {
      self->title = g_strdup (confab_session_get_title (object));
      self->updated_at = confab_session_get_updated_at (object);
      return self;
    }

  self->title = g_strdup (confab_module_get_title (object));
  self->updated_at = confab_module_get_updated_at (object);
  self->title_is_auto = confab_module_get_title_is_auto (object);
  self->instructions = g_strdup (confab_module_get_instructions (object));
  self->provider = g_strdup (confab_module_get_provider (object));
  self->model = g_strdup (confab_module_get_model (object));
  /* set as a whole, never changed */
  if (confab_module_get_parameters (object) != NULL)
    self->parameters = json_object_ref (confab_module_get_parameters (object));

  return self;
}

void
confab_snapshot_free (ConfabSnapshot *self)
{
  g_free (self->title);
  g_free (self->instructions);
  g_free (self->provider);
  g_free (self->model);
  g_clear_pointer (&self->parameters, json_object_unref);
  g_free (self);
}

static void
restore (gpointer object, const ConfabSnapshot *snapshot)
{
  if (CONFAB_IS_SESSION (object))
    {
      confab_session_set_title (object, snapshot->title);
      confab_session_set_updated_at (object, snapshot->updated_at);
      return;
    }

  confab_module_set_title (object, snapshot->title, snapshot->title_is_auto);
  confab_module_set_updated_at (object, snapshot->updated_at);
  confab_module_set_instructions (object, snapshot->instructions);
  confab_module_set_provider (object, snapshot->provider);
  confab_module_set_model (object, snapshot->model);
  confab_module_set_parameters (object, snapshot->parameters);
}

void
confab_kept_begin (gpointer object, gboolean is_new)
{
  Pending *pending = g_object_get_qdata (object, get_quark ());

  if (pending == NULL)
    {
      pending = g_new0 (Pending, 1);
      pending->kept = is_new ? NULL : confab_snapshot_new (object);
      g_object_set_qdata_full (object, get_quark (), pending, pending_free);
    }
  pending->n_pending++;
}

/**
 * confab_kept_is_on_disk:
 * @object: a #ConfabSession or #ConfabModule
 *
 * Returns: whether it has a row of its own by now
 */
gboolean
confab_kept_is_on_disk (gpointer object)
{
  Pending *pending = g_object_get_qdata (object, get_quark ());

  return pending == NULL || pending->kept != NULL;
}

/**
 * confab_kept_written:
 * @object: a #ConfabSession or #ConfabModule
 * @written: (transfer full): what is on disk now
 *
 * One change has reached the disk.
 */
void
confab_kept_written (gpointer object, ConfabSnapshot *written)
{
  Pending *pending = g_object_get_qdata (object, get_quark ());

  g_return_if_fail (pending != NULL);

  g_clear_pointer (&pending->kept, confab_snapshot_free);
  pending->kept = written;
  if (--pending->n_pending == 0)
    g_object_set_qdata (object, get_quark (), NULL);
}

/**
 * confab_kept_refused:
 * @object: a #ConfabSession or #ConfabModule
 *
 * One change has not reached the disk. With the last one on its way @object becomes what is there.
 *
 * Returns: whether nothing of @object is there, nor on its way: it has to go
 */
gboolean
confab_kept_refused (gpointer object)
{
  Pending *pending = g_object_get_qdata (object, get_quark ());
  gboolean is_ghost;

  g_return_val_if_fail (pending != NULL, FALSE);

  if (--pending->n_pending > 0)
    return FALSE;

  is_ghost = pending->kept == NULL;
  if (!is_ghost)
    restore (object, pending->kept);
  g_object_set_qdata (object, get_quark (), NULL);

  return is_ghost;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-session.h"

struct _ConfabSession
{
  GObject parent_instance;

  char *id;
  char *title;
  gint64 created_at;
  GPtrArray *modules; /* of ConfabModule, in the order in which they were added */
};

G_DEFINE_FINAL_TYPE (ConfabSession, confab_session, G_TYPE_OBJECT)

static void
confab_session_finalize (GObject *object)
{
  ConfabSession *self = CONFAB_SESSION (object);

  g_free (self->id);
  g_free (self->title);
  g_ptr_array_unref (self->modules);

  G_OBJECT_CLASS (confab_session_parent_class)->finalize (object);
}

static void
confab_session_class_init (ConfabSessionClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = confab_session_finalize;
}

static void
confab_session_init (ConfabSession *self)
{
  self->created_at = g_get_real_time () / 1000;
  self->modules = g_ptr_array_new_with_free_func (g_object_unref);
}

/**
 * confab_session_new:
 * @id: its id
 *
 * Returns: (transfer full): a session without modules
 */
ConfabSession *
confab_session_new (const char *id)
{
  ConfabSession *self;

  g_return_val_if_fail (id != NULL, NULL);

  self = g_object_new (CONFAB_TYPE_SESSION, NULL);
  self->id = g_strdup (id);

  return self;
}

const char *
confab_session_get_id (ConfabSession *self)
{
  g_return_val_if_fail (CONFAB_IS_SESSION (self), NULL);

  return self->id;
}

const char *
confab_session_get_title (ConfabSession *self)
{
  g_return_val_if_fail (CONFAB_IS_SESSION (self), NULL);

  return self->title;
}

void
confab_session_set_title (ConfabSession *self, const char *title)
{
  char *copy;

  g_return_if_fail (CONFAB_IS_SESSION (self));

  copy = g_strdup (title);
  g_free (self->title);
  self->title = copy;
}

gint64
confab_session_get_created_at (ConfabSession *self)
{
  g_return_val_if_fail (CONFAB_IS_SESSION (self), 0);

  return self->created_at;
}

/**
 * confab_session_add_module:
 * @self: a session
 * @module: a module made for this session
 *
 * Adds @module at the end.
 */
void
confab_session_add_module (ConfabSession *self, ConfabModule *module)
{
  g_return_if_fail (CONFAB_IS_SESSION (self) && CONFAB_IS_MODULE (module));
  g_return_if_fail (g_str_equal (confab_module_get_session_id (module), self->id));

  g_ptr_array_add (self->modules, g_object_ref (module));
}

guint
confab_session_get_n_modules (ConfabSession *self)
{
  g_return_val_if_fail (CONFAB_IS_SESSION (self), 0);

  return self->modules->len;
}

/**
 * confab_session_get_module:
 * @self: a session
 * @index: below confab_session_get_n_modules()
 *
 * Returns: (transfer none): the module
 */
ConfabModule *
confab_session_get_module (ConfabSession *self, guint index)
{
  g_return_val_if_fail (CONFAB_IS_SESSION (self) && index < self->modules->len, NULL);

  return g_ptr_array_index (self->modules, index);
}

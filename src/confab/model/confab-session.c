/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-session.h"

struct _ConfabSession
{
  GObject parent_instance;

  char *id;
  char *title;
  guint64 ordinal;
  gint64 created_at;
  gint64 updated_at;
  GPtrArray *modules; /* of ConfabModule, in the order in which they were added */
};

static void confab_session_list_init (GListModelInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (ConfabSession,
                               confab_session,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL, confab_session_list_init))

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

static GType
get_item_type (GListModel *list)
{
  return CONFAB_TYPE_MODULE;
}

static guint
get_n_items (GListModel *list)
{
  return CONFAB_SESSION (list)->modules->len;
}

static gpointer
get_item (GListModel *list, guint position)
{
  ConfabSession *self = CONFAB_SESSION (list);

  return position < self->modules->len ? g_object_ref (g_ptr_array_index (self->modules, position))
                                       : NULL;
}

static void
confab_session_list_init (GListModelInterface *iface)
{
  iface->get_item_type = get_item_type;
  iface->get_n_items = get_n_items;
  iface->get_item = get_item;
}

static void
confab_session_init (ConfabSession *self)
{
  self->created_at = g_get_real_time () / 1000;
  self->updated_at = self->created_at;
  self->title = g_strdup ("");
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

  g_return_if_fail (CONFAB_IS_SESSION (self) && title != NULL);

  copy = g_strdup (title);
  g_free (self->title);
  self->title = copy;
}

guint64
confab_session_get_ordinal (ConfabSession *self)
{
  g_return_val_if_fail (CONFAB_IS_SESSION (self), 0);

  return self->ordinal;
}

void
confab_session_set_ordinal (ConfabSession *self, guint64 ordinal)
{
  g_return_if_fail (CONFAB_IS_SESSION (self));

  self->ordinal = ordinal;
}

gint64
confab_session_get_created_at (ConfabSession *self)
{
  g_return_val_if_fail (CONFAB_IS_SESSION (self), 0);

  return self->created_at;
}

void
confab_session_set_created_at (ConfabSession *self, gint64 created_at)
{
  g_return_if_fail (CONFAB_IS_SESSION (self));

  self->created_at = created_at;
}

gint64
confab_session_get_updated_at (ConfabSession *self)
{
  g_return_val_if_fail (CONFAB_IS_SESSION (self), 0);

  return self->updated_at;
}

void
confab_session_set_updated_at (ConfabSession *self, gint64 updated_at)
{
  g_return_if_fail (CONFAB_IS_SESSION (self));

  self->updated_at = updated_at;
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
  g_list_model_items_changed (G_LIST_MODEL (self), self->modules->len - 1, 0, 1);
}

/**
 * confab_session_remove_module:
 * @self: a session
 * @module: one of its modules
 */
void
confab_session_remove_module (ConfabSession *self, ConfabModule *module)
{
  guint position;

  g_return_if_fail (CONFAB_IS_SESSION (self));

  if (!g_ptr_array_find (self->modules, module, &position))
    return;

  g_ptr_array_remove_index (self->modules, position);
  g_list_model_items_changed (G_LIST_MODEL (self), position, 1, 0);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib/gi18n-lib.h>

#include "confab-bus-private.h"
#include "confab-dbus-object-manager.h"
#include "confab-error.h"

#define PROPERTIES "org.freedesktop.DBus.Properties"
#define OBJECT_MANAGER "org.freedesktop.DBus.ObjectManager"

/* One object on the bus. */
typedef struct
{
  char *path;
  const ConfabBusKind *kind;
  gpointer item; /* a GObject, or NULL */
  guint id;
  guint32 hashes[]; /* of the properties as they were told last */
} Object;

static void
object_free (gpointer data)
{
  Object *object = data;

  g_clear_object (&object->item);
  g_free (object->path);
  g_free (object);
}

GHashTable *
confab_bus_objects_new (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, NULL, object_free);
}

static GVariant *
get_value (ConfabBus *self, const Object *object, guint index)
{
  return g_variant_ref_sink (object->kind->properties[index].get (self, object->item));
}

static guint32
hash_value (GVariant *value)
{
  g_autoptr (GBytes) bytes = g_variant_get_data_as_bytes (value);

  return g_bytes_hash (bytes);
}

typedef enum
{
  EMITS_VALUE,
  EMITS_INVALIDATION,
  EMITS_NOTHING,
} Emission;

static Emission
get_emission (const Object *object, guint index)
{
  const GDBusPropertyInfo *info = object->kind->get_info ()->properties[index];
  const char *text = g_dbus_annotation_info_lookup (
      info->annotations, "org.freedesktop.DBus.Property.EmitsChangedSignal");

  if (g_strcmp0 (text, "invalidates") == 0)
    return EMITS_INVALIDATION;

  return g_strcmp0 (text, "const") == 0 ? EMITS_NOTHING : EMITS_VALUE;
}

/* @room: (inout): how many bytes of text may be told still; 0: none, as it is a broadcast */
static GVariant *
describe (ConfabBus *self, const Object *object, gsize *room)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);

  for (guint i = 0; i < object->kind->n_properties; i++)
    {
      g_autoptr (GVariant) value = get_value (self, object, i);

      if (get_emission (object, i) == EMITS_INVALIDATION)
        {
          if (g_variant_get_size (value) > *room)
            continue;
          *room -= g_variant_get_size (value);
        }
      g_variant_builder_add (&builder, "{sv}", object->kind->properties[i].name, value);
    }

  return g_variant_builder_end (&builder);
}

static GVariant *
describe_interfaces (ConfabBus *self, const Object *object, gsize *room)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a{sa{sv}}"));

  g_variant_builder_add (&builder, "{s@a{sv}}", object->kind->get_info ()->name,
                         describe (self, object, room));

  return g_variant_builder_end (&builder);
}

/**
 * confab_bus_describe_object:
 * @self: the bus face
 * @path: of an object
 * @room: (inout): how many bytes of text may be told still
 *
 * Returns: (transfer floating) (nullable): what GetManagedObjects() tells of it
 */
GVariant *
confab_bus_describe_object (ConfabBus *self, const char *path, gsize *room)
{
  const Object *object = g_hash_table_lookup (self->objects, path);

  /* the manager is at the path of the object manager itself, which tells what is below it */
  if (object == NULL || object->item == NULL)
    return NULL;

  return describe_interfaces (self, object, room);
}

/* Returns: (transfer full) (element-type utf8): of all objects */
GPtrArray *
confab_bus_get_paths (ConfabBus *self)
{
  GPtrArray *paths = g_ptr_array_new_full (g_hash_table_size (self->objects), g_free);
  GHashTableIter iter;
  gpointer path;

  g_hash_table_iter_init (&iter, self->objects);
  while (g_hash_table_iter_next (&iter, &path, NULL))
    g_ptr_array_add (paths, g_strdup (path));

  return paths;
}

/* Calls */

static const ConfabBusMethod *
find_method (const ConfabBusKind *kind, const char *name)
{
  for (const ConfabBusMethod *method = kind->methods; method->name != NULL; method++)
    if (g_str_equal (method->name, name))
      return method;

  return NULL;
}

static guint
find_property (const ConfabBusKind *kind, const char *name)
{
  guint i = 0;

  while (i < kind->n_properties && !g_str_equal (kind->properties[i].name, name))
    i++;

  return i;
}

/* Takes @invocation. */
static void
get_property (ConfabBus *self, const Object *object, GDBusMethodInvocation *invocation)
{
  g_autoptr (GVariant) value = NULL;
  const char *name;

  g_variant_get (g_dbus_method_invocation_get_parameters (invocation), "(&s&s)", NULL, &name);
  value = get_value (self, object, find_property (object->kind, name));
  g_dbus_method_invocation_return_value (invocation, g_variant_new ("(v)", value));
}

/* Takes @invocation. */
static void
set_property (ConfabBus *self, const Object *object, GDBusMethodInvocation *invocation)
{
  g_autoptr (GVariant) value = NULL;
  const char *name;

  g_variant_get (g_dbus_method_invocation_get_parameters (invocation), "(&s&sv)", NULL, &name,
                 &value);
  object->kind->set (self, object->item,
                     object->kind->properties[find_property (object->kind, name)].field, value,
                     invocation);
}

/* Takes @invocation. GDBus has seen to it that members exist and types are right. */
void
confab_bus_dispatch (GDBusMethodInvocation *invocation, gpointer user_data)
{
  ConfabBus *self = CONFAB_BUS (user_data);
  const char *interface = g_dbus_method_invocation_get_interface_name (invocation);
  const char *name = g_dbus_method_invocation_get_method_name (invocation);
  const Object *object =
      g_hash_table_lookup (self->objects, g_dbus_method_invocation_get_object_path (invocation));
  gsize room = G_MAXSIZE;

  confab_bus_emit_called (self);
  if (g_str_equal (interface, OBJECT_MANAGER))
    confab_bus_list_objects (self, invocation);
  else if (object == NULL)
    g_dbus_method_invocation_return_error_literal (
        invocation, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_OBJECT, _ ("This was deleted meanwhile."));
  else if (!g_str_equal (interface, PROPERTIES))
    find_method (object->kind, name)
        ->call (self, object->item, g_dbus_method_invocation_get_parameters (invocation),
                invocation);
  else if (g_str_equal (name, "Get"))
    get_property (self, object, invocation);
  else if (g_str_equal (name, "Set"))
    set_property (self, object, invocation);
  else
    g_dbus_method_invocation_return_value (
        invocation, g_variant_new ("(@a{sv})", describe (self, object, &room)));
}

/* Every call of every object comes this way, properties too. */
static void
method_call (GDBusConnection *connection,
             const char *sender,
             const char *path,
             const char *interface,
             const char *name,
             GVariant *parameters,
             GDBusMethodInvocation *invocation,
             gpointer user_data)
{
  ConfabBus *self = CONFAB_BUS (user_data);
  const Object *object = g_hash_table_lookup (self->objects, path);
  const char *action = CONFAB_BUS_ACTION_USE;

  if (g_str_equal (interface, PROPERTIES))
    action = g_str_equal (name, "Set") ? CONFAB_BUS_ACTION_MANAGE : CONFAB_BUS_ACTION_USE;
  else if (object != NULL && g_str_equal (interface, object->kind->get_info ()->name))
    action = find_method (object->kind, name)->action;

  confab_bus_gate_pass (self->gate, invocation, action);
}

/* Without functions for properties GDBus hands their calls to the first one. */
static const GDBusInterfaceVTable vtable = { method_call, NULL, NULL, { NULL } };

/* Objects come and go */

static guint
register_at (ConfabBus *self, const char *path, GDBusInterfaceInfo *info)
{
  g_autoptr (GError) error = NULL;
  guint id =
      g_dbus_connection_register_object (self->connection, path, info, &vtable, self, NULL, &error);

  /* only a path that is taken can keep it from that, and we look before we take one */
  if (id == 0)
    g_critical ("%s cannot be shown: %s", path, error->message);

  return id;
}

void
confab_bus_register_object_manager (ConfabBus *self)
{
  self->object_manager_id =
      register_at (self, CONFAB_BUS_PATH, confab_dbus_object_manager_interface_info ());
}

/**
 * confab_bus_add_object:
 * @self: the bus face, with a connection
 * @path: where; nothing happens if there is one already
 * @kind: what it is
 * @item: (nullable): the GObject that it stands for
 * @tell: whether to tell all that it is there
 */
void
confab_bus_add_object (ConfabBus *self,
                       const char *path,
                       const ConfabBusKind *kind,
                       gpointer item,
                       gboolean tell)
{
  Object *object;
  gsize no_room = 0;

  if (g_hash_table_contains (self->objects, path))
    return;

  object = g_malloc0 (sizeof (Object) + kind->n_properties * sizeof (guint32));
  object->path = g_strdup (path);
  object->kind = kind;
  object->item = item != NULL ? g_object_ref (item) : NULL;
  g_hash_table_insert (self->objects, object->path, object);
  if (self->listing != NULL)
    confab_bus_listing_note (self->listing, path);
  object->id = register_at (self, path, kind->get_info ());

  for (guint i = 0; i < kind->n_properties; i++)
    {
      g_autoptr (GVariant) value = get_value (self, object, i);

      object->hashes[i] = hash_value (value);
    }
  if (tell)
    confab_bus_emit (
        self, CONFAB_BUS_PATH, OBJECT_MANAGER, "InterfacesAdded",
        g_variant_new ("(o@a{sa{sv}})", path, describe_interfaces (self, object, &no_room)));
}

/**
 * confab_bus_remove_object:
 * @self: the bus face, with a connection
 * @path: of an object; nothing happens if there is none
 */
void
confab_bus_remove_object (ConfabBus *self, const char *path)
{
  Object *object = g_hash_table_lookup (self->objects, path);
  const char *names[] = { NULL, NULL };

  if (object == NULL)
    return;

  if (self->listing != NULL)
    confab_bus_listing_note (self->listing, path);
  names[0] = object->kind->get_info ()->name;
  g_dbus_connection_unregister_object (self->connection, object->id);
  confab_bus_emit (self, CONFAB_BUS_PATH, OBJECT_MANAGER, "InterfacesRemoved",
                   g_variant_new ("(o^as)", path, names));
  g_hash_table_remove (self->dirty, path);
  g_hash_table_remove (self->objects, path);
}

/* Everything goes, as the connection did or will. */
void
confab_bus_clear_objects (ConfabBus *self)
{
  GHashTableIter iter;
  gpointer value;

  g_clear_pointer (&self->listing, confab_bus_listing_free);
  if (self->flush_source != NULL)
    g_source_destroy (self->flush_source);
  g_clear_pointer (&self->flush_source, g_source_unref);
  g_hash_table_remove_all (self->dirty);

  g_hash_table_iter_init (&iter, self->objects);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    g_dbus_connection_unregister_object (self->connection, ((Object *) value)->id);
  g_hash_table_remove_all (self->objects);
  if (self->object_manager_id != 0)
    g_dbus_connection_unregister_object (self->connection, self->object_manager_id);
  self->object_manager_id = 0;
}

/* Changes of properties */

static void
tell_changes (ConfabBus *self, Object *object)
{
  g_auto (GVariantBuilder) changed = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);
  g_auto (GVariantBuilder) invalidated = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("as"));
  gboolean any = FALSE;

  for (guint i = 0; i < object->kind->n_properties; i++)
    {
      g_autoptr (GVariant) value = NULL;
      Emission emission = get_emission (object, i);
      guint32 hash;

      if (emission == EMITS_NOTHING)
        continue;
      value = get_value (self, object, i);
      hash = hash_value (value);
      if (hash == object->hashes[i])
        continue;

      object->hashes[i] = hash;
      any = TRUE;
      if (emission == EMITS_VALUE)
        g_variant_builder_add (&changed, "{sv}", object->kind->properties[i].name, value);
      else
        g_variant_builder_add (&invalidated, "s", object->kind->properties[i].name);
    }

  if (any)
    confab_bus_emit (
        self, object->path, PROPERTIES, "PropertiesChanged",
        g_variant_new ("(sa{sv}as)", object->kind->get_info ()->name, &changed, &invalidated));
}

static gboolean
flush_cb (gpointer user_data)
{
  ConfabBus *self = CONFAB_BUS (user_data);
  GHashTableIter iter;
  gpointer path;

  g_clear_pointer (&self->flush_source, g_source_unref);
  g_hash_table_iter_init (&iter, self->dirty);
  while (g_hash_table_iter_next (&iter, &path, NULL))
    {
      Object *object = g_hash_table_lookup (self->objects, path);

      if (object != NULL)
        tell_changes (self, object);
      g_hash_table_iter_remove (&iter);
    }

  return G_SOURCE_REMOVE;
}

/**
 * confab_bus_touch:
 * @self: the bus face
 * @path: of an object whose properties may have changed
 *
 * Looks at them when this turn of the main loop is over, and tells which did.
 */
void
confab_bus_touch (ConfabBus *self, const char *path)
{
  if (self->connection == NULL)
    return;

  if (self->listing != NULL)
    confab_bus_listing_note (self->listing, path);
  g_hash_table_add (self->dirty, g_strdup (path));
  if (self->flush_source != NULL)
    return;

  self->flush_source = g_idle_source_new ();
  g_source_set_priority (self->flush_source, G_PRIORITY_DEFAULT);
  g_source_set_static_name (self->flush_source, "[confab] changes of properties");
  g_source_set_callback (self->flush_source, flush_cb, self, NULL);
  g_source_attach (self->flush_source, g_main_context_get_thread_default ());
}

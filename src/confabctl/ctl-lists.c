/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib/gi18n.h>
#include <string.h>

#include "ctl.h"

static GVariant *
get_all (Ctl *self, const char *path, const char *interface, CtlExit *status)
{
  g_autoptr (GVariant) reply = ctl_call (self, path, "org.freedesktop.DBus.Properties", "GetAll",
                                         g_variant_new ("(s)", interface), "(a{sv})", status);

  return reply != NULL ? g_variant_get_child_value (reply, 0) : NULL;
}

static const char *
get_string (GVariant *dictionary, const char *name)
{
  const char *value = "";

  g_variant_lookup (dictionary, name, "&s", &value);

  return value;
}

CtlExit
ctl_status (Ctl *self, char **args)
{
  CtlExit status = CTL_EXIT_OK;
  g_autoptr (GVariant) properties = get_all (self, CTL_ROOT, CTL_MANAGER, &status);
  g_autofree const char **addresses = NULL;
  guint32 connections = 0;
  guint32 active = 0;

  if (properties == NULL)
    return status;
  if (self->json)
    {
      ctl_print_json (properties);
      return CTL_EXIT_OK;
    }

  g_variant_lookup (properties, "Connections", "u", &connections);
  g_variant_lookup (properties, "ActiveGenerations", "u", &active);
  g_variant_lookup (properties, "Addresses", "^a&s", &addresses);
  g_print (_ ("Confab %s runs: %u connections, %u answers in the making\n"),
           get_string (properties, "Version"), connections, active);
  for (guint i = 0; addresses != NULL && addresses[i] != NULL; i++)
    g_print ("  %s\n", addresses[i]);

  return CTL_EXIT_OK;
}

typedef struct
{
  GVariant *properties;
  gint64 time;
} Row;

static void
row_clear (gpointer data)
{
  Row *row = data;

  g_variant_unref (row->properties);
}

static int
compare_rows (gconstpointer a, gconstpointer b)
{
  const Row *first = a;
  const Row *second = b;

  if (first->time != second->time)
    return first->time > second->time ? -1 : 1;

  return strcmp (get_string (first->properties, "Id"), get_string (second->properties, "Id"));
}

/* When something last happened in each session: id as in paths → gint64. */
static GHashTable *
find_times (GVariant *objects)
{
  GHashTable *times = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  GVariantIter iter;
  GVariant *interfaces;
  const char *path;

  g_variant_iter_init (&iter, objects);
  while (g_variant_iter_loop (&iter, "{&o@a{sa{sv}}}", &path, &interfaces))
    {
      g_autoptr (GVariant) module =
          g_variant_lookup_value (interfaces, CTL_MODULE, G_VARIANT_TYPE_VARDICT);
      const char *end = strstr (path, "/modules/");
      g_autofree char *session = end != NULL ? g_strndup (path, (gsize) (end - path)) : NULL;
      gint64 *known = session != NULL ? g_hash_table_lookup (times, session) : NULL;
      gint64 time = 0;

      if (module == NULL || session == NULL)
        continue;
      g_variant_lookup (module, "LastActivity", "x", &time);
      if (known == NULL)
        g_hash_table_insert (times, g_steal_pointer (&session), g_memdup2 (&time, sizeof time));
      else
        *known = MAX (*known, time);
    }

  return times;
}

/* All objects of one interface, whose path begins with @prefix. */
static GArray *
find_rows (GVariant *objects, const char *interface, const char *prefix)
{
  g_autoptr (GHashTable) times = find_times (objects);
  GArray *rows = g_array_new (FALSE, FALSE, sizeof (Row));
  GVariantIter iter;
  GVariant *interfaces;
  const char *path;

  g_array_set_clear_func (rows, row_clear);
  g_variant_iter_init (&iter, objects);
  while (g_variant_iter_loop (&iter, "{&o@a{sa{sv}}}", &path, &interfaces))
    {
      Row row = { g_variant_lookup_value (interfaces, interface, G_VARIANT_TYPE_VARDICT) };
      gint64 *of_modules = g_hash_table_lookup (times, path);

      if (row.properties == NULL)
        continue;
      if (!g_variant_lookup (row.properties, "LastActivity", "x", &row.time))
        g_variant_lookup (row.properties, "CreatedAt", "x", &row.time);
      if (of_modules != NULL)
        row.time = MAX (row.time, *of_modules);
      if (g_str_has_prefix (path, prefix))
        g_array_append_val (rows, row);
      else
        row_clear (&row);
    }
  g_array_sort (rows, compare_rows);

  return rows;
}

/* The one in which something happened last comes first. */
static CtlExit
list_objects (Ctl *self, const char *interface, const char *prefix)
{
  CtlExit status = CTL_EXIT_OK;
  g_autoptr (GVariant) reply = ctl_call (self, CTL_ROOT, "org.freedesktop.DBus.ObjectManager",
                                         "GetManagedObjects", NULL, "(a{oa{sa{sv}}})", &status);
  g_auto (GVariantBuilder) list = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("aa{sv}"));
  g_autoptr (GVariant) objects = NULL;
  g_autoptr (GVariant) all = NULL;
  g_autoptr (GArray) rows = NULL;

  if (reply == NULL)
    return status;

  objects = g_variant_get_child_value (reply, 0);
  rows = find_rows (objects, interface, prefix);
  for (guint i = 0; i < rows->len; i++)
    {
      GVariant *properties = g_array_index (rows, Row, i).properties;

      g_variant_builder_add_value (&list, properties);
      if (!self->json)
        g_print ("%s\t%s\n", get_string (properties, "Id"), get_string (properties, "Title"));
    }
  all = g_variant_ref_sink (g_variant_builder_end (&list));
  if (self->json)
    ctl_print_json (all);

  return CTL_EXIT_OK;
}

CtlExit
ctl_sessions (Ctl *self, char **args)
{
  return list_objects (self, CTL_SESSION, CTL_ROOT);
}

CtlExit
ctl_modules (Ctl *self, char **args)
{
  g_autofree char *escaped = args[0] != NULL ? g_dbus_escape_object_path (args[0]) : NULL;
  g_autofree char *prefix = escaped != NULL
                                ? g_strdup_printf (CTL_ROOT "/sessions/%s/modules/", escaped)
                                : g_strdup (CTL_ROOT);

  return list_objects (self, CTL_MODULE, prefix);
}

CtlExit
ctl_stop (Ctl *self, char **args)
{
  CtlExit status = CTL_EXIT_OK;
  g_autofree char *path = ctl_find_module (self, args[0], &status);
  g_autoptr (GVariant) reply G_GNUC_UNUSED = NULL;

  if (path != NULL)
    reply = ctl_call (self, path, CTL_MODULE, "Stop", NULL, "()", &status);

  return status;
}

CtlExit
ctl_providers (Ctl *self, char **args)
{
  CtlExit status = CTL_EXIT_OK;
  g_autoptr (GVariant) providers = NULL;
  g_autoptr (GVariant) reply = NULL;

  if (args[0] != NULL)
    return ctl_change_key (self, args);
  reply = ctl_call (self, CTL_ROOT, CTL_MANAGER, "ListProviders", NULL, "(aa{sv})", &status);
  if (reply == NULL)
    return status;

  providers = g_variant_get_child_value (reply, 0);
  if (self->json)
    ctl_print_json (providers);
  for (gsize i = 0; !self->json && i < g_variant_n_children (providers); i++)
    {
      g_autoptr (GVariant) provider = g_variant_get_child_value (providers, i);
      g_autofree const char **models = NULL;

      g_variant_lookup (provider, "models", "^a&s", &models);
      g_print ("%s\t%u\t%s\n", get_string (provider, "name"),
               models != NULL ? g_strv_length ((char **) models) : 0,
               get_string (provider, "error"));
    }

  return CTL_EXIT_OK;
}

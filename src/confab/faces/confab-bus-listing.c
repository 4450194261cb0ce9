/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib/gi18n-lib.h>

#include "confab-bus-private.h"
#include "confab-error.h"

/*
 * GetManagedObjects() of many objects takes long: half of it to describe them, half to write the
 * message. The first is done a little at a time, so that chunks keep flowing, and what changes
 * meanwhile is described again at the end: the answer is how all is at that moment. The message is
 * written in a thread; until it is sent, broadcasts wait, so that none that is newer comes before
 * it.
 */

/* How much text is told along with the rest; what does not fit can be asked for one by one. A
 * message of D-Bus holds 128 MiB at most. */
#define MAX_TEXT_BYTES (16 * 1024 * 1024)

#define SLICE_US (4 * 1000)

/* One that is being described. Whoever asks meanwhile is answered along with it. */
struct _ConfabBusListing
{
  ConfabBus *bus; /* which owns it */
  GPtrArray *invocations;
  GPtrArray *paths; /* of all objects when it began */
  guint n_done;
  GHashTable *described; /* path → GVariant */
  GHashTable *stale;     /* set of paths: described since, or new */
  gsize room;
  GSource *source;
};

/* One that is described, until it is sent. It belongs to the thread. */
typedef struct
{
  GPtrArray *invocations;
  GPtrArray *paths;
  GHashTable *described;
} Sending;

static void
describe (ConfabBusListing *self, const char *path)
{
  GVariant *value = confab_bus_describe_object (self->bus, path, &self->room);

  if (value != NULL)
    g_hash_table_insert (self->described, g_strdup (path), g_variant_ref_sink (value));
  else
    g_hash_table_remove (self->described, path);
}

static GVariant *
build_reply (GHashTable *described)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a{oa{sa{sv}}}"));
  GHashTableIter iter;
  gpointer path, value;

  g_hash_table_iter_init (&iter, described);
  while (g_hash_table_iter_next (&iter, &path, &value))
    g_variant_builder_add (&builder, "{o@a{sa{sv}}}", path, value);

  return g_variant_ref_sink (g_variant_new ("(@a{oa{sa{sv}}})", g_variant_builder_end (&builder)));
}

/* To free it all takes long as well. */
static void
send_in_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  Sending *sending = data;
  g_autoptr (GVariant) reply = build_reply (sending->described);

  for (guint i = 0; i < sending->invocations->len; i++)
    g_dbus_method_invocation_return_value (g_ptr_array_index (sending->invocations, i), reply);
  g_task_return_boolean (task, TRUE);

  g_ptr_array_unref (sending->invocations);
  g_ptr_array_unref (sending->paths);
  g_hash_table_unref (sending->described);
  g_free (sending);
}

static void
sent_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  confab_bus_release_broadcasts (CONFAB_BUS (source));
}

static void
send (ConfabBusListing *self)
{
  Sending *sending = g_new (Sending, 1);
  g_autoptr (GTask) task = g_task_new (self->bus, NULL, sent_cb, NULL);

  sending->invocations = g_steal_pointer (&self->invocations);
  sending->paths = g_steal_pointer (&self->paths);
  sending->described = g_steal_pointer (&self->described);
  confab_bus_hold_broadcasts (self->bus);
  g_task_set_source_tag (task, send);
  g_task_set_task_data (task, sending, NULL);
  g_task_run_in_thread (task, send_in_thread);
}

static gboolean
slice_cb (gpointer user_data)
{
  ConfabBusListing *self = user_data;
  gint64 end = g_get_monotonic_time () + SLICE_US;
  GHashTableIter iter;
  gpointer path;

  while (self->n_done < self->paths->len && g_get_monotonic_time () < end)
    describe (self, g_ptr_array_index (self->paths, self->n_done++));
  if (self->n_done < self->paths->len)
    return G_SOURCE_CONTINUE;

  g_hash_table_iter_init (&iter, self->stale);
  while (g_hash_table_iter_next (&iter, &path, NULL))
    describe (self, path);
  send (self);
  /* the source goes with it */
  g_clear_pointer (&self->bus->listing, confab_bus_listing_free);

  return G_SOURCE_REMOVE;
}

static ConfabBusListing *
listing_new (ConfabBus *bus)
{
  ConfabBusListing *self = g_new0 (ConfabBusListing, 1);

  self->bus = bus;
  self->invocations = g_ptr_array_new ();
  self->paths = confab_bus_get_paths (bus);
  self->described =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_variant_unref);
  self->stale = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->room = MAX_TEXT_BYTES;

  self->source = g_idle_source_new ();
  /* others get their turn between two slices, and it gets one however many there are */
  g_source_set_priority (self->source, G_PRIORITY_DEFAULT);
  g_source_set_static_name (self->source, "[confab] list of objects");
  g_source_set_callback (self->source, slice_cb, self, NULL);
  g_source_attach (self->source, g_main_context_get_thread_default ());

  return self;
}

/* Whoever waits still is answered. */
void
confab_bus_listing_free (ConfabBusListing *self)
{
  for (guint i = 0; self->invocations != NULL && i < self->invocations->len; i++)
    g_dbus_method_invocation_return_error_literal (g_ptr_array_index (self->invocations, i),
                                                   CONFAB_ERROR, CONFAB_ERROR_SHUTTING_DOWN,
                                                   _ ("Confab is shutting down."));
  g_clear_pointer (&self->invocations, g_ptr_array_unref);
  g_source_destroy (self->source);
  g_source_unref (self->source);
  g_clear_pointer (&self->paths, g_ptr_array_unref);
  g_clear_pointer (&self->described, g_hash_table_unref);
  g_hash_table_unref (self->stale);
  g_free (self);
}

/**
 * confab_bus_list_objects:
 * @self: the bus face
 * @invocation: (transfer full): of GetManagedObjects(), which is answered later
 */
void
confab_bus_list_objects (ConfabBus *self, GDBusMethodInvocation *invocation)
{
  if (self->listing == NULL)
    self->listing = listing_new (self);
  g_ptr_array_add (self->listing->invocations, invocation);
}

/* An object changed, came or went. */
void
confab_bus_listing_note (ConfabBusListing *self, const char *path)
{
  g_hash_table_add (self->stale, g_strdup (path));
}

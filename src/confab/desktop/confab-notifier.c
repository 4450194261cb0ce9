/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-notifier.h"

#include <glib/gi18n-lib.h>

#include "confab-error.h"
#include "confab-launcher.h"

#define NAME "org.freedesktop.Notifications"
#define PATH "/org/freedesktop/Notifications"
#define PORTAL_NAME "org.freedesktop.portal.Desktop"
#define PORTAL_PATH "/org/freedesktop/portal/desktop"
#define APP_ID "org.confab.Confab"
/* How much of an answer is shown, in characters. */
#define MAX_TEXT 200
/* How many of those that are shown can be clicked; more are not kept by any desktop. */
#define MAX_SHOWN 64

struct _ConfabNotifier
{
  GObject parent_instance;

  ConfabService *service;
  ConfabOpener *opener;
  GDBusConnection *connection; /* NULL: nobody to tell */
  guint subscription;
  gboolean enabled;
  gboolean with_text;
  gboolean by_portal;
  /* (element-type guint utf8): notification → module id; none by the portal, which calls us itself
   */
  GHashTable *shown;
};

G_DEFINE_FINAL_TYPE (ConfabNotifier, confab_notifier, G_TYPE_OBJECT)

static void
drop_connection (ConfabNotifier *self)
{
  if (self->connection != NULL)
    g_dbus_connection_signal_unsubscribe (self->connection, self->subscription);
  g_clear_object (&self->connection);
  g_hash_table_remove_all (self->shown);
}

static void
confab_notifier_finalize (GObject *object)
{
  ConfabNotifier *self = CONFAB_NOTIFIER (object);

  drop_connection (self);
  g_hash_table_unref (self->shown);
  g_clear_object (&self->service);

  G_OBJECT_CLASS (confab_notifier_parent_class)->finalize (object);
}

static void
confab_notifier_class_init (ConfabNotifierClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = confab_notifier_finalize;
}

static void
confab_notifier_init (ConfabNotifier *self)
{
  self->shown = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  /* as GIO decides it */
  self->by_portal = g_file_test ("/.flatpak-info", G_FILE_TEST_EXISTS)
                    || g_strcmp0 (g_getenv ("GTK_USE_PORTAL"), "1") == 0;
}

static char *
make_summary (ConfabNotifier *self, ConfabGeneration *generation)
{
  ConfabModule *module =
      confab_service_lookup_module (self->service, confab_generation_get_module_id (generation));
  const char *title = module != NULL ? confab_module_get_title (module) : "";

  if (self->with_text && *title != '\0')
    return g_strdup (title);
  if (confab_generation_get_state (generation) == CONFAB_STATE_COMPLETED)
    return g_strdup (C_ ("notification", "The answer is ready"));

  return g_strdup (C_ ("notification", "The answer failed"));
}

/* Returns: (transfer full): plain text */
static char *
make_body (ConfabNotifier *self, ConfabGeneration *generation)
{
  const GError *error = confab_generation_get_error (generation);
  const char *text = error != NULL ? error->message : confab_generation_get_text (generation);

  if (!self->with_text || text == NULL)
    return g_strdup ("");

  return g_strstrip (g_utf8_strlen (text, -1) > MAX_TEXT ? g_utf8_substring (text, 0, MAX_TEXT)
                                                         : g_strdup (text));
}

typedef struct
{
  ConfabNotifier *notifier;
  char *module_id;
} Call;

static void
notified_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Call *call = user_data;
  g_autoptr (ConfabNotifier) self = call->notifier;
  g_autofree char *module_id = call->module_id;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = NULL;
  guint id;

  g_free (call);
  reply = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  if (reply == NULL)
    {
      g_info ("The desktop shows no notifications: %s", error->message);
      return;
    }

  g_variant_get (reply, "(u)", &id);
  if (g_hash_table_size (self->shown) >= MAX_SHOWN)
    g_hash_table_remove_all (self->shown);
  g_hash_table_insert (self->shown, GUINT_TO_POINTER (id), g_steal_pointer (&module_id));
}

static void
show_by_server (ConfabNotifier *self, const char *module_id, const char *summary, const char *text)
{
  Call *call = g_new0 (Call, 1);
  /* it is taken for markup, which the summary is not */
  g_autofree char *body = g_markup_escape_text (text, -1);
  GVariantBuilder actions, hints;

  g_variant_builder_init (&actions, G_VARIANT_TYPE ("as"));
  g_variant_builder_add (&actions, "s", "default");
  g_variant_builder_add (&actions, "s", C_ ("notification", "Show"));
  g_variant_builder_init (&hints, G_VARIANT_TYPE ("a{sv}"));
  g_variant_builder_add (&hints, "{sv}", "desktop-entry", g_variant_new_string (APP_ID));
  g_variant_builder_add (&hints, "{sv}", "category", g_variant_new_string ("im.received"));

  call->notifier = g_object_ref (self);
  call->module_id = g_strdup (module_id);
  g_dbus_connection_call (
      self->connection, NAME, PATH, NAME, "Notify",
      g_variant_new ("(susssasa{sv}i)", "Confab", 0, APP_ID, summary, body, &actions, &hints, -1),
      G_VARIANT_TYPE ("(u)"), G_DBUS_CALL_FLAGS_NONE, -1, NULL, notified_cb, call);
}

static void
added_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply =
      g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);

  if (reply == NULL)
    g_info ("The desktop shows no notifications: %s", error->message);
}

/* Needs no permission in a sandbox, and a click finds us even after our end: the desktop calls
 * ActivateAction, for which the bus starts us. The newest of a module takes the place of those
 * before. */
static void
show_by_portal (ConfabNotifier *self, const char *module_id, const char *summary, const char *text)
{
  GVariantBuilder notification;

  g_variant_builder_init (&notification, G_VARIANT_TYPE ("a{sv}"));
  g_variant_builder_add (&notification, "{sv}", "title", g_variant_new_string (summary));
  if (*text != '\0')
    g_variant_builder_add (&notification, "{sv}", "body", g_variant_new_string (text));
  g_variant_builder_add (&notification, "{sv}", "default-action",
                         g_variant_new_string ("app." CONFAB_LAUNCHER_SHOW_CHAT));
  g_variant_builder_add (&notification, "{sv}", "default-action-target",
                         g_variant_new_string (module_id));

  g_dbus_connection_call (self->connection, PORTAL_NAME, PORTAL_PATH,
                          "org.freedesktop.portal.Notification", "AddNotification",
                          g_variant_new ("(sa{sv})", module_id, &notification), NULL,
                          G_DBUS_CALL_FLAGS_NONE, -1, NULL, added_cb, NULL);
}

static void
show (ConfabNotifier *self, ConfabGeneration *generation)
{
  const char *module_id = confab_generation_get_module_id (generation);
  g_autofree char *summary = make_summary (self, generation);
  g_autofree char *text = make_body (self, generation);

  if (self->by_portal)
    show_by_portal (self, module_id, summary, text);
  else
    show_by_server (self, module_id, summary, text);
}

typedef struct
{
  ConfabNotifier *notifier;
  ConfabGeneration *generation;
} Ended;

static void
ended_free (gpointer data)
{
  Ended *ended = data;

  g_object_unref (ended->notifier);
  g_object_unref (ended->generation);
  g_free (ended);
}

static gboolean
told_cb (gpointer user_data)
{
  Ended *ended = user_data;
  ConfabState state = confab_generation_get_state (ended->generation);

  if (ended->notifier->connection != NULL
      && (state == CONFAB_STATE_COMPLETED || state == CONFAB_STATE_FAILED)
      && !confab_generation_was_told (ended->generation))
    show (ended->notifier, ended->generation);

  return G_SOURCE_REMOVE;
}

/* First everybody else gets to tell clients of the end. */
static void
ended_cb (ConfabNotifier *self, ConfabGeneration *generation)
{
  Ended *ended;

  if (!self->enabled || self->connection == NULL)
    return;

  ended = g_new0 (Ended, 1);
  ended->notifier = g_object_ref (self);
  ended->generation = g_object_ref (generation);
  g_source_set_name_by_id (g_idle_add_full (G_PRIORITY_DEFAULT_IDLE, told_cb, ended, ended_free),
                           "[confab] notification");
}

static void
started_cb (ConfabNotifier *self, ConfabGeneration *generation)
{
  g_signal_connect_object (generation, "ended", G_CALLBACK (ended_cb), self, G_CONNECT_SWAPPED);
}

/**
 * confab_notifier_new:
 * @service: whose answers to tell of
 * @opener: for those that are clicked
 *
 * Returns: (transfer full): one that tells nobody, until it has a connection
 */
ConfabNotifier *
confab_notifier_new (ConfabService *service, ConfabOpener *opener)
{
  ConfabNotifier *self = g_object_new (CONFAB_TYPE_NOTIFIER, NULL);

  self->service = g_object_ref (service);
  self->opener = opener;
  g_signal_connect_object (service, "generation-started", G_CALLBACK (started_cb), self,
                           G_CONNECT_SWAPPED);

  return self;
}

static void
signal_cb (GDBusConnection *connection,
           const char *sender,
           const char *path,
           const char *interface,
           const char *name,
           GVariant *parameters,
           gpointer user_data)
{
  ConfabNotifier *self = user_data;
  const char *module_id;
  guint id;

  if (g_str_equal (name, "ActionInvoked")
      && g_variant_is_of_type (parameters, G_VARIANT_TYPE ("(us)")))
    {
      g_variant_get (parameters, "(u&s)", &id, NULL);
      module_id = g_hash_table_lookup (self->shown, GUINT_TO_POINTER (id));
      if (module_id != NULL)
        confab_opener_open (self->opener, module_id);
    }
  else if (g_str_equal (name, "NotificationClosed")
           && g_variant_is_of_type (parameters, G_VARIANT_TYPE ("(uu)")))
    {
      g_variant_get (parameters, "(uu)", &id, NULL);
      g_hash_table_remove (self->shown, GUINT_TO_POINTER (id));
    }
}

void
confab_notifier_set_connection (ConfabNotifier *self, GDBusConnection *connection)
{
  g_return_if_fail (CONFAB_IS_NOTIFIER (self));

  drop_connection (self);
  if (connection == NULL)
    return;

  self->connection = g_object_ref (connection);
  self->subscription = g_dbus_connection_signal_subscribe (
      connection, NAME, NAME, NULL, PATH, NULL, G_DBUS_SIGNAL_FLAGS_NONE, signal_cb, self, NULL);
}

void
confab_notifier_set_enabled (ConfabNotifier *self, gboolean enabled, gboolean with_text)
{
  g_return_if_fail (CONFAB_IS_NOTIFIER (self));

  self->enabled = enabled;
  self->with_text = with_text;
}

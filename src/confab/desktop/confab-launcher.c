/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-launcher.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "confab-id.h"

#define PATH "/org/confab/Confab"
#define MAX_RESULTS 5
#define MAX_QUERY_BYTES 1024
/* A result is a module's id, or this and a question. */
#define ASK_PREFIX "ask/"
/* An action of the .desktop file. */
#define NEW_CHAT "new-chat"

static const char xml[] =
    "<node>"
    "<interface name='org.freedesktop.Application'>"
    "<method name='Activate'><arg type='a{sv}' name='platform_data' direction='in'/></method>"
    "<method name='Open'><arg type='as' name='uris' direction='in'/>"
    "<arg type='a{sv}' name='platform_data' direction='in'/></method>"
    "<method name='ActivateAction'><arg type='s' name='action_name' direction='in'/>"
    "<arg type='av' name='parameter' direction='in'/>"
    "<arg type='a{sv}' name='platform_data' direction='in'/></method>"
    "</interface>"
    "<interface name='org.gnome.Shell.SearchProvider2'>"
    "<method name='GetInitialResultSet'><arg type='as' name='terms' direction='in'/>"
    "<arg type='as' name='results' direction='out'/></method>"
    "<method name='GetSubsearchResultSet'><arg type='as' name='previous' direction='in'/>"
    "<arg type='as' name='terms' direction='in'/>"
    "<arg type='as' name='results' direction='out'/></method>"
    "<method name='GetResultMetas'><arg type='as' name='identifiers' direction='in'/>"
    "<arg type='aa{sv}' name='metas' direction='out'/></method>"
    "<method name='ActivateResult'><arg type='s' name='identifier' direction='in'/>"
    "<arg type='as' name='terms' direction='in'/>"
    "<arg type='u' name='timestamp' direction='in'/></method>"
    "<method name='LaunchSearch'><arg type='as' name='terms' direction='in'/>"
    "<arg type='u' name='timestamp' direction='in'/></method>"
    "</interface>"
    "</node>";

struct _ConfabLauncher
{
  GObject parent_instance;

  ConfabService *service;
  ConfabOpener *opener;
  GDBusConnection *connection; /* NULL: not exported */
  guint registrations[2];
  /* (element-type utf8 utf8): module id → what was found there, of the newest search; NULL: its
   * title */
  GHashTable *snippets;
};

G_DEFINE_FINAL_TYPE (ConfabLauncher, confab_launcher, G_TYPE_OBJECT)

static void
confab_launcher_finalize (GObject *object)
{
  ConfabLauncher *self = CONFAB_LAUNCHER (object);

  confab_launcher_unexport (self);
  g_hash_table_unref (self->snippets);
  g_clear_object (&self->service);

  G_OBJECT_CLASS (confab_launcher_parent_class)->finalize (object);
}

static void
confab_launcher_class_init (ConfabLauncherClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = confab_launcher_finalize;
}

static void
confab_launcher_init (ConfabLauncher *self)
{
  self->snippets = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
}

typedef struct
{
  ConfabLauncher *launcher;
  GDBusMethodInvocation *invocation;
  char *query;
} Search;

/* The modules of @found, each once, and then the question itself. @found: nullable */
static void
answer_search (Search *search, GPtrArray *found)
{
  ConfabLauncher *self = search->launcher;
  GVariantBuilder results;

  g_hash_table_remove_all (self->snippets);
  g_variant_builder_init (&results, G_VARIANT_TYPE ("as"));
  for (guint i = 0; found != NULL && i < found->len; i++)
    {
      const ConfabSearchResult *result = g_ptr_array_index (found, i);

      if (result->module_id == NULL)
        continue;
      if (!g_hash_table_contains (self->snippets, result->module_id))
        g_variant_builder_add (&results, "s", result->module_id);
      else if (g_hash_table_lookup (self->snippets, result->module_id) != NULL)
        continue;
      /* where the title was found, that is said already, and a message may say more */
      g_hash_table_insert (self->snippets, g_strdup (result->module_id),
                           result->message_id != NULL ? g_strdup (result->snippet) : NULL);
    }
  if (*search->query != '\0')
    {
      g_autofree char *ask = g_strconcat (ASK_PREFIX, search->query, NULL);

      g_variant_builder_add (&results, "s", ask);
    }
  g_dbus_method_invocation_return_value (search->invocation, g_variant_new ("(as)", &results));

  g_object_unref (self);
  g_free (search->query);
  g_free (search);
}

static void
searched_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) found =
      confab_service_search_finish (CONFAB_SERVICE (source), result, &error);

  if (found == NULL)
    g_debug ("The desktop's search found nothing: %s", error->message);
  answer_search (user_data, found);
}

static void
search (ConfabLauncher *self, const char **terms, GDBusMethodInvocation *invocation)
{
  Search *data = g_new0 (Search, 1);
  g_autoptr (JsonObject) payload = json_object_new ();

  data->launcher = g_object_ref (self);
  data->invocation = invocation;
  data->query = g_strstrip (g_strjoinv (" ", (char **) terms));
  if (*data->query == '\0' || strlen (data->query) > MAX_QUERY_BYTES)
    {
      answer_search (data, NULL);
      return;
    }

  json_object_set_string_member (payload, "query", data->query);
  json_object_set_int_member (payload, "limit", MAX_RESULTS);
  confab_service_search_async (self->service, payload, searched_cb, data);
}

static void
add_meta (ConfabLauncher *self, GVariantBuilder *metas, const char *id)
{
  ConfabModule *module = confab_service_lookup_module (self->service, id);
  const char *snippet = g_hash_table_lookup (self->snippets, id);
  g_autofree char *name = NULL;

  if (g_str_has_prefix (id, ASK_PREFIX))
    /* Translators: a search result; %s is what the user has typed */
    name = g_strdup_printf (C_ ("search result", "Ask Confab: “%s”"), id + strlen (ASK_PREFIX));
  else if (module == NULL)
    return;
  else if (*confab_module_get_title (module) != '\0')
    name = g_strdup (confab_module_get_title (module));
  else
    name = g_strdup (C_ ("search result", "Chat without a title"));

  g_variant_builder_open (metas, G_VARIANT_TYPE ("a{sv}"));
  g_variant_builder_add (metas, "{sv}", "id", g_variant_new_string (id));
  g_variant_builder_add (metas, "{sv}", "name", g_variant_new_string (name));
  g_variant_builder_add (metas, "{sv}", "gicon", g_variant_new_string ("org.confab.Confab"));
  if (snippet != NULL)
    g_variant_builder_add (metas, "{sv}", "description", g_variant_new_string (snippet));
  g_variant_builder_close (metas);
}

static GVariant *
describe (ConfabLauncher *self, const char **ids)
{
  GVariantBuilder metas;

  g_variant_builder_init (&metas, G_VARIANT_TYPE ("aa{sv}"));
  for (; *ids != NULL; ids++)
    add_meta (self, &metas, *ids);

  return g_variant_new ("(aa{sv})", &metas);
}

static void
asked_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (ConfabLauncher) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (ConfabGeneration) generation = NULL;
  gboolean repeated;

  generation = confab_service_generate_finish (CONFAB_SERVICE (source), result, &repeated, &error);

  if (generation == NULL)
    g_message ("A question of the desktop's search was refused: %s", error->message);
  confab_opener_open (self->opener,
                      generation != NULL ? confab_generation_get_module_id (generation) : NULL);
}

/* A new chat, whose page opens while the answer comes. */
static void
ask (ConfabLauncher *self, const char *question)
{
  g_autoptr (JsonObject) payload = json_object_new ();
  g_autofree char *module_id = confab_id_new ();

  json_object_set_string_member (payload, "moduleId", module_id);
  json_object_set_string_member (payload, "message", question);
  confab_service_generate_async (self->service, payload, asked_cb, g_object_ref (self));
}

static void
activate_result (ConfabLauncher *self, const char *id)
{
  if (g_str_has_prefix (id, ASK_PREFIX))
    ask (self, id + strlen (ASK_PREFIX));
  else
    confab_opener_open (self->opener, id);
}

/* New Chat is of the .desktop file; notifications name a chat. */
static void
activate_action (ConfabLauncher *self, const char *name, GVariant *parameter)
{
  g_autoptr (GVariant) target = NULL;

  if (g_str_equal (name, CONFAB_LAUNCHER_SHOW_CHAT) && g_variant_n_children (parameter) == 1)
    g_variant_get_child (parameter, 0, "v", &target);
  if (target != NULL && g_variant_is_of_type (target, G_VARIANT_TYPE_STRING))
    confab_opener_open (self->opener, g_variant_get_string (target, NULL));
  else if (g_str_equal (name, NEW_CHAT))
    confab_opener_open_new (self->opener);
  else
    confab_opener_open (self->opener, NULL);
}

/* Of both interfaces; GDBus has checked the arguments. */
static void
method_cb (GDBusConnection *connection,
           const char *sender,
           const char *path,
           const char *interface,
           const char *method,
           GVariant *parameters,
           GDBusMethodInvocation *invocation,
           gpointer user_data)
{
  ConfabLauncher *self = user_data;
  g_autofree const char **texts = NULL;
  g_autoptr (GVariant) parameter = NULL;
  const char *id;

  if (g_str_equal (method, "GetInitialResultSet"))
    {
      g_variant_get (parameters, "(^a&s)", &texts);
      search (self, texts, invocation);
      return;
    }
  if (g_str_equal (method, "GetSubsearchResultSet"))
    {
      g_variant_get (parameters, "(@as^a&s)", NULL, &texts);
      search (self, texts, invocation);
      return;
    }
  if (g_str_equal (method, "GetResultMetas"))
    {
      g_variant_get (parameters, "(^a&s)", &texts);
      g_dbus_method_invocation_return_value (invocation, describe (self, texts));
      return;
    }

  if (g_str_equal (method, "ActivateResult"))
    {
      g_variant_get (parameters, "(&s@asu)", &id, NULL, NULL);
      activate_result (self, id);
    }
  else if (g_str_equal (method, "ActivateAction"))
    {
      g_variant_get (parameters, "(&s@av@a{sv})", &id, &parameter, NULL);
      activate_action (self, id, parameter);
    }
  else
    /* Activate, Open, LaunchSearch */
    confab_opener_open (self->opener, NULL);
  g_dbus_method_invocation_return_value (invocation, NULL);
}

static const GDBusInterfaceVTable vtable = { .method_call = method_cb };

ConfabLauncher *
confab_launcher_new (ConfabService *service, ConfabOpener *opener)
{
  ConfabLauncher *self = g_object_new (CONFAB_TYPE_LAUNCHER, NULL);

  self->service = g_object_ref (service);
  self->opener = opener;

  return self;
}

/**
 * confab_launcher_export:
 * @connection: to a session bus, before our name is taken there
 *
 * Returns: whether the desktop can call us
 */
gboolean
confab_launcher_export (ConfabLauncher *self, GDBusConnection *connection, GError **error)
{
  g_autoptr (GDBusNodeInfo) node = g_dbus_node_info_new_for_xml (xml, error);

  g_return_val_if_fail (CONFAB_IS_LAUNCHER (self) && self->connection == NULL, FALSE);

  if (node == NULL)
    return FALSE;
  self->connection = g_object_ref (connection);
  for (guint i = 0; i < G_N_ELEMENTS (self->registrations); i++)
    {
      self->registrations[i] = g_dbus_connection_register_object (
          connection, PATH, node->interfaces[i], &vtable, self, NULL, error);
      if (self->registrations[i] == 0)
        {
          confab_launcher_unexport (self);
          return FALSE;
        }
    }

  return TRUE;
}

void
confab_launcher_unexport (ConfabLauncher *self)
{
  g_return_if_fail (CONFAB_IS_LAUNCHER (self));

  for (guint i = 0; i < G_N_ELEMENTS (self->registrations); i++)
    {
      if (self->registrations[i] != 0)
        g_dbus_connection_unregister_object (self->connection, self->registrations[i]);
      self->registrations[i] = 0;
    }
  g_clear_object (&self->connection);
}

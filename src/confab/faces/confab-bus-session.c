/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-bus-private.h"
#include "confab-bus-values.h"
#include "confab-dbus.h"

/* Answers with nothing but that it is done. */
static void
changed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GDBusMethodInvocation *invocation = user_data;
  g_autoptr (ConfabSession) session = NULL;
  g_autoptr (GError) error = NULL;

  session = confab_service_change_session_finish (CONFAB_SERVICE (source), result, &error);
  if (session != NULL)
    g_dbus_method_invocation_return_value (invocation, NULL);
  else
    confab_bus_refuse (invocation, error);
}

static void
module_created_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (ConfabBusCall) call = user_data;
  g_autoptr (ConfabModule) module = NULL;
  g_autofree char *path = NULL;
  g_autoptr (GError) error = NULL;

  module = confab_service_change_module_finish (CONFAB_SERVICE (source), result, &error);
  if (module == NULL)
    {
      confab_bus_refuse (call->invocation, error);
      return;
    }

  confab_bus_show_module (call->bus, module);
  path = confab_bus_module_path (module);
  g_dbus_method_invocation_return_value (call->invocation, g_variant_new ("(o)", path));
}

static void
create_module (ConfabBus *bus,
               gpointer item,
               GVariant *parameters,
               GDBusMethodInvocation *invocation)
{
  g_autoptr (GVariant) options = NULL;
  g_autoptr (JsonObject) payload = NULL;
  const char *title;

  g_variant_get (parameters, "(&s@a{sv})", &title, &options);
  payload = confab_bus_value_to_object (options);
  json_object_set_string_member (payload, "sessionId", confab_session_get_id (item));
  json_object_set_string_member (payload, "title", title);
  confab_service_change_module_async (bus->service, "module:create", payload, module_created_cb,
                                      confab_bus_call_new (bus, invocation));
}

static void delete (ConfabBus *bus,
                    gpointer item,
                    GVariant *parameters,
                    GDBusMethodInvocation *invocation)
{
  g_autoptr (JsonObject) payload = json_object_new ();

  json_object_set_string_member (payload, "sessionId", confab_session_get_id (item));
  confab_service_change_session_async (bus->service, "session:delete", payload, changed_cb,
                                       invocation);
}

static void
set (ConfabBus *bus,
     gpointer item,
     const char *field,
     GVariant *value,
     GDBusMethodInvocation *invocation)
{
  g_autoptr (JsonObject) payload = json_object_new ();

  json_object_set_string_member (payload, "sessionId", confab_session_get_id (item));
  json_object_set_string_member (payload, field, g_variant_get_string (value, NULL));
  confab_service_change_session_async (bus->service, "session:update", payload, changed_cb,
                                       invocation);
}

static GVariant *
get_id (ConfabBus *bus, gpointer item)
{
  return g_variant_new_string (confab_session_get_id (item));
}

static GVariant *
get_title (ConfabBus *bus, gpointer item)
{
  return g_variant_new_string (confab_session_get_title (item));
}

static GVariant *
get_created_at (ConfabBus *bus, gpointer item)
{
  return g_variant_new_int64 (confab_session_get_created_at (item));
}

static GVariant *
get_modules (ConfabBus *bus, gpointer item)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("ao"));

  for (guint i = 0; i < g_list_model_get_n_items (item); i++)
    {
      g_autoptr (ConfabModule) module = g_list_model_get_item (item, i);
      g_autofree char *path = confab_bus_module_path (module);

      g_variant_builder_add (&builder, "o", path);
    }

  return g_variant_builder_end (&builder);
}

static const ConfabBusMethod methods[] = {
  { "CreateModule", create_module, CONFAB_BUS_ACTION_MANAGE },
  { "Delete", delete, CONFAB_BUS_ACTION_MANAGE },
  { NULL },
};

static const ConfabBusProperty properties[] = {
  { "Id", get_id },
  { "Title", get_title, "title" },
  { "CreatedAt", get_created_at },
  { "Modules", get_modules },
};

const ConfabBusKind confab_bus_session_kind = {
  confab_dbus_session_interface_info, methods, properties, G_N_ELEMENTS (properties), set,
};

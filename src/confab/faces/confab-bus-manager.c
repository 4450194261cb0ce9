/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib/gi18n-lib.h>

#include "confab-bus-private.h"
#include "confab-bus-values.h"
#include "confab-call.h"
#include "confab-dbus.h"
#include "confab-error.h"

/* Calls of the contract that are answered by a list of objects. */

typedef struct
{
  GDBusMethodInvocation *invocation;
  const char *member; /* of the ack: the list */
} Listing;

static void
listed_cb (JsonObject *ack, gpointer user_data)
{
  g_autofree Listing *listing = user_data;
  g_autoptr (JsonObject) taken G_GNUC_UNUSED = ack;

  if (json_object_get_boolean_member (ack, "ok"))
    {
      JsonArray *list = json_object_get_array_member (ack, listing->member);

      g_dbus_method_invocation_return_value (
          listing->invocation, g_variant_new ("(@aa{sv})", confab_bus_value_from_objects (list)));
    }
  else
    {
      g_autoptr (GError) error =
          confab_error_new_from_code (json_object_get_string_member (ack, "code"),
                                      json_object_get_string_member (ack, "error"));

      confab_bus_refuse (listing->invocation, error);
    }
}

/* Takes @invocation. */
static void
call_for_list (ConfabBus *bus,
               const char *name,
               JsonObject *payload,
               const char *member,
               GDBusMethodInvocation *invocation)
{
  ConfabCallContext context = { bus->service, bus->version, 0 };
  Listing *listing = g_new (Listing, 1);

  *listing = (Listing){ invocation, member };
  confab_call (&context, name, payload, listed_cb, listing);
}

static void
search (ConfabBus *bus, gpointer item, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  g_autoptr (JsonObject) payload = json_object_new ();
  const char *query;
  guint32 limit;

  g_variant_get (parameters, "(&su)", &query, &limit);
  json_object_set_string_member (payload, "query", query);
  if (limit > 0)
    json_object_set_int_member (payload, "limit", limit);
  call_for_list (bus, "ai:chat:search", payload, "results", invocation);
}

static void
list_providers (ConfabBus *bus,
                gpointer item,
                GVariant *parameters,
                GDBusMethodInvocation *invocation)
{
  g_autoptr (JsonObject) payload = json_object_new ();

  call_for_list (bus, "provider:list", payload, "providers", invocation);
}

static void
created_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (ConfabBusCall) call = user_data;
  g_autoptr (ConfabSession) session = NULL;
  g_autofree char *path = NULL;
  g_autoptr (GError) error = NULL;

  session = confab_service_change_session_finish (CONFAB_SERVICE (source), result, &error);
  if (session == NULL)
    {
      confab_bus_refuse (call->invocation, error);
      return;
    }

  confab_bus_show_session (call->bus, session);
  path = confab_bus_session_path (confab_session_get_id (session));
  g_dbus_method_invocation_return_value (call->invocation, g_variant_new ("(o)", path));
}

static void
create_session (ConfabBus *bus,
                gpointer item,
                GVariant *parameters,
                GDBusMethodInvocation *invocation)
{
  g_autoptr (GVariant) options = NULL;
  g_autoptr (JsonObject) payload = NULL;
  const char *title;

  g_variant_get (parameters, "(&s@a{sv})", &title, &options);
  payload = confab_bus_value_to_object (options);
  json_object_set_string_member (payload, "title", title);
  confab_service_change_session_async (bus->service, "session:create", payload, created_cb,
                                       confab_bus_call_new (bus, invocation));
}

static void
get_module (ConfabBus *bus, gpointer item, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  g_autofree char *path = NULL;
  ConfabModule *module;
  const char *id;

  g_variant_get (parameters, "(&s)", &id);
  module = confab_service_lookup_module (bus->service, id);
  path = module != NULL ? confab_bus_module_path (module) : NULL;
  /* one that is only being made has no object yet */
  if (path == NULL || !g_hash_table_contains (bus->objects, path))
    g_dbus_method_invocation_return_error_literal (
        invocation, CONFAB_ERROR, CONFAB_ERROR_UNKNOWN_MODULE,
        _ ("There is no conversation with this moduleId."));
  else
    g_dbus_method_invocation_return_value (invocation, g_variant_new ("(o)", path));
}

static void
create_link (ConfabBus *bus, gpointer item, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  gboolean is_open = confab_access_is_open (bus->access);
  g_autofree char *ticket = is_open ? NULL : confab_access_mint_ticket (bus->access, NULL);
  g_autofree char *url = confab_access_make_url (bus->access, is_open ? NULL : "ticket", ticket);

  g_dbus_method_invocation_return_value (invocation, g_variant_new ("(s)", url));
}

static void
return_token (ConfabBus *bus, GDBusMethodInvocation *invocation)
{
  const char *token = confab_access_get_token (bus->access);

  if (token != NULL)
    g_dbus_method_invocation_return_value (invocation, g_variant_new ("(s)", token));
  else
    g_dbus_method_invocation_return_error_literal (
        invocation, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST,
        _ ("This Confab was started with --dev, and asks for no token."));
}

static void
get_token (ConfabBus *bus, gpointer item, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  return_token (bus, invocation);
}

static void
rotate_token (ConfabBus *bus,
              gpointer item,
              GVariant *parameters,
              GDBusMethodInvocation *invocation)
{
  g_autoptr (GError) error = NULL;

  if (!confab_access_is_open (bus->access) && bus->rotate != NULL
      && !bus->rotate (bus->rotate_data, &error))
    g_dbus_method_invocation_return_error_literal (invocation, CONFAB_ERROR, CONFAB_ERROR_STORAGE,
                                                   error->message);
  else
    return_token (bus, invocation);
}

static GVariant *
get_version (ConfabBus *bus, gpointer item)
{
  return g_variant_new_string (bus->version);
}

static GVariant *
get_addresses (ConfabBus *bus, gpointer item)
{
  return g_variant_new_strv ((const char *const *) bus->addresses, -1);
}

static GVariant *
get_connections (ConfabBus *bus, gpointer item)
{
  return g_variant_new_uint32 (socketio_server_get_n_connections (bus->server));
}

static GVariant *
get_active_generations (ConfabBus *bus, gpointer item)
{
  return g_variant_new_uint32 (confab_service_get_n_running (bus->service));
}

static GVariant *
get_providers (ConfabBus *bus, gpointer item)
{
  ConfabProviderRegistry *registry = confab_service_get_providers (bus->service);
  const char *const *names = registry != NULL ? confab_provider_registry_list (registry) : NULL;
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("aa{sv}"));

  for (guint i = 0; names != NULL && names[i] != NULL; i++)
    {
      g_variant_builder_open (&builder, G_VARIANT_TYPE_VARDICT);
      g_variant_builder_add (&builder, "{sv}", "name", g_variant_new_string (names[i]));
      g_variant_builder_add (&builder, "{sv}", "default", g_variant_new_boolean (i == 0));
      g_variant_builder_close (&builder);
    }

  return g_variant_builder_end (&builder);
}

static const ConfabBusMethod methods[] = {
  { "CreateSession", create_session, CONFAB_BUS_ACTION_MANAGE },
  { "GetModule", get_module, CONFAB_BUS_ACTION_USE },
  { "Search", search, CONFAB_BUS_ACTION_USE },
  { "ListProviders", list_providers, CONFAB_BUS_ACTION_USE },
  { "CreateLink", create_link, CONFAB_BUS_ACTION_MANAGE },
  { "Export", confab_bus_export, CONFAB_BUS_ACTION_MANAGE },
  { "Import", confab_bus_import, CONFAB_BUS_ACTION_MANAGE },
  { "ImportWithOptions", confab_bus_import_with_options, CONFAB_BUS_ACTION_MANAGE },
  { "GetToken", get_token, CONFAB_BUS_ACTION_MANAGE },
  { "RotateToken", rotate_token, CONFAB_BUS_ACTION_MANAGE },
  { NULL },
};

static const ConfabBusProperty properties[] = {
  { "Version", get_version },         { "Addresses", get_addresses },
  { "Connections", get_connections }, { "ActiveGenerations", get_active_generations },
  { "Providers", get_providers },
};

const ConfabBusKind confab_bus_manager_kind = {
  confab_dbus_manager_interface_info, methods, properties, G_N_ELEMENTS (properties), NULL,
};

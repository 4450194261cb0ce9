/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-bus-private.h"
#include "confab-bus-values.h"
#include "confab-dbus.h"
#include "confab-wire-objects.h"

static JsonObject *
make_payload (gpointer item, GVariant *options)
{
  JsonObject *payload = options != NULL ? confab_bus_value_to_object (options) : json_object_new ();

  json_object_set_string_member (payload, "moduleId", confab_module_get_id (item));

  return payload;
}

static void
generated_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (ConfabBusCall) call = user_data;
  g_autoptr (ConfabGeneration) generation = NULL;
  g_autoptr (GError) error = NULL;
  gboolean repeated = FALSE;

  generation = confab_service_generate_finish (CONFAB_SERVICE (source), result, &repeated, &error);
  if (generation == NULL)
    {
      confab_bus_refuse (call->invocation, error);
      return;
    }

  /* it may have to wait, and end before it starts */
  confab_bus_track (call->bus, generation);
  g_dbus_method_invocation_return_value (
      call->invocation, g_variant_new ("(s)", confab_generation_get_id (generation)));
}

static void
generate (ConfabBus *bus, gpointer item, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  g_autoptr (GVariant) options = NULL;
  g_autoptr (JsonObject) payload = NULL;
  const char *message;

  g_variant_get (parameters, "(&s@a{sv})", &message, &options);
  payload = make_payload (item, options);
  json_object_set_string_member (payload, "message", message);
  confab_service_generate_async (bus->service, payload, generated_cb,
                                 confab_bus_call_new (bus, invocation));
}

static void
regenerate (ConfabBus *bus, gpointer item, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  g_autoptr (GVariant) options = NULL;
  g_autoptr (JsonObject) payload = NULL;
  const char *message_id;

  g_variant_get (parameters, "(&s@a{sv})", &message_id, &options);
  payload = make_payload (item, options);
  json_object_remove_member (payload, "messageId");
  if (message_id[0] != '\0')
    json_object_set_string_member (payload, "messageId", message_id);
  confab_service_regenerate_async (bus->service, payload, generated_cb,
                                   confab_bus_call_new (bus, invocation));
}

static void
switched_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GDBusMethodInvocation *invocation = user_data;
  g_autofree char *head_id = NULL;
  g_autoptr (GError) error = NULL;
  guint64 n_messages;

  if (confab_service_switch_branch_finish (CONFAB_SERVICE (source), result, &head_id, &n_messages,
                                           &error))
    g_dbus_method_invocation_return_value (invocation, g_variant_new ("(s)", head_id));
  else
    confab_bus_refuse (invocation, error);
}

static void
switch_branch (ConfabBus *bus,
               gpointer item,
               GVariant *parameters,
               GDBusMethodInvocation *invocation)
{
  g_autoptr (JsonObject) payload = make_payload (item, NULL);
  const char *message_id;

  g_variant_get (parameters, "(&s)", &message_id);
  json_object_set_string_member (payload, "messageId", message_id);
  confab_service_switch_branch_async (bus->service, payload, switched_cb, invocation);
}

static void
stopped_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GDBusMethodInvocation *invocation = user_data;
  g_autoptr (GError) error = NULL;

  confab_service_stop_finish (CONFAB_SERVICE (source), result, &error);
  if (error != NULL)
    confab_bus_refuse (invocation, error);
  else
    g_dbus_method_invocation_return_value (invocation, NULL);
}

static void
stop (ConfabBus *bus, gpointer item, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  g_autoptr (JsonObject) payload = make_payload (item, NULL);

  confab_service_stop_async (bus->service, payload, stopped_cb, invocation);
}

static void
history_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GDBusMethodInvocation *invocation = user_data;
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("aa{sv}"));
  g_autoptr (GPtrArray) messages = NULL;
  g_autoptr (GError) error = NULL;
  gboolean more;

  messages = confab_service_history_finish (CONFAB_SERVICE (source), result, &more, &error);
  if (messages == NULL)
    {
      confab_bus_refuse (invocation, error);
      return;
    }

  for (guint i = 0; i < messages->len; i++)
    {
      g_autoptr (JsonObject) message = confab_wire_message (g_ptr_array_index (messages, i));

      g_variant_builder_add_value (&builder, confab_bus_value_from_object (message));
    }
  g_dbus_method_invocation_return_value (invocation, g_variant_new ("(aa{sv})", &builder));
}

static void
get_history (ConfabBus *bus, gpointer item, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  g_autoptr (JsonObject) payload = make_payload (item, NULL);
  const char *before;
  guint32 limit;

  g_variant_get (parameters, "(u&s)", &limit, &before);
  if (limit > 0)
    json_object_set_int_member (payload, "limit", limit);
  if (before[0] != '\0')
    json_object_set_string_member (payload, "before", before);
  confab_service_history_async (bus->service, payload, history_cb, invocation);
}

static void
watch (ConfabBus *bus, gpointer item, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  confab_bus_watchers_watch (bus->watchers, item,
                             g_dbus_method_invocation_get_object_path (invocation), invocation);
}

static void
unwatch (ConfabBus *bus, gpointer item, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  confab_bus_watchers_unwatch (bus->watchers, confab_module_get_id (item),
                               g_dbus_method_invocation_get_sender (invocation));
  g_dbus_method_invocation_return_value (invocation, NULL);
}

static void
changed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GDBusMethodInvocation *invocation = user_data;
  g_autoptr (ConfabModule) module = NULL;
  g_autoptr (GError) error = NULL;

  module = confab_service_change_module_finish (CONFAB_SERVICE (source), result, &error);
  if (module != NULL)
    g_dbus_method_invocation_return_value (invocation, NULL);
  else
    confab_bus_refuse (invocation, error);
}

static void delete (ConfabBus *bus,
                    gpointer item,
                    GVariant *parameters,
                    GDBusMethodInvocation *invocation)
{
  g_autoptr (JsonObject) payload = make_payload (item, NULL);

  confab_service_change_module_async (bus->service, "module:delete", payload, changed_cb,
                                      invocation);
}

static void
set (ConfabBus *bus,
     gpointer item,
     const char *field,
     GVariant *value,
     GDBusMethodInvocation *invocation)
{
  g_autoptr (JsonObject) payload = make_payload (item, NULL);

  if (!g_variant_is_of_type (value, G_VARIANT_TYPE_VARDICT))
    json_object_set_string_member (payload, field, g_variant_get_string (value, NULL));
  else if (g_variant_n_children (value) > 0)
    json_object_set_object_member (payload, field, confab_bus_value_to_object (value));
  else
    json_object_set_null_member (payload, field);
  confab_service_change_module_async (bus->service, "module:update", payload, changed_cb,
                                      invocation);
}

static GVariant *
new_string (const char *text)
{
  return g_variant_new_string (text != NULL ? text : "");
}

static GVariant *
get_id (ConfabBus *bus, gpointer item)
{
  return new_string (confab_module_get_id (item));
}

static GVariant *
get_state (ConfabBus *bus, gpointer item)
{
  ConfabGeneration *running = confab_service_get_running (bus->service, item);

  return new_string (
      running != NULL ? confab_state_to_string (confab_generation_get_state (running)) : "idle");
}

static GVariant *
get_message_count (ConfabBus *bus, gpointer item)
{
  return g_variant_new_uint64 (confab_module_get_n_messages (item));
}

static GVariant *
get_last_activity (ConfabBus *bus, gpointer item)
{
  return g_variant_new_int64 (confab_module_get_updated_at (item));
}

static GVariant *
get_generation_id (ConfabBus *bus, gpointer item)
{
  ConfabGeneration *running = confab_service_get_running (bus->service, item);

  return new_string (running != NULL ? confab_generation_get_id (running) : NULL);
}

static GVariant *
get_head_id (ConfabBus *bus, gpointer item)
{
  return new_string (confab_module_get_kept_head_id (item));
}

static GVariant *
get_title (ConfabBus *bus, gpointer item)
{
  return new_string (confab_module_get_title (item));
}

static GVariant *
get_instructions (ConfabBus *bus, gpointer item)
{
  return new_string (confab_module_get_instructions (item));
}

static GVariant *
get_provider (ConfabBus *bus, gpointer item)
{
  return new_string (confab_module_get_provider (item));
}

static GVariant *
get_model (ConfabBus *bus, gpointer item)
{
  return new_string (confab_module_get_model (item));
}

static GVariant *
get_parameters (ConfabBus *bus, gpointer item)
{
  return confab_bus_value_from_object (confab_module_get_parameters (item));
}

static const ConfabBusMethod methods[] = {
  { "Generate", generate, CONFAB_BUS_ACTION_USE },
  { "Regenerate", regenerate, CONFAB_BUS_ACTION_USE },
  { "SwitchBranch", switch_branch, CONFAB_BUS_ACTION_USE },
  { "Stop", stop, CONFAB_BUS_ACTION_USE },
  { "GetHistory", get_history, CONFAB_BUS_ACTION_USE },
  { "Watch", watch, CONFAB_BUS_ACTION_USE },
  { "Unwatch", unwatch, CONFAB_BUS_ACTION_USE },
  { "Delete", delete, CONFAB_BUS_ACTION_MANAGE },
  { NULL },
};

static const ConfabBusProperty properties[] = {
  { "Id", get_id },
  { "State", get_state },
  { "MessageCount", get_message_count },
  { "LastActivity", get_last_activity },
  { "GenerationId", get_generation_id },
  { "HeadId", get_head_id },
  { "Title", get_title, "title" },
  { "Instructions", get_instructions, "instructions" },
  { "Provider", get_provider, "provider" },
  { "Model", get_model, "model" },
  { "Parameters", get_parameters, "parameters" },
};

const ConfabBusKind confab_bus_module_kind = {
  confab_dbus_module_interface_info, methods, properties, G_N_ELEMENTS (properties), set,
};

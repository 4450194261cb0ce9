/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-bus.h"

#include "confab-bus-errors.h"
#include "confab-bus-private.h"

/* Connections come and go more often than anybody wants to be told. */
#define CONNECTIONS_INTERVAL_S 2

G_DEFINE_FINAL_TYPE (ConfabBus, confab_bus, G_TYPE_OBJECT)

enum
{
  CALLED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void detach (ConfabBus *self);

static void
confab_bus_dispose (GObject *object)
{
  ConfabBus *self = CONFAB_BUS (object);

  detach (self);
  confab_bus_untrack_all (self);
  g_clear_object (&self->name);

  G_OBJECT_CLASS (confab_bus_parent_class)->dispose (object);
}

static void
confab_bus_finalize (GObject *object)
{
  ConfabBus *self = CONFAB_BUS (object);

  confab_bus_watchers_free (self->watchers);
  g_hash_table_unref (self->generations);
  g_hash_table_unref (self->dirty);
  g_hash_table_unref (self->modules);
  g_hash_table_unref (self->objects);
  g_strfreev (self->addresses);
  g_free (self->version);
  g_clear_object (&self->server);
  g_clear_object (&self->access);
  g_clear_pointer (&self->limits, confab_limits_unref);
  g_clear_object (&self->service);

  G_OBJECT_CLASS (confab_bus_parent_class)->finalize (object);
}

static void
confab_bus_class_init (ConfabBusClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = confab_bus_dispose;
  G_OBJECT_CLASS (klass)->finalize = confab_bus_finalize;

  signals[CALLED] = g_signal_new ("called", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL,
                                  NULL, NULL, G_TYPE_NONE, 0);
}

static void
confab_bus_init (ConfabBus *self)
{
  self->dirty = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->modules = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_object_unref);
  self->generations = g_hash_table_new_full (NULL, NULL, g_object_unref, g_free);
  self->addresses = g_new0 (char *, 1);
  g_queue_init (&self->broadcasts);
}

/* For all parts of the bus face */

void
confab_bus_emit_called (ConfabBus *self)
{
  g_signal_emit (self, signals[CALLED], 0);
}

char *
confab_bus_session_path (const char *session_id)
{
  g_autofree char *escaped = g_dbus_escape_object_path (session_id);

  return g_strconcat (CONFAB_BUS_SESSIONS_PATH "/", escaped, NULL);
}

char *
confab_bus_module_path (ConfabModule *module)
{
  g_autofree char *session = confab_bus_session_path (confab_module_get_session_id (module));
  g_autofree char *escaped = g_dbus_escape_object_path (confab_module_get_id (module));

  return g_strconcat (session, "/modules/", escaped, NULL);
}

/* Takes @invocation. */
void
confab_bus_refuse (GDBusMethodInvocation *invocation, const GError *error)
{
  g_dbus_method_invocation_return_dbus_error (invocation, confab_bus_error_name (error),
                                              error->message);
}

ConfabBusCall *
confab_bus_call_new (ConfabBus *bus, GDBusMethodInvocation *invocation)
{
  ConfabBusCall *call = g_new (ConfabBusCall, 1);

  call->bus = g_object_ref (bus);
  call->invocation = invocation;

  return call;
}

void
confab_bus_call_free (ConfabBusCall *call)
{
  g_object_unref (call->bus);
  g_free (call);
}

/* The connections of Socket.IO, which are counted */

static gboolean
connections_cb (gpointer user_data)
{
  ConfabBus *self = CONFAB_BUS (user_data);

  confab_bus_touch (self, CONFAB_BUS_PATH);
  if (socketio_server_get_n_connections (self->server) > 0)
    return G_SOURCE_CONTINUE;

  g_clear_pointer (&self->connections_source, g_source_unref);

  return G_SOURCE_REMOVE;
}

/* While nobody is connected nothing wakes us up. */
static void
connect_cb (SocketioNamespace *namespace, SocketioSocket *socket, gpointer user_data)
{
  ConfabBus *self = CONFAB_BUS (user_data);

  if (self->connections_source != NULL || self->connection == NULL)
    return;

  confab_bus_touch (self, CONFAB_BUS_PATH);
  self->connections_source = g_timeout_source_new_seconds (CONNECTIONS_INTERVAL_S);
  g_source_set_static_name (self->connections_source, "[confab] count connections");
  g_source_set_callback (self->connections_source, connections_cb, self, NULL);
  g_source_attach (self->connections_source, g_main_context_get_thread_default ());
}

/* The connection to the bus */

static void
add_all_objects (ConfabBus *self)
{
  GListModel *sessions = confab_service_get_sessions (self->service);

  confab_bus_register_object_manager (self);
  confab_bus_add_object (self, CONFAB_BUS_PATH, &confab_bus_manager_kind, NULL, FALSE);
  for (guint i = 0; i < g_list_model_get_n_items (sessions); i++)
    {
      g_autoptr (ConfabSession) session = g_list_model_get_item (sessions, i);
      g_autofree char *path = confab_bus_session_path (confab_session_get_id (session));

      confab_bus_add_object (self, path, &confab_bus_session_kind, session, FALSE);
      for (guint j = 0; j < g_list_model_get_n_items (G_LIST_MODEL (session)); j++)
        {
          g_autoptr (ConfabModule) module = g_list_model_get_item (G_LIST_MODEL (session), j);

          confab_bus_add_module (self, module, FALSE);
        }
    }
}

static gboolean
attach (ConfabBus *self, GError **error)
{
  self->connection = g_object_ref (confab_bus_name_get_connection (self->name));
  self->gate = confab_bus_gate_new (self->connection, confab_bus_name_is_system (self->name),
                                    self->limits, confab_bus_dispatch, self);
  confab_bus_watchers_set_connection (self->watchers, self->connection);
  add_all_objects (self);

  /* whoever sees the name finds everything there */
  return confab_bus_name_own (self->name, error);
}

static void
detach (ConfabBus *self)
{
  if (self->connections_source != NULL)
    g_source_destroy (self->connections_source);
  g_clear_pointer (&self->connections_source, g_source_unref);
  if (self->connection == NULL)
    return;

  confab_bus_watchers_set_connection (self->watchers, NULL);
  confab_bus_clear_objects (self);
  g_hash_table_remove_all (self->modules);
  confab_bus_clear_broadcasts (self);
  g_clear_pointer (&self->gate, confab_bus_gate_free);
  g_clear_object (&self->connection);
}

static void
name_closed_cb (ConfabBusName *name, gpointer user_data)
{
  detach (CONFAB_BUS (user_data));
}

static void
name_connected_cb (ConfabBusName *name, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  if (!attach (CONFAB_BUS (user_data), &error))
    g_message ("Not seen on the bus: %s", error->message);
}

/**
 * confab_bus_new:
 * @service: what to call
 * @access: who makes addresses that sign in
 * @limits: how much each may ask
 * @server: whose connections are counted
 * @version: Confab's version
 *
 * Returns: (transfer full): the bus face, which is on no bus yet
 */
ConfabBus *
confab_bus_new (ConfabService *service,
                ConfabAccess *access,
                ConfabLimits *limits,
                SocketioServer *server,
                const char *version)
{
  ConfabBus *self;

  g_return_val_if_fail (CONFAB_IS_SERVICE (service) && CONFAB_IS_ACCESS (access), NULL);
  g_return_val_if_fail (SOCKETIO_IS_SERVER (server) && version != NULL, NULL);

  confab_bus_errors_register ();
  self = g_object_new (CONFAB_TYPE_BUS, NULL);
  self->service = g_object_ref (service);
  self->access = g_object_ref (access);
  self->limits = confab_limits_ref (limits);
  self->server = g_object_ref (server);
  self->version = g_strdup (version);
  self->objects = confab_bus_objects_new ();
  self->watchers = confab_bus_watchers_new (service);

  confab_bus_follow_service (self);
  g_signal_connect_object (socketio_server_of (server, "/"), "connect", G_CALLBACK (connect_cb),
                           self, 0);

  return self;
}

/**
 * confab_bus_set_addresses:
 * @self: the bus face
 * @addresses: where Confab listens
 */
void
confab_bus_set_addresses (ConfabBus *self, const char *const *addresses)
{
  g_return_if_fail (CONFAB_IS_BUS (self) && addresses != NULL);

  g_strfreev (self->addresses);
  self->addresses = g_strdupv ((char **) addresses);
  confab_bus_refresh (self);
}

/**
 * confab_bus_set_rotate_func:
 * @func: makes a new token, which it gives to the #ConfabAccess
 * @user_data: for @func
 */
void
confab_bus_set_rotate_func (ConfabBus *self, ConfabBusRotateFunc func, gpointer user_data)
{
  g_return_if_fail (CONFAB_IS_BUS (self));

  self->rotate = func;
  self->rotate_data = user_data;
}

void
confab_bus_set_chunk_interval (ConfabBus *self, guint interval_ms)
{
  g_return_if_fail (CONFAB_IS_BUS (self));

  confab_bus_watchers_set_chunk_interval (self->watchers, interval_ms);
}

void
confab_bus_refresh (ConfabBus *self)
{
  g_return_if_fail (CONFAB_IS_BUS (self));

  confab_bus_touch (self, CONFAB_BUS_PATH);
}

gboolean
confab_bus_is_watched (ConfabBus *self)
{
  g_return_val_if_fail (CONFAB_IS_BUS (self), FALSE);

  return confab_bus_watchers_has_any (self->watchers);
}

/**
 * confab_bus_serve:
 * @self: the bus face
 * @name: the connection, which it keeps
 * @error: return location; the message is one sentence for the user
 *
 * Returns: whether it is seen there, or will be
 */
gboolean
confab_bus_serve (ConfabBus *self, ConfabBusName *name, GError **error)
{
  g_return_val_if_fail (CONFAB_IS_BUS (self) && self->name == NULL, FALSE);
  g_return_val_if_fail (CONFAB_IS_BUS_NAME (name), FALSE);

  self->name = g_object_ref (name);
  g_signal_connect_object (name, "closed", G_CALLBACK (name_closed_cb), self, 0);
  g_signal_connect_object (name, "connected", G_CALLBACK (name_connected_cb), self, 0);
  /* lost since it was claimed: it will come back */
  if (confab_bus_name_get_connection (name) == NULL)
    return TRUE;

  return attach (self, error);
}

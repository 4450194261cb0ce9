/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-bus-name.h"

#include <glib/gi18n-lib.h>
#include <unistd.h>

#define DBUS "org.freedesktop.DBus"
#define DBUS_PATH "/org/freedesktop/DBus"
/* How long one that is replaced gets to save and go; it may take 5 s. */
#define LEAVE_TIMEOUT_US (7 * G_USEC_PER_SEC)
#define LEAVE_INTERVAL_US (20 * 1000)
#define MIN_RETRY_MS 500
#define MAX_RETRY_MS 30000

/* Of RequestName, as the D-Bus specification has them. */
enum
{
  ALLOW_REPLACEMENT = 1,
  REPLACE_EXISTING = 2,
  DO_NOT_QUEUE = 4,
};
enum
{
  PRIMARY_OWNER = 1,
  IN_QUEUE = 2,
  EXISTS = 3,
  ALREADY_OWNER = 4,
};

struct _ConfabBusName
{
  GObject parent_instance;

  ConfabBusMode mode;
  char *address;
  GDBusConnection *connection; /* NULL: lost */
  guint subscriptions[2];      /* to NameLost and NameAcquired */
  gboolean owned;
  GCancellable *cancellable;
  GSource *retry_source;
  guint retry_ms;
};

enum
{
  CONNECTED,
  CLOSED,
  REPLACED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (ConfabBusName, confab_bus_name, G_TYPE_OBJECT)

static void try_later (ConfabBusName *self);

static void
drop_connection (ConfabBusName *self)
{
  if (self->connection == NULL)
    return;

  g_signal_handlers_disconnect_by_data (self->connection, self);
  for (guint i = 0; i < G_N_ELEMENTS (self->subscriptions); i++)
    if (self->subscriptions[i] != 0)
      g_dbus_connection_signal_unsubscribe (self->connection, self->subscriptions[i]);
  memset (self->subscriptions, 0, sizeof (self->subscriptions));
  self->owned = FALSE;
  g_clear_object (&self->connection);
}

static void
confab_bus_name_dispose (GObject *object)
{
  ConfabBusName *self = CONFAB_BUS_NAME (object);

  g_cancellable_cancel (self->cancellable);
  if (self->retry_source != NULL)
    g_source_destroy (self->retry_source);
  g_clear_pointer (&self->retry_source, g_source_unref);
  if (self->connection != NULL && !g_dbus_connection_is_closed (self->connection))
    {
      /* what was told last still has to go out */
      g_signal_handlers_disconnect_by_data (self->connection, self);
      g_dbus_connection_flush_sync (self->connection, NULL, NULL);
      g_dbus_connection_close_sync (self->connection, NULL, NULL);
    }
  drop_connection (self);

  G_OBJECT_CLASS (confab_bus_name_parent_class)->dispose (object);
}

static void
confab_bus_name_finalize (GObject *object)
{
  ConfabBusName *self = CONFAB_BUS_NAME (object);

  g_clear_object (&self->cancellable);
  g_free (self->address);

  G_OBJECT_CLASS (confab_bus_name_parent_class)->finalize (object);
}

static void
confab_bus_name_class_init (ConfabBusNameClass *klass)
{
  const char *const names[N_SIGNALS] = { "connected", "closed", "replaced" };

  G_OBJECT_CLASS (klass)->dispose = confab_bus_name_dispose;
  G_OBJECT_CLASS (klass)->finalize = confab_bus_name_finalize;

  for (guint i = 0; i < N_SIGNALS; i++)
    signals[i] = g_signal_new (names[i], G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL,
                               NULL, NULL, G_TYPE_NONE, 0);
}

static void
confab_bus_name_init (ConfabBusName *self)
{
  self->cancellable = g_cancellable_new ();
  self->retry_ms = MIN_RETRY_MS;
}

static void
closed_cb (GDBusConnection *connection, gboolean vanished, const GError *error, gpointer user_data)
{
  ConfabBusName *self = CONFAB_BUS_NAME (user_data);

  g_message ("The bus is lost%s%s; Confab serves on, and looks for it again",
             error != NULL ? ": " : "", error != NULL ? error->message : "");
  g_signal_emit (self, signals[CLOSED], 0);
  drop_connection (self);
  try_later (self);
}

static void
lost_cb (GDBusConnection *connection,
         const char *sender,
         const char *path,
         const char *interface,
         const char *signal,
         GVariant *parameters,
         gpointer user_data)
{
  ConfabBusName *self = CONFAB_BUS_NAME (user_data);

  if (!self->owned)
    return;
  self->owned = FALSE;
  g_message ("Another program has taken the name " CONFAB_WELL_KNOWN_NAME);
  g_signal_emit (self, signals[REPLACED], 0);
}

static void
acquired_cb (GDBusConnection *connection,
             const char *sender,
             const char *path,
             const char *interface,
             const char *signal,
             GVariant *parameters,
             gpointer user_data)
{
  CONFAB_BUS_NAME (user_data)->owned = TRUE;
}

/* Takes @connection. */
static void
take_connection (ConfabBusName *self, GDBusConnection *connection)
{
  self->connection = connection;
  g_dbus_connection_set_exit_on_close (connection, FALSE);
  g_signal_connect (connection, "closed", G_CALLBACK (closed_cb), self);
}

static GVariant *
call_bus (ConfabBusName *self,
          const char *method,
          GVariant *parameters,
          const char *type,
          GError **error)
{
  return g_dbus_connection_call_sync (self->connection, DBUS, DBUS_PATH, DBUS, method, parameters,
                                      G_VARIANT_TYPE (type), G_DBUS_CALL_FLAGS_NONE, -1, NULL,
                                      error);
}

/* Returns: (nullable): who has the name, if another one does */
static char *
find_owner (ConfabBusName *self)
{
  g_autoptr (GVariant) reply =
      call_bus (self, "GetNameOwner", g_variant_new ("(s)", CONFAB_WELL_KNOWN_NAME), "(s)", NULL);
  char *owner = NULL;

  if (reply != NULL)
    g_variant_get (reply, "(s)", &owner);

  return owner;
}

static gboolean
request_name (ConfabBusName *self, guint flags, guint *result, GError **error)
{
  g_autoptr (GVariant) reply = call_bus (
      self, "RequestName", g_variant_new ("(su)", CONFAB_WELL_KNOWN_NAME, flags), "(u)", error);

  if (reply == NULL)
    return FALSE;
  g_variant_get (reply, "(u)", result);

  return TRUE;
}

/* Takes the name, so that nobody else gets it, and waits until the one that had it is gone: it may
 * use the same data and the same port. */
static gboolean
replace_owner (ConfabBusName *self, const char *owner, GError **error)
{
  gint64 end_time = g_get_monotonic_time () + LEAVE_TIMEOUT_US;
  gboolean is_there = TRUE;
  guint result;

  if (!request_name (self, ALLOW_REPLACEMENT | REPLACE_EXISTING | DO_NOT_QUEUE, &result, error))
    return FALSE;
  if (result == EXISTS)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_EXISTS,
                           _ ("The Confab that runs on this bus does not let itself be replaced"));
      return FALSE;
    }

  while (is_there && g_get_monotonic_time () < end_time)
    {
      g_autoptr (GVariant) reply =
          call_bus (self, "NameHasOwner", g_variant_new ("(s)", owner), "(b)", error);

      if (reply == NULL)
        return FALSE;
      g_variant_get (reply, "(b)", &is_there);
      if (is_there)
        g_usleep (LEAVE_INTERVAL_US);
    }
  if (is_there)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
                         _ ("The Confab that is replaced does not end"));

  return !is_there;
}

static gboolean
has_session_bus (void)
{
  const char *address = g_getenv ("DBUS_SESSION_BUS_ADDRESS");
  g_autofree char *socket = g_build_filename (g_get_user_runtime_dir (), "bus", NULL);

  /* GDBus would start one by itself otherwise */
  return (address != NULL && address[0] != '\0') || access (socket, F_OK) == 0;
}

static gboolean
connect_first (ConfabBusName *self, GError **error)
{
  GBusType type = self->mode == CONFAB_BUS_SYSTEM ? G_BUS_TYPE_SYSTEM : G_BUS_TYPE_SESSION;
  GDBusConnection *connection;

  if (type == G_BUS_TYPE_SESSION && !has_session_bus ())
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, _ ("There is no session bus"));
      return FALSE;
    }

  self->address = g_dbus_address_get_for_bus_sync (type, NULL, error);
  if (self->address == NULL)
    return FALSE;
  connection =
      g_dbus_connection_new_for_address_sync (self->address,
                                              G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT
                                                  | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                              NULL, NULL, error);
  if (connection == NULL)
    return FALSE;
  take_connection (self, connection);

  return TRUE;
}

/**
 * confab_bus_name_claim:
 * @mode: which bus
 * @replace: whether to take the place of the Confab that runs there
 * @error: return location; the message is one sentence for the user
 *
 * Connects, before anything else is touched that two of us cannot share. With @replace it returns
 * when the other one is gone. It blocks.
 *
 * Returns: (transfer full) (nullable): the connection; %NULL without @error if there shall be none,
 *   or with %CONFAB_BUS_AUTO there is none
 */
ConfabBusName *
confab_bus_name_claim (ConfabBusMode mode, gboolean replace, GError **error)
{
  g_autoptr (ConfabBusName) self = NULL;
  g_autoptr (GError) reason = NULL;
  g_autofree char *owner = NULL;

  if (mode == CONFAB_BUS_NONE)
    return NULL;

  self = g_object_new (CONFAB_TYPE_BUS_NAME, NULL);
  self->mode = mode;
  if (!connect_first (self, &reason))
    {
      if (mode == CONFAB_BUS_AUTO)
        g_debug ("Staying off D-Bus: %s", reason->message);
      else
        g_propagate_error (error, g_steal_pointer (&reason));
      return NULL;
    }

  owner = find_owner (self);
  if (owner != NULL && replace && !replace_owner (self, owner, error))
    return NULL;
  if (owner != NULL && !replace && mode != CONFAB_BUS_AUTO)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_EXISTS,
                           _ ("Confab runs on this bus already; --replace takes its place"));
      return NULL;
    }

  return g_steal_pointer (&self);
}

gboolean
confab_bus_name_is_system (ConfabBusName *self)
{
  g_return_val_if_fail (CONFAB_IS_BUS_NAME (self), FALSE);

  return self->mode == CONFAB_BUS_SYSTEM;
}

GDBusConnection *
confab_bus_name_get_connection (ConfabBusName *self)
{
  g_return_val_if_fail (CONFAB_IS_BUS_NAME (self), NULL);

  return self->connection;
}

/**
 * confab_bus_name_own:
 * @self: a name, with a connection
 * @error: return location; the message is one sentence for the user
 *
 * Takes the name. Where another program has it by now, that is an error if the user asked for this
 * bus; else we get it when the other one leaves.
 *
 * Returns: whether it succeeded
 */
gboolean
confab_bus_name_own (ConfabBusName *self, GError **error)
{
  const char *const names[] = { "NameLost", "NameAcquired" };
  const GDBusSignalCallback callbacks[] = { lost_cb, acquired_cb };
  guint result = 0;

  g_return_val_if_fail (CONFAB_IS_BUS_NAME (self) && self->connection != NULL, FALSE);

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    self->subscriptions[i] = g_dbus_connection_signal_subscribe (
        self->connection, DBUS, DBUS, names[i], DBUS_PATH, CONFAB_WELL_KNOWN_NAME,
        G_DBUS_SIGNAL_FLAGS_NO_MATCH_RULE, callbacks[i], self, NULL);

  if (!request_name (self, ALLOW_REPLACEMENT | (self->mode == CONFAB_BUS_AUTO ? 0 : DO_NOT_QUEUE),
                     &result, error))
    return FALSE;
  if (result == EXISTS)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_EXISTS,
                           _ ("Confab runs on this bus already; --replace takes its place"));
      return FALSE;
    }
  if (result == IN_QUEUE)
    g_message ("Another program has the name " CONFAB_WELL_KNOWN_NAME
               "; we get it when that one leaves");
  self->owned = result == PRIMARY_OWNER || result == ALREADY_OWNER;

  return TRUE;
}

/* Lost and found */

static void
connected_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  GDBusConnection *connection = g_dbus_connection_new_for_address_finish (result, &error);
  ConfabBusName *self;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;

  self = CONFAB_BUS_NAME (user_data);
  /* one that closes before we look at it tells so while nobody listens */
  if (connection == NULL || g_dbus_connection_is_closed (connection))
    {
      g_clear_object (&connection);
      self->retry_ms = MIN (self->retry_ms * 2, MAX_RETRY_MS);
      try_later (self);
      return;
    }

  self->retry_ms = MIN_RETRY_MS;
  take_connection (self, connection);
  g_message ("The bus is back");
  g_signal_emit (self, signals[CONNECTED], 0);
}

static gboolean
retry_cb (gpointer user_data)
{
  ConfabBusName *self = CONFAB_BUS_NAME (user_data);

  g_clear_pointer (&self->retry_source, g_source_unref);
  g_dbus_connection_new_for_address (self->address,
                                     G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT
                                         | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                     NULL, self->cancellable, connected_cb, self);

  return G_SOURCE_REMOVE;
}

static void
try_later (ConfabBusName *self)
{
  self->retry_source = g_timeout_source_new (self->retry_ms);
  g_source_set_static_name (self->retry_source, "[confab] look for the bus");
  g_source_set_callback (self->retry_source, retry_cb, self, NULL);
  g_source_attach (self->retry_source, g_main_context_get_thread_default ());
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-bus-gate.h"

#include <glib/gi18n-lib.h>

#include "confab-error.h"

/* More from one sender at once than any client has in hand. */
#define MAX_WAITING 1000
/* Somebody may have to type a password. */
#define CHECK_TIMEOUT_MS (5 * 60 * 1000)

struct _ConfabBusGate
{
  GDBusConnection *connection;
  gboolean is_system;
  ConfabLimits *limits;
  ConfabBusGateFunc func;
  gpointer user_data;
  GCancellable *cancellable;
  GHashTable *queues; /* of the system bus: sender → GQueue of Waiting, the first being checked */
};

typedef struct
{
  GDBusMethodInvocation *invocation;
  const char *action;
} Waiting;

static void check_next (ConfabBusGate *self, const char *sender);

static void
refuse (GDBusMethodInvocation *invocation, ConfabError code, const char *message)
{
  g_dbus_method_invocation_return_error_literal (invocation, CONFAB_ERROR, (int) code, message);
}

static void
waiting_free (gpointer data)
{
  Waiting *waiting = data;

  /* whoever waits still is answered */
  if (waiting->invocation != NULL)
    refuse (waiting->invocation, CONFAB_ERROR_SHUTTING_DOWN, _ ("Confab is shutting down."));
  g_free (waiting);
}

static void
queue_free (gpointer data)
{
  g_queue_free_full (data, waiting_free);
}

ConfabBusGate *
confab_bus_gate_new (GDBusConnection *connection,
                     gboolean is_system,
                     ConfabLimits *limits,
                     ConfabBusGateFunc func,
                     gpointer user_data)
{
  ConfabBusGate *self = g_new0 (ConfabBusGate, 1);

  self->connection = g_object_ref (connection);
  self->is_system = is_system;
  self->limits = confab_limits_ref (limits);
  self->func = func;
  self->user_data = user_data;
  self->cancellable = g_cancellable_new ();
  self->queues = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, queue_free);

  return self;
}

void
confab_bus_gate_free (ConfabBusGate *self)
{
  g_cancellable_cancel (self->cancellable);
  g_hash_table_unref (self->queues);
  g_object_unref (self->cancellable);
  g_object_unref (self->connection);
  confab_limits_unref (self->limits);
  g_free (self);
}

/* The first of @sender's calls is decided. */
static void
decide (ConfabBusGate *self, const char *sender, gboolean allowed, gboolean challenge)
{
  GQueue *queue = g_hash_table_lookup (self->queues, sender);
  g_autofree Waiting *waiting = g_queue_pop_head (queue);
  g_autofree char *key = g_strdup (sender);

  if (allowed)
    self->func (waiting->invocation, self->user_data);
  else
    refuse (waiting->invocation, CONFAB_ERROR_UNAUTHORIZED,
            challenge ? _ ("This needs an authorization that was not given.")
                      : _ ("You are not authorized to do this."));

  check_next (self, key);
}

static void
checked_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GDBusMethodInvocation) invocation = user_data;
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GError) error = NULL;
  gboolean allowed = FALSE;
  gboolean challenge = FALSE;
  ConfabBusGate *self;

  reply = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;

  self = g_object_get_data (G_OBJECT (invocation), "confab-bus-gate");
  if (reply != NULL)
    g_variant_get (reply, "((bba{ss}))", &allowed, &challenge, NULL);
  else
    g_message ("polkit does not answer, so that only root may call: %s", error->message);
  decide (self, g_dbus_method_invocation_get_sender (invocation), allowed, challenge);
}

static void
ask_polkit (ConfabBusGate *self, const Waiting *waiting)
{
  const char *sender = g_dbus_method_invocation_get_sender (waiting->invocation);
  GDBusMessage *message = g_dbus_method_invocation_get_message (waiting->invocation);
  gboolean interactive =
      (g_dbus_message_get_flags (message) & G_DBUS_MESSAGE_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION)
      != 0;
  g_auto (GVariantBuilder) subject = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);
  g_auto (GVariantBuilder) details = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a{ss}"));

  g_variant_builder_add (&subject, "{sv}", "name", g_variant_new_string (sender));
  g_object_set_data (G_OBJECT (waiting->invocation), "confab-bus-gate", self);
  g_dbus_connection_call (self->connection, "org.freedesktop.PolicyKit1",
                          "/org/freedesktop/PolicyKit1/Authority",
                          "org.freedesktop.PolicyKit1.Authority", "CheckAuthorization",
                          g_variant_new ("((sa{sv})sa{ss}us)", "system-bus-name", &subject,
                                         waiting->action, &details, interactive ? 1u : 0u, ""),
                          G_VARIANT_TYPE ("((bba{ss}))"), G_DBUS_CALL_FLAGS_NONE, CHECK_TIMEOUT_MS,
                          self->cancellable, checked_cb, g_object_ref (waiting->invocation));
}

static void
uid_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GDBusMethodInvocation) invocation = user_data;
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GError) error = NULL;
  const char *sender = g_dbus_method_invocation_get_sender (invocation);
  ConfabBusGate *self;
  guint32 uid = G_MAXUINT32;

  reply = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;

  self = g_object_get_data (G_OBJECT (invocation), "confab-bus-gate");
  if (reply != NULL)
    g_variant_get (reply, "(u)", &uid);
  if (uid == 0)
    decide (self, sender, TRUE, FALSE);
  else if (reply == NULL)
    decide (self, sender, FALSE, FALSE);
  else
    ask_polkit (self, g_queue_peek_head (g_hash_table_lookup (self->queues, sender)));
}

/* Root passes whatever polkit says or does not say, as everywhere. */
static void
check_next (ConfabBusGate *self, const char *sender)
{
  GQueue *queue = g_hash_table_lookup (self->queues, sender);
  Waiting *waiting = g_queue_peek_head (queue);

  if (waiting == NULL)
    {
      g_hash_table_remove (self->queues, sender);
      return;
    }

  g_object_set_data (G_OBJECT (waiting->invocation), "confab-bus-gate", self);
  g_dbus_connection_call (
      self->connection, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
      "GetConnectionUnixUser", g_variant_new ("(s)", sender), G_VARIANT_TYPE ("(u)"),
      G_DBUS_CALL_FLAGS_NONE, -1, self->cancellable, uid_cb, g_object_ref (waiting->invocation));
}

/**
 * confab_bus_gate_pass:
 * @self: the gate
 * @invocation: (transfer full): a call
 * @action: what it needs, a static string
 *
 * Lets it go on, maybe later, or answers it with %CONFAB_ERROR_UNAUTHORIZED or
 * %CONFAB_ERROR_RATE_LIMITED.
 */
void
confab_bus_gate_pass (ConfabBusGate *self, GDBusMethodInvocation *invocation, const char *action)
{
  const char *sender = g_dbus_method_invocation_get_sender (invocation);
  g_autoptr (GError) error = NULL;
  Waiting *waiting;
  GQueue *queue;

  if (!confab_limits_admit_caller (self->limits, sender, g_get_monotonic_time (), &error))
    {
      refuse (invocation, CONFAB_ERROR_RATE_LIMITED, error->message);
      return;
    }
  if (!self->is_system)
    {
      self->func (invocation, self->user_data);
      return;
    }

  queue = g_hash_table_lookup (self->queues, sender);
  if (queue != NULL && g_queue_get_length (queue) >= MAX_WAITING)
    {
      refuse (invocation, CONFAB_ERROR_RATE_LIMITED, _ ("You have too many calls waiting."));
      return;
    }

  waiting = g_new (Waiting, 1);
  *waiting = (Waiting){ invocation, action };
  if (queue != NULL)
    {
      g_queue_push_tail (queue, waiting);
      return;
    }

  queue = g_queue_new ();
  g_queue_push_tail (queue, waiting);
  g_hash_table_insert (self->queues, g_strdup (sender), queue);
  check_next (self, sender);
}

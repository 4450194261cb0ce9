/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-gateway-private.h"

#include "confab-call.h"
#include "confab-error.h"
#include "confab-requester.h"
#include "confab-wire-objects.h"
#include "confab-wire.h"

/* Of the ConfabLimitedClient of a socket. */
static G_DEFINE_QUARK (confab - limited - client, limited)

    /* One event of a client, until it is answered. */
    typedef struct
{
  ConfabGateway *gateway;
  SocketioSocket *socket;
  JsonObject *payload; /* NULL if the last argument is no object */
  SocketioAck *ack;    /* NULL if the client asked for none */
} Call;

static Call *
call_new (ConfabGateway *self, SocketioSocket *socket, JsonObject *payload, SocketioAck *ack)
{
  Call *call = g_new (Call, 1);

  call->gateway = g_object_ref (self);
  call->socket = g_object_ref (socket);
  call->payload = payload != NULL ? json_object_ref (payload) : NULL;
  call->ack = ack != NULL ? socketio_ack_ref (ack) : NULL;

  return call;
}

static void
call_free (Call *call)
{
  g_clear_pointer (&call->ack, socketio_ack_unref);
  g_clear_pointer (&call->payload, json_object_unref);
  g_object_unref (call->socket);
  g_object_unref (call->gateway);
  g_free (call);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Call, call_free)

static void
send_ack (SocketioAck *ack, JsonObject *object)
{
  g_autoptr (SocketioArgs) args = socketio_args_new ();

  socketio_args_take_object (args, object);
  socketio_ack_send (ack, args);
}

/* Tells a refusal once: in the ack, or else as an event to the sender alone. */
static void
refuse (const Call *call, const GError *error)
{
  g_autoptr (GString) json = NULL;

  if (call->ack != NULL)
    {
      JsonObject *object = json_object_new ();

      confab_wire_set_refusal (object, error);
      send_ack (call->ack, object);
      return;
    }

  json = g_string_new (NULL);
  confab_wire_append_refusal (json, error, confab_rules_get_string (call->payload, "moduleId"),
                              confab_rules_get_string (call->payload, "requestId"));
  socketio_socket_emit_json (call->socket, "ai:chat:error", json->str);
}

/* A repeat whose answer has ended is told the end once: in the ack, or else as the event. */
static void
answer_repeat (const Call *call, ConfabGeneration *generation)
{
  confab_followers_catch_up (call->gateway->followers, generation);
  if (call->ack != NULL)
    {
      JsonObject *object = json_object_new ();

      confab_wire_set_resumed (object, generation, 0);
      send_ack (call->ack, object);
    }
  else if (confab_generation_is_ended (generation))
    {
      g_autoptr (GString) json = g_string_new (NULL);

      confab_wire_append_end (json, generation);
      socketio_socket_emit_json (call->socket, confab_wire_end_event (generation), json->str);
    }

  confab_followers_follow_generation (call->gateway->followers, call->socket, generation);
}

static void
generate_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Call) call = user_data;
  g_autoptr (ConfabGeneration) generation = NULL;
  g_autoptr (GError) error = NULL;
  gboolean repeated = FALSE;

  generation = confab_service_generate_finish (CONFAB_SERVICE (source), result, &repeated, &error);
  if (generation == NULL)
    {
      refuse (call, error);
      return;
    }
  if (repeated)
    {
      answer_repeat (call, generation);
      return;
    }

  if (call->ack != NULL)
    {
      JsonObject *object = json_object_new ();

      confab_wire_set_accepted (object, generation);
      send_ack (call->ack, object);
    }
  confab_followers_follow_generation (call->gateway->followers, call->socket, generation);
}

/* Takes @call. */
static void
handle_generate (ConfabGateway *self, Call *call)
{
  confab_service_generate_async (self->service, call->payload, generate_cb, call);
}

/* Takes @call. */
static void
handle_regenerate (ConfabGateway *self, Call *call)
{
  confab_service_regenerate_async (self->service, call->payload, generate_cb, call);
}

/* The ack and the following are one step: what comes live begins where the ack ends. */
static void
recalled_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Call) call = user_data;
  g_autoptr (ConfabGeneration) generation = NULL;
  g_autoptr (GError) error = NULL;
  const char *module_id;
  ConfabModule *module;
  ConfabGeneration *running;
  JsonObject *object;

  generation = confab_service_recall_finish (CONFAB_SERVICE (source), result, &error);
  if (error != NULL)
    {
      refuse (call, error);
      return;
    }

  module_id = confab_rules_get_string (call->payload, "moduleId");
  module = confab_service_lookup_module (CONFAB_SERVICE (source), module_id);
  running = module != NULL ? confab_service_get_running (CONFAB_SERVICE (source), module) : NULL;
  if (generation != NULL)
    confab_followers_catch_up (call->gateway->followers, generation);
  if (running != NULL)
    confab_followers_catch_up (call->gateway->followers, running);
  object = json_object_new ();
  if (generation != NULL)
    confab_wire_set_resumed (object, generation, confab_rules_get_int (call->payload, "seq", -1));
  else
    {
      json_object_set_boolean_member (object, "ok", TRUE);
      json_object_set_string_member (object, "state", "idle");
    }
  if (module != NULL)
    confab_wire_set_head (object, module);
  if (running != NULL && running != generation)
    confab_wire_set_active (object, running);

  if (call->ack != NULL)
    send_ack (call->ack, object);
  else
    json_object_unref (object);
  confab_followers_follow_module (call->gateway->followers, call->socket, module_id);
  /* one that still waits for its turn may end without ever being started */
  if (generation != NULL)
    confab_followers_follow_generation (call->gateway->followers, call->socket, generation);
}

/* Takes @call. */
static void
handle_resume (ConfabGateway *self, Call *call)
{
  confab_service_recall_async (self->service, call->payload, recalled_cb, call);
}

/* Takes @call. */
static void
handle_leave (ConfabGateway *self, Call *call)
{
  g_autoptr (Call) taken G_GNUC_UNUSED = call;
  g_autoptr (GError) error = NULL;
  JsonObject *object;

  if (!confab_rules_check ("ai:chat:leave", call->payload, &error))
    {
      refuse (call, error);
      return;
    }

  confab_followers_leave_module (self->followers, call->socket,
                                 confab_rules_get_string (call->payload, "moduleId"));
  if (call->ack == NULL)
    return;
  object = json_object_new ();
  json_object_set_boolean_member (object, "ok", TRUE);
  send_ack (call->ack, object);
}

static void
called_cb (JsonObject *ack, gpointer user_data)
{
  g_autoptr (Call) call = user_data;

  if (call->ack != NULL)
    send_ack (call->ack, ack);
  else
    {
      /* without an ack a refusal is still told */
      if (!json_object_get_boolean_member (ack, "ok"))
        {
          g_autoptr (GError) error =
              confab_error_new_from_code (json_object_get_string_member (ack, "code"),
                                          json_object_get_string_member (ack, "error"));

          refuse (call, error);
        }
      json_object_unref (ack);
    }
}

/* Those that follow something; the others are confab_call()s, and what is neither is ignored. */
static const struct
{
  const char *name;
  void (*handle) (ConfabGateway *self, Call *call);
} event_table[] = {
  { "ai:chat:generate", handle_generate },
  { "ai:chat:regenerate", handle_regenerate },
  { "ai:chat:resume", handle_resume },
  { "ai:chat:leave", handle_leave },
};

/* Made with the first event: most of many thousand sockets never send one. */
static ConfabLimitedClient *
take_limited_client (ConfabGateway *self, SocketioSocket *socket, gint64 now)
{
  ConfabLimitedClient *client = g_object_get_qdata (G_OBJECT (socket), limited_quark ());
  g_autofree char *address = NULL;

  if (client != NULL)
    return client;

  address = confab_requester_name_handshake (socketio_socket_get_handshake (socket));
  client = confab_limited_client_new (self->limits, address, now);
  g_object_set_qdata_full (G_OBJECT (socket), limited_quark (), client,
                           (GDestroyNotify) confab_limited_client_free);

  return client;
}

static gboolean
is_within_limits (ConfabGateway *self, const Call *call)
{
  gint64 now = g_get_monotonic_time ();
  g_autoptr (GError) error = NULL;

  if (confab_limited_client_admit (take_limited_client (self, call->socket, now), now, &error))
    return TRUE;
  refuse (call, error);

  return FALSE;
}

static gboolean
is_known (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (event_table); i++)
    if (g_str_equal (event_table[i].name, name))
      return TRUE;

  return confab_call_exists (name);
}

/* Takes @call. */
static void
handle (ConfabGateway *self, const char *name, Call *call)
{
  ConfabCallContext context = { self->service, self->version, self->max_payload };

  for (guint i = 0; i < G_N_ELEMENTS (event_table); i++)
    if (g_str_equal (event_table[i].name, name))
      {
        event_table[i].handle (self, call);
        return;
      }

  confab_call (&context, name, call->payload, called_cb, call);
}

/**
 * confab_gateway_event_cb:
 * @socket: a socket of the namespace
 * @name: the event's name
 * @args: what came with it
 * @ack: (nullable): what to answer with
 * @user_data: the gateway
 *
 * For #SocketioSocket::event. The last argument is the payload.
 */
void
confab_gateway_event_cb (SocketioSocket *socket,
                         const char *name,
                         SocketioArgs *args,
                         SocketioAck *ack,
                         gpointer user_data)
{
  ConfabGateway *self = CONFAB_GATEWAY (user_data);
  guint n_args = socketio_args_get_length (args);
  JsonObject *payload = n_args > 0 ? socketio_args_get_object (args, n_args - 1) : NULL;
  g_autoptr (Call) call = NULL;

  if (!is_known (name))
    return;
  call = call_new (self, socket, payload, ack);
  if (is_within_limits (self, call))
    handle (self, name, g_steal_pointer (&call));
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-gateway.h"

#include <glib/gi18n-lib.h>

#include "confab-call.h"
#include "confab-change-feed.h"
#include "confab-error.h"
#include "confab-followers.h"
#include "confab-wire-objects.h"
#include "confab-wire.h"

struct _ConfabGateway
{
  GObject parent_instance;

  ConfabService *service;
  ConfabAccess *access;
  ConfabLimits *limits;
  SocketioNamespace *namespace;
  ConfabFollowers *followers;
  ConfabChangeFeed *changes;
  gint64 max_payload;
  char *version;
};

G_DEFINE_FINAL_TYPE (ConfabGateway, confab_gateway, G_TYPE_OBJECT)

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
stop_listening (ConfabGateway *self)
{
  g_autoptr (GPtrArray) sockets = socketio_namespace_fetch_sockets (self->namespace, NULL);

  for (guint i = 0; i < sockets->len; i++)
    g_signal_handlers_disconnect_by_data (g_ptr_array_index (sockets, i), self);
}

static void
confab_gateway_finalize (GObject *object)
{
  ConfabGateway *self = CONFAB_GATEWAY (object);

  stop_listening (self);
  g_clear_pointer (&self->changes, confab_change_feed_free);
  g_clear_pointer (&self->followers, confab_followers_free);
  g_clear_object (&self->namespace);
  g_clear_object (&self->access);
  g_clear_pointer (&self->limits, confab_limits_unref);
  g_clear_object (&self->service);
  g_free (self->version);

  G_OBJECT_CLASS (confab_gateway_parent_class)->finalize (object);
}

static void
confab_gateway_class_init (ConfabGatewayClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = confab_gateway_finalize;
}

static void
confab_gateway_init (ConfabGateway *self)
{
}

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

static void
event_cb (SocketioSocket *socket,
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

static void
connect_cb (SocketioNamespace *namespace, SocketioSocket *socket, gpointer user_data)
{
  ConfabGateway *self = CONFAB_GATEWAY (user_data);

  if (socketio_socket_is_recovered (socket))
    confab_followers_recover (self->followers, socket);
  if (!confab_change_feed_add (self->changes, socket))
    {
      /* it comes back as a new one, which reads what there is */
      socketio_socket_set_recoverable (socket, FALSE);
      socketio_socket_close_connection (socket);
      return;
    }
  /* One handler without detail and a table: less for each of 10,000 sockets than one for each name.
   * An object's list of its closures, which is searched whenever one goes, is nothing for so many:
   * we disconnect them ourselves. */
  g_signal_connect (socket, "event", G_CALLBACK (event_cb), self);
}

/*
 * Connection state recovery marks each event by one more argument, which clients that know nothing
 * of it hand on to the application: a handler of one argument raises an error then, in Python. So
 * only the official client is marked, which is known by a browser's or its own User-Agent, or in
 * Node.js over WebSocket by having neither that nor an Origin.
 */
static gboolean
can_recover (SocketioHandshake *handshake)
{
  const char *agent = socketio_handshake_get_header (handshake, "User-Agent");

  if (agent == NULL)
    return socketio_handshake_get_header (handshake, "Origin") == NULL;

  return g_str_has_prefix (agent, "Mozilla/") || g_str_has_prefix (agent, "node");
}

static gboolean
authorize_cb (SocketioSocket *socket, char **data, gpointer user_data, GError **error)
{
  ConfabGateway *self = CONFAB_GATEWAY (user_data);
  const char *token = confab_rules_get_string (socketio_socket_get_auth (socket), "token");
  ConfabRequester requester =
      confab_requester_from_handshake (socketio_socket_get_handshake (socket));

  if (confab_access_is_authorized (self->access, &requester)
      || confab_access_check_token (self->access, token))
    {
      if (!can_recover (socketio_socket_get_handshake (socket)))
        socketio_socket_set_recoverable (socket, FALSE);
      return TRUE;
    }

  *data = g_strdup ("{\"code\":\"unauthorized\"}");
  g_set_error_literal (
      error, CONFAB_ERROR, CONFAB_ERROR_UNAUTHORIZED,
      token != NULL ? _ ("This token is wrong.")
                    : _ ("Confab does not know you yet: send its token, or open the URL that "
                         "confabd printed when it started."));

  return FALSE;
}

static gboolean
allow_origin_cb (const char *origin, gpointer user_data)
{
  return confab_access_allows_origin (CONFAB_ACCESS (user_data), origin);
}

/**
 * confab_gateway_set_chunk_interval:
 * @self: the gateway
 * @interval_ms: how long at least between two chunks of one answer, in ms; 0 sends each as it comes
 */
void
confab_gateway_set_chunk_interval (ConfabGateway *self, guint interval_ms)
{
  g_return_if_fail (CONFAB_IS_GATEWAY (self));

  confab_followers_set_chunk_interval (self->followers, interval_ms);
}

/**
 * confab_gateway_flush:
 * @self: the gateway
 *
 * Hands to the sockets what is still being gathered for them, as before their server closes.
 */
void
confab_gateway_flush (ConfabGateway *self)
{
  g_return_if_fail (CONFAB_IS_GATEWAY (self));

  confab_change_feed_flush (self->changes);
}

/**
 * confab_gateway_new:
 * @service: what to call
 * @access: who may
 * @limits: how much each may ask
 * @server: the server whose namespace "/" to serve
 * @version: Confab's version
 *
 * Returns: (transfer full): the gateway; it has to live as long as @server serves
 */
ConfabGateway *
confab_gateway_new (ConfabService *service,
                    ConfabAccess *access,
                    ConfabLimits *limits,
                    SocketioServer *server,
                    const char *version)
{
  ConfabGateway *self;
  guint max_payload = 0;

  g_return_val_if_fail (CONFAB_IS_SERVICE (service) && CONFAB_IS_ACCESS (access), NULL);
  g_return_val_if_fail (SOCKETIO_IS_SERVER (server) && version != NULL, NULL);

  self = g_object_new (CONFAB_TYPE_GATEWAY, NULL);
  self->service = g_object_ref (service);
  self->access = g_object_ref (access);
  self->limits = confab_limits_ref (limits);
  self->version = g_strdup (version);
  g_object_get (server, "max-payload", &max_payload, NULL);
  self->max_payload = max_payload;

  socketio_server_set_origin_func (server, allow_origin_cb, g_object_ref (access), g_object_unref);
  self->namespace = g_object_ref (socketio_server_of (server, "/"));
  self->followers = confab_followers_new (service, self->namespace);
  self->changes = confab_change_feed_new (service, self->namespace);
  socketio_namespace_use (self->namespace, authorize_cb, self, NULL);
  g_signal_connect_object (self->namespace, "connect", G_CALLBACK (connect_cb), self, 0);

  return self;
}

/**
 * confab_gateway_disconnect_all:
 *
 * Closes all connections, without a DISCONNECT packet, so that clients come back by themselves.
 */
void
confab_gateway_disconnect_all (ConfabGateway *self)
{
  g_autoptr (GPtrArray) all = NULL;

  g_return_if_fail (CONFAB_IS_GATEWAY (self));

  all = socketio_namespace_fetch_sockets (self->namespace, NULL);
  for (guint i = 0; i < all->len; i++)
    socketio_socket_close_connection (g_ptr_array_index (all, i));
}

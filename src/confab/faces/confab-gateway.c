/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-gateway.h"

#include <glib/gi18n-lib.h>

#include "confab-error.h"
#include "confab-following.h"
#include "confab-wire.h"

#define PROTOCOL_VERSION 1

struct _ConfabGateway
{
  GObject parent_instance;

  ConfabService *service;
  ConfabAccess *access;
  SocketioNamespace *namespace;
  gint64 max_payload;
  char *version;
  GHashTable *followings; /* ConfabGeneration → ConfabFollowing */
};

G_DEFINE_FINAL_TYPE (ConfabGateway, confab_gateway, G_TYPE_OBJECT)

/* One event of a client while it is handled. */
typedef struct
{
  SocketioSocket *socket;
  JsonObject *payload; /* NULL if the last argument is no object */
  SocketioAck *ack;    /* NULL if the client asked for none */
} Call;

static void
confab_gateway_finalize (GObject *object)
{
  ConfabGateway *self = CONFAB_GATEWAY (object);

  g_hash_table_unref (self->followings);
  g_clear_object (&self->namespace);
  g_clear_object (&self->access);
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
  self->followings = confab_following_table_new ();
}

static void
send_ack (SocketioAck *ack, JsonObject *object)
{
  g_autoptr (SocketioArgs) args = socketio_args_new ();

  socketio_args_take_object (args, object);
  socketio_ack_send (ack, args);
}

/* A string of the payload, or NULL if it has none; only valid strings are taken from a peer. */
static const char *
peek_string (JsonObject *payload, const char *name)
{
  JsonNode *node = payload != NULL ? json_object_get_member (payload, name) : NULL;

  return node != NULL && json_node_get_value_type (node) == G_TYPE_STRING
             ? json_node_get_string (node)
             : NULL;
}

static gboolean
read_string (JsonObject *payload, const char *name, const char **value, GError **error)
{
  JsonNode *node = json_object_get_member (payload, name);

  *value = peek_string (payload, name);
  if (*value != NULL || node == NULL || json_node_is_null (node))
    return TRUE;

  g_set_error (error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST,
               _ ("The field %s must be a string."), name);

  return FALSE;
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
  confab_wire_append_refusal (json, error, peek_string (call->payload, "moduleId"),
                              peek_string (call->payload, "requestId"));
  socketio_socket_emit_json (call->socket, "ai:chat:error", json->str);
}

static gboolean
require_payload (const Call *call, GError **error)
{
  if (call->payload != NULL)
    return TRUE;

  g_set_error_literal (error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST,
                       _ ("The last argument must be an object."));

  return FALSE;
}

static gboolean
read_question (const Call *call, ConfabQuestion *question, GError **error)
{
  return require_payload (call, error)
         && read_string (call->payload, "moduleId", &question->module_id, error)
         && read_string (call->payload, "message", &question->message, error)
         && read_string (call->payload, "sessionId", &question->session_id, error)
         && read_string (call->payload, "requestId", &question->request_id, error)
         && read_string (call->payload, "userMessageId", &question->user_message_id, error);
}

/* A repeat whose answer has ended is told the end once: in the ack, or else as the event. */
static void
answer_repeat (ConfabGateway *self, const Call *call, ConfabGeneration *generation)
{
  if (call->ack != NULL)
    {
      JsonObject *object = json_object_new ();

      confab_wire_set_replay (object, generation);
      send_ack (call->ack, object);
    }
  else if (confab_generation_is_ended (generation))
    {
      g_autoptr (GString) json = g_string_new (NULL);

      confab_wire_append_end (json, generation);
      socketio_socket_emit_json (call->socket, confab_wire_end_event (generation), json->str);
    }

  if (!confab_generation_is_ended (generation))
    confab_following_add (confab_following_ensure (self->followings, self->namespace, generation),
                          call->socket);
}

static void
answer_start (ConfabGateway *self, const Call *call, ConfabGeneration *generation)
{
  g_autoptr (GString) json = g_string_new (NULL);

  if (call->ack != NULL)
    {
      JsonObject *object = json_object_new ();

      confab_wire_set_accepted (object, generation);
      send_ack (call->ack, object);
    }

  confab_following_add (confab_following_ensure (self->followings, self->namespace, generation),
                        call->socket);
  confab_wire_append_started (json, generation);
  socketio_socket_emit_json (call->socket, "ai:chat:started", json->str);
}

static void
handle_generate (ConfabGateway *self, const Call *call)
{
  g_autoptr (GError) error = NULL;
  ConfabGeneration *generation = NULL;
  ConfabQuestion question = { NULL };
  gboolean repeated = FALSE;

  if (read_question (call, &question, &error))
    generation = confab_service_generate (self->service, &question, &repeated, &error);
  if (generation == NULL)
    refuse (call, error);
  else if (repeated)
    answer_repeat (self, call, generation);
  else
    answer_start (self, call, generation);
}

static void
handle_stop (ConfabGateway *self, const Call *call)
{
  g_autoptr (GError) error = NULL;
  const char *module_id = NULL;
  const char *generation_id = NULL;
  gint stopped = -1;

  if (require_payload (call, &error) && read_string (call->payload, "moduleId", &module_id, &error)
      && read_string (call->payload, "generationId", &generation_id, &error))
    stopped = confab_service_stop (self->service, module_id, generation_id, &error);

  if (stopped < 0)
    refuse (call, error);
  else if (call->ack != NULL)
    {
      JsonObject *object = json_object_new ();

      json_object_set_boolean_member (object, "ok", TRUE);
      json_object_set_int_member (object, "stopped", stopped);
      send_ack (call->ack, object);
    }
}

static void
handle_server_info (ConfabGateway *self, const Call *call)
{
  JsonObject *object, *limits;
  JsonArray *features;

  if (call->ack == NULL)
    return;

  features = json_array_new ();
  json_array_add_string_element (features, "generate");
  json_array_add_string_element (features, "stop");
  json_array_add_string_element (features, "reasoning");
  limits = json_object_new ();
  json_object_set_int_member (limits, "messageBytes", CONFAB_MAX_MESSAGE_BYTES);
  json_object_set_int_member (limits, "answerBytes", CONFAB_MAX_ANSWER_BYTES);
  json_object_set_int_member (limits, "maxPayload", self->max_payload);

  object = json_object_new ();
  json_object_set_boolean_member (object, "ok", TRUE);
  json_object_set_string_member (object, "version", self->version);
  json_object_set_int_member (object, "protocol", PROTOCOL_VERSION);
  json_object_set_array_member (object, "features", features);
  json_object_set_object_member (object, "limits", limits);
  send_ack (call->ack, object);
}

static void
models_listed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  ConfabProvider *provider = CONFAB_PROVIDER (source);
  g_autoptr (SocketioAck) ack = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) names = confab_provider_list_models_finish (provider, result, &error);
  JsonObject *object = json_object_new ();
  JsonObject *entry = json_object_new ();
  JsonArray *models = json_array_new ();
  JsonArray *providers = json_array_new ();

  /* a provider that cannot be reached is there all the same */
  if (names == NULL)
    json_object_set_string_member (entry, "error", error->message);
  for (guint i = 0; names != NULL && i < names->len; i++)
    json_array_add_string_element (models, g_ptr_array_index (names, i));
  json_object_set_string_member (entry, "name", confab_provider_get_name (provider));
  json_object_set_array_member (entry, "models", models);
  json_array_add_object_element (providers, entry);
  json_object_set_boolean_member (object, "ok", TRUE);
  json_object_set_array_member (object, "providers", providers);
  send_ack (ack, object);
}

static void
handle_provider_list (ConfabGateway *self, const Call *call)
{
  ConfabProvider *provider = confab_service_get_provider (self->service);

  if (call->ack == NULL)
    return;

  if (provider != NULL)
    confab_provider_list_models_async (provider, NULL, models_listed_cb,
                                       socketio_ack_ref (call->ack));
  else
    {
      JsonObject *object = json_object_new ();

      json_object_set_boolean_member (object, "ok", TRUE);
      json_object_set_array_member (object, "providers", json_array_new ());
      send_ack (call->ack, object);
    }
}

/* All events but these are ignored. */
static const struct
{
  const char *name;
  void (*handle) (ConfabGateway *self, const Call *call);
} event_table[] = {
  { "ai:chat:generate", handle_generate },
  { "ai:chat:stop", handle_stop },
  { "provider:list", handle_provider_list },
  { "server:info", handle_server_info },
};

static void
event_cb (SocketioSocket *socket,
          const char *name,
          SocketioArgs *args,
          SocketioAck *ack,
          gpointer user_data)
{
  ConfabGateway *self = CONFAB_GATEWAY (user_data);
  guint n_args = socketio_args_get_length (args);
  Call call = { .socket = socket, .ack = ack };

  for (guint i = 0; i < G_N_ELEMENTS (event_table); i++)
    if (g_str_equal (event_table[i].name, name))
      {
        call.payload = n_args > 0 ? socketio_args_get_object (args, n_args - 1) : NULL;
        event_table[i].handle (self, &call);
        return;
      }
}

static void
connect_cb (SocketioNamespace *namespace, SocketioSocket *socket, gpointer user_data)
{
  /* one handler without detail and a table: less for each of 10,000 sockets than one for each name
   */
  g_signal_connect_object (socket, "event", G_CALLBACK (event_cb), user_data, 0);
}

static ConfabRequester
describe_handshake (SocketioHandshake *handshake)
{
  const char *address = socketio_handshake_get_address (handshake);

  /* the guard makes sure that "Forwarded" stands for every header of its kind */
  return (ConfabRequester){
    .host = socketio_handshake_get_header (handshake, "Host"),
    .origin = socketio_handshake_get_header (handshake, "Origin"),
    .fetch_site = socketio_handshake_get_header (handshake, "Sec-Fetch-Site"),
    .authorization = socketio_handshake_get_header (handshake, "Authorization"),
    .cookie = socketio_handshake_get_header (handshake, "Cookie"),
    .unix_peer = address[0] == '\0',
    .peer_uid = socketio_handshake_get_peer_uid (handshake),
    .proxied = socketio_handshake_get_header (handshake, "Forwarded") != NULL,
  };
}

static gboolean
authorize_cb (SocketioSocket *socket, char **data, gpointer user_data, GError **error)
{
  ConfabGateway *self = CONFAB_GATEWAY (user_data);
  const char *token = peek_string (socketio_socket_get_auth (socket), "token");
  ConfabRequester requester = describe_handshake (socketio_socket_get_handshake (socket));

  if (confab_access_is_authorized (self->access, &requester)
      || confab_access_check_token (self->access, token))
    return TRUE;

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
 * confab_gateway_new:
 * @service: what to call
 * @access: who may
 * @server: the server whose namespace "/" to serve
 * @version: Confab's version
 *
 * Returns: (transfer full): the gateway; it has to live as long as @server serves
 */
ConfabGateway *
confab_gateway_new (ConfabService *service,
                    ConfabAccess *access,
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
  self->version = g_strdup (version);
  g_object_get (server, "max-payload", &max_payload, NULL);
  self->max_payload = max_payload;

  socketio_server_set_origin_func (server, allow_origin_cb, g_object_ref (access), g_object_unref);
  self->namespace = g_object_ref (socketio_server_of (server, "/"));
  socketio_namespace_use (self->namespace, authorize_cb, self, NULL);
  g_signal_connect_object (self->namespace, "connect", G_CALLBACK (connect_cb), self, 0);

  return self;
}

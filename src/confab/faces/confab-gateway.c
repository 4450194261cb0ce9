/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-gateway-private.h"

#include <glib/gi18n-lib.h>

#include "confab-error.h"
#include "confab-requester.h"

G_DEFINE_FINAL_TYPE (ConfabGateway, confab_gateway, G_TYPE_OBJECT)

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
  g_signal_connect (socket, "event", G_CALLBACK (confab_gateway_event_cb), self);
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

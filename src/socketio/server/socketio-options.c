/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "socketio-options-private.h"

#include "socketio-adapter.h"
#include "socketio-enum-types.h"

typedef enum
{
  KIND_STRING,
  KIND_STRV,
  KIND_BOOLEAN,
  KIND_UINT,
  KIND_SIZE,    /* a gsize, as an unsigned property */
  KIND_SIZE_64, /* the same, as one of 64 bits */
  KIND_COOKIE,
  KIND_ADAPTER,
  KIND_OVERFLOW,
} Kind;

/* Where an option stands, and what it may be. */
typedef struct
{
  const char *name;
  Kind kind;
  gsize offset;
  guint64 minimum;
  guint64 maximum;
  guint64 fallback;
} Option;

#define OPTION(name, kind, field, ...)                                                             \
  {                                                                                                \
    name, kind, G_STRUCT_OFFSET (SocketioOptions, field), __VA_ARGS__                              \
  }

/**
 * SocketioServer:path:
 *
 * Where it is served; with and without the trailing slash.
 */
/**
 * SocketioServer:transports:
 *
 * What clients may connect by, of "polling" and "websocket"; %NULL for both (`transports`).
 */
/**
 * SocketioServer:ping-interval:
 *
 * Time between two pings, in ms (`pingInterval`).
 */
/**
 * SocketioServer:ping-timeout:
 *
 * Time for a pong before the connection is closed, in ms (`pingTimeout`).
 */
/**
 * SocketioServer:upgrade-timeout:
 *
 * Time for an upgrade before it is given up, in ms (`upgradeTimeout`).
 */
/**
 * SocketioServer:connect-timeout:
 *
 * Time that a connection may be in no namespace before it is closed, in ms (`connectTimeout`).
 */
/**
 * SocketioServer:max-payload:
 *
 * Largest body of a POST and largest WebSocket message, its fragments summed, in bytes
 * (`maxHttpBufferSize`).
 */
/**
 * SocketioServer:max-queued-bytes:
 *
 * What may wait for a client that does not read, in bytes, a packet counting as 256 at least: when
 * more is sent on top of that, [property@Server:overflow-policy] says what becomes of it.
 */
/**
 * SocketioServer:overflow-policy:
 *
 * What becomes of a client that more than [property@Server:max-queued-bytes] wait for.
 */
/**
 * SocketioServer:high-mark:
 *
 * A client for which more bytes wait is not ready: [method@Socket.is_ready] says so, and volatile
 * events are not sent to it (`volatile`).
 */
/**
 * SocketioServer:low-mark:
 *
 * [signal@Socket::drained] comes when no more bytes than these wait, or soon after: what is with a
 * WebSocket's stream is looked at when that is empty.
 */
/**
 * SocketioServer:allow-eio3:
 *
 * Whether clients of Engine.IO protocol 3 (Socket.IO 2) are served (`allowEIO3`).
 */
/**
 * SocketioServer:allow-upgrades:
 *
 * Whether clients that poll are told that they may upgrade to a WebSocket (`allowUpgrades`).
 */
/**
 * SocketioServer:http-compression:
 *
 * Answers to polls of at least so many bytes are compressed for clients that take gzip; 0: none
 * are (`httpCompression.threshold`). WebSocket messages are not: `perMessageDeflate` is not
 * offered.
 */
/**
 * SocketioServer:cookie:
 *
 * A pattern for a cookie by which the answer to a polling handshake tells the session id, for
 * proxies that lead each client to one server (`cookie`); its value is of no interest, and with an
 * empty domain it is for the host alone. %NULL for none. Handshakes by WebSocket get none: such a
 * connection needs no leading.
 */
/**
 * SocketioServer:cors-origins:
 *
 * Origins whose pages may read the server's answers; "*" for all (`cors.origin`).
 */
/**
 * SocketioServer:cors-methods:
 *
 * Methods that a preflight allows (`cors.methods`); %NULL for GET and POST.
 */
/**
 * SocketioServer:cors-allowed-headers:
 *
 * Request headers that a preflight allows (`cors.allowedHeaders`); %NULL for those it asks for.
 */
/**
 * SocketioServer:cors-exposed-headers:
 *
 * Response headers that pages may read (`cors.exposedHeaders`); %NULL for none but the usual.
 */
/**
 * SocketioServer:cors-credentials:
 *
 * Whether pages may send cookies along (`cors.credentials`).
 */
/**
 * SocketioServer:cors-max-age:
 *
 * How long a preflight may be remembered, in s (`cors.maxAge`).
 */
/**
 * SocketioServer:recovery-window:
 *
 * How long what a client was is kept after it lost its connection, in ms; 0: it is not
 * (`connectionStateRecovery.maxDisconnectionDuration`). With it, events carry an additional last
 * argument, the offset, which clients hand on to the handlers of the event.
 */
/**
 * SocketioServer:recovery-max-packets:
 *
 * How many packets are kept for one client, to be sent again. One that missed more is not
 * recovered.
 */
/**
 * SocketioServer:recovery-max-bytes:
 *
 * The same in bytes.
 */
/**
 * SocketioServer:recovery-skip-middleware:
 *
 * Whether clients that are recovered need not pass the middleware again
 * (`connectionStateRecovery.skipMiddlewares`).
 */
/**
 * SocketioServer:cleanup-empty-child-namespaces:
 *
 * Whether a namespace that a client had made goes with its last socket
 * (`cleanupEmptyChildNamespaces`).
 */
/**
 * SocketioServer:adapter-type:
 *
 * The type of the namespaces' adapters (`adapter`).
 */
static const Option option_table[] = {
  OPTION ("path", KIND_STRING, path, 0, 0, 0),
  OPTION ("transports", KIND_STRV, transports, 0, 0, 0),
  OPTION ("ping-interval", KIND_UINT, engine.ping_interval, 1, G_MAXINT, 25000),
  OPTION ("ping-timeout", KIND_UINT, engine.ping_timeout, 1, G_MAXINT, 20000),
  OPTION ("upgrade-timeout", KIND_UINT, engine.upgrade_timeout, 1, G_MAXINT, 10000),
  OPTION ("connect-timeout", KIND_UINT, connect_timeout, 1, G_MAXINT, 45000),
  OPTION ("max-payload", KIND_SIZE, engine.max_payload, 1, G_MAXINT, 1000000),
  OPTION ("max-queued-bytes", KIND_SIZE_64, engine.max_queued, 1024, G_MAXSSIZE, 1024 * 1024),
  OPTION ("overflow-policy", KIND_OVERFLOW, engine.overflow, 0, 0, SOCKETIO_OVERFLOW_DISCONNECT),
  OPTION ("high-mark", KIND_SIZE_64, engine.high_mark, 0, G_MAXSSIZE, 16 * 1024),
  OPTION ("low-mark", KIND_SIZE_64, engine.low_mark, 0, G_MAXSSIZE, 0),
  OPTION ("allow-eio3", KIND_BOOLEAN, engine.allow_eio3, 0, 0, FALSE),
  OPTION ("allow-upgrades", KIND_BOOLEAN, engine.allow_upgrades, 0, 0, TRUE),
  OPTION ("http-compression", KIND_SIZE_64, engine.http_compression, 0, G_MAXSSIZE, 1024),
  OPTION ("cookie", KIND_COOKIE, engine.cookie, 0, 0, 0),
  OPTION ("cors-origins", KIND_STRV, cors_origins, 0, 0, 0),
  OPTION ("cors-methods", KIND_STRV, engine.cors.methods, 0, 0, 0),
  OPTION ("cors-allowed-headers", KIND_STRV, engine.cors.allowed_headers, 0, 0, 0),
  OPTION ("cors-exposed-headers", KIND_STRV, engine.cors.exposed_headers, 0, 0, 0),
  OPTION ("cors-credentials", KIND_BOOLEAN, engine.cors.credentials, 0, 0, TRUE),
  OPTION ("cors-max-age", KIND_UINT, engine.cors.max_age, 0, G_MAXINT, 600),
  OPTION ("recovery-window", KIND_UINT, recovery.window, 0, G_MAXINT, 0),
  OPTION ("recovery-max-packets", KIND_UINT, recovery.max_packets, 1, G_MAXINT, 1000),
  OPTION ("recovery-max-bytes", KIND_SIZE_64, recovery.max_bytes, 1, G_MAXSSIZE, 256 * 1024),
  OPTION ("recovery-skip-middleware", KIND_BOOLEAN, recovery.skip_middleware, 0, 0, FALSE),
  OPTION ("cleanup-empty-child-namespaces",
          KIND_BOOLEAN,
          cleanup_empty_child_namespaces,
          0,
          0,
          FALSE),
  OPTION ("adapter-type", KIND_ADAPTER, adapter_type, 0, 0, 0),
};

static GParamSpec *
make_pspec (const Option *option)
{
  GParamFlags flags = G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS;

  switch (option->kind)
    {
    case KIND_STRING:
      return g_param_spec_string (option->name, NULL, NULL, NULL, flags);
    case KIND_STRV:
      return g_param_spec_boxed (option->name, NULL, NULL, G_TYPE_STRV, flags);
    case KIND_BOOLEAN:
      return g_param_spec_boolean (option->name, NULL, NULL, option->fallback != 0, flags);
    case KIND_UINT:
    case KIND_SIZE:
      return g_param_spec_uint (option->name, NULL, NULL, (guint) option->minimum,
                                (guint) option->maximum, (guint) option->fallback, flags);
    case KIND_SIZE_64:
      return g_param_spec_uint64 (option->name, NULL, NULL, option->minimum, option->maximum,
                                  option->fallback, flags);
    case KIND_COOKIE:
      return g_param_spec_boxed (option->name, NULL, NULL, SOUP_TYPE_COOKIE, flags);
    case KIND_ADAPTER:
      return g_param_spec_gtype (option->name, NULL, NULL, SOCKETIO_TYPE_ADAPTER, flags);
    case KIND_OVERFLOW:
      return g_param_spec_enum (option->name, NULL, NULL, SOCKETIO_TYPE_OVERFLOW_POLICY,
                                (int) option->fallback, flags);
    default:
      g_assert_not_reached ();
    }
}

guint
socketio_options_install (GObjectClass *object_class)
{
  for (guint i = 0; i < G_N_ELEMENTS (option_table); i++)
    g_object_class_install_property (object_class, i + 1, make_pspec (&option_table[i]));
  return G_N_ELEMENTS (option_table) + 1;
}

gboolean
socketio_options_set (SocketioOptions *self, guint prop_id, const GValue *value)
{
  const Option *option = &option_table[prop_id - 1];
  gpointer field;

  if (prop_id > G_N_ELEMENTS (option_table))
    return FALSE;

  field = G_STRUCT_MEMBER_P (self, option->offset);
  switch (option->kind)
    {
    case KIND_STRING:
      *(char **) field = g_value_dup_string (value);
      break;
    case KIND_STRV:
    case KIND_COOKIE:
      *(gpointer *) field = g_value_dup_boxed (value);
      break;
    case KIND_BOOLEAN:
      *(gboolean *) field = g_value_get_boolean (value);
      break;
    case KIND_UINT:
      *(guint *) field = g_value_get_uint (value);
      break;
    case KIND_SIZE:
      *(gsize *) field = g_value_get_uint (value);
      break;
    case KIND_SIZE_64:
      *(gsize *) field = g_value_get_uint64 (value);
      break;
    case KIND_ADAPTER:
      *(GType *) field = g_value_get_gtype (value);
      break;
    case KIND_OVERFLOW:
      *(int *) field = g_value_get_enum (value);
      break;
    default:
      g_assert_not_reached ();
    }
  return TRUE;
}

gboolean
socketio_options_get (const SocketioOptions *self, guint prop_id, GValue *value)
{
  const Option *option = &option_table[prop_id - 1];
  gconstpointer field;

  if (prop_id > G_N_ELEMENTS (option_table))
    return FALSE;

  field = G_STRUCT_MEMBER_P (self, option->offset);
  switch (option->kind)
    {
    case KIND_STRING:
      g_value_set_string (value, *(char *const *) field);
      break;
    case KIND_STRV:
    case KIND_COOKIE:
      g_value_set_boxed (value, *(const gconstpointer *) field);
      break;
    case KIND_BOOLEAN:
      g_value_set_boolean (value, *(const gboolean *) field);
      break;
    case KIND_UINT:
      g_value_set_uint (value, *(const guint *) field);
      break;
    case KIND_SIZE:
      g_value_set_uint (value, (guint) * (const gsize *) field);
      break;
    case KIND_SIZE_64:
      g_value_set_uint64 (value, *(const gsize *) field);
      break;
    case KIND_ADAPTER:
      g_value_set_gtype (value, *(const GType *) field);
      break;
    case KIND_OVERFLOW:
      g_value_set_enum (value, *(const int *) field);
      break;
    default:
      g_assert_not_reached ();
    }
  return TRUE;
}

static void
read_transports (SocketioOptions *self)
{
  const char *const *names = (const char *const *) self->transports;

  self->engine.polling = names == NULL || g_strv_contains (names, "polling");
  self->engine.websocket = names == NULL || g_strv_contains (names, "websocket");
  if (!self->engine.polling && !self->engine.websocket)
    g_critical ("None of the server's transports is known: it serves nobody");
}

void
socketio_options_complete (SocketioOptions *self)
{
  if (self->path == NULL)
    self->path = g_strdup ("/socket.io/");
  read_transports (self);
}

void
socketio_options_clear (SocketioOptions *self)
{
  for (guint i = 0; i < G_N_ELEMENTS (option_table); i++)
    {
      gpointer *field = (gpointer *) G_STRUCT_MEMBER_P (self, option_table[i].offset);

      if (option_table[i].kind == KIND_STRING)
        g_clear_pointer (field, g_free);
      else if (option_table[i].kind == KIND_STRV)
        g_clear_pointer ((char ***) field, g_strfreev);
      else if (option_table[i].kind == KIND_COOKIE)
        g_clear_pointer ((SoupCookie **) field, soup_cookie_free);
    }
}

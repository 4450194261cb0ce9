/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-guard.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "confab-error.h"
#include "confab-http.h"
#include "confab-request-body.h"
#include "socketio-server.h"

#define PREFLIGHT_MAX_AGE_SECONDS "600"

#define CONTENT_SECURITY_POLICY                                                                    \
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "  \
  "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

/* The page copies to the clipboard, and needs nothing else that a browser would ask about. */
#define PERMISSIONS_POLICY                                                                         \
  "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"

struct _ConfabGuard
{
  GObject parent_instance;

  ConfabAccess *access;
  ConfabLimits *limits;
};

G_DEFINE_FINAL_TYPE (ConfabGuard, confab_guard, G_TYPE_OBJECT)

static void
confab_guard_finalize (GObject *object)
{
  ConfabGuard *self = CONFAB_GUARD (object);

  g_clear_object (&self->access);
  g_clear_pointer (&self->limits, confab_limits_unref);

  G_OBJECT_CLASS (confab_guard_parent_class)->finalize (object);
}

static void
confab_guard_class_init (ConfabGuardClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = confab_guard_finalize;
}

static void
confab_guard_init (ConfabGuard *self)
{
}

static gboolean
is_socket_path (const char *path)
{
  return g_str_equal (path, CONFAB_SOCKET_PATH) || g_str_equal (path, CONFAB_SOCKET_PATH "/");
}

static gboolean
is_page_path (const char *path)
{
  return g_str_equal (path, "/") || g_str_has_prefix (path, "/session/");
}

/* One request per connection: what libsoup 3.2 keeps alive, it leaks. */
static void
set_connection_close (SoupServerMessage *message)
{
  soup_message_headers_replace (soup_server_message_get_response_headers (message), "Connection",
                                "close");
}

static void
got_upgrade_cb (SoupServerMessage *message, gpointer user_data)
{
  if (soup_server_message_get_status (message) != SOUP_STATUS_SWITCHING_PROTOCOLS)
    set_connection_close (message);
}

static void
set_common_headers (SoupServerMessage *message, gboolean socket_path)
{
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (message);

  /* libsoup adds to the Connection header of a 101 what stands there already, so that one is left
   * alone until the handler has answered */
  if (socket_path
      && soup_message_headers_get_list (soup_server_message_get_request_headers (message),
                                        "Upgrade")
             != NULL)
    g_signal_connect (message, "got-body", G_CALLBACK (got_upgrade_cb), NULL);
  else
    set_connection_close (message);
  soup_message_headers_replace (headers, "X-Content-Type-Options", "nosniff");
  if (socket_path)
    return;
  soup_message_headers_replace (headers, "Referrer-Policy", "no-referrer");
  soup_message_headers_replace (headers, "X-Frame-Options", "DENY");
  soup_message_headers_replace (headers, "Cross-Origin-Opener-Policy", "same-origin");
  soup_message_headers_replace (headers, "Permissions-Policy", PERMISSIONS_POLICY);
  soup_message_headers_replace (headers, "Content-Security-Policy", CONTENT_SECURITY_POLICY);
}

/* What browsers need to know about who may read the answer. The library does this on its own path.
 */
static void
set_sharing_headers (SoupServerMessage *message, const char *origin, gboolean socket_path)
{
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (message);

  if (origin == NULL)
    {
      soup_message_headers_replace (headers, "Cross-Origin-Resource-Policy", "same-origin");
      return;
    }
  soup_message_headers_replace (headers, "Cross-Origin-Resource-Policy", "cross-origin");
  if (socket_path)
    return;
  soup_message_headers_replace (headers, "Access-Control-Allow-Origin", origin);
  soup_message_headers_replace (headers, "Access-Control-Allow-Credentials", "true");
  soup_message_headers_append (headers, "Vary", "Origin");
}

static gboolean
is_preflight (SoupServerMessage *message)
{
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (message);

  return g_str_equal (soup_server_message_get_method (message), "OPTIONS")
         && soup_message_headers_get_list (headers, "Origin") != NULL
         && soup_message_headers_get_list (headers, "Access-Control-Request-Method") != NULL;
}

static void
answer_preflight (SoupServerMessage *message)
{
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (message);

  soup_message_headers_replace (headers, "Access-Control-Allow-Methods", "GET, HEAD, POST");
  soup_message_headers_replace (headers, "Access-Control-Allow-Headers",
                                "authorization, content-type");
  soup_message_headers_replace (headers, "Access-Control-Max-Age", PREFLIGHT_MAX_AGE_SECONDS);
  soup_server_message_set_status (message, SOUP_STATUS_NO_CONTENT, NULL);
}

/* The query without our two secrets; NULL if nothing remains. */
static char *
strip_query (const char *query)
{
  g_auto (GStrv) pairs = g_strsplit (query, "&", -1);
  g_autoptr (GString) rest = g_string_new (NULL);

  for (guint i = 0; pairs[i] != NULL; i++)
    if (pairs[i][0] != '\0' && !g_str_has_prefix (pairs[i], "token=")
        && !g_str_has_prefix (pairs[i], "ticket="))
      g_string_append_printf (rest, "%s%s", rest->len > 0 ? "&" : "", pairs[i]);

  return rest->len > 0 ? g_string_free (g_steal_pointer (&rest), FALSE) : NULL;
}

/* Leads to the same path of this very server: a Location of "//host" would lead elsewhere. */
static char *
make_location (GUri *uri)
{
  const char *path = g_uri_get_path (uri);
  g_autofree char *escaped = NULL;
  g_autofree char *query = strip_query (g_uri_get_query (uri));

  while (path[0] == '/')
    path++;
  escaped = g_uri_escape_string (path, "/:@", FALSE);

  return query != NULL ? g_strdup_printf ("/%s?%s", escaped, query)
                       : g_strdup_printf ("/%s", escaped);
}

/* Signs a browser in that opens a page with a token or a ticket. Returns whether it did answer. */
static gboolean
open_page (ConfabGuard *self, SoupServerMessage *message)
{
  GUri *uri = soup_server_message_get_uri (message);
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (message);
  g_autoptr (GHashTable) form = NULL;
  g_autofree char *location = NULL;
  g_autofree char *cookie = NULL;
  const char *token, *ticket;

  if (g_uri_get_query (uri) == NULL || !confab_http_is_read (message)
      || !is_page_path (g_uri_get_path (uri)))
    return FALSE;
  form = soup_form_decode (g_uri_get_query (uri));
  token = g_hash_table_lookup (form, "token");
  ticket = g_hash_table_lookup (form, "ticket");
  if (token == NULL && ticket == NULL)
    return FALSE;

  if (!(token != NULL ? confab_access_check_token (self->access, token)
                      : confab_access_redeem_ticket (self->access, ticket)))
    {
      soup_message_headers_replace (headers, "WWW-Authenticate", "Bearer");
      confab_http_respond_error (
          message, SOUP_STATUS_UNAUTHORIZED, "unauthorized",
          token != NULL ? _ ("This token is wrong. Open the URL that confabd printed when "
                             "it started.")
                        : _ ("This link was used before or is older than a minute."));
      return TRUE;
    }

  location = make_location (uri);
  cookie = confab_access_make_cookie (self->access);
  soup_message_headers_replace (headers, "Location", location);
  soup_message_headers_replace (headers, "Cache-Control", "no-store");
  if (cookie != NULL)
    soup_message_headers_append (headers, "Set-Cookie", cookie);
  soup_server_message_set_status (message, SOUP_STATUS_SEE_OTHER, NULL);

  return TRUE;
}

static void
refuse_unauthorized (SoupServerMessage *message)
{
  soup_message_headers_replace (soup_server_message_get_response_headers (message),
                                "WWW-Authenticate", "Bearer");
  confab_http_respond_error (
      message, SOUP_STATUS_UNAUTHORIZED, "unauthorized",
      _ ("Confab does not know you yet. Open the URL that confabd printed when "
         "it started; programs send its token."));
}

/* One request that is being served, which counts as a connection of its address. */
typedef struct
{
  ConfabLimits *limits;
  char *address;
} Place;

static void
place_free (gpointer data)
{
  Place *place = data;

  confab_limits_connection_closed (place->limits, place->address);
  confab_limits_unref (place->limits);
  g_free (place->address);
  g_free (place);
}

static void
take_place (ConfabGuard *self, SoupServerMessage *message, const char *address, gint64 now)
{
  Place *place = g_new (Place, 1);

  place->limits = confab_limits_ref (self->limits);
  place->address = g_strdup (address);
  confab_limits_connection_opened (self->limits, address, now);
  g_object_set_data_full (G_OBJECT (message), "confab-place", place, place_free);
}

/* Whether a request opens a connection of Socket.IO, or else belongs to one that is open. */
static gboolean
is_handshake (SoupServerMessage *message)
{
  const char *query = g_uri_get_query (soup_server_message_get_uri (message));

  return query == NULL || (!g_str_has_prefix (query, "sid=") && strstr (query, "&sid=") == NULL);
}

/* Too much of one address or of all is refused before it is known who asks; else whoever guesses
 * tokens would have no limit. What belongs to a connection is limited by what it says. */
static gboolean
is_within_limits (ConfabGuard *self, SoupServerMessage *message, gboolean socket_path)
{
  g_autofree char *address = NULL;
  g_autoptr (GError) error = NULL;
  gint64 now = g_get_monotonic_time ();

  if (socket_path && !is_handshake (message))
    return TRUE;

  address = confab_requester_name_message (message);
  if (confab_limits_admit_request (self->limits, address, now, &error)
      && confab_limits_admit_connection (self->limits, address, now, &error))
    {
      /* a handshake counts from when it has become a connection */
      if (!socket_path)
        take_place (self, message, address, now);
      return TRUE;
    }

  set_connection_close (message);
  confab_http_respond_refusal (message, error);
  if (confab_limits_is_full (self->limits))
    soup_server_message_set_status (message, SOUP_STATUS_SERVICE_UNAVAILABLE, NULL);

  return FALSE;
}

/* The gateway sees headers one by one: one name has to tell what the whole family tells. */
static void
sum_up_forwarded (SoupServerMessage *message)
{
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (message);
  g_autofree char *address = confab_requester_name_message (message);
  g_autofree char *value = g_strdup_printf ("for=\"[%s]\"", address);

  soup_message_headers_replace (headers, "Forwarded", value);
}

static void
opened_cb (SocketioServer *server, SocketioHandshake *handshake, gpointer user_data)
{
  ConfabGuard *self = CONFAB_GUARD (user_data);
  g_autofree char *address = confab_requester_name_handshake (handshake);

  confab_limits_connection_opened (self->limits, address, g_get_monotonic_time ());
}

static void
closed_cb (SocketioServer *server, SocketioHandshake *handshake, gpointer user_data)
{
  ConfabGuard *self = CONFAB_GUARD (user_data);
  g_autofree char *address = confab_requester_name_handshake (handshake);

  confab_limits_connection_closed (self->limits, address);
}

static gboolean
is_health_path (const char *path)
{
  return g_str_equal (path, "/healthz") || g_str_equal (path, "/readyz");
}

static void
got_headers_cb (SoupServerMessage *message, gpointer user_data)
{
  ConfabGuard *self = CONFAB_GUARD (user_data);
  ConfabRequester requester = confab_requester_from_message (message);
  const char *path = g_uri_get_path (soup_server_message_get_uri (message));
  gboolean socket_path = is_socket_path (path);
  g_autoptr (GError) error = NULL;

  set_common_headers (message, socket_path);
  if (!socket_path)
    confab_request_body_limit (message);

  if (!confab_access_check_place (self->access, &requester, &error))
    {
      set_connection_close (message);
      soup_message_headers_replace (soup_server_message_get_response_headers (message),
                                    "Cross-Origin-Resource-Policy", "same-origin");
      confab_http_respond_error (message, SOUP_STATUS_FORBIDDEN, "unauthorized", error->message);
      return;
    }
  set_sharing_headers (message, requester.origin, socket_path);

  if (soup_server_message_get_status (message) != 0
      || (!is_health_path (path) && !is_within_limits (self, message, socket_path)))
    return;
  if (socket_path)
    {
      if (requester.proxied)
        sum_up_forwarded (message);
      return;
    }

  if (is_preflight (message))
    answer_preflight (message);
  else if (is_health_path (path) || open_page (self, message))
    return;
  else if (!confab_access_is_authorized (self->access, &requester))
    refuse_unauthorized (message);
  else if (g_str_equal (soup_server_message_get_method (message), "POST"))
    confab_request_body_keep (message);
}

static void
release_guard (gpointer data, GClosure *closure)
{
  g_object_unref (data);
}

static void
request_started_cb (SoupServer *server, SoupServerMessage *message, gpointer user_data)
{
  /* Not an early handler: of those libsoup calls one alone, that of the longest path. The reference
   * costs less than a closure that has to be found when the message goes. */
  g_signal_connect_data (message, "got-headers", G_CALLBACK (got_headers_cb),
                         g_object_ref (user_data), release_guard, 0);
}

/**
 * confab_guard_new:
 * @access: the rules
 * @limits: how much each may ask
 * @server: the server to guard, before it gets its first request
 *
 * Returns: (transfer full): the guard; it has to live as long as @server serves
 */
ConfabGuard *
confab_guard_new (ConfabAccess *access, ConfabLimits *limits, SocketioServer *server)
{
  ConfabGuard *self;

  g_return_val_if_fail (CONFAB_IS_ACCESS (access) && SOCKETIO_IS_SERVER (server), NULL);

  self = g_object_new (CONFAB_TYPE_GUARD, NULL);
  self->access = g_object_ref (access);
  self->limits = confab_limits_ref (limits);
  g_signal_connect_object (server, "connection-opened", G_CALLBACK (opened_cb), self, 0);
  g_signal_connect_object (server, "connection-closed", G_CALLBACK (closed_cb), self, 0);
  g_signal_connect_object (socketio_server_get_soup_server (server), "request-started",
                           G_CALLBACK (request_started_cb), self, 0);

  return self;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-access.h"

#include <glib/gi18n-lib.h>
#include <string.h>
#include <unistd.h>

#include "confab-digest.h"
#include "confab-error.h"
#include "confab-origin.h"
#include "confab-tickets.h"

#define COOKIE_MAX_AGE_SECONDS (365 * 24 * 60 * 60)
#define HTTP_PORT 80

struct _ConfabAccess
{
  GObject parent_instance;

  gboolean open; /* --dev: no token */
  ConfabDigest token;
  ConfabDigest cookie;
  char *token_secret; /* NULL if it is open; so is the next */
  char *cookie_secret;
  ConfabTickets *tickets;

  guint16 port;
  char *cookie_name; /* "confab-PORT": browsers do not tell ports apart */
  char *url;         /* where a browser of this machine finds us, "http://127.0.0.1:PORT" */
  GPtrArray *names;  /* of char: hosts that are ours, without port */
  char **hosts;      /* allowed besides */
  char **origins;    /* allowed besides */
};

G_DEFINE_FINAL_TYPE (ConfabAccess, confab_access, G_TYPE_OBJECT)

static void
clear_secret (char **secret)
{
  if (*secret != NULL)
    explicit_bzero (*secret, strlen (*secret));
  g_clear_pointer (secret, g_free);
}

static void
confab_access_finalize (GObject *object)
{
  ConfabAccess *self = CONFAB_ACCESS (object);

  clear_secret (&self->token_secret);
  clear_secret (&self->cookie_secret);
  g_free (self->cookie_name);
  g_free (self->url);
  g_ptr_array_unref (self->names);
  g_strfreev (self->hosts);
  g_strfreev (self->origins);
  confab_tickets_free (self->tickets);

  G_OBJECT_CLASS (confab_access_parent_class)->finalize (object);
}

static void
confab_access_class_init (ConfabAccessClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = confab_access_finalize;
}

static void
confab_access_init (ConfabAccess *self)
{
  self->names = g_ptr_array_new_with_free_func (g_free);
  self->hosts = g_new0 (char *, 1);
  self->origins = g_new0 (char *, 1);
  self->tickets = confab_tickets_new ();
}

/**
 * confab_access_new:
 * @keys: (nullable): the secrets; %NULL lets everybody in whose Host and Origin are right, and
 * local pages on any port
 *
 * Returns: (transfer full): rules for a server whose address is not known yet
 */
ConfabAccess *
confab_access_new (const ConfabKeys *keys)
{
  ConfabAccess *self = g_object_new (CONFAB_TYPE_ACCESS, NULL);

  self->open = keys == NULL;
  if (keys != NULL)
    confab_access_set_keys (self, keys);

  return self;
}

/**
 * confab_access_set_keys:
 * @self: the rules, which ask for a token
 * @keys: the secrets, only read now
 *
 * From now on these let in, and no others: neither the token and the cookie of before nor tickets.
 */
void
confab_access_set_keys (ConfabAccess *self, const ConfabKeys *keys)
{
  g_return_if_fail (CONFAB_IS_ACCESS (self) && !self->open && keys != NULL);

  confab_digest_init (&self->token, keys->token);
  confab_digest_init (&self->cookie, keys->cookie);
  clear_secret (&self->token_secret);
  self->token_secret = g_strdup (keys->token);
  clear_secret (&self->cookie_secret);
  self->cookie_secret = g_strdup (keys->cookie);
  confab_tickets_free (self->tickets);
  self->tickets = confab_tickets_new ();
}

/**
 * confab_access_get_token:
 *
 * Returns: (nullable): the token, which lets everybody in who has it; %NULL if none is asked for
 */
const char *
confab_access_get_token (ConfabAccess *self)
{
  g_return_val_if_fail (CONFAB_IS_ACCESS (self), NULL);

  return self->token_secret;
}

/* An address as it stands in a URL. */
static char *
address_to_host (GInetAddress *address)
{
  g_autofree char *text = g_inet_address_to_string (address);

  return g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV6
             ? g_strdup_printf ("[%s]", text)
             : g_steal_pointer (&text);
}

/**
 * confab_access_set_address:
 * @self: the rules
 * @port: the TCP port on which we listen
 * @bind: (nullable): the address, %NULL for loopback
 *
 * Says who we are, as Host and Origin must have it.
 */
void
confab_access_set_address (ConfabAccess *self, guint16 port, GInetAddress *bind)
{
  g_autofree char *host = NULL;

  g_return_if_fail (CONFAB_IS_ACCESS (self));

  g_ptr_array_set_size (self->names, 0);
  g_ptr_array_add (self->names, g_strdup ("localhost"));
  g_ptr_array_add (self->names, g_strdup ("127.0.0.1"));
  g_ptr_array_add (self->names, g_strdup ("[::1]"));
  if (bind != NULL && !g_inet_address_get_is_any (bind))
    host = address_to_host (bind);
  if (host != NULL)
    g_ptr_array_add (self->names, g_strdup (host));

  if (host == NULL && bind != NULL && g_inet_address_get_family (bind) == G_SOCKET_FAMILY_IPV6)
    host = g_strdup ("[::1]");
  g_free (self->url);
  self->url = g_strdup_printf ("http://%s:%u", host != NULL ? host : "127.0.0.1", port);
  g_free (self->cookie_name);
  self->cookie_name = g_strdup_printf ("confab-%u", port);
  self->port = port;
}

/**
 * confab_access_set_allowed:
 * @self: the rules
 * @origins: (array zero-terminated=1): normalized origins allowed besides our own
 * @hosts: (array zero-terminated=1): normalized hosts allowed besides our own
 */
void
confab_access_set_allowed (ConfabAccess *self, const char *const *origins, const char *const *hosts)
{
  g_return_if_fail (CONFAB_IS_ACCESS (self) && origins != NULL && hosts != NULL);

  g_strfreev (self->origins);
  self->origins = g_strdupv ((char **) origins);
  g_strfreev (self->hosts);
  self->hosts = g_strdupv ((char **) hosts);
}

/**
 * confab_access_is_open:
 * @self: the rules
 *
 * Returns: whether no token is asked for
 */
gboolean
confab_access_is_open (ConfabAccess *self)
{
  g_return_val_if_fail (CONFAB_IS_ACCESS (self), FALSE);

  return self->open;
}

/* Whether @host is @name with our port, which may be left out where it is the default one. */
static gboolean
is_name_with_port (ConfabAccess *self, const char *host, const char *name)
{
  gsize length = strlen (name);
  char port[8];

  if (g_ascii_strncasecmp (host, name, length) != 0)
    return FALSE;
  if (host[length] == '\0')
    return self->port == HTTP_PORT;
  g_snprintf (port, sizeof port, ":%u", self->port);

  return g_str_equal (host + length, port);
}

static gboolean
has_port (const char *host)
{
  const char *colon = strrchr (host, ':');

  /* the colons of an IPv6 address stand in brackets */
  return colon != NULL && strchr (colon, ']') == NULL;
}

/**
 * confab_access_allows_host:
 * @self: the rules
 * @host: (nullable): the Host header
 * @unix_peer: whether the request came over the UNIX socket, which has no port
 *
 * Returns: whether @host is one of ours or allowed. An allowed host without port stands for the
 *   default port and for ours.
 */
gboolean
confab_access_allows_host (ConfabAccess *self, const char *host, gboolean unix_peer)
{
  g_return_val_if_fail (CONFAB_IS_ACCESS (self), FALSE);

  if (host == NULL)
    return FALSE;
  for (guint i = 0; i < self->names->len; i++)
    if (is_name_with_port (self, host, g_ptr_array_index (self->names, i)))
      return TRUE;
  for (guint i = 0; self->hosts[i] != NULL; i++)
    if (g_ascii_strcasecmp (host, self->hosts[i]) == 0
        || (!has_port (self->hosts[i]) && is_name_with_port (self, host, self->hosts[i])))
      return TRUE;

  if (unix_peer && g_ascii_strncasecmp (host, "localhost", strlen ("localhost")) == 0)
    {
      const char *rest = host + strlen ("localhost");

      return rest[0] == '\0'
             || (rest[0] == ':' && rest[1] != '\0'
                 && strspn (rest + 1, "0123456789") == strlen (rest + 1));
    }

  return FALSE;
}

/**
 * confab_access_allows_origin:
 * @self: the rules
 * @origin: an Origin header
 *
 * Returns: whether it is exactly one of ours or allowed
 */
gboolean
confab_access_allows_origin (ConfabAccess *self, const char *origin)
{
  g_return_val_if_fail (CONFAB_IS_ACCESS (self) && origin != NULL, FALSE);

  if (g_str_has_prefix (origin, "http://"))
    for (guint i = 0; i < self->names->len; i++)
      if (is_name_with_port (self, origin + strlen ("http://"), g_ptr_array_index (self->names, i)))
        return TRUE;

  return g_strv_contains ((const char *const *) self->origins, origin)
         || (self->open && confab_origin_is_local (origin));
}

/**
 * confab_access_check_place:
 * @self: the rules
 * @requester: the sender of a request
 * @error: return location for %CONFAB_ERROR_UNAUTHORIZED
 *
 * Checks that the request is meant for us, and that no foreign page made it: Host, Origin and
 * Sec-Fetch-Site.
 *
 * Returns: whether it may go on
 */
gboolean
confab_access_check_place (ConfabAccess *self, const ConfabRequester *requester, GError **error)
{
  g_return_val_if_fail (CONFAB_IS_ACCESS (self) && requester != NULL, FALSE);

  if (!confab_access_allows_host (self, requester->host, requester->unix_peer))
    {
      g_set_error_literal (
          error, CONFAB_ERROR, CONFAB_ERROR_UNAUTHORIZED,
          _ ("This Host is not one of Confab's; start confabd with --allow-host to "
             "allow it."));
      return FALSE;
    }
  if (requester->origin != NULL)
    {
      if (confab_access_allows_origin (self, requester->origin))
        return TRUE;
      g_set_error_literal (error, CONFAB_ERROR, CONFAB_ERROR_UNAUTHORIZED,
                           _ ("Pages of this Origin may not talk to Confab; start confabd with "
                              "--allow-origin to allow it."));
      return FALSE;
    }
  if (requester->fetch_site != NULL && !g_str_equal (requester->fetch_site, "same-origin")
      && !g_str_equal (requester->fetch_site, "none"))
    {
      g_set_error_literal (
          error, CONFAB_ERROR, CONFAB_ERROR_UNAUTHORIZED,
          _ ("Another site led here; open Confab's address in a new tab instead."));
      return FALSE;
    }

  return TRUE;
}

static gboolean
has_bearer_token (ConfabAccess *self, const char *authorization)
{
  const char *token;

  if (authorization == NULL
      || g_ascii_strncasecmp (authorization, "Bearer ", strlen ("Bearer ")) != 0)
    return FALSE;
  for (token = authorization + strlen ("Bearer "); *token == ' '; token++)
    ;

  return confab_digest_matches (&self->token, token);
}

static gboolean
has_session_cookie (ConfabAccess *self, const char *cookies)
{
  g_auto (GStrv) pairs = NULL;
  gsize name_length;

  if (cookies == NULL || self->cookie_name == NULL)
    return FALSE;

  name_length = strlen (self->cookie_name);
  pairs = g_strsplit_set (cookies, ";,", -1);
  for (guint i = 0; pairs[i] != NULL; i++)
    {
      const char *pair = g_strstrip (pairs[i]);

      if (g_str_has_prefix (pair, self->cookie_name) && pair[name_length] == '='
          && confab_digest_matches (&self->cookie, pair + name_length + 1))
        return TRUE;
    }

  return FALSE;
}

/**
 * confab_access_is_authorized:
 * @self: the rules
 * @requester: the sender of a request
 *
 * Returns: whether the request itself proves that its sender may talk: by token, by cookie, or as a
 *   program of this user at the UNIX socket
 */
gboolean
confab_access_is_authorized (ConfabAccess *self, const ConfabRequester *requester)
{
  g_return_val_if_fail (CONFAB_IS_ACCESS (self) && requester != NULL, FALSE);

  if (self->open)
    return TRUE;
  if (requester->unix_peer && requester->peer_uid == (gint64) geteuid ()
      && requester->origin == NULL && !requester->proxied)
    return TRUE;

  return has_bearer_token (self, requester->authorization)
         || has_session_cookie (self, requester->cookie);
}

/**
 * confab_access_check_token:
 * @self: the rules
 * @token: (nullable): what somebody says the token is
 *
 * Returns: whether they are right, or none is asked for
 */
gboolean
confab_access_check_token (ConfabAccess *self, const char *token)
{
  g_return_val_if_fail (CONFAB_IS_ACCESS (self), FALSE);

  return self->open || confab_digest_matches (&self->token, token);
}

/**
 * confab_access_mint_ticket:
 * @self: the rules
 * @expires_at: (out) (optional): until when it is good, in ms since the epoch
 *
 * Returns: (transfer full): a ticket that opens a page once, instead of the token
 */
char *
confab_access_mint_ticket (ConfabAccess *self, gint64 *expires_at)
{
  g_return_val_if_fail (CONFAB_IS_ACCESS (self), NULL);

  if (expires_at != NULL)
    *expires_at = g_get_real_time () / 1000 + CONFAB_TICKET_SECONDS * 1000;

  return confab_tickets_mint (self->tickets, g_get_monotonic_time ());
}

/**
 * confab_access_redeem_ticket:
 * @self: the rules
 * @ticket: (nullable): what somebody shows
 *
 * Returns: whether it was good, or none is asked for; it is not good any more
 */
gboolean
confab_access_redeem_ticket (ConfabAccess *self, const char *ticket)
{
  gboolean good;

  g_return_val_if_fail (CONFAB_IS_ACCESS (self), FALSE);

  good = confab_tickets_redeem (self->tickets, ticket, g_get_monotonic_time ());

  return good || self->open;
}

/**
 * confab_access_make_cookie:
 * @self: the rules
 *
 * Returns: (transfer full) (nullable): the value of a Set-Cookie header that signs a browser in;
 *   %NULL where no token is asked for
 */
char *
confab_access_make_cookie (ConfabAccess *self)
{
  g_return_val_if_fail (CONFAB_IS_ACCESS (self), NULL);

  if (self->open)
    return NULL;

  return g_strdup_printf ("%s=%s; HttpOnly; SameSite=Strict; Path=/; Max-Age=%d", self->cookie_name,
                          self->cookie_secret, COOKIE_MAX_AGE_SECONDS);
}

/**
 * confab_access_make_url:
 * @self: the rules, with their address set
 * @name: (nullable): "token" or "ticket"
 * @value: (nullable): its value
 *
 * Returns: (transfer full): the URL to open in a browser
 */
char *
confab_access_make_url (ConfabAccess *self, const char *name, const char *value)
{
  g_return_val_if_fail (CONFAB_IS_ACCESS (self) && self->url != NULL, NULL);
  g_return_val_if_fail ((name == NULL) == (value == NULL), NULL);

  return name != NULL ? g_strdup_printf ("%s/?%s=%s", self->url, name, value)
                      : g_strdup_printf ("%s/", self->url);
}

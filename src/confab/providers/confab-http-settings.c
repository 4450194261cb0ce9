/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>
#include <libsoup/soup.h>
#include <glib/gi18n-lib.h>

#include "confab-http-settings.h"
#include "confab-error.h"

/**
 * confab_http_settings_check_base_url:
 *
 * Returns: (transfer full) (nullable): the URL without a slash at its end; NULL with
 *   %CONFAB_ERROR_INVALID_REQUEST if it cannot be a base URL
 */
char *
confab_http_settings_check_base_url (const char *base_url, GError **error)
{
  g_autoptr (GError) reason = NULL;
  g_autoptr (GUri) uri = g_uri_parse (base_url, SOUP_HTTP_URI_FLAGS, &reason);
  g_autofree char *url = g_strdup (base_url);
  const char *scheme = uri != NULL ? g_uri_get_scheme (uri) : "";
  const char *host = uri != NULL ? g_uri_get_host (uri) : NULL;

  if (uri == NULL || host == NULL || *host == '\0'
      || (strcmp (scheme, "http") != 0 && strcmp (scheme, "https") != 0))
    {
      g_set_error (error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST,
                   _ ("“%s” is not a base URL; it must begin with http:// or https:// and name a "
                      "host, such as http://127.0.0.1:8080/v1."),
                   base_url);
      return NULL;
    }

  if (g_uri_get_query (uri) != NULL || g_uri_get_fragment (uri) != NULL
      || g_uri_get_userinfo (uri) != NULL)
    {
      g_set_error_literal (error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST,
                           _ ("The base URL must hold no “?”, no “#”, and no user and password; "
                              "a key goes into a variable such as OPENAI_API_KEY."));
      return NULL;
    }

  while (g_str_has_suffix (url, "/"))
    url[strlen (url) - 1] = '\0';

  return g_steal_pointer (&url);
}

/**
 * confab_http_settings_check_api_key:
 *
 * The key becomes part of a header, so it must not be able to begin another one.
 *
 * Returns: FALSE with %CONFAB_ERROR_INVALID_REQUEST, which does not hold the key
 */
gboolean
confab_http_settings_check_api_key (const char *api_key, GError **error)
{
  for (const char *p = api_key; *p != '\0'; p++)
    {
      if (!g_ascii_isgraph (*p))
        {
          g_set_error_literal (error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST,
                               _ ("The API key holds spaces or other characters that no key has."));
          return FALSE;
        }
    }

  return TRUE;
}

/* Headers that Confab sets itself or that say how the request is framed. */
static const char *const own_headers[] = {
  "accept",
  "accept-encoding",
  "connection",
  "content-encoding",
  "content-length",
  "content-type",
  "expect",
  "host",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "user-agent",
  NULL,
};

/* Headers that are known to carry keys; settings are no place for those. */
static const char *const key_headers[] = { "api-key",   "authorization",
                                           "cookie",    "proxy-authorization",
                                           "x-api-key", NULL };

/* RFC 9110, 5.6.2 */
static gboolean
is_token (const char *text)
{
  for (const char *p = text; *p != '\0'; p++)
    {
      if (!g_ascii_isalnum (*p) && strchr ("!#$%&'*+-.^_`|~", *p) == NULL)
        return FALSE;
    }

  return *text != '\0';
}

static gboolean
check_header_name (const char *name, GError **error)
{
  g_autofree char *lower = g_ascii_strdown (name, -1);

  if (!is_token (name))
    g_set_error_literal (error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST,
                         _ ("A header needs the form “Name: value”, with a name of letters, "
                            "digits and hyphens."));
  else if (g_strv_contains (own_headers, lower))
    g_set_error (error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST,
                 _ ("The header %s is set by Confab itself."), name);
  else if (g_strv_contains (key_headers, lower))
    g_set_error (error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST,
                 _ ("The header %s carries a key, which goes into an environment variable."), name);
  else
    return TRUE;

  return FALSE;
}

/* The value must not be able to end its line; it may be a secret, so no error repeats it. */
static gboolean
check_header_value (const char *name, const char *value, GError **error)
{
  gboolean clean = *value != '\0' && strlen (value) <= CONFAB_HTTP_SETTINGS_MAX_HEADER_BYTES;

  for (const char *p = value; clean && *p != '\0'; p++)
    clean = g_ascii_isprint (*p) || *p == '\t';
  if (!clean)
    g_set_error (error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST,
                 _ ("The value of the header %s must be one line of at most %d ASCII characters."),
                 name, CONFAB_HTTP_SETTINGS_MAX_HEADER_BYTES);

  return clean;
}

static gboolean
check_header_is_new (GPtrArray *headers, const char *name, GError **error)
{
  if (headers->len >= 2 * CONFAB_HTTP_SETTINGS_MAX_HEADERS)
    {
      g_set_error (error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST,
                   _ ("There are more than %d headers."), CONFAB_HTTP_SETTINGS_MAX_HEADERS);
      return FALSE;
    }

  for (guint i = 0; i < headers->len; i += 2)
    {
      if (g_ascii_strcasecmp (g_ptr_array_index (headers, i), name) == 0)
        {
          g_set_error (error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST,
                       _ ("The header %s is there twice."), name);
          return FALSE;
        }
    }

  return TRUE;
}

static gboolean
parse_header (GPtrArray *headers, const char *line, GError **error)
{
  const char *colon = strchr (line, ':');
  g_autofree char *name = g_strndup (line, colon != NULL ? (gsize) (colon - line) : 0);
  /* Only spaces: what g_strstrip() takes away too would be hidden from the check. */
  g_autofree char *value = g_strdup (colon != NULL ? colon + 1 + strspn (colon + 1, " ") : "");

  for (gsize length = strlen (value); length > 0 && value[length - 1] == ' '; length--)
    value[length - 1] = '\0';

  if (!check_header_name (name, error) || !check_header_value (name, value, error)
      || !check_header_is_new (headers, name, error))
    return FALSE;

  g_ptr_array_add (headers, g_steal_pointer (&name));
  g_ptr_array_add (headers, g_steal_pointer (&value));
  return TRUE;
}

/**
 * confab_http_settings_parse_headers:
 * @lines: (array zero-terminated=1): "Name: value" each
 *
 * Returns: (transfer full) (element-type utf8) (nullable): names and values by turns; NULL with
 *   %CONFAB_ERROR_INVALID_REQUEST if there is one that a user may not add
 */
GPtrArray *
confab_http_settings_parse_headers (const char *const *lines, GError **error)
{
  g_autoptr (GPtrArray) headers = g_ptr_array_new_with_free_func (g_free);

  for (gsize i = 0; lines[i] != NULL; i++)
    {
      if (!parse_header (headers, lines[i], error))
        return NULL;
    }

  return g_steal_pointer (&headers);
}

/**
 * confab_http_settings_is_local:
 * @base_url: of confab_http_settings_check_base_url()
 *
 * Returns: whether it leads to this machine by its words alone
 */
gboolean
confab_http_settings_is_local (const char *base_url)
{
  g_autoptr (GUri) uri = g_uri_parse (base_url, SOUP_HTTP_URI_FLAGS, NULL);
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (g_uri_get_host (uri));

  return g_strcmp0 (g_uri_get_host (uri), "localhost") == 0
         || (address != NULL && g_inet_address_get_is_loopback (address));
}

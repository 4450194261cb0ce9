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

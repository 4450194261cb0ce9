/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-origin.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "confab-error.h"

/* A port is 1 to 65535 in plain digits. */
static gboolean
is_port (const char *text)
{
  guint64 port;

  return g_ascii_string_to_unsigned (text, 10, 1, G_MAXUINT16, &port, NULL) && text[0] != '0';
}

/* NAME, NAME:PORT, 1.2.3.4, [::1]:PORT */
static gboolean
is_authority (const char *text)
{
  const char *port;

  if (text[0] == '[')
    {
      const char *close = strchr (text, ']');
      g_autofree char *address = close != NULL ? g_strndup (text + 1, close - text - 1) : NULL;

      if (address == NULL || strchr (address, ':') == NULL || !g_hostname_is_ip_address (address))
        return FALSE;
      return close[1] == '\0' || (close[1] == ':' && is_port (close + 2));
    }

  for (port = text; *port != '\0' && *port != ':'; port++)
    if (!g_ascii_isalnum (*port) && strchr (".-_", *port) == NULL)
      return FALSE;

  return port > text && (*port == '\0' || is_port (port + 1));
}

/**
 * confab_host_normalize:
 * @host: as it shall stand in the Host header, with or without a port
 * @error: return location for %CONFAB_ERROR_INVALID_REQUEST
 *
 * Returns: (transfer full) (nullable): @host in the form in which hosts are compared
 */
char *
confab_host_normalize (const char *host, GError **error)
{
  g_return_val_if_fail (host != NULL, NULL);

  if (is_authority (host))
    return g_ascii_strdown (host, -1);

  g_set_error (
      error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST,
      _ ("“%s” is not a host: it must look like chat.example.org or chat.example.org:8443"), host);

  return NULL;
}

/**
 * confab_origin_normalize:
 * @origin: as browsers send it: scheme, host and port if it is not the default one
 * @error: return location for %CONFAB_ERROR_INVALID_REQUEST
 *
 * Returns: (transfer full) (nullable): @origin in the form in which origins are compared
 */
char *
confab_origin_normalize (const char *origin, GError **error)
{
  g_autofree char *lower = NULL;
  const char *authority = NULL;

  g_return_val_if_fail (origin != NULL, NULL);

  lower = g_ascii_strdown (origin, -1);
  if (g_str_has_prefix (lower, "http://"))
    authority = lower + strlen ("http://");
  else if (g_str_has_prefix (lower, "https://"))
    authority = lower + strlen ("https://");

  if (authority != NULL && is_authority (authority))
    {
      /* browsers leave out the default port */
      const char *default_port = g_str_has_prefix (lower, "https:") ? ":443" : ":80";

      if (g_str_has_suffix (authority, default_port))
        lower[strlen (lower) - strlen (default_port)] = '\0';
      return g_steal_pointer (&lower);
    }

  g_set_error (
      error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST,
      _ ("“%s” is not an origin: it must look like https://chat.example.org, without a path"),
      origin);

  return NULL;
}

/**
 * confab_origin_is_local:
 * @origin: an origin as a browser sent it
 *
 * Returns: whether it is a page that this machine itself serves over plain HTTP
 */
gboolean
confab_origin_is_local (const char *origin)
{
  static const char *const local[] = { "http://localhost", "http://127.0.0.1", "http://[::1]" };

  g_return_val_if_fail (origin != NULL, FALSE);

  for (guint i = 0; i < G_N_ELEMENTS (local); i++)
    {
      const char *rest = origin + strlen (local[i]);

      if (g_str_has_prefix (origin, local[i])
          && (*rest == '\0' || (*rest == ':' && is_port (rest + 1))))
        return TRUE;
    }

  return FALSE;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-http-session.h"

#include "confab-direct-route.h"
#include "confab-version.h"

#define MAX_CONNECTIONS 1000
#define IDLE_TIMEOUT_S 30

/**
 * confab_http_session_new:
 * @direct: for servers on this machine: no proxy, none of the libraries that find one, and one read
 *   of the socket for all that has come
 *
 * Makes what all requests of one provider share. It adds nothing of its own to a request: no
 * decoder (a compressed stream would come in lumps) and no cookies.
 *
 * Returns: (transfer full): bound to the thread-default context
 */
SoupSession *
confab_http_session_new (gboolean direct)
{
  SoupSession *session = soup_session_new_with_options (
      "max-conns", MAX_CONNECTIONS, "max-conns-per-host", MAX_CONNECTIONS, "idle-timeout",
      IDLE_TIMEOUT_S, "timeout", 0, "user-agent", "confab/" CONFAB_VERSION " ", NULL);

  soup_session_remove_feature_by_type (session, SOUP_TYPE_CONTENT_DECODER);
  if (direct)
    {
      g_autoptr (GProxyResolver) route = confab_direct_route_new ();

      soup_session_set_proxy_resolver (session, route);
    }

  return session;
}

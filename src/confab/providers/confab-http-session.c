/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-http-session.h"

#include "confab-direct-route.h"
#include "confab-version.h"

#define MAX_CONNECTIONS 1000
#define IDLE_TIMEOUT_S 30

/**
 * confab_http_session_prepare:
 *
 * Has all sessions of this process speak HTTP/1.1, and no HTTP/2. That of libsoup 3.2 hears no
 * cancellation while it waits for a head, tells nobody that a stream or its connection has ended
 * amid a body, breaks off what runs when a server is about to leave, and sends a question that was
 * refused again without its body. Nor do questions wait any more for each other's handshakes, which
 * they did as the connection might have been one to share.
 *
 * To be called before there are other threads, since libsoup 3.2 knows only an environment variable
 * for that.
 */
void
confab_http_session_prepare (void)
{
  g_setenv ("SOUP_FORCE_HTTP1", "1", TRUE);
}

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

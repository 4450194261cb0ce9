/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <libsoup/soup.h>

#include "socketio-counter.h"
#include "socketio-namespace.h"
#include "socketio-parent-namespace.h"

G_BEGIN_DECLS

#define SOCKETIO_TYPE_SERVER (socketio_server_get_type ())

/**
 * SocketioServer:
 *
 * A Socket.IO server (the JS server's `Server`).
 *
 * It belongs to the thread, and works in the thread-default context, in which it was made. All its
 * signals and callbacks come there. What is called from another thread does nothing but complain
 * aloud.
 *
 * [method@Server.listen] has it serve by itself, [method@Server.attach] on an HTTP server of the
 * application. Its options are properties, given when it is made.
 */
SOCKETIO_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (SocketioServer, socketio_server, SOCKETIO, SERVER, GObject)

SOCKETIO_AVAILABLE_IN_ALL SocketioServer *socketio_server_new (const char *path);

/**
 * SocketioOriginFunc:
 * @origin: the value of an Origin header
 * @user_data: what was given with the function
 *
 * Decides on an origin that [property@Server:cors-origins] does not list.
 *
 * Returns: whether its pages may read the server's answers
 */
typedef gboolean (*SocketioOriginFunc) (const char *origin, gpointer user_data);
SOCKETIO_AVAILABLE_IN_ALL void socketio_server_set_origin_func (SocketioServer *self,
                                                                SocketioOriginFunc func,
                                                                gpointer user_data,
                                                                GDestroyNotify destroy);

/**
 * SocketioRequestFunc:
 * @handshake: the request
 * @decision: to be told, now or later, whether it may begin a connection
 * @user_data: what was given with the function
 *
 * Decides on a request. The client waits meanwhile, for as long as it likes to.
 */
typedef void (*SocketioRequestFunc) (SocketioHandshake *handshake,
                                     SocketioDecision *decision,
                                     gpointer user_data);
SOCKETIO_AVAILABLE_IN_ALL void socketio_server_set_allow_request (SocketioServer *self,
                                                                  SocketioRequestFunc func,
                                                                  gpointer user_data,
                                                                  GDestroyNotify destroy);
SOCKETIO_AVAILABLE_IN_ALL void socketio_server_add_file (SocketioServer *self,
                                                         const char *name,
                                                         const char *content_type,
                                                         GBytes *content);

/* The static namespace of that name ("/", "/admin"), made at the first call (transfer none).
 * Clients that ask for any other are refused with "Invalid namespace". */
SOCKETIO_AVAILABLE_IN_ALL SocketioNamespace *
socketio_server_of (SocketioServer *self, const char *name);
/* Dynamic namespaces, which clients have made (transfer none). */
SOCKETIO_AVAILABLE_IN_ALL SocketioParentNamespace *
socketio_server_of_pattern (SocketioServer *self, GRegex *pattern);
SOCKETIO_AVAILABLE_IN_ALL SocketioParentNamespace *
socketio_server_of_func (SocketioServer *self,
                         SocketioNamespaceFunc func,
                         gpointer user_data,
                         GDestroyNotify destroy);

/* Serves at the path on an HTTP server that belongs to somebody else, over its own streams. */
SOCKETIO_AVAILABLE_IN_ALL void
socketio_server_attach (SocketioServer *self, SoupServer *soup_server);

/* The HTTP server of our own, on which other handlers can be added; all its connections come
 * through the doorman. Not to be given listeners. (transfer none) */
SOCKETIO_AVAILABLE_IN_ALL SoupServer *socketio_server_get_soup_server (SocketioServer *self);
/* Listens on @address, an inet or a UNIX one. Port 0 takes a free one. Returns the address bound
 * (transfer full), or NULL with an error of G_IO_ERROR. */
SOCKETIO_AVAILABLE_IN_ALL GSocketAddress *
socketio_server_listen (SocketioServer *self, GSocketAddress *address, GError **error);
/* Takes over a listening socket (socket activation). Takes the fd in any case. */
SOCKETIO_AVAILABLE_IN_ALL gboolean socketio_server_listen_fd (SocketioServer *self,
                                                              int fd,
                                                              GError **error);

/* Whether Socket.IO is served at the path on our own HTTP server (default); else it is pages only.
 */
SOCKETIO_AVAILABLE_IN_ALL void
socketio_server_set_realtime (SocketioServer *self, gboolean realtime);

SOCKETIO_AVAILABLE_IN_ALL guint64 socketio_server_get_counter (SocketioServer *self,
                                                               SocketioCounter counter);
SOCKETIO_AVAILABLE_IN_ALL guint socketio_server_get_n_connections (SocketioServer *self);
/* Those whose transport has that name now: "websocket" or "polling". */
SOCKETIO_AVAILABLE_IN_ALL guint socketio_server_count_connections (SocketioServer *self,
                                                                   const char *transport);

/* Who sent a request that came in through socketio_server_listen(): uid of the UNIX peer, else -1
 * (TCP, or a request of an HTTP server not ours). */
SOCKETIO_AVAILABLE_IN_ALL gint64 socketio_server_get_peer_uid (SoupServerMessage *message);
SOCKETIO_AVAILABLE_IN_ALL gboolean socketio_server_is_unix_peer (SoupServerMessage *message);

/* Stops accepting; closes every connection without a DISCONNECT packet once its queue is sent, but
 * after @timeout_ms at the latest; then calls back. Reason of the sockets: "server shutting down".
 */
SOCKETIO_AVAILABLE_IN_ALL void socketio_server_close_async (SocketioServer *self,
                                                            guint timeout_ms,
                                                            GAsyncReadyCallback callback,
                                                            gpointer user_data);
SOCKETIO_AVAILABLE_IN_ALL gboolean socketio_server_close_finish (SocketioServer *self,
                                                                 GAsyncResult *result,
                                                                 GError **error);

G_END_DECLS

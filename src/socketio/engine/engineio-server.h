/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <libsoup/soup.h>

#include "engineio-cors.h"
#include "engineio-session.h"
#include "socketio-counters-private.h"
#include "socketio-decision.h"
#include "socketio-reactor.h"

G_BEGIN_DECLS

/* Times in ms, sizes in bytes. */
typedef struct
{
  guint ping_interval;
  guint ping_timeout;
  guint upgrade_timeout;
  gsize max_payload;
  gsize max_queued;
  gsize high_mark; /* a client with more than that waiting is not ready */
  gsize low_mark;  /* where one that was waited for has drained */
  int overflow;    /* a SocketioOverflowPolicy */
  gboolean allow_eio3;
  gboolean polling; /* one of these */
  gboolean websocket;
  gboolean allow_upgrades;
  gsize http_compression; /* bodies of polls from this size on are compressed; 0: none */
  SoupCookie *cookie;     /* nullable: one like this tells the sid */
  EngineioCors cors;
} EngineioOptions;

#define ENGINEIO_OPTIONS_DEFAULT                                                                   \
  {                                                                                                \
    .ping_interval = 25000, .ping_timeout = 20000, .upgrade_timeout = 10000,                       \
    .max_payload = 1000000, .max_queued = 1024 * 1024, .high_mark = 16 * 1024, .polling = TRUE,    \
    .websocket = TRUE, .allow_upgrades = TRUE, .cors = {                                           \
      .credentials = TRUE,                                                                         \
      .max_age = 600                                                                               \
    }                                                                                              \
  }

/* Whether a page of @origin may read our answers. */
typedef gboolean (*EngineioOriginFunc) (const char *origin, gpointer user_data);
/* Whether a session may be made for a request; told now or later. */
typedef void (*EngineioRequestFunc) (SocketioHandshake *handshake,
                                     SocketioDecision *decision,
                                     gpointer user_data);
typedef void (*EngineioConnectionFunc) (EngineioSession *session, gpointer user_data);

/*
 * EngineioServer: answers the HTTP requests of Engine.IO (protocol 4, and 3 by option) and keeps
 * the sessions.
 */
EngineioServer *engineio_server_new (SocketioReactor *reactor, const EngineioOptions *options);
/* Aborts what is still open. */
void engineio_server_free (EngineioServer *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EngineioServer, engineio_server_free)
/* For messages under way, which may outlive that. */
EngineioServer *engineio_server_ref (EngineioServer *self);
void engineio_server_unref (EngineioServer *self);

void engineio_server_set_connection_func (EngineioServer *self,
                                          EngineioConnectionFunc func,
                                          gpointer user_data);
void
engineio_server_set_origin_func (EngineioServer *self, EngineioOriginFunc func, gpointer user_data);

void engineio_server_set_request_func (EngineioServer *self,
                                       EngineioRequestFunc func,
                                       gpointer user_data);
/* Served below each path. */
void engineio_server_add_file (EngineioServer *self,
                               const char *name,
                               const char *content_type,
                               GBytes *content);

/* Serves at @path, with and without its trailing slash. @own: connections of the server come from
 * our doorman, and their WebSockets go on streams of our own. */
void engineio_server_serve (EngineioServer *self,
                            SoupServer *soup_server,
                            const char *path,
                            gboolean own);

/* Returns: (transfer none): a copy of those given */
EngineioOptions *engineio_server_get_options (EngineioServer *self);
/* Returns: (transfer none): as given */
SocketioReactor *engineio_server_get_reactor (EngineioServer *self);
/* Returns: (transfer none): a g_rc_box */
SocketioCounters *engineio_server_get_counters (EngineioServer *self);
guint engineio_server_get_n_sessions (EngineioServer *self);

/* Refuses new sessions from now on and closes those there are. */
void engineio_server_close_sessions (EngineioServer *self, const char *reason);
/* Whether a client has yet to fetch something with a request of its own. */
gboolean engineio_server_awaits_polls (EngineioServer *self);
/* Likewise, but closes them at once. @reason, of both: static, what the layer above is told */
void engineio_server_abort_sessions (EngineioServer *self, const char *reason);

/* For sessions: it has ended. The server lets go of it, and its id is known no more. */
void engineio_server_remove_session (EngineioServer *self, EngineioSession *session);

G_END_DECLS

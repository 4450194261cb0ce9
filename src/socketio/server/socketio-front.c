/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "socketio-front.h"

#include <sys/resource.h>

#include "socketio-body-turns.h"
#include "socketio-doorman.h"

/* File descriptors that connections leave to the rest of the program. */
#define RESERVED_FDS 64

struct _SocketioFront
{
  SocketioReactor *reactor; /* the server's; so are the next two */
  EngineioServer *engine;
  const char *path;
  SoupServer *soup_server;  /* NULL until it is made */
  SocketioDoorman *doorman; /* of the same */
  gboolean realtime;
};

SocketioFront *
socketio_front_new (SocketioReactor *reactor, EngineioServer *engine, const char *path)
{
  SocketioFront *self = g_new0 (SocketioFront, 1);

  self->reactor = reactor;
  self->engine = engine;
  self->path = path;
  self->realtime = TRUE;
  return self;
}

void
socketio_front_set_realtime (SocketioFront *self, gboolean realtime)
{
  self->realtime = realtime;
}

gboolean
socketio_front_is_made (SocketioFront *self)
{
  return self->soup_server != NULL;
}

/* One request a connection: libsoup leaks an fd for every kept one that its client closes. */
static void
request_started_cb (SoupServer *soup_server, SoupServerMessage *message, gpointer user_data)
{
  soup_message_headers_replace (soup_server_message_get_response_headers (message), "Connection",
                                "close");
  socketio_body_turns_keep (message);
}

/* Where connections must leave the rest of the program its fds. */
static int
get_max_fd (void)
{
  struct rlimit limit;

  if (getrlimit (RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > G_MAXINT)
    return G_MAXINT;

  return (int) limit.rlim_cur - (int) MIN (RESERVED_FDS, limit.rlim_cur / 4);
}

SoupServer *
socketio_front_get_soup_server (SocketioFront *self)
{
  if (self->soup_server == NULL)
    {
      self->soup_server = soup_server_new (NULL, NULL);
      g_signal_connect (self->soup_server, "request-started", G_CALLBACK (request_started_cb),
                        self);
      self->doorman = socketio_doorman_new (self->reactor, self->soup_server);
      socketio_doorman_set_max_fd (self->doorman, get_max_fd ());
      if (self->realtime)
        engineio_server_serve (self->engine, self->soup_server, self->path, TRUE);
    }
  return self->soup_server;
}

GSocketAddress *
socketio_front_listen (SocketioFront *self, GSocketAddress *address, GError **error)
{
  socketio_front_get_soup_server (self);
  return socketio_doorman_listen (self->doorman, address, error);
}

gboolean
socketio_front_listen_fd (SocketioFront *self, int fd, GError **error)
{
  socketio_front_get_soup_server (self);
  return socketio_doorman_listen_fd (self->doorman, fd, error);
}

void
socketio_front_stop_listening (SocketioFront *self)
{
  if (self->doorman != NULL)
    socketio_doorman_stop_listening (self->doorman);
}

void
socketio_front_free (SocketioFront *self)
{
  g_clear_pointer (&self->doorman, socketio_doorman_free);
  /* somebody else may hold it longer */
  if (self->soup_server != NULL)
    g_signal_handlers_disconnect_by_data (self->soup_server, self);
  g_clear_object (&self->soup_server);
  g_free (self);
}

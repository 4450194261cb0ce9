/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "engineio-server.h"
#include "socketio-closing.h"
#include "socketio-directory.h"
#include "socketio-front.h"
#include "socketio-options-private.h"
#include "socketio-server-private.h"

G_BEGIN_DECLS

/* For the files that make up SocketioServer: its state, and where it is reached. */

struct _SocketioServer
{
  GObject parent_instance;

  GThread *thread; /* in which it was made, and may be used */
  SocketioReactor *reactor;
  EngineioServer *engine; /* NULL once it is disposed of; so are the next two */
  SocketioFront *front;
  SocketioClosing *closing;
  SocketioDirectory *directory; /* the namespaces */
  GHashTable *clients;          /* a set of SocketioClient, with references */

  SocketioOptions options;
  SocketioCounters *counters; /* the engine's, a reference */
  SocketioOriginFunc origin_func;
  gpointer origin_data;
  GDestroyNotify origin_destroy;
  gpointer allow_request_data;
  GDestroyNotify allow_request_destroy;
};

G_END_DECLS

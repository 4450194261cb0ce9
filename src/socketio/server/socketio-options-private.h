/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "engineio-server.h"
#include "socketio-recovery-private.h"

G_BEGIN_DECLS

/* What a SocketioServer is made with; each is one of its construct properties. */
typedef struct
{
  char *path;
  char **transports; /* nullable: both */
  EngineioOptions engine;
  guint connect_timeout;
  char **cors_origins; /* nullable */
  SocketioRecoveryOptions recovery;
  gboolean cleanup_empty_child_namespaces;
  GType adapter_type;
} SocketioOptions;

/* Once all are set. */
void socketio_options_complete (SocketioOptions *self);
void socketio_options_clear (SocketioOptions *self);

/* Installs the properties, whose ids begin with 1; that of the next one is returned. */
guint socketio_options_install (GObjectClass *object_class);
/* FALSE if @prop_id is none of these. */
gboolean socketio_options_set (SocketioOptions *self, guint prop_id, const GValue *value);
gboolean socketio_options_get (const SocketioOptions *self, guint prop_id, GValue *value);

G_END_DECLS

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engineio-server-private.h"

#include "engineio-mount.h"

EngineioServer *
engineio_server_ref (EngineioServer *self)
{
  g_ref_count_inc (&self->ref_count);
  return self;
}

void
engineio_server_unref (EngineioServer *self)
{
  if (!g_ref_count_dec (&self->ref_count))
    return;

  g_hash_table_unref (self->sessions);
  g_ptr_array_unref (self->mounts);
  engineio_files_free (self->files);
  g_rc_box_release (self->counters);
  socketio_reactor_unref (self->reactor);
  g_free (self);
}

EngineioServer *
engineio_server_new (SocketioReactor *reactor, const EngineioOptions *options)
{
  EngineioServer *self = g_new0 (EngineioServer, 1);

  g_ref_count_init (&self->ref_count);
  self->reactor = socketio_reactor_ref (reactor);
  self->options = *options;
  self->sessions = g_hash_table_new_full (g_str_hash, g_str_equal, NULL,
                                          (GDestroyNotify) engineio_session_unref);
  self->mounts = g_ptr_array_new_with_free_func ((GDestroyNotify) engineio_mount_remove);
  self->files = engineio_files_new ();
  self->counters = g_rc_box_new0 (SocketioCounters);
  return self;
}

void
engineio_server_free (EngineioServer *self)
{
  engineio_server_abort_sessions (self, "server shutting down");
  g_ptr_array_set_size (self->mounts, 0);
  self->connection_func = NULL;
  self->origin_func = NULL;
  self->request_func = NULL;
  engineio_server_unref (self);
}

void
engineio_server_set_connection_func (EngineioServer *self,
                                     EngineioConnectionFunc func,
                                     gpointer user_data)
{
  self->connection_func = func;
  self->connection_data = user_data;
}

void
engineio_server_set_origin_func (EngineioServer *self, EngineioOriginFunc func, gpointer user_data)
{
  self->origin_func = func;
  self->origin_data = user_data;
}

void
engineio_server_set_request_func (EngineioServer *self,
                                  EngineioRequestFunc func,
                                  gpointer user_data)
{
  self->request_func = func;
  self->request_data = user_data;
}

void
engineio_server_add_file (EngineioServer *self,
                          const char *name,
                          const char *content_type,
                          GBytes *content)
{
  engineio_files_add (self->files, name, content_type, content);
}

EngineioOptions *
engineio_server_get_options (EngineioServer *self)
{
  return &self->options;
}

SocketioReactor *
engineio_server_get_reactor (EngineioServer *self)
{
  return self->reactor;
}

SocketioCounters *
engineio_server_get_counters (EngineioServer *self)
{
  return self->counters;
}

guint
engineio_server_get_n_sessions (EngineioServer *self)
{
  return g_hash_table_size (self->sessions);
}

void
engineio_server_remove_session (EngineioServer *self, EngineioSession *session)
{
  const char *sid = engineio_session_get_sid (session);

  if (g_hash_table_lookup (self->sessions, sid) == session)
    g_hash_table_remove (self->sessions, sid);
}

static void
for_all_sessions (EngineioServer *self,
                  void (*func) (EngineioSession *, const char *),
                  const char *reason)
{
  g_autoptr (GPtrArray) all =
      g_ptr_array_new_with_free_func ((GDestroyNotify) engineio_session_unref);
  GHashTableIter iter;
  gpointer session;

  /* they leave the table while this goes on */
  g_hash_table_iter_init (&iter, self->sessions);
  while (g_hash_table_iter_next (&iter, NULL, &session))
    g_ptr_array_add (all, engineio_session_ref (session));
  for (guint i = 0; i < all->len; i++)
    func (g_ptr_array_index (all, i), reason);
}

void
engineio_server_close_sessions (EngineioServer *self, const char *reason)
{
  self->closed = TRUE;
  for_all_sessions (self, engineio_session_close_hastily, reason);
}

gboolean
engineio_server_awaits_polls (EngineioServer *self)
{
  GHashTableIter iter;
  gpointer session;

  g_hash_table_iter_init (&iter, self->sessions);
  while (g_hash_table_iter_next (&iter, NULL, &session))
    if (engineio_session_awaits_poll (session))
      return TRUE;
  return FALSE;
}

void
engineio_server_abort_sessions (EngineioServer *self, const char *reason)
{
  self->closed = TRUE;
  for_all_sessions (self, engineio_session_abort, reason);
}

EngineioSession *
engineio_server_open_session (EngineioServer *self,
                              SocketioHandshake *handshake,
                              guint protocol,
                              EngineioTransport *transport)
{
  g_autoptr (EngineioSession) session = engineio_session_new (self, handshake, protocol, transport);

  g_hash_table_insert (self->sessions, (gpointer) engineio_session_get_sid (session),
                       engineio_session_ref (session));
  engineio_session_open (session);
  if (self->connection_func != NULL)
    self->connection_func (session, self->connection_data);
  return g_hash_table_lookup (self->sessions, engineio_session_get_sid (session));
}

void
engineio_server_serve (EngineioServer *self,
                       SoupServer *soup_server,
                       const char *path,
                       gboolean own)
{
  g_ptr_array_add (self->mounts, engineio_mount_new (self, soup_server, path, own));
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "socketio-directory.h"

#include "socketio-namespace-private.h"
#include "socketio-parent-namespace-private.h"

struct _SocketioDirectory
{
  SocketioServer *server; /* which holds this */
  GHashTable *namespaces; /* name, held by the namespace, → SocketioNamespace */
  GPtrArray *parents;     /* of SocketioParentNamespace, in the order in which they are asked */
  gboolean frozen;
};

SocketioDirectory *
socketio_directory_new (SocketioServer *server)
{
  SocketioDirectory *self = g_new0 (SocketioDirectory, 1);

  self->server = server;
  self->namespaces = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_object_unref);
  self->parents = g_ptr_array_new_with_free_func (g_object_unref);
  return self;
}

void
socketio_directory_free (SocketioDirectory *self)
{
  g_hash_table_unref (self->namespaces);
  g_ptr_array_unref (self->parents);
  g_free (self);
}

static SocketioNamespace *
make (SocketioDirectory *self, SocketioParentNamespace *parent, const char *name)
{
  SocketioNamespace *nsp = socketio_namespace_new (self->server, parent, name);

  g_hash_table_insert (self->namespaces, (gpointer) socketio_namespace_get_name (nsp), nsp);
  socketio_server_emit_namespace_added (self->server, nsp);
  return nsp;
}

SocketioNamespace *
socketio_directory_ensure (SocketioDirectory *self, const char *name)
{
  SocketioNamespace *nsp = g_hash_table_lookup (self->namespaces, name);

  return nsp != NULL ? nsp : make (self, NULL, name);
}

SocketioParentNamespace *
socketio_directory_add_parent (SocketioDirectory *self, SocketioParentNamespace *parent)
{
  g_ptr_array_add (self->parents, parent);
  return parent;
}

/* A name that nobody has decided on yet. */
typedef struct
{
  SocketioDirectory *directory;
  SocketioServer *server; /* owned: holds the directory */
  char *name;
  SocketioFoundFunc func;
  gpointer user_data;
} Search;

static void
resolved_cb (SocketioParentNamespace *parent, gpointer user_data)
{
  Search *search = user_data;
  g_autoptr (SocketioServer) server G_GNUC_UNUSED = search->server;
  SocketioDirectory *self = search->directory;
  /* maybe made meanwhile, for another client */
  SocketioNamespace *nsp = g_hash_table_lookup (self->namespaces, search->name);

  if (nsp == NULL && parent != NULL && !self->frozen)
    nsp = make (self, parent, search->name);
  search->func (nsp, search->user_data);
  g_free (search->name);
  g_free (search);
}

void
socketio_directory_find (SocketioDirectory *self,
                         const char *name,
                         JsonNode *auth,
                         SocketioFoundFunc func,
                         gpointer user_data)
{
  SocketioNamespace *nsp = g_hash_table_lookup (self->namespaces, name);
  Search *search;

  if (nsp != NULL || self->parents->len == 0)
    {
      func (nsp, user_data);
      return;
    }

  search = g_new (Search, 1);
  *search = (Search){ self, g_object_ref (self->server), g_strdup (name), func, user_data };
  socketio_parent_namespaces_resolve (self->parents, name, auth, resolved_cb, search);
}

typedef struct
{
  SocketioDirectory *directory;
  SocketioServer *server; /* owned: holds the directory */
  SocketioNamespace *nsp; /* owned */
} Release;

static void
release_cb (gpointer user_data)
{
  Release *release = user_data;
  g_autoptr (SocketioServer) server G_GNUC_UNUSED = release->server;
  g_autoptr (SocketioNamespace) nsp = release->nsp;
  SocketioDirectory *self = release->directory;
  const char *name = socketio_namespace_get_name (nsp);

  if (socketio_namespace_is_empty (nsp) && g_hash_table_lookup (self->namespaces, name) == nsp)
    {
      socketio_namespace_detach (nsp);
      g_hash_table_remove (self->namespaces, name);
    }
  g_free (release);
}

void
socketio_directory_release (SocketioDirectory *self, SocketioNamespace *nsp)
{
  Release *release;

  if (self->frozen)
    return;

  release = g_new (Release, 1);
  *release = (Release){ self, g_object_ref (self->server), g_object_ref (nsp) };
  socketio_reactor_invoke (socketio_server_get_reactor (self->server), release_cb, release);
}

void
socketio_directory_freeze (SocketioDirectory *self)
{
  self->frozen = TRUE;
}

void
socketio_directory_detach (SocketioDirectory *self)
{
  GHashTableIter iter;
  gpointer nsp;

  g_hash_table_iter_init (&iter, self->namespaces);
  while (g_hash_table_iter_next (&iter, NULL, &nsp))
    socketio_namespace_detach (nsp);
}

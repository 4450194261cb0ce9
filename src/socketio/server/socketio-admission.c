/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "socketio-admission-private.h"

#include "socketio-decision-private.h"
#include "socketio-namespace-private.h"

typedef struct
{
  SocketioMiddleware func;            /* one of the two */
  SocketioAsyncMiddleware async_func; /* is set */
  gpointer user_data;
  GDestroyNotify destroy;
} Middleware;

struct _SocketioMiddlewares
{
  grefcount ref_count;
  GPtrArray *array; /* of Middleware */
};

/* A socket on its way through them. */
typedef struct
{
  SocketioMiddlewares *middlewares; /* owned */
  guint index;                      /* the one to ask next */
  SocketioSocket *socket;           /* owned */
  SocketioAdmissionFunc func;
  gpointer user_data;
} Admission;

static void advance (Admission *self);

static void
middleware_free (gpointer data)
{
  Middleware *middleware = data;

  if (middleware->destroy != NULL)
    middleware->destroy (middleware->user_data);
  g_free (middleware);
}

SocketioMiddlewares *
socketio_middlewares_new (void)
{
  SocketioMiddlewares *self = g_new0 (SocketioMiddlewares, 1);

  g_ref_count_init (&self->ref_count);
  self->array = g_ptr_array_new_with_free_func (middleware_free);
  return self;
}

SocketioMiddlewares *
socketio_middlewares_ref (SocketioMiddlewares *self)
{
  g_ref_count_inc (&self->ref_count);
  return self;
}

void
socketio_middlewares_unref (SocketioMiddlewares *self)
{
  if (!g_ref_count_dec (&self->ref_count))
    return;
  g_ptr_array_unref (self->array);
  g_free (self);
}

void
socketio_middlewares_add (SocketioMiddlewares *self,
                          SocketioMiddleware func,
                          SocketioAsyncMiddleware async_func,
                          gpointer user_data,
                          GDestroyNotify destroy)
{
  Middleware *middleware = g_new (Middleware, 1);

  *middleware = (Middleware){ func, async_func, user_data, destroy };
  g_ptr_array_add (self->array, middleware);
}

static void
finish (Admission *self, gboolean allowed, const char *message, const char *data)
{
  self->func (self->socket, allowed, message, data, self->user_data);
  socketio_middlewares_unref (self->middlewares);
  g_object_unref (self->socket);
  g_free (self);
}

static void
decided_cb (gboolean allowed, const char *message, const char *data, gpointer user_data)
{
  Admission *self = user_data;

  /* one that decides at once leads here from advance(): as deep as there are middlewares */
  if (allowed)
    advance (self);
  else
    finish (self, FALSE, message != NULL ? message : "Refused", data);
}

/* TRUE if the next is to be asked. */
static gboolean
ask (Admission *self, Middleware *middleware)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *data = NULL;

  if (middleware->func (self->socket, &data, middleware->user_data, &error))
    return TRUE;
  finish (self, FALSE, error != NULL ? error->message : "Refused", data);
  return FALSE;
}

/* @self may be gone when this returns. */
static void
ask_later (Admission *self, Middleware *middleware)
{
  g_autoptr (SocketioDecision) decision = socketio_decision_new (decided_cb, self);

  middleware->async_func (self->socket, decision, middleware->user_data);
}

static void
advance (Admission *self)
{
  GPtrArray *array = self->middlewares->array;

  while (self->index < array->len)
    {
      Middleware *middleware = g_ptr_array_index (array, self->index++);

      if (middleware->async_func != NULL)
        {
          ask_later (self, middleware);
          return;
        }
      if (!ask (self, middleware))
        return;
    }
  finish (self, TRUE, NULL, NULL);
}

void
socketio_middlewares_run (SocketioMiddlewares *self,
                          SocketioSocket *socket,
                          SocketioAdmissionFunc func,
                          gpointer user_data)
{
  Admission *admission = g_new0 (Admission, 1);

  admission->middlewares = socketio_middlewares_ref (self);
  admission->socket = g_object_ref (socket);
  admission->func = func;
  admission->user_data = user_data;
  advance (admission);
}

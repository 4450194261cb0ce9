/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "socketio-decision.h"

#include "socketio-decision-private.h"

struct _SocketioDecision
{
  grefcount ref_count;
  SocketioDecisionFunc func; /* NULL once it was decided */
  gpointer user_data;
};

G_DEFINE_BOXED_TYPE (SocketioDecision,
                     socketio_decision,
                     socketio_decision_ref,
                     socketio_decision_unref)

SocketioDecision *
socketio_decision_new (SocketioDecisionFunc func, gpointer user_data)
{
  SocketioDecision *self = g_new0 (SocketioDecision, 1);

  g_ref_count_init (&self->ref_count);
  self->func = func;
  self->user_data = user_data;
  return self;
}

gboolean
socketio_decision_is_made (SocketioDecision *self)
{
  return self->func == NULL;
}

static void
decide (SocketioDecision *self, gboolean allowed, const char *message, const char *data)
{
  SocketioDecisionFunc func = g_steal_pointer (&self->func);

  if (func != NULL)
    func (allowed, message, data, self->user_data);
}

/**
 * socketio_decision_ref:
 * @self: a decision
 *
 * Takes a reference.
 *
 * Returns: (transfer full): @self
 */
SocketioDecision *
socketio_decision_ref (SocketioDecision *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_ref_count_inc (&self->ref_count);
  return self;
}

/**
 * socketio_decision_unref:
 * @self: (transfer full): a decision
 *
 * Drops a reference. The last one refuses, if nobody has decided.
 */
void
socketio_decision_unref (SocketioDecision *self)
{
  g_return_if_fail (self != NULL);

  if (!g_ref_count_dec (&self->ref_count))
    return;
  decide (self, FALSE, NULL, NULL);
  g_free (self);
}

/**
 * socketio_decision_allow:
 * @self: a decision
 *
 * Lets it pass; the next middleware is asked (`next()`).
 */
void
socketio_decision_allow (SocketioDecision *self)
{
  g_return_if_fail (self != NULL);

  decide (self, TRUE, NULL, NULL);
}

/**
 * socketio_decision_refuse:
 * @self: a decision
 * @message: (nullable): why, for the client
 * @data: (nullable): more about it, as JSON text; not checked
 *
 * Refuses (`next(error)`).
 */
void
socketio_decision_refuse (SocketioDecision *self, const char *message, const char *data)
{
  g_return_if_fail (self != NULL);

  decide (self, FALSE, message, data);
}

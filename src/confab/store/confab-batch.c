/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-batch-private.h"

struct _ConfabBatch
{
  gatomicrefcount refs;
  ConfabBatchKind kind;
  gboolean sealed;
  GArray *writes; /* of ConfabWrite */
};

static void
write_clear (gpointer data)
{
  ConfabWrite *write = data;

  switch (write->kind)
    {
    case CONFAB_WRITE_PUT_SESSION:
      confab_session_record_free (write->session);
      break;
    case CONFAB_WRITE_PUT_MODULE:
    case CONFAB_WRITE_SET_HEAD:
      confab_module_record_free (write->module);
      break;
    case CONFAB_WRITE_PUT_MESSAGE:
    case CONFAB_WRITE_GROW_MESSAGE:
      confab_message_record_free (write->message);
      break;
    case CONFAB_WRITE_PUT_GENERATION:
      confab_generation_record_free (write->generation);
      break;
    case CONFAB_WRITE_DELETE_SESSION:
    case CONFAB_WRITE_DELETE_MODULE:
      g_free (write->id);
      break;
    default:
      g_assert_not_reached ();
    }
}

/**
 * confab_batch_new:
 * @kind: whether the disk itself must have it before the commit is reported
 *
 * Returns: (transfer full): a batch without writes
 */
ConfabBatch *
confab_batch_new (ConfabBatchKind kind)
{
  ConfabBatch *self = g_new0 (ConfabBatch, 1);

  g_atomic_ref_count_init (&self->refs);
  self->kind = kind;
  self->writes = g_array_new (FALSE, FALSE, sizeof (ConfabWrite));
  g_array_set_clear_func (self->writes, write_clear);

  return self;
}

ConfabBatch *
confab_batch_ref (ConfabBatch *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->refs);
  return self;
}

void
confab_batch_unref (ConfabBatch *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_ref_count_dec (&self->refs))
    return;

  g_array_unref (self->writes);
  g_free (self);
}

gboolean
confab_batch_is_empty (ConfabBatch *self)
{
  g_return_val_if_fail (self != NULL, TRUE);

  return self->writes->len == 0;
}

static void
add (ConfabBatch *self, ConfabWrite write)
{
  g_array_append_val (self->writes, write);
}

/**
 * confab_batch_put_session:
 * @self: a batch that was not committed yet
 * @record: the session
 *
 * Makes the session, or changes title and updated_at of the one there is.
 */
void
confab_batch_put_session (ConfabBatch *self, const ConfabSessionRecord *record)
{
  g_return_if_fail (self != NULL && !self->sealed);
  g_return_if_fail (record != NULL && record->id != NULL);

  add (self, (ConfabWrite){ .kind = CONFAB_WRITE_PUT_SESSION,
                            .session = confab_session_record_copy (record) });
}

/**
 * confab_batch_put_module:
 * @self: a batch that was not committed yet
 * @record: the module; its session must exist by then
 *
 * Makes the module, without a head, or changes all but id, created_at and head of the one there is.
 * A session that does not exist fails the commit with %CONFAB_STORE_ERROR_INVALID.
 */
void
confab_batch_put_module (ConfabBatch *self, const ConfabModuleRecord *record)
{
  g_return_if_fail (self != NULL && !self->sealed);
  g_return_if_fail (record != NULL && record->id != NULL && record->session_id != NULL);

  add (self, (ConfabWrite){ .kind = CONFAB_WRITE_PUT_MODULE,
                            .module = confab_module_record_copy (record) });
}

/**
 * confab_batch_put_message:
 * @self: a batch that was not committed yet
 * @record: the message; its module, and its parent in that module, must exist by then
 *
 * Makes the message, or changes the one there is as long as that has not ended; parent, role and
 * created_at stay. A message that ended stays wholly as it is, whatever is put: a late partial text
 * can never undo an end, and putting the same end again is no error.
 *
 * An unknown module or parent, and parts that are no JSON array, fail the commit with
 * %CONFAB_STORE_ERROR_INVALID.
 */
void
confab_batch_put_message (ConfabBatch *self, const ConfabMessageRecord *record)
{
  g_return_if_fail (self != NULL && !self->sealed);
  g_return_if_fail (record != NULL && record->id != NULL && record->module_id != NULL);
  g_return_if_fail (record->parts != NULL);

  add (self, (ConfabWrite){ .kind = CONFAB_WRITE_PUT_MESSAGE,
                            .message = confab_message_record_copy (record) });
}

/**
 * confab_batch_grow_message:
 * @self: a batch that was not committed yet
 * @module_id: a module
 * @message_id: a message that was put, and has not ended
 * @state: one that is no end
 * @parts: JSON array, not checked again
 *
 * Changes state and parts, and no more, which costs a fraction of putting it: for text that comes
 * bit by bit. Nothing happens if the message has ended by then, or is gone.
 */
void
confab_batch_grow_message (ConfabBatch *self,
                           const char *module_id,
                           const char *message_id,
                           ConfabState state,
                           const char *parts)
{
  ConfabMessageRecord *message;

  g_return_if_fail (self != NULL && !self->sealed);
  g_return_if_fail (module_id != NULL && message_id != NULL && parts != NULL);
  g_return_if_fail (!confab_state_is_end (state));

  message = g_new0 (ConfabMessageRecord, 1);
  message->id = g_strdup (message_id);
  message->module_id = g_strdup (module_id);
  message->state = state;
  message->parts = g_strdup (parts);
  add (self, (ConfabWrite){ .kind = CONFAB_WRITE_GROW_MESSAGE, .message = message });
}

/**
 * confab_batch_put_generation:
 * @self: a batch that was not committed yet
 * @record: the generation; its module, question and answer must exist by then
 *
 * Makes the generation, or changes state, seq and what tells of its end as long as the one there is
 * has not ended; an ended one stays wholly as it is. A request id that another generation of the
 * module has fails the commit with %CONFAB_STORE_ERROR_INVALID.
 */
void
confab_batch_put_generation (ConfabBatch *self, const ConfabGenerationRecord *record)
{
  g_return_if_fail (self != NULL && !self->sealed);
  g_return_if_fail (record != NULL && record->id != NULL && record->module_id != NULL);
  g_return_if_fail (record->question_id != NULL && record->answer_id != NULL);

  add (self, (ConfabWrite){ .kind = CONFAB_WRITE_PUT_GENERATION,
                            .generation = confab_generation_record_copy (record) });
}

/**
 * confab_batch_set_head:
 * @self: a batch that was not committed yet
 * @module_id: a module
 * @head_id: (nullable): the message that ends its visible branch from now on; %NULL: none
 * @updated_at: when, in ms since the epoch
 *
 * Unknown ids fail the commit with %CONFAB_STORE_ERROR_INVALID.
 */
void
confab_batch_set_head (ConfabBatch *self,
                       const char *module_id,
                       const char *head_id,
                       gint64 updated_at)
{
  ConfabModuleRecord *module;

  g_return_if_fail (self != NULL && !self->sealed);
  g_return_if_fail (module_id != NULL);

  module = g_new0 (ConfabModuleRecord, 1);
  module->id = g_strdup (module_id);
  module->head_id = g_strdup (head_id);
  module->updated_at = updated_at;
  add (self, (ConfabWrite){ .kind = CONFAB_WRITE_SET_HEAD, .module = module });
}

/**
 * confab_batch_delete_session:
 * @self: a batch that was not committed yet
 * @session_id: a session; one that does not exist is no error
 *
 * Deletes it with its modules, their messages, generations and request ids.
 */
void
confab_batch_delete_session (ConfabBatch *self, const char *session_id)
{
  g_return_if_fail (self != NULL && !self->sealed);
  g_return_if_fail (session_id != NULL);

  add (self, (ConfabWrite){ .kind = CONFAB_WRITE_DELETE_SESSION, .id = g_strdup (session_id) });
}

/**
 * confab_batch_delete_module:
 * @self: a batch that was not committed yet
 * @module_id: a module; one that does not exist is no error
 *
 * Deletes it with its messages, generations and request ids.
 */
void
confab_batch_delete_module (ConfabBatch *self, const char *module_id)
{
  g_return_if_fail (self != NULL && !self->sealed);
  g_return_if_fail (module_id != NULL);

  add (self, (ConfabWrite){ .kind = CONFAB_WRITE_DELETE_MODULE, .id = g_strdup (module_id) });
}

void
confab_batch_seal (ConfabBatch *self)
{
  /* A batch that is retried may be in use by the thread of the store: do not write to it again. */
  if (!self->sealed)
    self->sealed = TRUE;
}

gboolean
confab_batch_is_durable (ConfabBatch *self)
{
  return self->kind == CONFAB_BATCH_DURABLE;
}

guint
confab_batch_get_n_writes (ConfabBatch *self)
{
  return self->writes->len;
}

const ConfabWrite *
confab_batch_get_write (ConfabBatch *self, guint index)
{
  return &g_array_index (self->writes, ConfabWrite, index);
}

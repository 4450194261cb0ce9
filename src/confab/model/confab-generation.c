/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-generation.h"

#include <string.h>

struct _ConfabGeneration
{
  GObject parent_instance;

  char *id;
  char *module_id;
  char *request_id;
  ConfabMessage *question;
  ConfabMessage *answer;
  gboolean anew;

  ConfabState state;

  /* Text by kind while it grows; at the end it moves into the answer and these are NULL. */
  GString *text[2];
  gsize text_length;
  guint64 seq;
  ConfabDeltaLog *log; /* NULL: single deltas are not known any more */

  gint64 started_at;
  gint64 ended_at;
  gboolean told;
};

G_DEFINE_FINAL_TYPE (ConfabGeneration, confab_generation, G_TYPE_OBJECT)

enum
{
  DELTA,
  STATE_CHANGED,
  ENDED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static gint64
now_ms (void)
{
  return g_get_real_time () / 1000;
}

static void
confab_generation_finalize (GObject *object)
{
  ConfabGeneration *self = CONFAB_GENERATION (object);

  g_free (self->id);
  g_free (self->module_id);
  g_free (self->request_id);
  g_clear_object (&self->question);
  g_clear_object (&self->answer);
  for (guint i = 0; i < G_N_ELEMENTS (self->text); i++)
    if (self->text[i] != NULL)
      g_string_free (self->text[i], TRUE);
  g_clear_pointer (&self->log, confab_delta_log_free);

  G_OBJECT_CLASS (confab_generation_parent_class)->finalize (object);
}

static void
confab_generation_class_init (ConfabGenerationClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = confab_generation_finalize;

  /**
   * ConfabGeneration::delta:
   * @self: the generation
   * @delta: (type gpointer): a [struct@ConfabDelta]
   */
  signals[DELTA] =
      g_signal_new ("delta", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                    g_cclosure_marshal_VOID__POINTER, G_TYPE_NONE, 1, G_TYPE_POINTER);
  g_signal_set_va_marshaller (signals[DELTA], G_TYPE_FROM_CLASS (klass),
                              g_cclosure_marshal_VOID__POINTERv);

  /**
   * ConfabGeneration::state-changed:
   * @self: the generation
   */
  signals[STATE_CHANGED] = g_signal_new ("state-changed", G_TYPE_FROM_CLASS (klass),
                                         G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);

  /**
   * ConfabGeneration::ended:
   * @self: the generation
   */
  signals[ENDED] = g_signal_new ("ended", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL,
                                 NULL, NULL, G_TYPE_NONE, 0);
}

static void
confab_generation_init (ConfabGeneration *self)
{
  self->text[CONFAB_DELTA_TEXT] = g_string_new (NULL);
  self->text[CONFAB_DELTA_REASONING] = g_string_new (NULL);
  self->log = confab_delta_log_new ();
  self->started_at = now_ms ();
}

/**
 * confab_generation_new:
 * @id: its id
 * @module_id: the module in which it runs
 * @request_id: (nullable): the client's name for the request
 * @question: the message that it answers
 * @answer: the message that it writes
 *
 * Returns: (transfer full): a generation in state queued
 */
ConfabGeneration *
confab_generation_new (const char *id,
                       const char *module_id,
                       const char *request_id,
                       ConfabMessage *question,
                       ConfabMessage *answer)
{
  ConfabGeneration *self;

  g_return_val_if_fail (id != NULL && module_id != NULL, NULL);
  g_return_val_if_fail (CONFAB_IS_MESSAGE (question) && CONFAB_IS_MESSAGE (answer), NULL);

  self = g_object_new (CONFAB_TYPE_GENERATION, NULL);
  self->id = g_strdup (id);
  self->module_id = g_strdup (module_id);
  self->request_id = g_strdup (request_id);
  self->question = g_object_ref (question);
  self->answer = g_object_ref (answer);

  return self;
}

/**
 * confab_generation_new_ended:
 * @id: its id
 * @module_id: the module in which it ran
 * @request_id: (nullable): the client's name for the request
 * @question: the message that it answered
 * @answer: what came of it, in an end state
 * @seq: the newest seq that is known of it
 *
 * Returns: (transfer full): a generation whose end stands; single deltas are not known any more
 */
ConfabGeneration *
confab_generation_new_ended (const char *id,
                             const char *module_id,
                             const char *request_id,
                             ConfabMessage *question,
                             ConfabMessage *answer,
                             guint64 seq)
{
  ConfabGeneration *self;

  g_return_val_if_fail (CONFAB_IS_MESSAGE (answer), NULL);
  g_return_val_if_fail (confab_state_is_end (confab_message_get_state (answer)), NULL);

  self = confab_generation_new (id, module_id, request_id, question, answer);
  g_string_free (g_steal_pointer (&self->text[CONFAB_DELTA_TEXT]), TRUE);
  g_string_free (g_steal_pointer (&self->text[CONFAB_DELTA_REASONING]), TRUE);
  g_clear_pointer (&self->log, confab_delta_log_free);
  self->state = confab_message_get_state (answer);
  self->text_length = strlen (confab_message_get_content (answer));
  self->seq = seq;

  return self;
}

const char *
confab_generation_get_id (ConfabGeneration *self)
{
  g_return_val_if_fail (CONFAB_IS_GENERATION (self), NULL);

  return self->id;
}

const char *
confab_generation_get_module_id (ConfabGeneration *self)
{
  g_return_val_if_fail (CONFAB_IS_GENERATION (self), NULL);

  return self->module_id;
}

const char *
confab_generation_get_request_id (ConfabGeneration *self)
{
  g_return_val_if_fail (CONFAB_IS_GENERATION (self), NULL);

  return self->request_id;
}

ConfabMessage *
confab_generation_get_question (ConfabGeneration *self)
{
  g_return_val_if_fail (CONFAB_IS_GENERATION (self), NULL);

  return self->question;
}

ConfabMessage *
confab_generation_get_answer (ConfabGeneration *self)
{
  g_return_val_if_fail (CONFAB_IS_GENERATION (self), NULL);

  return self->answer;
}

void
confab_generation_set_anew (ConfabGeneration *self, gboolean anew)
{
  g_return_if_fail (CONFAB_IS_GENERATION (self));

  self->anew = anew;
}

gboolean
confab_generation_is_anew (ConfabGeneration *self)
{
  g_return_val_if_fail (CONFAB_IS_GENERATION (self), FALSE);

  return self->anew;
}

ConfabState
confab_generation_get_state (ConfabGeneration *self)
{
  g_return_val_if_fail (CONFAB_IS_GENERATION (self), CONFAB_STATE_FAILED);

  return self->state;
}

gboolean
confab_generation_is_ended (ConfabGeneration *self)
{
  g_return_val_if_fail (CONFAB_IS_GENERATION (self), TRUE);

  return confab_state_is_end (self->state);
}

const char *
confab_generation_get_text (ConfabGeneration *self)
{
  g_return_val_if_fail (CONFAB_IS_GENERATION (self), NULL);

  return self->text[CONFAB_DELTA_TEXT] != NULL ? self->text[CONFAB_DELTA_TEXT]->str
                                               : confab_message_get_content (self->answer);
}

gsize
confab_generation_get_text_length (ConfabGeneration *self)
{
  g_return_val_if_fail (CONFAB_IS_GENERATION (self), 0);

  return self->text_length;
}

const char *
confab_generation_get_reasoning (ConfabGeneration *self)
{
  g_return_val_if_fail (CONFAB_IS_GENERATION (self), NULL);

  return self->text[CONFAB_DELTA_REASONING] != NULL ? self->text[CONFAB_DELTA_REASONING]->str
                                                    : confab_message_get_reasoning (self->answer);
}

guint64
confab_generation_get_seq (ConfabGeneration *self)
{
  g_return_val_if_fail (CONFAB_IS_GENERATION (self), 0);

  return self->seq;
}

const ConfabOutcome *
confab_generation_get_outcome (ConfabGeneration *self)
{
  g_return_val_if_fail (CONFAB_IS_GENERATION (self), NULL);

  return confab_message_get_outcome (self->answer);
}

const GError *
confab_generation_get_error (ConfabGeneration *self)
{
  g_return_val_if_fail (CONFAB_IS_GENERATION (self), NULL);

  return confab_message_get_error (self->answer);
}

gint64
confab_generation_get_started_at (ConfabGeneration *self)
{
  g_return_val_if_fail (CONFAB_IS_GENERATION (self), 0);

  return self->started_at;
}

gint64
confab_generation_get_ended_at (ConfabGeneration *self)
{
  g_return_val_if_fail (CONFAB_IS_GENERATION (self), 0);

  return self->ended_at;
}

void
confab_generation_mark_told (ConfabGeneration *self)
{
  g_return_if_fail (CONFAB_IS_GENERATION (self));

  self->told = TRUE;
}

gboolean
confab_generation_was_told (ConfabGeneration *self)
{
  g_return_val_if_fail (CONFAB_IS_GENERATION (self), FALSE);

  return self->told;
}

/* The only place where the state changes. */
static gboolean
transition (ConfabGeneration *self, ConfabState to)
{
  if (!confab_state_may_follow (self->state, to))
    return FALSE;

  self->state = to;
  confab_message_set_state (self->answer, to);

  return TRUE;
}

/* Takes @outcome. The message is whole before anybody is told. */
static gboolean
end (ConfabGeneration *self, ConfabState state, ConfabOutcome *outcome, const GError *error)
{
  g_autoptr (ConfabGeneration) guard G_GNUC_UNUSED = g_object_ref (self);

  if (!transition (self, state))
    {
      g_clear_pointer (&outcome, confab_outcome_free);
      return FALSE;
    }

  self->ended_at = now_ms ();
  confab_message_take_answer (
      self->answer, g_string_free (g_steal_pointer (&self->text[CONFAB_DELTA_TEXT]), FALSE),
      g_string_free (g_steal_pointer (&self->text[CONFAB_DELTA_REASONING]), FALSE), outcome, error);
  g_signal_emit (self, signals[ENDED], 0);

  return TRUE;
}

/**
 * confab_generation_begin:
 * @self: a generation that is queued
 *
 * Says that the provider has been asked.
 *
 * Returns: %FALSE if it was not queued any more
 */
gboolean
confab_generation_begin (ConfabGeneration *self)
{
  g_return_val_if_fail (CONFAB_IS_GENERATION (self), FALSE);

  if (!transition (self, CONFAB_STATE_CONNECTING))
    return FALSE;

  g_signal_emit (self, signals[STATE_CHANGED], 0);

  return TRUE;
}

/**
 * confab_generation_append:
 * @self: a generation that has begun
 * @kind: answer or thinking
 * @text: UTF-8, NUL-terminated
 * @length: its bytes, more than 0
 *
 * Adds a delta and gives it the next seq.
 *
 * Returns: %FALSE if the generation is not running; nothing happened then
 */
gboolean
confab_generation_append (ConfabGeneration *self,
                          ConfabDeltaKind kind,
                          const char *text,
                          gsize length)
{
  ConfabDelta delta;

  g_return_val_if_fail (CONFAB_IS_GENERATION (self), FALSE);
  g_return_val_if_fail (text != NULL && length > 0 && length <= G_MAXINT32, FALSE);

  if (self->state != CONFAB_STATE_STREAMING)
    {
      if (!transition (self, CONFAB_STATE_STREAMING))
        return FALSE;
      g_signal_emit (self, signals[STATE_CHANGED], 0);
      /* whoever heard of that may have ended it */
      if (self->state != CONFAB_STATE_STREAMING)
        return FALSE;
    }

  self->seq = confab_delta_log_add (self->log, kind, length);
  g_string_append_len (self->text[kind], text, length);
  if (kind == CONFAB_DELTA_TEXT)
    self->text_length += length;

  delta = (ConfabDelta){ .kind = kind, .seq = self->seq, .text = text, .length = length };
  g_signal_emit (self, signals[DELTA], 0, &delta);

  return TRUE;
}

/**
 * confab_generation_complete:
 * @self: a running generation
 * @outcome: (transfer full): how the provider ended it
 *
 * Returns: %FALSE if the end stood already
 */
gboolean
confab_generation_complete (ConfabGeneration *self, ConfabOutcome *outcome)
{
  g_return_val_if_fail (CONFAB_IS_GENERATION (self) && outcome != NULL, FALSE);

  return end (self, CONFAB_STATE_COMPLETED, outcome, NULL);
}

/**
 * confab_generation_stop:
 * @self: a generation
 *
 * Ends it as somebody asked; what came so far is the answer.
 *
 * Returns: %FALSE if the end stood already
 */
gboolean
confab_generation_stop (ConfabGeneration *self)
{
  g_return_val_if_fail (CONFAB_IS_GENERATION (self), FALSE);

  return end (self, CONFAB_STATE_STOPPED, confab_outcome_new (CONFAB_FINISH_STOPPED), NULL);
}

/**
 * confab_generation_fail:
 * @self: a generation
 * @error: why, with a sentence for people
 *
 * Returns: %FALSE if the end stood already
 */
gboolean
confab_generation_fail (ConfabGeneration *self, const GError *error)
{
  g_return_val_if_fail (CONFAB_IS_GENERATION (self) && error != NULL, FALSE);

  return end (self, CONFAB_STATE_FAILED, NULL, error);
}

/**
 * confab_generation_interrupt:
 * @self: a generation
 * @error: what came between, with a sentence for people
 *
 * Ends it because the service itself goes away.
 *
 * Returns: %FALSE if the end stood already
 */
gboolean
confab_generation_interrupt (ConfabGeneration *self, const GError *error)
{
  g_return_val_if_fail (CONFAB_IS_GENERATION (self) && error != NULL, FALSE);

  return end (self, CONFAB_STATE_INTERRUPTED, NULL, error);
}

/**
 * confab_generation_can_replay:
 * @self: a generation
 * @after_seq: the last seq that is known already; 0 for none
 *
 * Returns: whether all that came after @after_seq can be told exactly: it is a seq of this
 *   generation, and what follows it is still in the log
 */
gboolean
confab_generation_can_replay (ConfabGeneration *self, guint64 after_seq)
{
  g_return_val_if_fail (CONFAB_IS_GENERATION (self), FALSE);

  return self->log != NULL && confab_delta_log_reaches (self->log, after_seq);
}

/**
 * confab_generation_replay:
 * @self: a generation
 * @after_seq: a seq from which confab_generation_can_replay()
 * @func: (scope call): called in order of seq, with neighbours of one kind as one stretch
 * @user_data: for @func
 *
 * Tells all that came after @after_seq.
 */
void
confab_generation_replay (ConfabGeneration *self,
                          guint64 after_seq,
                          ConfabStretchFunc func,
                          gpointer user_data)
{
  const char *texts[2];

  g_return_if_fail (confab_generation_can_replay (self, after_seq) && func != NULL);

  texts[CONFAB_DELTA_TEXT] = confab_generation_get_text (self);
  texts[CONFAB_DELTA_REASONING] = confab_generation_get_reasoning (self);
  confab_delta_log_replay (self->log, after_seq, texts, func, user_data);
}

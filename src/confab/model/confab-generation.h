/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-delta-log.h"
#include "confab-message.h"

G_BEGIN_DECLS

#define CONFAB_TYPE_GENERATION (confab_generation_get_type ())

/* ConfabDelta: one stream event; lives as long as the emission of the signal. */
typedef struct
{
  ConfabDeltaKind kind;
  guint64 seq;      /* from 1, over all kinds */
  const char *text; /* UTF-8, NUL-terminated */
  gsize length;     /* bytes */
} ConfabDelta;

/*
 * ConfabGeneration: one answer in the making. It belongs to the service, never to a connection.
 *
 * Signals:
 *   delta (const ConfabDelta *delta): new text
 *   state-changed (): it connects now, or streams; the end is told by ended
 *   ended (): the end stands: state, text, finish reason or error. Exactly once, the last signal.
 */
G_DECLARE_FINAL_TYPE (ConfabGeneration, confab_generation, CONFAB, GENERATION, GObject)

ConfabGeneration *confab_generation_new (const char *id,
                                         const char *module_id,
                                         const char *request_id,
                                         ConfabMessage *question,
                                         ConfabMessage *answer);
ConfabGeneration *confab_generation_new_ended (const char *id,
                                               const char *module_id,
                                               const char *request_id,
                                               ConfabMessage *question,
                                               ConfabMessage *answer,
                                               guint64 seq);

const char *confab_generation_get_id (ConfabGeneration *self);
const char *confab_generation_get_module_id (ConfabGeneration *self);
const char *confab_generation_get_request_id (ConfabGeneration *self); /* nullable */
ConfabMessage *confab_generation_get_question (ConfabGeneration *self);
ConfabMessage *confab_generation_get_answer (ConfabGeneration *self);
/* Whether it answers a question anew, or one that was asked anew in other words. */
void confab_generation_set_anew (ConfabGeneration *self, gboolean anew);
gboolean confab_generation_is_anew (ConfabGeneration *self);
ConfabState confab_generation_get_state (ConfabGeneration *self);
gboolean confab_generation_is_ended (ConfabGeneration *self);

/* All text so far, and its length in bytes. */
const char *confab_generation_get_text (ConfabGeneration *self);
gsize confab_generation_get_text_length (ConfabGeneration *self);
const char *confab_generation_get_reasoning (ConfabGeneration *self);
/* The seq of the newest delta; 0 before the first. */
guint64 confab_generation_get_seq (ConfabGeneration *self);
/* How it ended: finish reason and usage after completed and stopped, else NULL. */
const ConfabOutcome *confab_generation_get_outcome (ConfabGeneration *self);
/* Why it failed or was interrupted, else NULL. */
const GError *confab_generation_get_error (ConfabGeneration *self);

/* Times in ms since the epoch; 0 for what has not come yet. */
gint64 confab_generation_get_started_at (ConfabGeneration *self);
gint64 confab_generation_get_ended_at (ConfabGeneration *self);

/* Whether somebody was told of the end, as it came; for those who tell whom nobody told. */
void confab_generation_mark_told (ConfabGeneration *self);
gboolean confab_generation_was_told (ConfabGeneration *self);

/* Each answers whether it did something: not after the end. */
gboolean confab_generation_begin (ConfabGeneration *self);
gboolean confab_generation_append (ConfabGeneration *self,
                                   ConfabDeltaKind kind,
                                   const char *text,
                                   gsize length);
gboolean confab_generation_complete (ConfabGeneration *self, ConfabOutcome *outcome);
gboolean confab_generation_stop (ConfabGeneration *self);
gboolean confab_generation_fail (ConfabGeneration *self, const GError *error);
gboolean confab_generation_interrupt (ConfabGeneration *self, const GError *error);

gboolean confab_generation_can_replay (ConfabGeneration *self, guint64 after_seq);
void confab_generation_replay (ConfabGeneration *self,
                               guint64 after_seq,
                               ConfabStretchFunc func,
                               gpointer user_data);

G_END_DECLS

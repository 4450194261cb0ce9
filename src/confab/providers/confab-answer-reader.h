/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <json-glib/json-glib.h>

#include "confab-json-cursor.h"
#include "confab-provider.h"

G_BEGIN_DECLS

/* ConfabAnswerReader: turns the body of a model server's response into deltas and an outcome. What
 * its pieces mean is told by a ConfabAnswerFormat, one for each API. No I/O. */
typedef struct _ConfabAnswerReader ConfabAnswerReader;

/* An API's word for the end of an answer. */
typedef struct
{
  const char *name;
  ConfabFinishReason reason;
} ConfabFinishName;

typedef struct
{
  /* One JSON object a line, instead of server-sent events. */
  gboolean lines;
  /* An event "[DONE]" ends the answer. */
  gboolean done_mark;
  /* Once a finish reason was told, the body's end is the answer's too. */
  gboolean reason_is_end;
  /* Bytes, zeroed, for what the format has to remember; freed without more ado. */
  gsize state_size;
  /* Up to one without a name; a reason that is not listed is CONFAB_FINISH_OTHER. */
  const ConfabFinishName *finish_names;

  /* Takes one event, or one line. Those that report an error do not come here. @event: the event's
   * type, "message" where there is none */
  void (*take) (ConfabAnswerReader *self, const char *event, JsonObject *object);
  /* Nullable: takes an event or line, of type "message", that brings text and tells nothing else,
   * as nearly all of an answer do; @text gathers it. Returns FALSE for all others, and for JSON
   * that is not plain. Must read as @take would. */
  gboolean (*take_plain) (ConfabAnswerReader *self,
                          ConfabJsonCursor *cursor,
                          ConfabDeltaKind *kind,
                          GString *text);
  /* Nullable: takes a body that is one JSON object, of a server that does not stream. Returns
   * whether it is an answer. */
  gboolean (*take_whole) (ConfabAnswerReader *self, JsonObject *object);
} ConfabAnswerFormat;

ConfabAnswerReader *confab_answer_reader_new (const ConfabAnswerFormat *format,
                                              ConfabDeltaFunc on_text,
                                              gpointer user_data);
void confab_answer_reader_free (ConfabAnswerReader *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConfabAnswerReader, confab_answer_reader_free)

gboolean confab_answer_reader_feed (ConfabAnswerReader *self,
                                    const char *bytes,
                                    gsize length,
                                    GError **error);
void confab_answer_reader_flush (ConfabAnswerReader *self);
ConfabOutcome *confab_answer_reader_finish (ConfabAnswerReader *self, GError **error);

/* For formats. */
gpointer confab_answer_reader_get_state (ConfabAnswerReader *self);
ConfabOutcome *confab_answer_reader_get_outcome (ConfabAnswerReader *self);
gboolean confab_answer_reader_take_text (ConfabAnswerReader *self,
                                         ConfabDeltaKind kind,
                                         JsonObject *object,
                                         const char *name);
void confab_answer_reader_take_model (ConfabAnswerReader *self, JsonObject *object);
void confab_answer_reader_take_finish_reason (ConfabAnswerReader *self,
                                              JsonObject *object,
                                              const char *name);
void confab_answer_reader_end (ConfabAnswerReader *self);
void confab_answer_reader_fail (ConfabAnswerReader *self, GError *error);

G_END_DECLS

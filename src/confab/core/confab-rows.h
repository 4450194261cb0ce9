/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-batch.h"
#include "confab-session.h"

G_BEGIN_DECLS

/* The model as rows of the store, and back. */

void confab_rows_put_session (ConfabBatch *batch, ConfabSession *session);
void confab_rows_put_module (ConfabBatch *batch, ConfabModule *module);
void
confab_rows_put_question (ConfabBatch *batch, ConfabModule *module, ConfabGeneration *generation);
/* The answer as far as it has come, or as it will have ended when all of this is on disk. */
typedef struct
{
  ConfabState state;
  const ConfabOutcome *outcome; /* nullable */
  const GError *error;          /* nullable */
} ConfabRowsEnd;

void confab_rows_put_answer (ConfabBatch *batch,
                             ConfabModule *module,
                             ConfabGeneration *generation,
                             const ConfabRowsEnd *end);
void confab_rows_grow_answer (ConfabBatch *batch, ConfabGeneration *generation);
void confab_rows_put_generation (ConfabBatch *batch,
                                 ConfabGeneration *generation,
                                 const ConfabRowsEnd *end);
void confab_rows_put_head (ConfabBatch *batch, ConfabModule *module);

ConfabSession *confab_rows_read_session (const ConfabSessionRecord *record);
ConfabModule *confab_rows_read_module (const ConfabModuleRecord *record);
ConfabMessage *confab_rows_read_message (const ConfabMessageRecord *record);
GPtrArray *confab_rows_read_messages (GPtrArray *records);
ConfabGeneration *confab_rows_read_exchange (const ConfabExchange *exchange);

G_END_DECLS

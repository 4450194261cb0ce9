/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-db.h"

G_BEGIN_DECLS

/* From rows to records. */

/* of messages m */
#define CONFAB_MESSAGE_COLUMNS                                                                     \
  " m.id, (SELECT id FROM modules WHERE seq = m.module),"                                          \
  " (SELECT id FROM messages WHERE seq = m.parent), m.role, m.parts, m.state, m.generation_id,"    \
  " m.finish_reason, m.provider, m.model, m.input_tokens, m.output_tokens, m.reasoning_tokens,"    \
  " m.cached_input_tokens, m.error_code, m.error_message, m.created_at, m.depth "

/* of messages m too: how many siblings there are, which of them it is, the ones before and after */
#define CONFAB_N_MESSAGE_COLUMNS 18
#define CONFAB_SIBLINGS                                                                            \
  "FROM messages s INDEXED BY messages_siblings WHERE s.module = m.module AND s.parent IS "        \
  "m.parent"
#define CONFAB_BRANCHES_COLUMNS                                                                    \
  " (SELECT count(*) " CONFAB_SIBLINGS "),"                                                        \
  " (SELECT count(*) " CONFAB_SIBLINGS " AND s.seq <= m.seq),"                                     \
  " (SELECT s.id " CONFAB_SIBLINGS " AND s.seq < m.seq ORDER BY s.seq DESC LIMIT 1),"              \
  " (SELECT s.id " CONFAB_SIBLINGS " AND s.seq > m.seq ORDER BY s.seq LIMIT 1) "

/* of generations g; the first two are the seq of question and answer */
#define CONFAB_GENERATION_COLUMNS                                                                  \
  " g.question, g.answer, g.id, (SELECT id FROM modules WHERE seq = g.module), g.request_id,"      \
  " (SELECT id FROM messages WHERE seq = g.question),"                                             \
  " (SELECT id FROM messages WHERE seq = g.answer), g.state, g.event_seq, g.finish_reason,"        \
  " g.error_code, g.error_message, g.created_at, g.ended_at "
#define CONFAB_N_GENERATION_COLUMNS 14

char *confab_row_dup_text (ConfabStatement *row, int column);
ConfabMessageRecord *confab_row_read_message (ConfabDb *self, ConfabStatement *row, GError **error);
ConfabBranches *confab_row_read_branches (ConfabStatement *row, int column);
ConfabGenerationRecord *
confab_row_read_generation (ConfabDb *self, ConfabStatement *row, GError **error);

/* Sets @error for content that no Confab has written. Returns: FALSE */
gboolean confab_db_fail_damaged (ConfabDb *self, const char *what, GError **error);

G_END_DECLS

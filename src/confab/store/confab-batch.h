/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-record.h"

G_BEGIN_DECLS

/*
 * ConfabBatch: writes that reach the disk together or not at all, in the order of the calls. It
 * keeps copies of what it is given. Once committed it cannot be added to, but can be committed
 * again, which is how a write is retried when there was no space. Reference counted, thread-safe
 * once committed.
 */
typedef struct _ConfabBatch ConfabBatch;

typedef enum
{
  /* Survives a crash of Confab; a power cut may take the last seconds. For partial text. */
  CONFAB_BATCH_RELAXED,
  /* On the disk itself before the commit is reported. For questions and ends. */
  CONFAB_BATCH_DURABLE,
} ConfabBatchKind;

ConfabBatch *confab_batch_new (ConfabBatchKind kind);
ConfabBatch *confab_batch_ref (ConfabBatch *self);
void confab_batch_unref (ConfabBatch *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConfabBatch, confab_batch_unref)

gboolean confab_batch_is_empty (ConfabBatch *self);

/* Each makes a row or changes the one of that id; see the documentation for what stays as it is. */
void confab_batch_put_session (ConfabBatch *self, const ConfabSessionRecord *record);
void confab_batch_put_module (ConfabBatch *self, const ConfabModuleRecord *record);
void confab_batch_put_message (ConfabBatch *self, const ConfabMessageRecord *record);
void confab_batch_grow_message (ConfabBatch *self,
                                const char *module_id,
                                const char *message_id,
                                ConfabState state,
                                const char *parts);
void confab_batch_put_generation (ConfabBatch *self, const ConfabGenerationRecord *record);

void confab_batch_set_head (ConfabBatch *self,
                            const char *module_id,
                            const char *head_id,
                            gint64 updated_at);

void confab_batch_delete_session (ConfabBatch *self, const char *session_id);
void confab_batch_delete_module (ConfabBatch *self, const char *module_id);

G_END_DECLS
